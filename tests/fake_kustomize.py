"""Stands in for kustomize in the fast suite: resources, bases and `images`, by the rules this library plans with.

tests/e2e holds those rules against the real one. Its process starts hundreds of times, so it imports little.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gitops_stack.delivery.edits.kustomization import transform_image

if TYPE_CHECKING:
    import pytest

_LOADER, _DUMPER = getattr(yaml, "CSafeLoader", yaml.SafeLoader), getattr(yaml, "CSafeDumper", yaml.SafeDumper)
SCRIPT = """#!{python}
import sys
sys.path.insert(0, {root!r})
from tests.fake_kustomize import main
main(*sys.argv[1:])
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put it into ``folder``, in front of PATH."""
    folder.mkdir(exist_ok=True)  # with git in it, perhaps
    script = folder / "kustomize"
    script.write_text(SCRIPT.format(python=sys.executable, root=str(Path(__file__).parents[1])))
    script.chmod(0o755)
    # What is kept was rendered by the real one.
    monkeypatch.setattr("gitops_stack.tree_check.render.load_program", lambda: "a stand-in")
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def main(command: str, *words: str) -> None:
    if command == "edit":  # set namespace -- NAME, in the folder at hand
        file = Path("kustomization.yaml")
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "namespace": words[-1]}))
        return
    sys.stdout.write(yaml.dump_all(build(Path(words[0])), Dumper=_DUMPER))


def build(folder: Path) -> list[dict[str, Any]]:
    fields = yaml.load((folder / "kustomization.yaml").read_text(), Loader=_LOADER)
    made: list[dict[str, Any]] = []
    for name in fields.get("resources", ()):
        place = folder / name
        made += build(place) if place.is_dir() else list(yaml.load_all(place.read_text(), Loader=_LOADER))
    for one in made if "namespace" in fields else ():
        one["metadata"]["name" if one["kind"] == "Namespace" else "namespace"] = fields["namespace"]
    for entries in [fields.get("images", [])]:
        _change(made, entries)
    for entry in fields.get("labels", ()):
        for one in made:
            _label(one, entry["pairs"], selectors=entry.get("includeSelectors", False))
    return made


def _label(one: dict[str, Any], pairs: dict[str, str], *, selectors: bool) -> None:
    """Add labels as kustomize does to the kinds of the sample (its api/konfig/builtinpluginconsts)."""
    spec = one.get("spec") or {}
    template = spec.get("template")
    places = [one["metadata"]]
    if selectors and template and one["kind"] != "Job":
        template.setdefault("metadata", {})
        spec.setdefault("selector", {}).setdefault("matchLabels", {}).update(pairs)
    elif selectors and one["kind"] == "PodDisruptionBudget":
        spec.setdefault("selector", {}).setdefault("matchLabels", {}).update(pairs)
    elif selectors and one["kind"] == "Service":
        spec.setdefault("selector", {}).update(pairs)
    if selectors and template:
        places.append(template.setdefault("metadata", {}))
    for place in places:
        place.setdefault("labels", {}).update(pairs)


def _change(value: Any, entries: list[Any]) -> None:
    for held in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _change(held, entries)
    for container in (value.get("containers") or ()) if isinstance(value, dict) else ():
        container["image"] = transform_image(container["image"], entries)
