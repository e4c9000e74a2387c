"""The picture of the layers in ARCHITECTURE.md, made from import-linter's contract and the packages' own words."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from typing import Any

from tests.stacks import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PLACE = re.compile(r"<!-- layers -->\n.*?<!-- /layers -->", re.DOTALL)


def write_layers(text: str) -> str:
    """Return the page with the layers as they are now, the highest first."""
    assert len(_PLACE.findall(text)) == 1, "ARCHITECTURE.md has no place for the layers"
    made = "\n".join(_lines())
    return _PLACE.sub(lambda _: f"<!-- layers -->\n{made}\n<!-- /layers -->", text)


def _lines() -> Iterator[str]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [one for one in project["tool"]["importlinter"]["contracts"] if one["name"] == "Imports point down"]
    yield "| layer | room | what it is |\n|---|---|---|"
    layers = contract["layers"]
    for number, layer in enumerate(layers):
        for name in layer.split(" | "):
            yield f"| {len(layers) - number} | `{name}` | {_describe(name)} |"


def _describe(name: str) -> str:
    folder = ROOT / "gitops_stack" / name
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].replace("|", "\\|")
