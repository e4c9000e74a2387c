"""Trees of any size, without a file: applications of several projects, waves, sources and clusters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gitops_stack.graph.graph import Look
from gitops_stack.manifests import Manifest
from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.application_status import read_application
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.applications import RenderedApplication, Tree

NASTY = "</script><script>document.title='owned'</script>"
"""A text that would run if a page took it for markup."""


def build_manifest(
    name: str, *, wave: int = 0, project: str = "shop", namespace: str = "argocd", **spec: Any
) -> Manifest:
    source = {"repoURL": f"https://git.example.com/{project}.git", "path": f"apps/{name}", "targetRevision": "main"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {"argocd.argoproj.io/sync-wave": str(wave)},
        },
        "spec": {
            "project": project,
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": project},
            **spec,
        },
    }


def build_rendered(manifest: Manifest, parent: str = "root", **data: str) -> RenderedApplication:
    name = manifest["metadata"]["name"]
    spec = read_application_spec(
        RenderedObject(manifest, manifest["metadata"]["namespace"], f"gitops/dev/apps/{name}.yaml", parent)
    )
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return RenderedApplication(spec, [RenderedObject(config, spec.namespace, f"apps/{name}/config.yaml", name)])


def build_tree(count: int, **data: str) -> Tree:
    """Build a tree of ``count`` applications, root among them; ``data`` is in the ConfigMap of every tenth."""
    made = [build_rendered(build_manifest("root", project="platform"), "root")]
    for number in range(count - 1):
        project = ("shop", "payments", "search", "platform", "data")[number % 5]
        server = {"name": "spoke"} if number % 7 == 6 else {"server": "https://kubernetes.default.svc"}
        manifest = build_manifest(
            f"{project}-service-{number}",
            wave=number % 4 * 10,
            project=project,
            destination={**server, "namespace": project},
        )
        made.append(build_rendered(manifest, **(data if number % 10 == 0 else {})))
    return Tree(made)


def with_status(manifest: Manifest, sync: str = "Synced", health: str = "Healthy", message: str = "") -> Manifest:
    """Return a living Application; ``message`` is its health's."""
    status = {"sync": {"status": sync, "revision": "0" * 40}, "health": {"status": health, "message": message}}
    return {**manifest, "status": status}


def build_look(found: Iterable[Manifest]) -> Look:
    living = list(found)
    return Look(living, [read_application(one) for one in living])


def look_at(tree: Tree) -> Look:
    """Have the cluster answer with the tree's applications, every ninth of them Degraded."""
    manifests = [one.spec.object.manifest for one in tree.applications]
    return build_look(
        with_status(one, health="Degraded", message="a pod crashes") if number % 9 == 8 else with_status(one)
        for number, one in enumerate(manifests)
    )


def without(tree: Tree, name: str) -> Tree:
    return replace(tree, applications=[one for one in tree.applications if one.spec.name != name])
