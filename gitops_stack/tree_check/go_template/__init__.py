"""Go's text/template with the functions Argo CD gives to ApplicationSets (docs/adr/0011).

A template that Go refuses raises :class:`TemplateError`; one that this engine does not know how to evaluate, such as
a random or a time, raises :class:`UnsupportedTemplateError`.
"""

from gitops_stack.tree_check.go_template.errors import TemplateError, UnknownFieldError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.execution import render_template
from gitops_stack.tree_check.go_template.values import StringList, StringMap, format_value

__all__ = [
    "StringList",
    "StringMap",
    "TemplateError",
    "UnknownFieldError",
    "UnsupportedTemplateError",
    "format_value",
    "render_template",
]
