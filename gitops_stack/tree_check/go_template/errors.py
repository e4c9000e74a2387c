"""What can be wrong with a template."""

from __future__ import annotations


class TemplateError(Exception):
    """Go refuses the template, or fails while it executes it."""


class UnknownFieldError(TemplateError):
    """The template reads a field that its data do not have."""


class UnsupportedTemplateError(Exception):
    """Go may evaluate it, this engine does not."""
