"""kubeconform, built from a pinned Go module as the lab's tools are, and the schemas it validates with: ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from gitops_stack.lab.artifacts import Artifact
from gitops_stack.lab.tools import Tools, build_tools
from gitops_stack.manifests import Manifest
from gitops_stack.tree_check.crd_schemas import build_strict_schema, list_crd_schemas

VERSION = "v0.8.0"
CATALOGUE = "catalogue"
PINS = Path(__file__).with_name("tools")
_PACKAGE = "github.com/yannh/kubeconform/cmd/kubeconform"
_ARTIFACT = Artifact("kubeconform", "kubeconform", _PACKAGE, 10, (("main.version", VERSION),))
_REFERENCE = re.compile(r'"\$ref": "[^"]*#/\$defs/([^"]+)"')
_METADATA = {"$ref": "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}


def build_kubeconform(progress: Callable[[str], None], tools: Tools) -> Path:
    """Build the executable beside ``tools`` if it is not there, and return it."""
    return build_tools(progress, cache=tools.bin.parents[1], artifacts=(_ARTIFACT,), pins=PINS).bin / "kubeconform"


def write_schemas(folder: Path, version: str, kinds: Iterable[tuple[str, str]], definitions: list[Manifest]) -> str:
    """Write the schemas of ``kinds`` (apiVersion, kind) as kubeconform reads them; returns its `-schema-location`.

    One file a kind that holds all it refers to; kubeconform looks them up by kind, group's first word and version.
    Those of CRDs go into a catalogue as this project reads it as well, ``folder``/catalogue.
    """
    own = resources.files("kubernetes_validate") / f"kubernetes-json-schema/v{version}.0-local-strict"
    shared = json.loads((own / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    custom = dict(list_crd_schemas(definitions))
    for api_version, kind in kinds:
        group, _, short = api_version.rpartition("/")
        name = "-".join(part for part in (kind.lower(), group.partition(".")[0], short) if part)
        if (api_version, kind) in custom:
            schema = build_strict_schema(custom[api_version, kind], _METADATA)
        else:
            schema = json.loads((own / f"{name}.json").read_text(encoding="utf-8"))
        text = _bundle(schema, shared)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
        if (api_version, kind) in custom:
            file = folder / CATALOGUE / group / f"{kind.lower()}_{short}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"


def _bundle(schema: dict[str, Any], shared: dict[str, Any]) -> str:
    used: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for found in _REFERENCE.findall(json.dumps(waiting.pop())):
            if found not in used:
                used[found] = shared[found]
                waiting.append(shared[found])
    plain = {name: {key: value for key, value in one.items() if key != "$id"} for name, one in used.items()}
    text = json.dumps({**{key: value for key, value in schema.items() if key != "$id"}, "$defs": plain})
    return _REFERENCE.sub(r'"$ref": "#/$defs/\1"', text)
