"""`app add --application-set` and its way back: one element or one folder more, and every other byte as it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.scaffold.app_manifests import AppSource, build_app_files
from gitops_stack.scaffold.plan import ProjectPlan
from gitops_stack.scaffold.set_entries import plan_entry, plan_entry_removal
from tests.scaffold.conftest import snapshot
from tests.stacks import ROOT

ENVIRONMENTS = "gitops/local/apps/environments.yaml"
FOLDERS = "gitops/local/apps/folders.yaml"
SET = """\
# ours
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: regions, namespace: argocd}}
spec:
  goTemplate: {go}
  generators:
{generators}
  template:
    metadata: {{name: "{name}"}}
    spec: {{project: storefront, source: {{path: "{path}"}}}}
---
kind: ConfigMap # behind it
"""
GIT = "    - git: {{repoURL: {}, directories: {}}}"
OWN = "https://github.com/acme/platform.git"
PLACE = "gitops/dev/apps/regions.yaml: ApplicationSet regions: "


@pytest.fixture
def sampled(project: Path) -> Path:
    """Lay the samples with ApplicationSets over the committed trees."""
    for sample in ("folders", "environments"):
        shutil.copytree(ROOT / "docs/samples" / sample / "gitops", project / "gitops", dirs_exist_ok=True)
    return project


def add(project: Path, name: str, set_name: str = "environments", **options: Any) -> ProjectPlan:
    arguments: dict[str, Any] = {"values": {}, "source": AppSource(), "stacks": (), **options}
    return plan_entry(project, name, set_name, **arguments)


def findings(project: Path, *arguments: Any, **options: Any) -> tuple[str, ...]:
    before = snapshot(project)
    with pytest.raises(GitOpsStackError) as raised:
        add(project, *arguments, **options)
    assert snapshot(project) == before
    return raised.value.findings


def write_set(project: Path, elements: str = "[]", **parts: str) -> str:
    """Write the set `regions` for stack dev, by default a list; returns its path."""
    generators = "    - list:\n        elements: " + elements
    filled = {"go": "true", "name": "region-{{.name}}", "path": "a", "generators": generators, **parts}
    (project / "gitops/dev/apps/regions.yaml").write_text(SET.format(**filled))
    return "gitops/dev/apps/regions.yaml"


def changed(before: dict[str, bytes], project: Path) -> set[str]:
    after = snapshot(project)
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_a_list_gets_one_line_and_loses_it_again(sampled: Path) -> None:
    before = snapshot(sampled)
    text = before[ENVIRONMENTS].decode()
    plan = add(sampled, "cy")
    assert plan.paths(sampled) == [ENVIRONMENTS]
    assert plan.notes == (
        "next: review, commit and push; ApplicationSet environments then creates the application in local",
    )
    plan.write(sampled)
    assert (sampled / ENVIRONMENTS).read_text() == text.replace(
        "          - name: bo\n", "          - name: bo\n          - name: cy\n"
    )
    assert changed(before, sampled) == {ENVIRONMENTS}
    removal = plan_entry_removal(sampled, "cy", "environments", ["local"])
    assert removal.notes == (
        "next: review, commit and push",
        "local: environments then deletes the application and all that it synced, there is no second step",
    )
    removal.write(sampled)
    assert snapshot(sampled) == before


def test_a_folder_gets_the_first_manifests_of_an_application_and_goes_whole(sampled: Path) -> None:
    before = snapshot(sampled)
    source = AppSource("example.com/faq:v1", 9000, "/ready")
    add(sampled, "faq", "folders", source=source).write(sampled)
    base = {
        path.replace("gitops/workloads/faq/base", "gitops/folders/faq"): text
        for path, text in build_app_files("faq", source, ()).items()
    }
    assert changed(before, sampled) == set(base)
    kustomization = "gitops/folders/faq/kustomization.yaml"
    for path in base.keys() - {kustomization}:
        assert (sampled / path).read_text() == base[path]
    assert (sampled / kustomization).read_text() == (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "resources:\n  - deployment.yaml\n  - service.yaml\n  - disruption-budget.yaml\n"
        "images:\n  - name: faq\n    newName: example.com/faq\n    newTag: v1\n"
    )
    plan = plan_entry_removal(sampled, "faq", "folders", ())
    assert plan.paths(sampled) == ["-gitops/folders/faq"]
    plan.write(sampled)
    assert snapshot(sampled) == before


@pytest.mark.parametrize(
    ("elements", "after"),
    [
        ("[]", "[{name: eu, zone: a}]"),
        ("# none", "[{name: eu, zone: a}] # none"),
        ("[{name: us, zone: b}]", "[{name: us, zone: b}, {name: eu, zone: a}]"),
        (
            "# mine\n          - {zone: b, name: us} # old\n          # last",
            "# mine\n          - {zone: b, name: us} # old\n          - {name: eu, zone: a}\n          # last",
        ),
        (
            "\n        -   name: us\n            zone: b # old",
            "\n        -   name: us\n            zone: b # old\n        -   name: eu\n            zone: a",
        ),
    ],
)
def test_an_element_is_written_as_its_neighbours_are(project: Path, elements: str, after: str) -> None:
    path = write_set(project, elements, path="{{ .zone | quote }}/{{ index . `x` }}")
    add(project, "eu", "regions", values={"zone": "a"}).write(project)
    wanted = SET.format(
        go="true",
        name="region-{{.name}}",
        path="{{ .zone | quote }}/{{ index . `x` }}",
        generators="    - list:\n        elements: " + after,
    )
    assert (project / path).read_text() == wanted


@pytest.mark.parametrize(
    ("elements", "after"),
    [
        ("[{name: eu}]", "[]"),
        ("[{name: us}, {name: eu}]", "[{name: us}]"),
        ("[{name: eu}, {name: us}]", "[{name: us}]"),
        ("# mine\n          - name: eu # old", "[] # mine"),
        (
            "\n          - name: us\n          - # the first\n            name: eu # old\n            a: 1\n"
            "          # asia\n          - name: as",
            "\n          - name: us\n          # asia\n          - name: as",
        ),
    ],
)
def test_an_element_goes_with_its_own_comments_and_no_others(project: Path, elements: str, after: str) -> None:
    path = write_set(project, elements)
    plan_entry_removal(project, "eu", "regions", ()).write(project)
    assert (project / path).read_text() == SET.format(
        go="true", name="region-{{.name}}", path="a", generators="    - list:\n        elements: " + after
    )


def test_line_breaks_of_another_system_stay(project: Path) -> None:
    path = project / write_set(project, "[{name: us}]")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()
    add(project, "eu", "regions").write(project)
    assert path.read_bytes() == before.replace(b"{name: us}", b"{name: us}, {name: eu}")


def test_the_keys_of_a_template_without_go_are_found_too(project: Path) -> None:
    write_set(project, go="false", name="{{name}}-{{ zone }}", path="{{zone}}/{{name}}")
    assert findings(project, "eu", "regions") == (f"{PLACE}spec.template: uses zone; give it with --set-value zone=…",)
    add(project, "eu", "regions", values={"zone": "true"}).write(project)
    document = load_documents((project / "gitops/dev/apps/regions.yaml").read_text())[0]
    assert document["spec"]["generators"][0]["list"]["elements"] == [{"name": "eu", "zone": "true"}]


def test_every_stack_that_has_the_set_gets_the_entry(sampled: Path) -> None:
    shutil.copy(sampled / ENVIRONMENTS, sampled / "gitops/dev/apps")
    plan = add(sampled, "cy")
    assert plan.paths(sampled) == ["gitops/dev/apps/environments.yaml", ENVIRONMENTS]
    assert add(sampled, "cy", stacks=["dev"]).paths(sampled) == ["gitops/dev/apps/environments.yaml"]
    assert findings(sampled, "cy", stacks=["dev", "prd"]) == (
        "gitops/prd/apps: has no ApplicationSet environments; known here: none",
    )


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"preserveResourcesOnDeletion": True}, "then deletes the application; what it synced stays, owned by nobody"),
        (
            {"applicationsSync": "create-only"},
            "deletes nothing (applicationsSync: create-only); delete the application",
        ),
    ],
)
def test_a_removal_says_what_the_set_s_policy_makes_of_it(sampled: Path, policy: dict[str, object], said: str) -> None:
    document = load_documents((sampled / ENVIRONMENTS).read_text())[0]
    document["spec"]["syncPolicy"] = policy
    (sampled / ENVIRONMENTS).write_text(yaml.safe_dump(document))
    assert plan_entry_removal(sampled, "bo", "environments", ()).notes[1] == f"local: environments {said}"


@pytest.mark.parametrize(
    ("parts", "options", "said"),
    [
        (
            {"generators": "    - clusters: {}"},
            {},
            "spec.generators: found clusters; only one list of elements, or one of Git directories, can be changed by "
            "a command, so edit the file",
        ),
        (
            {"generators": "    - list: {elements: []}\n    - list: {elements: []}"},
            {},
            "spec.generators: found list, list; only one list of elements, or one of Git directories, can be changed "
            "by a command, so edit the file",
        ),
        (
            {"generators": GIT.format("https://github.com/acme/other.git", "[{path: a/*}]")},
            {},
            "spec.generators: reads folders of https://github.com/acme/other.git, which is not here; add it there",
        ),
        (
            {"generators": GIT.format(OWN, "[{path: a/*/b}]")},
            {},
            "spec.generators: found directories a/*/b; needs one FOLDER/* to say where a new folder belongs, so make "
            "it by hand",
        ),
        (
            {"generators": GIT.format(OWN, "[{path: a/*}, {path: a/e*, exclude: true}]")},
            {},
            "spec.generators: excludes a/eu by a/e*; take another name",
        ),
        (
            {"generators": GIT.format(OWN, "[{path: gitops/*}]")},
            {"name": "dev"},
            "reads gitops/dev, which exists already; take another name",
        ),
        (
            {"generators": GIT.format(OWN, "[{path: a/*}]")},
            {"values": {"zone": "a"}},
            "makes an application of each folder, which has no values; leave --set-value out",
        ),
        ({"path": "{{.zone}}"}, {}, "spec.template: uses zone; give it with --set-value zone=…"),
        (
            {"path": "{{.cluster.zone}}"},
            {},
            "spec.template: uses cluster.zone, which is inside of a map; add the element by hand",
        ),
        ({}, {"values": {"zone": "a"}}, "spec.template: does not use zone; it uses name"),
        (
            {"name": "{{.zone}}"},
            {"values": {"zone": "a"}},
            "spec.template: does not use name; its applications would all be the same, so add it",
        ),
        (
            {},
            {"source": AppSource(port=9000)},
            "has a list; --image, --port and --health-path belong to a folder, leave them out",
        ),
        ({"elements": "[{name: eu}]"}, {}, "has eu already; take another name"),
        (
            {"name": "{{.name}}"},
            {"name": "guestbook"},
            "makes application guestbook, which dev has already; take another name",
        ),
        (
            {"name": "{{.name}}"},
            {"name": "argocd"},
            "makes application argocd, which dev has already; take another name",
        ),
    ],
)
def test_bad_input_is_refused_with_one_sentence(
    parts: dict[str, str], options: dict[str, Any], said: str, project: Path
) -> None:
    write_set(project, parts.pop("elements", "[]"), **parts)
    options = dict(options)
    assert findings(project, options.pop("name", "eu"), "regions", **options) == (f"{PLACE}{said}",)


@pytest.mark.parametrize("name", ["Cy", "1cy", "../cy", ""])
def test_names_are_those_of_other_applications(name: str, sampled: Path) -> None:
    assert findings(sampled, name) == (
        f"app add: {name}: needs a name of lower-case letters, digits and '-' that begins with a letter, 63 at most",
    )


def test_a_list_whose_items_stand_elsewhere_is_not_torn_apart(project: Path) -> None:
    generators = "    - list: &held {elements: [{name: us}]}\n  held: *held"
    write_set(project, generators=generators)
    (finding,) = findings(project, "eu", "regions")
    assert finding.startswith(
        "gitops/dev/apps/regions.yaml: line 8: the list of regions cannot be changed without changing "
    )


def test_a_project_that_forbids_the_first_manifests_is_said(sampled: Path) -> None:
    file = sampled / "Pulumi.local.yaml"
    file.write_text(file.read_text().replace("    storefront:\n", "    storefront:\n      kinds: [Service]\n"))
    (finding,) = findings(sampled, "faq", "folders")
    assert finding == (
        "Pulumi.local.yaml: gitops-stack:projects.storefront.kinds: leaves out apps/Deployment, "
        "policy/PodDisruptionBudget; add them, the new folder has them"
    )


def test_a_folder_named_as_a_workload_of_its_namespace_is_refused(sampled: Path) -> None:
    assert findings(sampled, "guestbook", "folders") == (
        f"{FOLDERS}: ApplicationSet folders: deploys to storefront, where workload guestbook of local has objects of "
        "the same names; take another name",
    )
    file = sampled / FOLDERS
    file.write_text(file.read_text().replace("namespace: storefront", "namespace: other"))
    assert add(sampled, "guestbook", "folders").writes


def test_a_set_that_is_not_there_or_no_yaml_is_said(sampled: Path) -> None:
    assert findings(sampled, "cy", "nothing") == tuple(
        f"gitops/{stack}/apps: has no ApplicationSet nothing; known here: {known}"
        for stack, known in (("dev", "none"), ("local", "environments, folders"), ("prd", "none"))
    )
    (sampled / "gitops/dev/apps/broken.yaml").write_text("{")
    assert findings(sampled, "cy") == (
        "gitops/dev/apps/broken.yaml: is not YAML; correct it, `gitops-stack check` says where",
    )


@pytest.mark.parametrize(
    ("name", "set_name", "stacks", "said"),
    [
        ("cy", "environments", (), f"{ENVIRONMENTS}: ApplicationSet environments: has no entry cy; known: ana, bo"),
        ("cy", "folders", ("local",), f"{FOLDERS}: ApplicationSet folders: has no entry cy; known: links, notes"),
        (
            "../folders",
            "folders",
            (),
            f"{FOLDERS}: ApplicationSet folders: has no entry ../folders; known: links, notes",
        ),
        (
            "notes",
            "folders",
            ("local",),
            "gitops/dev/apps/folders.yaml: ApplicationSet folders: reads the folder of notes in dev too; leave "
            "--stacks out",
        ),
    ],
)
def test_a_removal_of_what_is_not_there_or_needed_elsewhere_is_refused(
    name: str, set_name: str, stacks: tuple[str, ...], said: str, sampled: Path
) -> None:
    if name == "notes":
        shutil.copy(sampled / FOLDERS, sampled / "gitops/dev/apps")
    with pytest.raises(GitOpsStackError) as raised:
        plan_entry_removal(sampled, name, set_name, stacks)
    assert raised.value.findings == (said,)
