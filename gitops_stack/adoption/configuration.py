"""Keys of Argo CD's ConfigMaps that the cluster has and the tree does not."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from gitops_stack.adoption.conflicts import PREFIX
from gitops_stack.adoption.report import AdoptionFinding, list_names
from gitops_stack.adoption.wanted import Wanted
from gitops_stack.gitops_tree.manifest_set import object_key, object_name
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import mapping

_POLICY, _ADOPTED_POLICY = "policy.csv", "policy.adopted.csv"
_ADMIN = "admin.enabled"
_HEALTH = "resource.customizations.health.argoproj.io_Application"
_GROUP_LINE = re.compile(r'g,\s*("[^"]+"|[^,"]+?),\s*role:(admin|readonly)')
# Where Argo CD's parts find each other: names of the old installation's Services, which the stack's are not.
_ADDRESSES = {"repo.server", "redis.server", "server.dex.server", "commit.server", "otlp.address"}
_LOGGING = ("applicationsetcontroller", "controller", "notificationscontroller", "reposerver", "server")
_LOG_DEFAULTS = {"format": "text", "level": "info"}
# What the chart writes although it is Argo CD's own default (docs/operator-manual/argocd-cm.yaml,
# argocd-cmd-params-cm.yaml, argocd-rbac-cm.yaml): leaving it out changes nothing.
_DEFAULTS: dict[str, dict[str, str]] = {
    "argocd-cm": {
        "application.sync.impersonation.enabled": "false",
        "exec.enabled": "false",
        "server.rbac.log.enforce.enable": "false",
        "statusbadge.enabled": "false",
        "timeout.hard.reconciliation": "0s",
        _ADMIN: "true",
    },
    "argocd-rbac-cm": {"policy.matchMode": "glob", "scopes": "[groups]"},
    "argocd-cmd-params-cm": {
        "applicationsetcontroller.enable.leader.election": "false",
        "applicationsetcontroller.policy": "sync",
        "controller.ignore.normalizer.jq.timeout": "1s",
        "controller.operation.processors": "10",
        "controller.repo.server.timeout.seconds": "60",
        "controller.self.heal.timeout.seconds": "5",
        "controller.status.processors": "20",
        "controller.sync.timeout.seconds": "0",
        "hydrator.enabled": "false",
        "reposerver.parallelism.limit": "0",
        "server.basehref": "/",
        "server.dex.server.strict.tls": "false",
        "server.disable.auth": "false",
        "server.enable.gzip": "true",
        "server.enable.proxy.extension": "false",
        "server.insecure": "false",
        "server.repo.server.strict.tls": "false",
        "server.staticassets": "/shared/app",
        "server.x.frame.options": "sameorigin",
        **{f"{component}.log.{key}": value for component in _LOGGING for key, value in _LOG_DEFAULTS.items()},
    },
}  # fmt: skip
# A reference begins with `$` (docs/operator-manual/user-management); anything else in such a field is the secret.
_PLAIN_SECRET = re.compile(
    r"""(?im)(client_?secret|bindpw|password|token|private_?key|api_?key|signing_?secret)["']?\s*:\s*["']?(?!\$)[^\s"'{|>]"""
)


@dataclass
class Kept:
    """What Git takes over of the ConfigMaps: keys by ConfigMap, and settings of the stack file."""

    data: dict[str, dict[str, str]] = field(default_factory=dict)
    rbac: dict[str, str] = field(default_factory=dict)
    admin_enabled: bool | None = None


def check_configuration(objects: Sequence[Manifest], wanted: Wanted, kept: Kept) -> Iterator[AdoptionFinding]:
    """Yield what the ConfigMaps would lose; adds what Git can take over to ``kept``."""
    for living in objects:
        rendered = wanted.rendered.get(object_key(living))
        if living["kind"] == "ConfigMap" and rendered is not None:
            yield from _check_config_map(living, rendered, kept)


def _check_config_map(living: Manifest, rendered: Manifest, kept: Kept) -> Iterator[AdoptionFinding]:
    name = living["metadata"]["name"]
    place = object_name(object_key(living))
    data: dict[str, str] = {}
    for key, value in _differing(living, rendered).items():
        own = mapping(rendered.get("data")).get(key)
        if key == _ADMIN:
            kept.admin_enabled = value.strip().lower() != "false"
            found = f"{key} is {value.strip()}, the tree's {own}"
            yield AdoptionFinding("lost", place, found, "`gitops-stack adopt --yes` writes argocd.adminEnabled")
        elif _is_policy(key):
            yield from _check_policy(place, key, value, rendered, kept)
        elif key == _HEALTH:
            yield AdoptionFinding("note", place, f"{key} is replaced by the library's, which waves need")
        elif key in _ADDRESSES:
            if value.strip().removeprefix("https://").removeprefix("http://").startswith(f"{PREFIX}-") is False:
                yield AdoptionFinding("note", place, f"{key} ({value.strip()}) names a Service that goes; left out")
        elif _PLAIN_SECRET.search(value):
            yield AdoptionFinding(
                "lost",
                place,
                f"{key} holds a secret in plain text, which must not come to Git; the tree has "
                f"{'another value' if own is not None else 'no such key'}",
                "move it to a Secret with the label app.kubernetes.io/part-of: argocd, write $name:key, and run adopt "
                "again",
            )
        else:
            data[key] = value
    if lost := sorted(data):
        changed = [key for key in lost if key in mapping(rendered.get("data"))]
        added = [key for key in lost if key not in changed]
        parts = [f"{list_names(added)} {_is(added)} not in the tree"] if added else []
        parts += [f"{list_names(changed)} differ{'s' if len(changed) == 1 else ''} from the tree's"] if changed else []
        kept.data.setdefault(name, {}).update(data)
        yield AdoptionFinding(
            "lost",
            place,
            " and ".join(parts),
            "`gitops-stack adopt --yes` writes what is there as a patch of the tree; look at it before you commit",
            tuple(lost),
        )


def _check_policy(place: str, key: str, value: str, rendered: Manifest, kept: Kept) -> Iterator[AdoptionFinding]:
    """Judge a policy line by line: groups with a built-in role become settings, the rest a key of its own.

    Argo CD joins every `policy.*.csv` (docs/operator-manual/rbac.md), so that the tree's own lines stay.
    """
    own = mapping(rendered.get("data"))
    there = {line for name in own if _is_policy(name) for line in _policy_lines(own[name])}
    lines = [line for line in _policy_lines(value) if line not in there]
    if not lines:
        return
    groups = {match[1].strip('"').strip(): match[2] for line in lines if (match := _GROUP_LINE.fullmatch(line))}
    taken = {match[1].strip('"').strip() for line in there if (match := _GROUP_LINE.fullmatch(line))}
    if len(groups) == len(lines) and not groups.keys() & taken:
        kept.rbac |= groups
        remedy = "`gitops-stack adopt --yes` writes argocd.rbac"
    else:
        written = _ADOPTED_POLICY if key == _POLICY else key
        kept.data.setdefault("argocd-rbac-cm", {})[written] = "".join(f"{line}\n" for line in lines)
        remedy = f"`gitops-stack adopt --yes` writes them as {written} in a patch of the tree"
    yield AdoptionFinding("lost", place, f"{key}: not in the tree: {' · '.join(lines)}", remedy, tuple(lines))


def _differing(living: Manifest, rendered: Manifest) -> dict[str, str]:
    """Return the keys of ``living`` whose value the tree would not have: not the same, not empty, not the default."""
    wanted = mapping(rendered.get("data"))
    defaults = _DEFAULTS.get(living["metadata"]["name"], {})
    return {
        key: value
        for key, value in mapping(living.get("data")).items()
        if value.strip()
        and not _same(value, wanted.get(key))
        and not (key not in wanted and value.strip().lower() == defaults.get(key))
    }


def _same(value: str, other: object) -> bool:
    if not isinstance(other, str):
        return False
    if value.strip() == other.strip():
        return True
    try:
        return bool(load_documents(value) == load_documents(other))  # comments and quotes change nothing
    except yaml.YAMLError:
        return False


def _policy_lines(policy: str) -> list[str]:
    """Return the lines of a policy in one form of writing; Argo CD reads them as CSV (util/rbac)."""
    lines = [line.strip() for line in policy.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    try:
        fields = list(csv.reader(lines, skipinitialspace=True))
    except csv.Error:  # Argo CD refuses it too: nothing to be put in form
        return lines
    return [", ".join(f'"{one}"' if "," in one else one for one in map(str.strip, line)) for line in fields]


def _is_policy(key: str) -> bool:
    return key.startswith("policy.") and key.endswith(".csv")


def _is(entries: Sequence[str]) -> str:
    return "is" if len(entries) == 1 else "are"


def build_config_patches(data: Mapping[str, Mapping[str, str]]) -> list[Manifest]:
    """Build one strategic merge patch per ConfigMap."""
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(sorted(keys.items()))}
        for name, keys in sorted(data.items())
    ]
