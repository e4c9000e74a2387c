"""The corpus of ApplicationSets, and the repository and clusters that they read."""

from __future__ import annotations

import base64
import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.tree_check.application_sets import Cluster

REPOSITORY = "https://github.com/acme/platform.git"
CORPUS: dict[str, Any] = yaml.load(
    (Path(__file__).parent / "fixtures/application-sets/corpus.yaml").read_text(encoding="utf-8"),
    Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # every worker reads it to list the tests
)
_SECRET_TYPE = {"argocd.argoproj.io/secret-type": "cluster"}
CLUSTERS = [Cluster(**{**one, "labels": {**_SECRET_TYPE, **one["labels"]}}) for one in CORPUS["clusters"]]


ANSWERS = Path(__file__).parent / "fixtures/application-sets/answers.json"
"""What Argo CD's own code makes of every set: the applications, or that it refuses."""


def compare_form(applications: list[dict[str, Any]]) -> list[str]:
    """Return applications in a form to compare, without what Go leaves out or adds when it writes."""
    shown = [{key: one.get(key) for key in ("metadata", "spec")} for one in applications]
    return sorted(json.dumps(_without_empty(one), sort_keys=True) for one in shown)


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_empty(inner) for key, inner in value.items() if key != "creationTimestamp"}
        return {key: inner for key, inner in kept.items() if inner not in (None, {}, [], "", False)}
    return [_without_empty(inner) for inner in value] if isinstance(value, list) else value


def build_secrets() -> list[dict[str, Any]]:
    """Build the cluster Secrets of the corpus as the API server returns them."""
    return [
        {
            "metadata": {
                "name": f"cluster-{number}",
                "namespace": "argocd",
                "labels": dict(one.labels),
                "annotations": dict(one.annotations),
            },
            "data": {key: _encode(getattr(one, key)) for key in ("name", "server", "project") if getattr(one, key)},
        }
        for number, one in enumerate(CLUSTERS)
    ]


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def build_cases() -> dict[str, dict[str, Any]]:
    """Build every set of the corpus by name; each function to call is a set of its own."""
    cases = {name: _build(name, written) for name, written in CORPUS["cases"].items()}
    for source in CORPUS["functions"]:
        element = {"name": "a", **CORPUS["functionData"]}
        written = {
            "goTemplate": True,
            "generators": [{"list": {"elements": [element]}}],
            "add": {"metadata": {"annotations": {"result": source}}},
        }
        cases[f"function: {source}"] = _build("function", written)
    return cases


def _build(name: str, written: dict[str, Any]) -> dict[str, Any]:
    spec = copy.deepcopy(written)
    used = spec.pop("use", "goTemplate" if spec.get("goTemplate") else "template")
    template = _add(copy.deepcopy(CORPUS[used]), spec.pop("add", {}))
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": name.replace(" ", "-").lower(), "namespace": "argocd"},
        "spec": {"template": template, **spec},
    }


def _add(target: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for key, value in more.items():
        known = target.get(key)
        target[key] = _add(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return target


def write_repository(folder: Path, git: Callable[..., str]) -> None:
    """Write the files of the corpus into a git repository with branch main and tag v1."""
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for files, tag in (({**CORPUS["files"], **CORPUS["tagged"]}, "v1"), (CORPUS["files"], "")):
        for place in folder.iterdir():
            if place.is_dir() and place.name != ".git":
                shutil.rmtree(place)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "files")
        if tag:
            git(folder, "tag", tag)
