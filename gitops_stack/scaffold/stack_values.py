"""Derive the settings of a new stack from another one's file: what its name decides, and what must not be shared."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.config import stack_file
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.scaffold.plan import load_stacks
from gitops_stack.scaffold.stack_text import StackText

_PREFIX = f"{PULUMI_PROJECT}:"
_REGION = "aws:region"
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_NAMED_BY_STACK = (("cluster", "name"), ("cluster", "context"), ("gitops", "path"))
_ONE_STACK_ONLY = (("network", "vpcId"), ("network", "privateSubnetIds"), ("network", "publicSubnetIds"))


def rename_values(text: StackText, source: str, stack: str) -> list[str]:
    """Change what carries the name of ``source``: names, contexts, the tree's path, the workloads' overlays.

    Returns one note per setting that names the source and could not be derived.
    """
    for section, key in _NAMED_BY_STACK:
        path = (f"{_PREFIX}{section}", key)
        found = text.value(*path)
        rename = rename_path if key == "path" else rename_word
        if isinstance(found, str) and (renamed := rename(found, source, stack)) != found:
            text.set(path, renamed)
    for name, workload in dict(text.value(f"{_PREFIX}workloads") or {}).items():
        if (renamed := rename_path(workload["path"], source, stack)) != workload["path"]:
            text.set((f"{_PREFIX}workloads", name, "path"), renamed)
    cluster = text.value(f"{_PREFIX}cluster") or {}
    same = [key for key in ("context", "kubeconfig", "name") if key in cluster and stack not in str(cluster[key])]
    return [f"cluster.{key}: is still {cluster[key]}, {source}'s; name the cluster of {stack}" for key in same]


def rename_word(text: str, source: str, stack: str) -> str:
    """Replace ``source`` where it stands as a word between '-', '/', '.', '_' or the ends."""
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(source)}(?![A-Za-z0-9])", stack, text)


def rename_path(path: str, source: str, stack: str) -> str:
    """Replace ``source`` in the folder that is the stack's: the last one of that name, else a word of the last folder.

    An application called `dev-portal` keeps its name in `dev-portal/overlays/staging`.
    """
    folders = path.split("/")
    own = [place for place, folder in enumerate(folders) if folder == source]
    place = own[-1] if own else len(folders) - 1
    folders[place] = rename_word(folders[place], source, stack)
    return "/".join(folders)


def list_left(text: StackText, given: Mapping[str, str], origin: StackText, stack: str) -> list[str]:
    """Return a note per setting that still names the region or the account that ``given`` replaces."""
    notes = []
    for dotted in given.keys() & {"region", _REGION, "account.id"}:
        old, new = origin.value(*_path(dotted)), given[dotted]
        for path, found in _leaves(text.value()) if isinstance(old, str) and old != new else ():
            if isinstance(found, str) and path != _path(dotted) and rename_word(found, old, "") != found:
                shown = ".".join(path).removeprefix(_PREFIX)
                notes.append(f"{shown}: still names {old}, in {found}; name what {stack} has in {new}")
    return notes


def set_values(text: StackText, given: Mapping[str, str]) -> None:
    """Write what the operator gave (`network.cidr` -> text); an account's id changes the ARNs that name the old one."""
    for dotted, written in given.items():
        path = _path(dotted)
        old = text.value(*path)
        value = written if isinstance(old, str) or dotted == "account.id" else _parse(dotted, written)
        text.set(path, value)
        if dotted == "account.id" and isinstance(old, str):
            text.text = re.sub(rf"(arn:aws[\w-]*:[\w-]*:[\w-]*:){old}(?=:)", rf"\g<1>{written}", text.text)


def free_network(project: Path, wanted: str) -> str | None:
    """Return the next network of the size of ``wanted`` that overlaps none of ``project``'s stacks, behind the last."""
    size = ipaddress.IPv4Network(wanted).prefixlen
    taken = list(_networks(project))
    space = next((space for space in _PRIVATE if ipaddress.IPv4Network(wanted).subnet_of(space)), None)
    if space is None:
        return None
    last = max(network.broadcast_address for network in taken if network.subnet_of(space))
    candidates = list(space.subnets(new_prefix=size))
    ordered = [found for found in candidates if found.network_address > last] + candidates
    free = next((found for found in ordered if not any(found.overlaps(network) for network in taken)), None)
    return str(free) if free else None


def drop_unshareable(text: StackText, source: str, stack: str) -> list[str]:
    """Take out what belongs to one stack alone: its encryption, its secrets, the account's registry. Returns notes."""
    text.text = re.sub(r"(?m)^(encryptionsalt|encryptedkey):.*\n", "", text.text)
    notes = []
    for path in list(_secrets(text.value())):
        text.remove(path)
        if len(path) > 1 and text.value(*path[:-1]) == {}:
            text.remove(path[:-1])  # credentials: {} would be refused
        dotted = ".".join(path)
        notes.append(
            f"{dotted}: is encrypted for {source} and left out; "
            f"pulumi config set --stack {stack} --secret --path '{dotted}'"
        )
    for section, key in _ONE_STACK_ONLY:
        if text.value(f"{_PREFIX}{section}", key):
            notes.append(f"{section}.{key}: is {source}'s; name what {stack} is to use")
    return notes


def _path(dotted: str) -> tuple[str, ...]:
    if dotted in ("region", _REGION):
        return (_REGION,)
    first, *rest = dotted.removeprefix(_PREFIX).split(".")
    return (f"{_PREFIX}{first}", *rest)


def _parse(dotted: str, written: str) -> Any:  # noqa: ANN401 - any YAML value
    try:
        documents = load_documents(written)
    except yaml.YAMLError:
        raise GitOpsStackError(
            Problem(f"found {written}", "needs a value as a stack file has it", f"--set {dotted}")
        ) from None
    return documents[0] if documents else ""


def _networks(project: Path) -> Iterator[ipaddress.IPv4Network]:
    for stack in load_stacks(project):
        text = StackText.load(project / stack_file(stack))
        cidr = text.value(f"{_PREFIX}network", "cidr")
        if cidr:
            yield ipaddress.IPv4Network(cidr)


def _leaves(value: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - any YAML value
    if isinstance(value, (Mapping, list)):
        for key, held in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _leaves(held, *path, str(key))
    else:
        yield path, value


def _secrets(value: Any, *path: str) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - any YAML value
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            yield path
            return
        for key, entry in value.items():
            yield from _secrets(entry, *path, str(key))
