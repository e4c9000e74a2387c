"""The kubeconfig of a stack's EKS cluster: built from eks:DescribeCluster, merged into a file that may hold others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.account.eks_token import EXEC_API_VERSION
from gitops_stack.account.session import Account
from gitops_stack.conventions import TAG_STACK
from gitops_stack.edits.document import YamlDocument
from gitops_stack.edits.yaml_source import decode_text
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.private_file import write_private_file
from gitops_stack.gitops_tree.yaml_text import load_documents

Kubeconfig = dict[str, Any]
_MARK = "gitops-stack"  # an extension of the context: what this command wrote it may write again
_INSTALL_HINT = "put gitops-stack on PATH (activate its virtual environment), or use `gitops-stack kubeconfig --token`"


@dataclass(frozen=True)
class Endpoint:
    """Where a cluster's API server answers; ``certificate_authority`` is its PEM in base64, as kubectl has it."""

    name: str
    region: str
    server: str
    certificate_authority: str


def load_endpoint(account: Account, cluster: str, place: str, stack: str) -> Endpoint:
    """Read the cluster's endpoint.

    Raises :class:`GitOpsStackError` when there is no such cluster that answers, or its tags name another stack.
    """
    answer = account.find("eks", "describe_cluster", name=cluster)
    if answer is None:
        raise GitOpsStackError(
            Problem(
                f"account {account.identity.account} has no EKS cluster {cluster} in {account.region}",
                "run `pulumi up`, or correct cluster.name and aws:region",
                place,
            )
        )
    found = answer["cluster"]
    owner = (found.get("tags") or {}).get(TAG_STACK, stack)
    if owner != stack:
        raise GitOpsStackError(
            Problem(
                f"EKS cluster {cluster} belongs to stack {owner} (its tag {TAG_STACK}), and this is {stack}",
                "correct cluster.name, account.id or aws:region",
                place,
            )
        )
    if not found.get("endpoint"):
        raise GitOpsStackError(
            Problem(f"EKS cluster {cluster} is {found['status']} and has no endpoint yet", "try later", place)
        )
    return Endpoint(cluster, account.region, found["endpoint"], found["certificateAuthority"]["data"])


def build_exec_user(endpoint: Endpoint, role_arn: str | None, profile: str | None) -> dict[str, Any]:
    """Build the user entry whose tokens `gitops-stack eks-token` mints when kubectl needs one."""
    role = ["--role-arn", role_arn] if role_arn else []
    return {
        "exec": {
            "apiVersion": EXEC_API_VERSION,
            "command": "gitops-stack",
            "args": ["eks-token", "--cluster", endpoint.name, "--region", endpoint.region, *role],
            "env": [{"name": "AWS_PROFILE", "value": profile}] if profile else None,
            "interactiveMode": "IfAvailable",  # a profile may ask for its MFA code
            "provideClusterInfo": False,
            "installHint": _INSTALL_HINT,
        }
    }


def build_kubeconfig(endpoint: Endpoint, user: dict[str, Any], context: str) -> Kubeconfig:
    """Build a kubeconfig with one cluster, user and context, all of them named ``context``."""
    mark = {"name": _MARK, "extension": {"cluster": endpoint.name, "region": endpoint.region}}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": endpoint.server,
                    "certificate-authority-data": endpoint.certificate_authority,
                },
            }
        ],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context, "extensions": [mark]}}],
        "current-context": context,
    }


def merge_kubeconfig(text: str, added: Kubeconfig, place: str) -> str:
    """Return ``text`` with the entries of ``added``, which becomes the current context; every other byte stays.

    Raises :class:`GitOpsStackError` for an entry of the same name that this command did not write, and for what cannot
    be edited in its place.
    """
    name, present = added["current-context"], _load(text, place)
    for found in present.get("contexts") or ():
        if found["name"] == name and not _is_marked(found):
            raise GitOpsStackError(
                Problem(
                    f"has a context {name} that gitops-stack did not write", "choose another name with --context", place
                )
            )
    if not present:
        return f"{text}{render_kubeconfig(added)}"
    document = YamlDocument(text, place)
    for key in ("apiVersion", "kind", "clusters", "users", "contexts", "current-context"):
        if not isinstance(added[key], list):
            document.set((key,), added[key])
            continue
        (entry,) = added[key]
        held = document.value(key) or ()
        index = next((index for index, one in enumerate(held) if one["name"] == name), None)
        if index is None:
            document.append((key,), entry)
        else:
            _change(document, (key, index), held[index], entry)
    return document.text


def _change(document: YamlDocument, path: tuple[str | int, ...], held: object, wanted: object) -> None:
    """Write ``wanted`` over ``held``, key by key: what is equal stays as it is written."""
    if isinstance(held, dict) and isinstance(wanted, dict) and held and wanted:
        for key, value in wanted.items():
            _change(document, (*path, key), held.get(key), value)
        for key in held.keys() - wanted.keys():
            document.remove((*path, key))
    elif held != wanted:
        document.set(path, wanted)


def update_kubeconfig(file: Path, added: Kubeconfig) -> None:
    """Merge ``added`` into ``file``, which is made when it is not there; it is replaced whole, mode 0600."""
    target = file.resolve()  # a link stays a link
    try:
        text = decode_text(target.read_bytes(), str(file)) if target.exists() else ""
    except OSError as error:
        raise EnvironmentProblem(Problem(f"cannot be read: {error.strerror}", "repair it first", str(file))) from None
    merged = merge_kubeconfig(text, added, str(file))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_private_file(target, merged)
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be written: {error.strerror}", "name another with $KUBECONFIG", str(file))
        ) from None


def default_kubeconfig() -> Path:
    """Return the file kubectl writes to: the first of `$KUBECONFIG`, or ~/.kube/config."""
    named = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    return Path(named[0]).expanduser() if named else Path.home() / ".kube" / "config"


def render_kubeconfig(kubeconfig: Kubeconfig) -> str:
    """Render YAML in the order kubectl writes."""
    return yaml.safe_dump(kubeconfig, sort_keys=False, width=4096)


def _load(text: str, place: str) -> Kubeconfig:
    try:
        documents = load_documents(text)
    except yaml.YAMLError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be read: {' '.join(str(error).split())}", "repair it first", place)
        ) from None
    found = documents[0] if documents else {}
    if not isinstance(found, dict) or not all(
        isinstance(entry, dict) and "name" in entry
        for section in ("clusters", "users", "contexts")
        for entry in found.get(section) or ()
    ):
        raise EnvironmentProblem(Problem("is not a kubeconfig", "repair it, or name another with $KUBECONFIG", place))
    return found


def _is_marked(context: dict[str, Any]) -> bool:
    extensions = (context.get("context") or {}).get("extensions") or ()
    return any(extension.get("name") == _MARK for extension in extensions)
