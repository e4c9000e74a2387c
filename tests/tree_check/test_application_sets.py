"""ApplicationSets, expanded as Argo CD's own code does: equal applications, or it is said that there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.errors import GitOpsStackError
from gitops_stack.tree_check.application_sets import (
    Expansion,
    RefusedError,
    Repository,
    TreeSets,
    expand_application_set,
)
from gitops_stack.tree_check.application_sets.clusters_file import load_clusters
from gitops_stack.tree_check.folder import load_folder
from gitops_stack.tree_check.source_roots import SourceRoots
from tests.application_sets import ANSWERS, CLUSTERS, REPOSITORY, build_cases, compare_form, write_repository
from tests.stacks import stack_settings

FOLDERS = {
    "metadata": {"name": "{{.path.basename}}"},
    "spec": {
        "project": "default",
        "source": {"repoURL": REPOSITORY, "targetRevision": "HEAD", "path": "{{.path.path}}"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "a"},
    },
}
RELEASE = (3, 2)  # whose answers are kept
# What this library does not expand, and says so. The first two Argo CD refuses: it has no such repository either.
NOT_EXPANDED = {
    "folders of another repository": "reads https://github.com/acme/other, which is not here",
    "folders of a revision that is not there": "reads revision gone, which this clone does not have; fetch it",
    "patch with a directive of strategic merge": "has the directive $patch, which is not applied here",
    'function: {{ now | date "2006" }}': "function now is not evaluated here",
    'function: {{ printf "%[2]s %[1]s" "a" "b" }}': "%[ in a pattern of printf is not evaluated here",
    'function: {{ printf "%*d" 5 42 }}': "%* in a pattern of printf is not evaluated here",
    'function: {{ printf "%U %q" 233 65 }}': "%U of a int is not evaluated here",
    'function: {{ printf "%x" "ab" }}': "%x of a string is not evaluated here",
    "function: {{ 0x1p4 }}": "the number 0x1p4 is not read here",
    "function: {{ 1i }}": "the number 1i is not read here",
}


def expand(found: dict[str, Any], folder: Path, release: tuple[int, ...] = RELEASE) -> Expansion:
    return expand_application_set(found, Repository(SourceRoots(folder, REPOSITORY, "main")), CLUSTERS, release=release)


@pytest.fixture
def folder(tmp_path: Path, git: Callable[..., str]) -> Path:
    write_repository(tmp_path, git)
    return tmp_path


def test_every_set_has_the_applications_that_argo_cd_makes(folder: Path) -> None:
    wanted = json.loads(ANSWERS.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name, one in build_cases().items():
        try:
            made = expand(one, folder)
        except RefusedError:
            found[name] = "refused"
        else:
            found[name] = made.left_out if made.left_out else compare_form(made.applications)
    assert found.keys() == wanted.keys()
    assert len(found) >= 60
    for name, reason in NOT_EXPANDED.items():
        (said,) = found.pop(name)
        assert reason in said
    assert {name: one for name, one in found.items() if one != wanted[name]} == {}


def build_set(generators: list[Any], template: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = template or {"metadata": {"name": "{{.name}}"}, "spec": {"project": "default"}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "set", "namespace": "argocd"},
        "spec": {"generators": generators, "template": template, **spec},
    }


def names(made: Expansion) -> list[str]:
    return [one["metadata"]["name"] for one in made.applications]


# Argo CD 3.4 changed two things (applicationset/utils, RenderGeneratorParams; generators, normalizeMapForFlatten):
# `values` keep what the first generator of a matrix does not know, and selectors see into maps of texts.
VALUES = build_set(
    [
        {
            "matrix": {
                "generators": [
                    {"list": {"elements": [{"app": "web"}]}},
                    {"clusters": {"values": {"own": "{{.name}}", "app": "{{.app}}"}}},
                ]
            }
        }
    ],
    {"metadata": {"name": "{{.values.app}}/{{.values.own}}"}, "spec": {}},
    goTemplate=True,
    goTemplateOptions=["missingkey=error"],
)
SELECTS = build_set([{"clusters": {}, "selector": {"matchLabels": {"metadata.labels.env": "prd"}}}], goTemplate=True)


def test_since_3_4_values_wait_for_their_own_generator(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match='map has no entry for key "name"'):
        expand(VALUES, tmp_path, (3, 3))
    found = names(expand(VALUES, tmp_path, (3, 4)))
    assert found == ["web/eu-prd", "web/us-dev", "web/Edge_01.Store", "web/in-cluster"]


def test_since_3_4_selectors_see_labels_of_clusters(tmp_path: Path) -> None:
    assert names(expand(SELECTS, tmp_path, (3, 3))) == []
    assert names(expand(SELECTS, tmp_path, (3, 5))) == ["eu-prd"]


@pytest.mark.parametrize(
    "generator",
    [
        {"scmProvider": {"github": {"organization": "acme"}}},
        {"pullRequest": {"github": {"owner": "acme", "repo": "web"}}},
        {"plugin": {"configMapRef": {"name": "plugin"}}},
        {"clusterDecisionResource": {"configMapRef": "placement"}},
        {"matrix": {"generators": [{"list": {"elements": [{"a": "b"}]}}, {"plugin": {}}]}},
        {"merge": {"mergeKeys": ["a"], "generators": [{"pullRequest": {}}, {"list": {"elements": []}}]}},
        {"union": {}},
    ],
    ids=lambda generator: next(iter(generator)),
)
def test_what_asks_elsewhere_is_left_out_and_the_rest_is_made(generator: dict[str, Any], tmp_path: Path) -> None:
    made = expand(build_set([generator, {"list": {"elements": [{"name": "a"}]}}], goTemplate=True), tmp_path)
    assert names(made) == ["a"]
    assert len(made.left_out) == 1


def test_placeholders_that_nobody_fills_are_listed_once(tmp_path: Path) -> None:
    template = {
        "metadata": {"name": "{{name}}-{{path.filenameNormalised}}"},
        "spec": {"x": "{{ .Values.tag }} {{name}}"},
    }
    made = expand(build_set([{"list": {"elements": [{"name": "a"}, {"name": "b"}]}}], template), tmp_path)
    assert made.left_open == ["{{path.filenameNormalised}}"]
    assert names(made) == ["a-{{path.filenameNormalised}}", "b-{{path.filenameNormalised}}"]


def test_files_that_git_ignores_are_not_found(tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    for name in ("kept", "ignored"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.yaml").write_text(f"name: {name}\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("ignored/\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    files = build_set([{"git": {"repoURL": REPOSITORY, "files": [{"path": "**/app.yaml"}]}}], goTemplate=True)
    folders = build_set(
        [{"git": {"repoURL": REPOSITORY, "directories": [{"path": "*"}]}}],
        {"metadata": {"name": "{{.path.basename}}"}, "spec": {}},
        goTemplate=True,
    )
    assert names(expand(files, tmp_path)) == ["kept"]
    assert names(expand(folders, tmp_path)) == ["kept"]


def test_the_other_globbing_stops_at_slashes(tmp_path: Path) -> None:
    for name in ("conf/a.yaml", "conf/deep/b.yaml", "top.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"name: {Path(name).stem}\n", encoding="utf-8")
    found = {}
    for pattern in ("conf/*.yaml", "**/*.yaml", "conf/{a,z}.yaml"):
        one = build_set([{"git": {"repoURL": REPOSITORY, "files": [{"path": pattern}]}}], goTemplate=True)
        repository = Repository(SourceRoots(tmp_path, REPOSITORY, "main"))
        found[pattern] = [names(expand_application_set(one, repository, new_globbing=new)) for new in (False, True)]
    assert found == {
        "conf/*.yaml": [["a", "b"], ["a"]],
        "**/*.yaml": [["a", "b"], ["a", "b", "top"]],
        "conf/{a,z}.yaml": [[], ["a"]],
    }


def write_sets(folder: Path, *sets: dict[str, Any]) -> None:
    (folder / "sets").mkdir()
    for number, one in enumerate(sets):
        one["metadata"]["name"] = f"set-{number}"
    (folder / "sets/sets.yaml").write_text(yaml.safe_dump_all(sets), encoding="utf-8")


def found_in_folder(folder: Path) -> tuple[list[str], list[tuple[str, str]]]:
    tree = load_folder(folder, folder / "sets")
    return [one.spec.name for one in tree.applications], [(one.rule, one.message) for one in tree.findings]


@pytest.mark.parametrize(
    "remote",
    ["git@github.com:acme/platform.git", "https://mirror.example.com/acme/platform", "https://example.com/a/b"],
)
def test_sets_of_a_folder_read_the_clone(remote: str, tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "remote", "add", "origin", remote)
    (tmp_path / "apps/web").mkdir(parents=True)
    (tmp_path / "apps/web/app.yaml").touch()
    write_sets(
        tmp_path,
        build_set(
            [{"git": {"repoURL": REPOSITORY, "revision": "any", "directories": [{"path": "apps/*"}]}}],
            FOLDERS,
            goTemplate=True,
        ),
    )
    assert found_in_folder(tmp_path) == (["web"], [])


def test_clusters_of_a_folder_are_those_that_are_listed(tmp_path: Path) -> None:
    write_sets(tmp_path, build_set([{"clusters": {"selector": {"matchLabels": {"env": "prd"}}}}], goTemplate=True))
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "c", "labels": dict(CLUSTERS[0].labels)}}
    (tmp_path / "sets/secret.yaml").write_text(
        yaml.safe_dump({**secret, "stringData": {"name": "c", "server": "https://c"}}), encoding="utf-8"
    )
    names_found, findings = found_in_folder(tmp_path)
    assert names_found == []
    assert findings == [
        (
            "application-set-not-expanded",
            "is not expanded: it selects clusters, and nothing here tells which there are; list them in "
            "gitops/clusters.yaml; nothing of it was checked",
        )
    ]
    (tmp_path / "gitops").mkdir()
    (tmp_path / "gitops/clusters.yaml").write_text(
        "- {name: edge, server: 'https://edge', labels: {env: prd}}\n- {name: dev, server: 'https://dev'}\n"
    )
    (tmp_path / "sets/secret.yaml").unlink()
    assert found_in_folder(tmp_path) == (["edge"], [])


def test_a_list_of_clusters_that_is_not_valid_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "gitops").mkdir()
    file = tmp_path / "gitops/clusters.yaml"
    file.write_text("- {name: 12, sever: x, labels: {on: true}}\n- edge\n- {name: a, server: b, labels: [a]}\n")
    with pytest.raises(GitOpsStackError) as refused:
        load_clusters(tmp_path)
    assert refused.value.findings == (
        "gitops/clusters.yaml: [0].sever: is not a known key; known here: name, server, project, labels, annotations",
        "gitops/clusters.yaml: [0].name: found 12; needs text in quotes",
        "gitops/clusters.yaml: [0].server: found nothing; needs text in quotes",
        "gitops/clusters.yaml: [0].labels: needs a map of texts; put quotes around numbers and true or false",
        "gitops/clusters.yaml: [1]: found no map; needs name and server",
        "gitops/clusters.yaml: [2].labels: needs a map of texts; put quotes around numbers and true or false",
    )
    file.write_text("name: a\n")
    with pytest.raises(GitOpsStackError, match="found no list"):
        load_clusters(tmp_path)
    file.unlink()
    assert load_clusters(tmp_path) is None


def test_a_listed_cluster_completes_the_one_of_the_stack(tmp_path: Path) -> None:
    (tmp_path / "gitops").mkdir()
    (tmp_path / "gitops/clusters.yaml").write_text(
        "- {name: in-cluster, server: 'https://kubernetes.default.svc', annotations: {vpcId: vpc-1}}\n"
        "- {name: edge, server: 'https://edge'}\n"
    )
    roots = SourceRoots(tmp_path, REPOSITORY, "main")
    sets = TreeSets.of_stack(tmp_path, roots, stack_settings("dev"))
    assert [(one.name, one.annotations.get("vpcId"), one.labels.get("stack")) for one in sets.clusters or ()] == [
        ("in-cluster", "vpc-1", "dev"),
        ("edge", None, None),
    ]
