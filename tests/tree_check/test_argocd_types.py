"""What Go reads into Argo CD's types; tests/fixtures/sources/overrides.yaml holds it against the repo-server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.tree_check.argocd_types import find_misfit
from gitops_stack.tree_check.source import Request
from gitops_stack.tree_check.source_type import apply_overrides


def apply(folder: Path, written: str, **options: Any) -> dict[str, Any]:
    (folder / ".argocd-source.yaml").write_text(written)
    return apply_overrides(Request(folder, options, several=True)).options


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Helm: {ReleaseName: a}", {"helm": {"releaseName": "a"}}),
        ("Helm: {ReleaseName: a}\nhelm: {releaseName: b}", {"helm": {"releaseName": "b"}}),
        ("helm: {Parameters: [{NAME: a}]}", {"helm": {"parameters": [{"name": "a"}]}}),
        ("kustomize: {commonLabels: {A: b}}", {"kustomize": {"commonLabels": {"A": "b"}}}),
        ("helm: {valuesObject: {ReleaseName: a}}", {"helm": {"valuesObject": {"ReleaseName": "a"}}}),
    ],
)
def test_keys_are_read_in_any_letters(written: str, found: dict[str, Any], tmp_path: Path) -> None:
    assert apply(tmp_path, written) == found


def test_a_key_in_other_letters_is_laid_under_what_the_application_says(tmp_path: Path) -> None:
    said = apply(tmp_path, "HELM: {releasename: a, namespace: b}", helm={"releaseName": "own"})
    assert said == {"helm": {"releaseName": "own", "namespace": "b"}}


def test_a_value_that_does_not_fit_is_one_sentence_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        apply(tmp_path, "helm: {parameters: [{name: a, value: 5}]}")
    assert str(refused.value) == (
        f"{tmp_path}/.argocd-source.yaml: helm.parameters[0].value: found 5, where Argo CD reads text; correct it"
    )


def test_a_long_value_that_does_not_fit_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        apply(tmp_path, f"helm: {'x' * 5000}")
    assert len(refused.value.problems[0].found) < 120


@pytest.mark.parametrize(
    ("value", "fits"), [(5, True), ("5", True), (5.0, True), (5.5, False), (True, False), ([], False), (None, True)]
)
def test_a_number_or_a_text(value: object, fits: bool) -> None:
    schema = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    assert (find_misfit(value, schema) is None) is fits
