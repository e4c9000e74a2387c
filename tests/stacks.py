"""What many tests need: the committed stacks, their renders, and their programs run under mocks."""

from __future__ import annotations

import copy
import os
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings
from gitops_stack.testing import RegisteredResource, record_program

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
RENDERS = ROOT / "tests" / "fixtures" / "renders"
STACKS = ("local", "dev", "prd")
# What the look-ups of the committed stacks find.
CALLS: dict[str, Any] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": [f"ap-northeast-1{zone}" for zone in "acd"]},
    "aws:secretsmanager/getSecretVersion:getSecretVersion": {
        "secretString": '{"username": "git", "password": "token"}'
    },
    "aws:secretsmanager/getSecret:getSecret": {
        "arn": "arn:aws:secretsmanager:ap-northeast-1:210987654321:secret:ecr-pullthroughcache/ghcr.io-a1b2c3"
    },
}
COMMIT = "109ca7ca71139e514114499d294a492e7910a965"


def is_golden_run() -> bool:
    """Tell whether golden files are to be written instead of compared."""
    return os.environ.get("GITOPS_STACK_GOLDEN") == "write"


def compare_golden(name: str, text: str) -> None:
    """Compare ``text`` with a golden file, or write it on a golden run."""
    file = GOLDEN / name
    if is_golden_run():
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@cache
def stack_settings(stack: str) -> StackSettings:
    """Load a committed stack."""
    return load_stack_file(ROOT, stack)


def stack_tree(stack: str) -> Path:
    """Return the folder of a committed tree."""
    return ROOT / stack_settings(stack).tree_path


@cache
def stack_render(stack: str) -> list[Manifest]:
    """Load the kept render of a committed stack, whatever cache the test uses; not to be changed by a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITOPS_STACK_CACHE_DIR", str(RENDERS.parent))
        return load_manifests(stack_tree(stack) / "argocd")


def stack_config(stack: str) -> dict[str, Any]:
    """Read the configuration of a stack as the engine hands it over."""
    config: dict[str, Any] = load_documents((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))[0]["config"]
    return config


def changed_config(stack: str, name: str) -> dict[str, Any]:
    """Return the configuration of a stack, changed by tests/fixtures/stacks/``name``.yaml.

    `<dropped>` removes a key.
    """
    text = (ROOT / "tests" / "fixtures" / "stacks" / f"{name}.yaml").read_text(encoding="utf-8")
    config = copy.deepcopy(stack_config(stack))
    for path, value in load_documents(text)[0]["changes"].items():
        *head, last = path.split(".")
        node = config
        for part in [f"gitops-stack:{one}" if place == 0 else one for place, one in enumerate(head)]:
            node = node.setdefault(part, {})
        key = last if head else f"gitops-stack:{last}"
        if value == "<dropped>":
            del node[key]
        else:
            node[key] = value
    return config


def changed_settings(stack: str, name: str) -> StackSettings:
    """Return the settings of :func:`changed_config`."""
    config = changed_config(stack, name)
    values = {key.removeprefix("gitops-stack:"): value for key, value in config.items() if not key.startswith("aws:")}
    return StackSettings.model_validate({**values, "region": config["aws:region"], "stack": stack})


def run_main() -> None:
    """Run the program of the project, whose tree paths are relative to the project's folder."""
    runpy.run_path(str(ROOT / "__main__.py"))


@cache
def record_stack(stack: str, preview: bool = False) -> list[RegisteredResource]:
    """Run the whole program of a stack under mocks; the working folder has to be the project's."""
    return record_program(run_main, stack=stack, config=stack_config(stack), preview=preview, calls=CALLS)


def objects(resources: list[RegisteredResource], kind: str = "") -> list[RegisteredResource]:
    """Return the Kubernetes objects among ``resources``, of one kind or of all."""
    return [found for found in resources if found.type.startswith("kubernetes:") and found.type.endswith(kind)]


def minimal(**changes: Any) -> StackSettings:
    """Build settings of a stack `test`; ``changes`` replace whole keys."""
    values: dict[str, Any] = {
        "stack": "test",
        "cluster": {"provider": "existing"},
        "gitops": {"repoUrl": "https://example.com/platform.git"},
        "argocd": {"version": "v3.5.1", "commit": COMMIT},
        **changes,
    }
    return StackSettings.model_validate(values)
