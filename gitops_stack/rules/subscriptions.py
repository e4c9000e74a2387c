"""Hold subscriptions to notifications against what the notifications controller is told.

Source: notifications-engine (pkg/subscriptions, pkg/api): `service.TYPE` or `service.TYPE.NAME`, `trigger.NAME`,
`template.NAME`. What is missing shows in a debug log only (argo-cd#17773).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.finding import Finding, RenderedObject

RULE = "notification-unknown"
_CONFIG_MAP = "argocd-notifications-cm"
_PREFIX = "notifications.argoproj.io/subscribe."
_SUBSCRIBERS = ("Application", "AppProject")


def check_subscriptions(objects: Sequence[RenderedObject], argocd_namespace: str) -> Iterator[Finding]:
    """Yield a finding per annotation that names a trigger or service which argocd-notifications-cm does not have."""
    keys = {
        key
        for found in objects
        if found.is_config_map(_CONFIG_MAP, argocd_namespace)
        for key in mapping(found.manifest.get("data"))
    }
    services = {key.rpartition(".")[2] for key in keys if key.startswith("service.")}
    triggers = {key.removeprefix("trigger.") for key in keys if key.startswith("trigger.")}
    for found in objects:
        if found.group == "argoproj.io" and found.kind in _SUBSCRIBERS:
            yield from _check_annotations(found, services, triggers)


def _check_annotations(found: RenderedObject, services: set[str], triggers: set[str]) -> Iterator[Finding]:
    annotations: dict[str, Any] = dict(found.annotations)
    for name in annotations:
        trigger, _, service = text(name).removeprefix(_PREFIX).rpartition(".")
        if not text(name).startswith(_PREFIX) or not service:
            continue
        for kind, wanted, known in (("service", service, services), ("trigger", trigger, triggers)):
            if wanted and wanted not in known:
                offered = ", ".join(sorted(known)) or f"one in argocd.notifications, which has no {kind}"
                yield found.finding(
                    f"metadata.annotations.{name}", f"names the {kind} {wanted}, which Argo CD does not have",
                    f"name {offered}", rule=RULE,
                )  # fmt: skip
