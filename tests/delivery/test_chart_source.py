"""Sources of Applications in manifests: found in every form, and changed where they stand and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.charts.lock import ChartLock, LockedChart
from gitops_stack.charts.reference import ChartReference
from gitops_stack.delivery.announcement import RenderedWorkloads
from gitops_stack.delivery.charts.chart_file import load_stack_charts
from gitops_stack.delivery.charts.plan import ChartChange, ChartPlan
from gitops_stack.delivery.charts.proof import prove_charts
from gitops_stack.delivery.edits.chart_source import change_source, list_sources
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.manifests import Manifest

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
TWO = (
    "# first\n---\n"
    f"{HEAD}metadata: {{name: web}}\r\nspec:\r\n  source: {{chart: 'web', targetRevision: '1.0.0'}} # one\r\n"
    "---\nkind: ConfigMap\n---\n"
    f"{HEAD}metadata: {{name: api}}\nspec:\n  source: {{}}\n  sources:\n"
    '    - ref: values\n    - chart: api\n      targetRevision: "1.0.0" # two\n'
)


def test_sources_are_found_in_every_document_and_one_is_changed() -> None:
    found = list_sources(TWO, "a.yaml")
    assert [(one.application, one.document, one.field) for one in found] == [
        ("web", 0, "spec.source"),
        ("api", 2, "spec.sources.0"),
        ("api", 2, "spec.sources.1"),
    ]
    changed = change_source(TWO, found[2], {"targetRevision": "1.10"}, "a.yaml")
    assert changed == TWO.replace('"1.0.0" # two', '"1.10" # two')
    changed = change_source(TWO, found[0], {"targetRevision": "1.10"}, "a.yaml")
    assert changed == TWO.replace("'1.0.0'}", "'1.10'}")


def test_a_version_that_yaml_would_take_for_a_number_is_quoted() -> None:
    text = f"{HEAD}metadata: {{name: a}}\nspec:\n  source:\n    chart: a\n    targetRevision: 1.0.0\n"
    (source,) = list_sources(text, "a.yaml")
    assert change_source(text, source, {"targetRevision": "1.10"}, "a.yaml").endswith('targetRevision: "1.10"\n')


def test_a_chart_becomes_a_path_in_its_place() -> None:
    source = "    chart: a # its name\n    repoURL: u\n    targetRevision: 1.0.0\n"
    text = f"{HEAD}metadata: {{name: a}}\nspec:\n  source:\n{source}"
    (found,) = list_sources(text, "a.yaml")
    changed = change_source(text, found, {"repoURL": "v", "targetRevision": "main", "path": "charts/a/1.0.0"}, "a.yaml")
    assert changed.endswith("    path: charts/a/1.0.0 # its name\n    repoURL: v\n    targetRevision: main\n")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            "x: &s {chart: a, targetRevision: 1.0.0}\nspec: {source: *s}\n",
            "a.yaml: spec.source: is an alias; write it out in its own place",
        ),
        ("spec: {source: {chart: a}}\n", "a.yaml: spec.source: has no targetRevision; add it, then run this again"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(spec: str, sentence: str) -> None:
    text = f"{HEAD}metadata: {{name: a}}\n{spec}"
    with pytest.raises(GitOpsStackError) as refused:
        change_source(text, list_sources(text, "a.yaml")[0], {"targetRevision": "2.0.0"}, "a.yaml")
    assert str(refused.value) == sentence


D = f"sha256:{'d' * 64}"


def test_charts_of_every_form_are_known(tmp_path: Path) -> None:
    sources = {
        "http": "{repoURL: 'https://charts.example.com/', chart: web, targetRevision: 1.0.0}",
        "registry": "{repoURL: public.ecr.aws/team, chart: web, targetRevision: 1.0.0}",
        "oci": "{repoURL: 'oci://public.ecr.aws/team/web', path: ., targetRevision: 1.0.0}",
        "vendored": "{repoURL: u, path: charts/web/1.0.0/, targetRevision: main}",
        "other-version": "{repoURL: u, path: charts/web/2.0.0, targetRevision: main}",
        "plain": "{repoURL: u, path: gitops/workloads/web, targetRevision: main}",
    }
    folder = tmp_path / "gitops/dev/apps/team"
    folder.mkdir(parents=True)
    for name, source in sources.items():
        (folder / f"{name}.yaml").write_text(f"{HEAD}metadata: {{name: {name}}}\nspec: {{source: {source}}}\n")
    (folder / "broken.yaml").write_text("kind: Application\na: [\n")
    entry = LockedChart(name="web", version="1.0.0", repository="https://charts.example.com", package=D, files=D)
    found = load_stack_charts(TreeReader(tmp_path), "gitops/dev", ChartLock({("web", "1.0.0"): entry}))
    assert [(one.application, str(one.reference), one.version, one.vendored) for one in found.charts] == [
        ("http", "https://charts.example.com/web", "1.0.0", False),
        ("oci", "oci://public.ecr.aws/team/web", "1.0.0", False),
        ("registry", "oci://public.ecr.aws/team/web", "1.0.0", False),
        ("vendored", "https://charts.example.com/web", "1.0.0", True),
    ]
    (unread,) = found.unread
    assert unread.startswith("gitops/dev/apps/team/broken.yaml: is not YAML: ")


def application(version: str, **spec: object) -> Manifest:
    source = {"chart": "web", "repoURL": "u", "targetRevision": version}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web"},
        "spec": {"source": source, **spec},
    }


def config(value: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": value}}


WEB = ChartReference("https://charts.example.com", "web")
CHANGE = ChartChange(
    "web",
    "web",
    WEB,
    "1.0.0",
    "1.1.0",
    D,
    "apps/web.yaml",
    {"targetRevision": "1.1.0"},
    {"targetRevision": "1.0.0"},
    {},
)
PLAN = ChartPlan("dev", (CHANGE,))
BEFORE = RenderedWorkloads({"root": [application("1.0.0")], "web": [config("1")], "other": [config("1")]})


def prove(after: dict[str, list[Manifest]], **failed: str) -> list[str]:
    return prove_charts(PLAN, BEFORE, RenderedWorkloads({**BEFORE.objects, **after}), failed)


def test_the_announced_version_and_all_that_the_chart_makes_may_change() -> None:
    assert prove({"root": [application("1.1.0")], "web": [config("2"), {"kind": "Secret"}]}) == []


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (
            {"root": [application("1.1.0")], "other": [config("2")]},
            "other: more than the chart would change: ConfigMap web data.a: 1 -> 2; nothing is committed",
        ),
        (
            {"root": [application("1.1.0", project="other")]},
            "root: more than the chart would change: argoproj.io/Application web spec.project: None -> other; nothing "
            "is committed",
        ),
        (
            {"root": [application("1.2.0")]},
            "root: more than the chart would change: argoproj.io/Application web spec.source.targetRevision: 1.1.0 -> "
            "1.2.0; nothing is committed",
        ),
        (
            {"root": [application("1.0.0")]},
            "root: more than the chart would change: argoproj.io/Application web spec.source.targetRevision: 1.1.0 -> "
            "1.0.0; nothing is committed",
        ),
        (
            {"root": [application("1.1.0"), config("1")]},
            "root: more than the chart would change: ConfigMap web would appear; nothing is committed",
        ),
    ],
)
def test_more_than_was_announced_is_refused(after: dict[str, list[Manifest]], sentence: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        prove(after)
    assert refused.value.findings == (sentence,)
