"""Small trees and the settings of two stacks that run applications out of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.settings import StackSettings

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
REPOSITORY = "https://github.com/acme/platform.git"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  template:
    spec:
      containers:
        - name: web
          image: {image} # ours
"""


def write(root: Path, texts: dict[str, str]) -> TreeReader:
    """Write path -> text and return a reader of the tree."""
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())
    return TreeReader(root)


def stack(name: str, **workloads: str | Mapping[str, object]) -> StackSettings:
    """Build the settings of a stack: application -> folder, or all of its settings."""
    written = {key: {"path": value} if isinstance(value, str) else dict(value) for key, value in workloads.items()}
    return StackSettings.model_validate(
        {
            "stack": name,
            "cluster": {"provider": "existing", "context": "kind"},
            "gitops": {"repoUrl": REPOSITORY},
            "argocd": {"version": "v3.5.1", "commit": "1" * 40},
            "projects": {"team": {"namespaces": ["team"]}},
            "workloads": {key: {"project": "team", "namespace": "team", **value} for key, value in written.items()},
        }
    )
