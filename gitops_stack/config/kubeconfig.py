"""The kubeconfig of an existing cluster: where it is, and whether it has the context."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from gitops_stack.config.setting_problems import PREFIX
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.settings import ExistingClusterSettings, StackSettings


def check_kubeconfig(settings: StackSettings) -> None:
    """Raise when an existing cluster's kubeconfig or context is not there, before anything is created."""
    cluster = settings.cluster
    if not isinstance(cluster, ExistingClusterSettings):
        return
    place = f"Pulumi.{settings.stack}.yaml: {PREFIX}cluster"
    file = kubeconfig_path(cluster)
    if not file.is_file():
        raise EnvironmentProblem(
            Problem(f"found no file {file}", "name the kubeconfig of the cluster", f"{place}.kubeconfig")
        )
    try:
        current, contexts = _load_contexts(file)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise EnvironmentProblem(
            Problem(f"{file} cannot be read: {reason}", "repair it or name another", f"{place}.kubeconfig")
        ) from None
    wanted = cluster.context or current
    if not wanted:
        raise EnvironmentProblem(
            Problem(f"is missing, and {file} has no current context", "name one", f"{place}.context")
        )
    if wanted not in contexts:
        known = ", ".join(map(str, contexts)) or "none"
        raise EnvironmentProblem(
            Problem(f"found {wanted}, which {file} does not have", f"it has: {known}", f"{place}.context")
        )


def kubeconfig_path(cluster: ExistingClusterSettings) -> Path:
    """Return the kubeconfig file of an existing cluster: of several in `$KUBECONFIG` the first that has its context."""
    if cluster.kubeconfig:
        return Path(cluster.kubeconfig).expanduser()
    named = [Path(name) for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    files = named or [Path.home() / ".kube" / "config"]
    return next((file for file in files if cluster.context and _has_context(file, cluster.context)), files[0])


def _has_context(file: Path, context: str) -> bool:
    try:
        return context in _load_contexts(file)[1]
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return False


def _load_contexts(file: Path) -> tuple[object, list[object]]:
    """Read a kubeconfig's current context and the names of all."""
    documents = load_documents(file.read_text(encoding="utf-8"))
    content = documents[0] if documents and isinstance(documents[0], dict) else {}
    listed = content.get("contexts")
    entries = listed if isinstance(listed, list) else []
    return content.get("current-context"), [entry.get("name") for entry in entries if isinstance(entry, dict)]
