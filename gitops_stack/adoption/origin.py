"""Tell whose a living installation is: from labels, owners and field managers of its objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gitops_stack import conventions
from gitops_stack.adoption.report import Installation, Kind
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.managed_fields import LAST_APPLIED

HELM_CHART = "helm.sh/chart"
HELM_RELEASE = "meta.helm.sh/release-name"
WORKLOAD_KINDS = ("Deployment", "StatefulSet")

_COMPONENT = "app.kubernetes.io/component"
_VERSION = "app.kubernetes.io/version"
_AUTOPILOT = "argocd-autopilot"
_AUTOPILOT_APPLICATION = "autopilot-bootstrap"  # argocd-autopilot pkg/store
# Every installation has these three, Core included but for the server; their names end with the component in upstream's
# manifests, the chart's and the operator's.
_ANCHORS = ("server", "application-controller", "repo-server")
_IMAGE_VERSION = re.compile(r":(v?\d+\.\d+\.\d+[\w.-]*)(@|$)")


def labels_of(manifest: Manifest) -> dict[str, str]:
    """Return the labels of an object."""
    return dict(mapping(manifest["metadata"].get("labels")))


def annotations_of(manifest: Manifest) -> dict[str, str]:
    """Return the annotations of an object."""
    return dict(mapping(manifest["metadata"].get("annotations")))


def managers(manifest: Manifest) -> set[str]:
    """Return its field managers as `manager (operation)`, those of subresources left out."""
    entries = sequence(manifest["metadata"].get("managedFields"))
    return {f"{entry.get('manager')} ({entry.get('operation')})" for entry in entries if not entry.get("subresource")}


def is_part_of_argocd(manifest: Manifest) -> bool:
    """Tell whether an object says that it belongs to an Argo CD."""
    found = labels_of(manifest)
    return found.get(conventions.PART_OF) == "argocd" or found.get(HELM_CHART, "").startswith("argo-cd-")


def find_installations(
    objects: Sequence[Manifest], applications: Iterable[Manifest], namespace: str, ours: bool
) -> list[Installation]:
    """Find every Argo CD among ``objects``; ``ours`` says that the one in ``namespace`` is this stack's."""
    groups: dict[tuple[str, str], list[Manifest]] = {}
    for found in objects:
        if found["kind"] in WORKLOAD_KINDS and (prefix := _prefix(found)) is not None:
            groups.setdefault((found["metadata"].get("namespace", ""), prefix), []).append(found)
    applications = list(applications)
    made = []
    for (home, prefix), anchors in sorted(groups.items()):
        own = [one for one in objects if one["metadata"].get("namespace") == home and _begins(one, prefix)]
        kind, source = _origin([*anchors, *own], [one for one in applications if _lives_in(one, home)])
        if ours and home == namespace and prefix == "argocd" and kind == "self-managed":
            kind, source = "ours", ""
        made.append(Installation(kind, home, prefix, _version(anchors), source))
    return made


def _origin(objects: Sequence[Manifest], applications: Sequence[Manifest]) -> tuple[Kind, str]:
    """Name the origin: who would undo or lose most comes first."""
    if operated := [one for one in objects if _is_operators(one)]:
        owners = (sequence(one["metadata"].get("ownerReferences")) for one in operated)
        return "operator", _first(text(one.get("name")) for found in owners for one in found)
    if any(labels_of(one).get(HELM_CHART) or annotations_of(one).get(HELM_RELEASE) for one in objects):
        release = _first(annotations_of(one).get(HELM_RELEASE, "") for one in objects)
        chart = _first(labels_of(one).get(HELM_CHART, "") for one in objects)
        return "helm", ", ".join(part for part in (f"release {release}" if release else "", chart) if part)
    found = {manager for one in objects for manager in managers(one)}
    applied = any(annotations_of(one).get(LAST_APPLIED) for one in objects)
    pulumi = sorted(one for one in found if one.startswith("pulumi-"))
    tracked = _first(annotations_of(one).get(conventions.TRACKING_ID, "").partition(":")[0] for one in objects)
    candidates: list[tuple[Kind, bool, str]] = [
        ("pulumi", bool(pulumi), f"field manager {pulumi[0]}" if pulumi else ""),
        ("autopilot", any(_is_autopilots(one) for one in applications), ""),
        ("kubectl-client-side", applied or "kubectl-client-side-apply (Update)" in found, ""),
        ("kubectl-server-side", "kubectl (Apply)" in found, ""),
        ("self-managed", f"{conventions.ARGOCD_FIELD_MANAGER} (Apply)" in found, f"Application {tracked}"),
    ]
    unknown: tuple[Kind, str] = "unknown", f"field managers {', '.join(sorted(found))}" if found else ""
    return next(((kind, source) for kind, holds, source in candidates if holds), unknown)


def _is_autopilots(application: Manifest) -> bool:
    managed = labels_of(application).get(conventions.MANAGED_BY) == _AUTOPILOT
    return managed or application["metadata"]["name"] == _AUTOPILOT_APPLICATION


def _prefix(workload: Manifest) -> str | None:
    """Return what begins the names of the installation that a workload is an anchor of."""
    name, component = text(workload["metadata"]["name"]), labels_of(workload).get(_COMPONENT, "")
    if not is_part_of_argocd(workload) or component not in _ANCHORS:
        return None
    return name.removesuffix(component).rstrip("-") if name.endswith(component) else name


def _begins(manifest: Manifest, prefix: str) -> bool:
    return text(manifest["metadata"]["name"]).startswith(f"{prefix}-")


def _is_operators(manifest: Manifest) -> bool:
    # Not its annotations: they stay when the ArgoCD object has been taken away, and undo nothing.
    return any(one.get("kind") == "ArgoCD" for one in sequence(manifest["metadata"].get("ownerReferences")))


def _version(anchors: Iterable[Manifest]) -> str:
    for one in sorted(anchors, key=lambda found: labels_of(found).get(_COMPONENT) != "server"):
        for container in sequence(dig(one, "spec", "template", "spec", "containers")):
            if match := _IMAGE_VERSION.search(text(container.get("image"))):
                return match[1]
        if written := labels_of(one).get(_VERSION):
            return written
    return ""


def _lives_in(manifest: Manifest, namespace: str) -> bool:
    return bool(manifest["metadata"].get("namespace") == namespace)


def _first(texts: Iterable[str]) -> str:
    return next((one for one in texts if one), "")
