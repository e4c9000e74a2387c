"""What is the library's own in a stack, and nobody's without one: Applications that never cascade, Secrets it keeps."""

from __future__ import annotations

import pytest

from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.dangers import check_finalizer, check_secret
from gitops_stack.rules.finding import RenderedObject
from tests.cases import build_object


@pytest.mark.parametrize(
    ("name", "cascades", "of_stack", "rules"),
    [
        ("argocd", True, True, ["library-finalizer"]),
        ("projects", True, True, ["library-finalizer"]),
        ("argocd", False, True, []),
        ("projects", False, True, []),
        ("argocd", True, False, []),
        ("web", True, True, []),
        ("web", False, True, ["workload-without-finalizer"]),
        ("argocd", False, False, ["workload-without-finalizer"]),
    ],
)
def test_whose_finalizer_it_is(name: str, cascades: bool, of_stack: bool, rules: list[str]) -> None:
    metadata = {"name": name} | ({} if cascades else {"finalizers": None})
    found = RenderedObject(build_object({"base": "application", "metadata": metadata}), "argocd", "a.yaml")
    findings = check_finalizer(read_application_spec(found, of_stack=of_stack))
    assert [one.rule for one in findings] == rules


@pytest.mark.parametrize(
    ("name", "argocd_namespace", "rules"),
    [("argocd-secret", "shop", ["pulumi-owned-secret"]), ("argocd-secret", "argocd", []), ("argocd-secret", "", []),
     ("login", "shop", [])],
)  # fmt: skip
def test_whose_secret_it_is(name: str, argocd_namespace: str, rules: list[str]) -> None:
    found = RenderedObject(build_object({"base": "secret", "metadata": {"name": name}}), "shop", "a.yaml")
    assert [one.rule for one in check_secret(None, found, argocd_namespace)] == rules
