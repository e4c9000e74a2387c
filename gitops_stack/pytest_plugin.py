"""Fixtures for teams that test their trees and policies. Found by pytest itself once the package is installed.

Imports nothing of the package until a fixture is used: every pytest run on the machine loads this module.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gitops_stack.rules.finding import RenderedObject
    from gitops_stack.tree_check.applications import Tree
    from gitops_stack.tree_check.result import CheckResult


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that says where the project is."""
    parser.addini("gitops_project", "Folder of Pulumi.yaml, relative to the root; default: the root.", default=".")


@pytest.fixture(scope="session")
def gitops_project(pytestconfig: pytest.Config) -> Path:
    """Return the folder of Pulumi.yaml: the setting `gitops_project`, by default pytest's root."""
    return pytestconfig.rootpath / str(pytestconfig.getini("gitops_project"))


@pytest.fixture(scope="session")
def gitops_tree(gitops_project: Path) -> Callable[[str], Tree]:
    """Return a function: stack -> its applications with all their rendered objects, rendered once a run."""
    from gitops_stack.config import load_stack_file  # noqa: PLC0415 - see above
    from gitops_stack.tree_check.applications import load_tree  # noqa: PLC0415

    trees: dict[str, Tree] = {}

    def load(stack: str) -> Tree:
        if stack not in trees:
            trees[stack] = load_tree(gitops_project, load_stack_file(gitops_project, stack))
        return trees[stack]

    return load


@pytest.fixture(scope="session")
def check_tree(gitops_project: Path) -> Callable[..., CheckResult]:
    """Return a function that does what `gitops-stack check --stack STACK` does, and returns its report."""
    from gitops_stack.config import load_stack_file  # noqa: PLC0415 - see above
    from gitops_stack.tree_check.check import check_stack  # noqa: PLC0415

    def check(stack: str, kubernetes_version: str | None = None) -> CheckResult:
        settings = load_stack_file(gitops_project, stack)
        return check_stack(gitops_project, settings, kubernetes_version=kubernetes_version)

    return check


@pytest.fixture(scope="session")
def gitops_objects() -> Callable[..., list[RenderedObject]]:
    """Return a function: YAML -> objects as an own policy gets them; ``namespace`` is the destination's."""
    from gitops_stack.gitops_tree.yaml_text import load_documents  # noqa: PLC0415 - see above
    from gitops_stack.rules.finding import RenderedObject  # noqa: PLC0415
    from gitops_stack.rules.scope import settle_namespaces  # noqa: PLC0415

    def build(text: str, namespace: str = "", file: str = "test.yaml") -> list[RenderedObject]:
        found = [
            RenderedObject(document, document["metadata"].get("namespace") or "", file)
            for document in load_documents(text)
        ]
        return settle_namespaces(found, namespace, {})

    return build
