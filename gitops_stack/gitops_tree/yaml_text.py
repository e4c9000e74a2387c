"""YAML in and out: fast, deterministic, and read as Kubernetes reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.errors import GitOpsStackError

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
"""Of the files Argo CD takes for manifests (reposerver/repository, `findManifests`); jsonnet is left out."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml's loader without timestamps: Kubernetes reads an unquoted date as a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Block style, list items indented under their key, long texts as literal blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


NO_TEXT = re.compile(
    r"[yYnN]|[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?)"
)
"""What go-yaml, which kustomize, Helm and Argo CD read with, takes for true, false or a number without quotes."""


def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Represent a text as one to every reader: PyYAML leaves `y` and `12e4567` without quotes."""
    style = "|" if "\n" in text else "'" if NO_TEXT.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, represent_text)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]


def load_documents(text: str | bytes) -> list[Any]:
    """Parse all documents that are not empty. Raises ``yaml.YAMLError``."""
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:  # PyYAML's own, for `!!int x`
        raise yaml.YAMLError(f"a value does not fit its tag: {error}") from None


def load_yaml_file(file: Path, place: str = "") -> list[Any]:
    """Parse all documents of ``file`` that are not empty.

    Raises :class:`GitOpsStackError`, its sentence beginning with ``place`` or the file's path, and ``OSError``.
    """
    try:
        return load_documents(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GitOpsStackError(build_no_yaml(place or str(file), error)) from None


def build_no_yaml(place: str, error: Exception, longest: int | None = None) -> str:
    """Build the sentence about a text that is no YAML, with at most ``longest`` characters of what the parser said."""
    return f"{place}: is no YAML: {' '.join(str(error).split())[:longest]}; correct it"


def render_document(document: Any) -> str:  # noqa: ANN401 - any YAML value
    """Render one document, keys in the order they were built."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
