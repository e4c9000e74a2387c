"""One Application's chart is read and changed whatever stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.charts.lock import ChartLock
from gitops_stack.delivery.charts.chart_file import load_stack_charts
from gitops_stack.delivery.edits.chart_source import change_source, list_sources
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError

REPOSITORY = "https://charts.example.com"
NEEDS = (
    "needs the URL of the repository and the chart's name, such as https://charts.example.com/NAME or "
    "oci://registry.example.com/team/NAME"
)
LOGIN = (
    "chart 'bad' of h.example.com: has a user or a password in its URL; leave them out and log in with `helm registry "
    "login` or `helm repo add`"
)


def application(name: str, *sources: str) -> str:
    listed = "".join(f"  - {{{one}}}\n" for one in sources)
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  sources:\n{listed}"
    )


def source(name: str, url: str = REPOSITORY) -> str:
    return f"repoURL: '{url}', chart: {name}, targetRevision: 1.0.0"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("git@x:y", f"tree/a.yaml: chart 'bad': {NEEDS}"),
        ("https://me:secret@h.example.com", LOGIN),
        ("", f"tree/a.yaml: chart 'bad': {NEEDS}"),
    ],
)
@pytest.mark.parametrize("one_application", [True, False], ids=["one-application", "several"])
def test_a_source_that_cannot_be_read_hides_no_other(
    url: str, sentence: str, tmp_path: Path, *, one_application: bool
) -> None:
    sources = [source("before"), source("bad", url), source("after")]
    texts = [application("web", *sources)] if one_application else [application("web", one) for one in sources]
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a.yaml").write_text("---\n".join(texts))
    found = load_stack_charts(TreeReader(tmp_path), "tree", ChartLock({}))
    assert [one.reference.name for one in found.charts] == ["before", "after"]
    assert found.unread == (sentence,)


@pytest.mark.parametrize("key", ["path", "chart"])
def test_a_source_with_a_chart_and_a_path_is_refused_by_name(key: str) -> None:
    text = application("web", f"{source('web')}, path: x")
    (one,) = list_sources(text, "a.yaml")
    with pytest.raises(GitOpsStackError) as refused:
        change_source(text, one, {key: "charts/web/1.0.0"}, "a.yaml")
    assert str(refused.value) == "a.yaml: web: spec.sources.0: has chart and path; remove one, then run this again"


def test_another_version_touches_neither_chart_nor_path() -> None:
    text = application("web", f"{source('web')}, path: x")
    (one,) = list_sources(text, "a.yaml")
    assert change_source(text, one, {"targetRevision": "2.0.0"}, "a.yaml") == text.replace("1.0.0", "2.0.0")
