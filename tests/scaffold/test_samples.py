"""The samples: whole, and permitted by the very projects they name."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.conventions import IN_CLUSTER, RESOURCES_FINALIZER, SYNC_WAVE
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.applications import build_workload_application
from tests.samples import REPOSITORY, SAMPLES, load_settings_of
from tests.stacks import ROOT, minimal

FILES = sorted(SAMPLES.rglob("*.yaml"))
CLUSTER_KINDS = {"Namespace"}  # of all kinds the samples have
SETTINGS = minimal(
    gitops={"repoUrl": REPOSITORY},
    projects={
        "storefront": {"namespaces": ["storefront"]},
        **load_settings_of("environments")["projects"],
        **load_settings_of("window")["projects"],
    },
    workloads=load_settings_of("window")["workloads"],
)


def load(path: Path) -> Manifest:
    (found,) = load_documents(path.read_text(encoding="utf-8"))
    manifest: Manifest = found
    return manifest


def projects() -> dict[str, Manifest]:
    return {found["metadata"]["name"]: found for found in build_app_projects(SETTINGS)}


def fill(value: Any, parameters: dict[str, str]) -> Any:
    """Fill the few expressions the samples' Go templates use; an unknown one raises, as missingkey=error does."""
    if isinstance(value, dict):
        return {key: fill(entry, parameters) for key, entry in value.items()}
    if isinstance(value, list):
        return [fill(entry, parameters) for entry in value]
    return re.sub(r"\{\{\.([\w.]+)\}\}", lambda found: parameters[found[1]], value) if isinstance(value, str) else value


def generated(application_set: Manifest, sample: Path) -> list[Manifest]:
    (generator,) = application_set["spec"]["generators"]
    if "list" in generator:
        parameters = generator["list"]["elements"]
    else:
        (directory,) = generator["git"]["directories"]
        folders = [path for path in sorted(sample.glob(directory["path"])) if path.is_dir()]
        parameters = [{"path.path": str(path.relative_to(sample)), "path.basename": path.name} for path in folders]
    assert parameters
    return [fill(application_set["spec"]["template"], found) for found in parameters]


def applications() -> list[tuple[Path, Manifest]]:
    found = []
    for path in sorted(SAMPLES.glob("*/gitops/*/apps/*.yaml")):
        sample, manifest = path.parents[3], load(path)
        if manifest["kind"] == "ApplicationSet":
            found += [(sample, application) for application in generated(manifest, sample)]
        elif manifest["kind"] == "Application":
            found.append((sample, manifest))
    return [*found, *((SAMPLES / "window", build_workload_application(SETTINGS, name)) for name in SETTINGS.workloads)]


def objects(folder: Path) -> list[Manifest]:
    """List what a folder renders to, as far as kinds go: kustomizations are followed, not run."""
    kustomization = folder / "kustomization.yaml"
    if not kustomization.is_file():
        return [load(path) for path in sorted(folder.glob("*.yaml"))]
    found = []
    for entry in load(kustomization)["resources"]:
        target = folder / entry
        assert target.exists(), target
        found += objects(target) if target.is_dir() else [load(target)]
    return found


def folder_of(sample: Path, path: str) -> Path:
    return sample / path if (sample / path).is_dir() else ROOT / path


APPLICATIONS = applications()
NAMES = [application["metadata"]["name"] for _, application in APPLICATIONS]


def test_the_samples_are_those_the_index_names() -> None:
    index = (SAMPLES / "README.md").read_text()
    assert set(re.findall(r"\]\((\w+)/README\.md\)", index)) == {
        path.name for path in SAMPLES.iterdir() if path.is_dir()
    }
    assert set(NAMES) == {"folder-links", "folder-notes", "environment-ana", "environment-bo", "billing"}


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(SAMPLES)))
def test_every_file_is_one_object(file: Path) -> None:
    assert {"apiVersion", "kind"} <= load(file).keys()


@pytest.mark.parametrize(("sample", "application"), APPLICATIONS, ids=NAMES)
def test_the_project_permits_the_application_and_all_it_syncs(sample: Path, application: Manifest) -> None:
    spec = application["spec"]
    project = projects()[spec["project"]]["spec"]
    assert any(fnmatchcase(spec["source"]["repoURL"], repo) for repo in project["sourceRepos"])
    namespace = spec["destination"]["namespace"]
    assert spec["destination"]["server"] == IN_CLUSTER
    assert any(fnmatchcase(namespace, destination["namespace"]) for destination in project["destinations"])
    synced = objects(folder_of(sample, spec["source"]["path"]))
    assert synced
    for found in synced:
        group, kind = found["apiVersion"].rpartition("/")[0], found["kind"]
        listed = "clusterResourceWhitelist" if kind in CLUSTER_KINDS else "namespaceResourceWhitelist"
        assert {"group": group, "kind": kind} in project[listed], f"{kind} in {listed}"


@pytest.mark.parametrize("application", [found for _, found in APPLICATIONS], ids=NAMES)
def test_applications_cascade_and_create_no_namespace_behind_everybody_s_back(application: Manifest) -> None:
    assert application["metadata"]["finalizers"] == [RESOURCES_FINALIZER]
    assert "CreateNamespace=true" not in application["spec"]["syncPolicy"]["syncOptions"]
    assert application["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}


def test_no_template_lets_its_parameters_choose_project_or_repository() -> None:
    for path in SAMPLES.rglob("apps/*.yaml"):
        manifest = load(path)
        if manifest["kind"] == "ApplicationSet":
            spec = manifest["spec"]["template"]["spec"]
            assert "{{" not in spec["project"] + spec["source"]["repoURL"]
            assert manifest["spec"]["goTemplateOptions"] == ["missingkey=error"]


def test_an_environment_brings_its_namespace_and_goes_with_it() -> None:
    for sample, application in APPLICATIONS:
        if application["metadata"]["name"].startswith("environment-"):
            source = application["spec"]["source"]
            assert source["kustomize"]["namespace"] == application["spec"]["destination"]["namespace"]
            namespace = next(found for found in objects(sample / source["path"]) if found["kind"] == "Namespace")
            assert "annotations" not in namespace["metadata"], "Prune=false would keep it"


def test_the_migration_runs_before_the_release_and_a_failed_one_is_final() -> None:
    found = {entry["kind"]: entry for entry in objects(SAMPLES / "migration/gitops/workloads/ledger/overlays/local")}
    job = found["Job"]
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "PreSync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }
    assert job["spec"]["backoffLimit"] == 0
    waves = {kind: int(found[kind]["metadata"]["annotations"][SYNC_WAVE]) for kind in ("ConfigMap", "Deployment")}
    assert waves["ConfigMap"] < waves["Deployment"]
    images = {kind: found[kind]["spec"]["template"]["spec"]["containers"][0]["image"] for kind in ("Job", "Deployment")}
    assert images["Job"] == images["Deployment"]


def test_the_window_is_for_all_of_its_project_and_lets_people_through() -> None:
    (window,) = projects()["releases"]["spec"]["syncWindows"]
    assert (window["kind"], window["applications"], window["manualSync"]) == ("allow", ["*"], True)


def test_no_two_applications_own_one_object() -> None:
    owned: list[tuple[str, str, str]] = []
    for sample, application in APPLICATIONS:
        spec = application["spec"]
        for found in objects(folder_of(sample, spec["source"]["path"])):
            owned.append((spec["destination"]["namespace"], found["kind"], found["metadata"]["name"]))
    assert len(owned) == len(set(owned))
