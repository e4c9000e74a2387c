"""Generated trees: stack local of this project with as many applications as wanted, the same bytes every time.

Two of three applications are a kustomize overlay on a base of their own, the third is a plain folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.checkout import HERE, Checkout
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.manifests import Manifest
from gitops_stack.scaffold.stack_text import StackText

STACK = "local"
_TEAMS = 20
_IMAGE = "registry.k8s.io/e2e-test-images/agnhost"
_RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
_POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """libyaml's, which writes 30,000 files in seconds."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def write_project(folder: Path, applications: int, *, as_workloads: bool = False, checkout: Checkout = HERE) -> Path:
    """Write a whole project with ``applications`` into ``folder``, which must not be there, and return it.

    ``as_workloads`` lists them in the stack file, which generates their Application; else they are authored files.
    """
    _copy_project(checkout.root, folder)
    shutil.rmtree(folder / "gitops" / "workloads")
    numbers = range(applications)
    argocd = _load_stack_file(folder)["config"][f"{PULUMI_PROJECT}:argocd"]
    argocd.get("notifications", {}).pop("subscriptions", None)  # of projects that are not here; the lock stays
    _edit_stack_file(folder, {"argocd": argocd, **_teams_and_workloads(numbers if as_workloads else range(0))})
    settings = load_stack_file(folder, STACK)
    if checkout is HERE:
        write_tree(settings, folder / settings.tree_path)
    else:
        checkout.run("render", "--stack", STACK, project=folder)
    for number in numbers:
        name = _name(number)
        for path, documents in _files(number):
            file = folder / "gitops" / "workloads" / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(render(documents), encoding="utf-8")
        if not as_workloads:
            text = render([_application(number, settings.gitops.repo_url, settings.gitops.revision)])
            (folder / settings.tree_path / "apps" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def write_installed(folder: Path, *, high_availability: bool, checkout: Checkout = HERE) -> Path:
    """Write stack local with the manifests asked for, rendered and locked by ``checkout``; needs kustomize and git."""
    _copy_project(checkout.root, folder)
    argocd = _load_stack_file(folder)["config"][f"{PULUMI_PROJECT}:argocd"]
    _edit_stack_file(folder, {"argocd": {**argocd, "highAvailability": high_availability}})
    checkout.run("render", "--stack", STACK, project=folder)
    checkout.run("lock", "--stack", STACK, project=folder)
    return folder


def point_at_repository(project: Path, repository: str) -> None:
    """Let the authored applications of a generated project follow ``repository``."""
    own = load_stack_file(HERE.root, STACK).gitops.repo_url
    for file in (project / "gitops" / STACK / "apps").glob("app-*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace(own, repository), encoding="utf-8")


def render(documents: list[Manifest]) -> str:
    """Render documents as one text."""
    text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False)
    return text


def _copy_project(root: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("Pulumi.yaml", "__main__.py", f"Pulumi.{STACK}.yaml"):
        shutil.copy(root / name, folder)
    for name in (STACK, "workloads"):
        shutil.copytree(root / "gitops" / name, folder / "gitops" / name)


def _load_stack_file(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / f"Pulumi.{STACK}.yaml").read_text(encoding="utf-8"))
    return found


def _edit_stack_file(folder: Path, changes: dict[str, Any]) -> None:
    file = folder / f"Pulumi.{STACK}.yaml"
    text = StackText.load(file)
    for key, value in changes.items():
        text.set((f"{PULUMI_PROJECT}:{key}",), value)
    text.write(file)


def _teams_and_workloads(workloads: range) -> dict[str, Any]:
    return {
        "projects": {_team(number): {"namespaces": [_team(number)]} for number in range(_TEAMS)},
        "workloads": {
            _name(number): {"project": _team(number), "namespace": _team(number), "path": _path(number), "wave": 10}
            for number in workloads
        },
    }


def _name(number: int) -> str:
    return f"app-{number:04}"


def _team(number: int) -> str:
    return f"team-{number % _TEAMS:02}"


def _is_plain(number: int) -> bool:
    return number % 3 == 2  # noqa: PLR2004 - the third of three


def _path(number: int) -> str:
    own = f"gitops/workloads/{_name(number)}"
    return f"{own}/{STACK}" if _is_plain(number) else f"{own}/overlays/{STACK}"


def _application(number: int, repo_url: str, revision: str) -> Manifest:
    metadata = _metadata(_name(number), finalizers=["resources-finalizer.argocd.argoproj.io"])
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata | {"annotations": {"argocd.argoproj.io/sync-wave": "10"}, "namespace": "argocd"},
        "spec": {
            "project": _team(number),
            "source": {"repoURL": repo_url, "targetRevision": revision, "path": _path(number)},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": _team(number)},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "retry": {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }


def _files(number: int) -> Iterator[tuple[str, list[Manifest]]]:
    name = _name(number)
    if _is_plain(number):
        yield f"{STACK}/deployment.yaml", [_deployment(name, 1)]
        yield f"{STACK}/service.yaml", [_account(name), _service(name)]
        yield f"{STACK}/settings.yaml", [_config_map(name, number)]
        yield f"{STACK}/report.yaml", [_cron_job(name)]
        return
    yield "base/deployment.yaml", [_deployment(name, 2)]
    yield "base/service.yaml", [_account(name), _service(name)]
    yield "base/budget.yaml", [_budget(name)]
    yield "base/kustomization.yaml", [_kustomization(["deployment.yaml", "service.yaml", "budget.yaml"])]
    overlay = _kustomization(["../../base"]) | {
        "labels": [{"pairs": {"environment": STACK}}],
        "images": [{"name": _IMAGE, "newTag": f"2.{40 + number % 13}"}],
        "replicas": [{"name": name, "count": 1}],
        "configMapGenerator": [{"name": name, "literals": [f"NUMBER={number}", "LEVEL=info", f"TEAM={_team(number)}"]}],
    }
    yield f"overlays/{STACK}/kustomization.yaml", [overlay]


def _kustomization(resources: list[str]) -> Manifest:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}


def _metadata(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of it
    return {"name": name, "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "bench"}, **more}


def _pod(name: str, **container: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a container
    resources = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
    return {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "securityContext": _POD_SECURITY,
        "containers": [
            {
                "name": name,
                "image": f"{_IMAGE}:2.53",
                "envFrom": [{"configMapRef": {"name": name}}],
                "resources": resources,
                "securityContext": _RESTRICTED,
                **container,
            }
        ],
    }


def _deployment(name: str, replicas: int) -> Manifest:
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10}
    pod = _pod(
        name,
        args=["netexec", "--http-port=8080"],
        ports=[{"name": "http", "containerPort": 8080}],
        readinessProbe=probe,
        livenessProbe=probe | {"failureThreshold": 6},
    )
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(name),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": {"app.kubernetes.io/name": name}}, "spec": pod},
        },
    }


def _service(name: str) -> Manifest:
    spec = {
        "selector": {"app.kubernetes.io/name": name},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(name), "spec": spec}


def _account(name: str) -> Manifest:
    metadata = _metadata(name)
    return {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False
    }  # fmt: skip


def _budget(name: str) -> Manifest:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": name}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": _metadata(name), "spec": spec}


def _config_map(name: str, number: int) -> Manifest:
    data = {"NUMBER": str(number), "LEVEL": "info", "TEAM": _team(number), "settings.ini": "[web]\nworkers = 4\n"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(name), "data": data}


def _cron_job(name: str) -> Manifest:
    pod = {**_pod(name, args=["pause"]), "restartPolicy": "Never"}
    labels = {"app.kubernetes.io/name": f"{name}-report"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": _metadata(f"{name}-report"),
        "spec": {
            "schedule": "0 4 1 1 *",
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 1, "template": {"metadata": {"labels": labels}, "spec": pod}}},
        },
    }
