"""Replace the placeholders of a set, in one of its two languages (Argo CD applicationset/utils, Render)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.tree_check.application_sets.errors import NotExpandableError, RefusedError
from gitops_stack.tree_check.go_template import (
    TemplateError,
    UnknownFieldError,
    UnsupportedTemplateError,
    render_template,
)

Parameters = dict[str, Any]
_TEMPLATED = re.compile(r"\{\{.*\}\}")
_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# Generators whose `values` keep their placeholders until the generator's own parameters are known.
_WITH_VALUES = ("clusters", "git", "scmProvider", "clusterDecisionResource", "pullRequest", "plugin")


@dataclass(frozen=True)
class Filling:
    """How a set writes its placeholders, and which release of Argo CD fills them in."""

    go_template: bool
    options: tuple[str, ...]
    release: tuple[int, ...]

    @classmethod
    def of(cls, manifest: object, release: tuple[int, ...]) -> Filling:
        """Read it from an ApplicationSet."""
        options = tuple(text(one) for one in sequence(dig(manifest, "spec", "goTemplateOptions")))
        return cls(dig(manifest, "spec", "goTemplate") is True, options, release)

    @property
    def resolves_nested(self) -> bool:
        """Tell whether `values` and selectors of nested maps are understood, as since Argo CD 3.4."""
        return self.release >= (3, 4)

    def fill_text(self, source: str, parameters: Mapping[str, Any], options: Sequence[str] | None = None) -> str:
        """Fill one text. Raises :class:`RefusedError` and :class:`NotExpandableError`."""
        if self.go_template:
            if "{{" not in source:
                return source
            try:
                return render_template(source, parameters, self.options if options is None else options)
            except TemplateError as error:
                raise RefusedError(f"template {_shorten(source)} fails: {error}") from error
            except UnsupportedTemplateError as error:
                raise NotExpandableError(f"of its template {_shorten(source)}, {error}") from None
        if not _TEMPLATED.search(source):
            return source
        if "{{" in source[max((found.end() for found in _TAG.finditer(source)), default=0) :]:
            raise RefusedError(f"template {_shorten(source)} has no closing braces")

        def replaced(found: re.Match[str]) -> str:
            given = parameters.get(found[1].strip())
            return given if isinstance(given, str) and found[1].strip() else found[0]

        return _TAG.sub(replaced, source)

    def fill(self, value: Any, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
        """Fill all texts of a value, keys of maps included; what is null is left out of maps."""
        if isinstance(value, str):
            return self.fill_text(value, parameters)
        if isinstance(value, dict):
            return {
                self.fill_text(key, parameters) if isinstance(key, str) else key: self.fill(inner, parameters)
                for key, inner in value.items()
                if inner is not None
            }
        return [self.fill(inner, parameters) for inner in value] if isinstance(value, list) else value

    def fill_generator(self, generator: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Fill a matrix's second generator with what the first gave."""
        if not parameters:
            return dict(generator)
        filled = {}
        for kind, body in generator.items():
            if kind in ("matrix", "merge"):
                inner = [self.fill_generator(mapping(one), parameters) for one in sequence(dig(body, "generators"))]
                rest = {key: value for key, value in mapping(body).items() if key != "generators"}
                filled[kind] = {**self.fill(rest, parameters), "generators": inner}
            elif kind in _WITH_VALUES and self.resolves_nested and mapping(dig(body, "values")):
                rest = {key: value for key, value in body.items() if key != "values"}
                values = {key: self._fill_known(text(value), parameters) for key, value in body["values"].items()}
                filled[kind] = {**self.fill(rest, parameters), "values": values}
            elif body is not None:
                filled[kind] = self.fill(body, parameters)
        return filled

    def _fill_known(self, source: str, parameters: Mapping[str, Any]) -> str:
        options = [*(one for one in self.options if not one.startswith("missingkey=")), "missingkey=error"]
        try:
            return self.fill_text(source, parameters, options)
        except RefusedError as error:
            if isinstance(error.__cause__, UnknownFieldError):
                return source
            raise


def _shorten(source: str) -> str:
    line = " ".join(source.split())
    return line if len(line) <= 80 else f"{line[:77]}..."  # noqa: PLR2004 - a line of a terminal, with its place


def list_left_open(value: Any) -> list[str]:  # noqa: ANN401 - any YAML value
    """List placeholders of the plain language that no generator filled: Argo CD leaves them as they stand."""
    if isinstance(value, dict):
        return [name for pair in value.items() for part in pair for name in list_left_open(part)]
    if isinstance(value, list):
        return [name for part in value for name in list_left_open(part)]
    tags = [found.strip() for found in _TAG.findall(value)] if isinstance(value, str) else []
    return [f"{{{{{tag}}}}}" for tag in tags if re.fullmatch(r"[A-Za-z_][\w.\[\]/-]*", tag)]
