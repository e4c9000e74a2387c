"""Why a set has no applications here."""

from __future__ import annotations


class NotExpandableError(Exception):
    """A generator or template needs more than this repository: nothing is known of what it makes."""


class RefusedError(Exception):
    """Argo CD's controller refuses it as well: it reports ErrorOccurred and touches no application of the set."""
