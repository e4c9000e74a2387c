"""What people set on Argo CD's workloads, Services and ServiceAccounts that the tree does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_stack.adoption.origin import WORKLOAD_KINDS
from gitops_stack.adoption.report import AdoptionFinding, Kind, list_names
from gitops_stack.adoption.wanted import Wanted
from gitops_stack.gitops_tree.manifest_set import object_key, object_name
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig, mapping, sequence, text

# Written by programs for themselves: nobody's wish.
_OWN_ANNOTATIONS = (
    "kubectl.kubernetes.io/", "deployment.kubernetes.io/", "meta.helm.sh/", "helm.sh/", "pulumi.com/",
    "argocd.argoproj.io/", "argocds.argoproj.io/", "checksum/", "reloader.stakater.com/last-",
)  # fmt: skip
_SCHEDULING = ("nodeSelector", "tolerations", "priorityClassName")
_EXPOSED = ("LoadBalancer", "NodePort")
_PARAMETERS = "argocd-cmd-params-cm"
# Their pods are made by other templates than upstream's: each flag and variable would be a difference.
_OTHER_TEMPLATES: frozenset[Kind] = frozenset({"helm", "operator"})


def check_customizations(
    objects: Sequence[Manifest], wanted: Wanted, kind: Kind, patches: list[Manifest]
) -> Iterator[AdoptionFinding]:
    """Yield what a living object has beyond the render; adds to ``patches`` what a strategic merge patch can keep."""
    for living in objects:
        rendered = wanted.rendered.get(object_key(living))
        if rendered is None:
            continue
        kept = _kept(living, rendered)
        if kept:
            patches.append(_patch(living, kept))
            yield _lost(living, _places(kept), "`gitops-stack adopt --yes` writes it as a patch of the tree")
        if living["kind"] in WORKLOAD_KINDS:
            if kind not in _OTHER_TEMPLATES and (by_hand := list(_pod_differences(living, rendered))):
                yield _lost(living, by_hand, "add what is still needed to argocd/patches by hand")
            yield from _check_replicas(living, rendered)


def _kept(living: Manifest, rendered: Manifest) -> dict[str, Any]:
    """Return what a strategic merge patch has to say so that nothing of it is lost."""
    kept: dict[str, Any] = {}
    if living["kind"] in ("ServiceAccount", "Service"):
        extra = _extra(living["metadata"].get("annotations"), rendered["metadata"].get("annotations"))
        if extra:
            kept["metadata"] = {"annotations": extra}
    exposed = dig(living, "spec", "type")
    if living["kind"] == "Service" and exposed in _EXPOSED and exposed != dig(rendered, "spec", "type"):
        ranges = list(sequence(dig(living, "spec", "loadBalancerSourceRanges")))
        kept["spec"] = {"type": exposed, **({"loadBalancerSourceRanges": ranges} if ranges else {})}
    if living["kind"] in WORKLOAD_KINDS:
        template = _kept_template(living, rendered)
        if template:
            kept["spec"] = {"template": template}
    return kept


def _kept_template(living: Manifest, rendered: Manifest) -> dict[str, Any]:
    template: dict[str, Any] = {}
    extra = _extra(
        dig(living, "spec", "template", "metadata", "annotations"),
        dig(rendered, "spec", "template", "metadata", "annotations"),
    )
    if extra:
        template["metadata"] = {"annotations": extra}
    pod, own = _pod(living), _pod(rendered)
    spec = {key: pod[key] for key in _SCHEDULING if pod.get(key) and not _covers(own.get(key), pod[key])}
    if spec:
        template["spec"] = spec
    return template


def _covers(own: Any, living: Any) -> bool:  # noqa: ANN401 - fields of a pod
    if isinstance(living, Mapping):
        return isinstance(own, Mapping) and living.items() <= own.items()
    return bool(own == living)


def _pod_differences(living: Manifest, rendered: Manifest) -> Iterator[str]:
    """Yield containers, flags, variables and volumes that the render does not have."""
    pod, own = _pod(living), _pod(rendered)
    for key in ("containers", "initContainers"):
        there = {text(one.get("name")): one for one in sequence(own.get(key))}
        for container in sequence(pod.get(key)):
            name = text(container.get("name"))
            if name not in there:
                yield f"{key} {name}"
                continue
            flags = [one for one in _words(container) if one not in _words(there[name])]
            yield from (f"{name}: {flag}" for flag in flags if flag.startswith("--"))
            known = {text(one.get("name")) for one in sequence(there[name].get("env"))}
            for variable in sequence(container.get("env")):
                source = dig(variable, "valueFrom", "configMapKeyRef", "name")
                if text(variable.get("name")) not in known and source != _PARAMETERS:
                    yield f"{name}: env {variable.get('name')}"
    volumes = {text(one.get("name")) for one in sequence(own.get("volumes"))}
    for volume in sequence(pod.get("volumes")):
        if text(volume.get("name")) not in volumes and "emptyDir" not in volume:
            yield f"volume {volume.get('name')}"


def _check_replicas(living: Manifest, rendered: Manifest) -> Iterator[AdoptionFinding]:
    there, own = dig(living, "spec", "replicas"), dig(rendered, "spec", "replicas") or 1
    if isinstance(there, int) and there > own:
        place = object_name(object_key(living))
        yield AdoptionFinding(
            "note", place, f"has {there} replicas, the tree's has {own}", "patch spec.replicas if you need them"
        )


def _extra(living: object, own: object) -> dict[str, str]:
    written = mapping(own)
    return {
        key: value
        for key, value in sorted(mapping(living).items())
        if key not in written and not key.startswith(_OWN_ANNOTATIONS)
    }


def _places(kept: Mapping[str, Any]) -> list[str]:
    places = [f"annotation {key}" for key in mapping(dig(kept, "metadata", "annotations"))]
    places += [f"spec.{key}" for key in mapping(kept.get("spec")) if key != "template"]
    template = mapping(dig(kept, "spec", "template"))
    places += [f"pod annotation {key}" for key in mapping(dig(template, "metadata", "annotations"))]
    return places + [f"pod {key}" for key in mapping(template.get("spec"))]


def _lost(living: Manifest, places: Sequence[str], remedy: str) -> AdoptionFinding:
    found = f"{list_names(places)} {'is' if len(places) == 1 else 'are'} not in the tree"
    return AdoptionFinding("lost", object_name(object_key(living)), found, remedy, tuple(places))


def _patch(living: Manifest, kept: Mapping[str, Any]) -> Manifest:
    metadata = {"name": living["metadata"]["name"], **mapping(kept.get("metadata"))}
    rest = {key: value for key, value in kept.items() if key != "metadata"}
    return {"apiVersion": living["apiVersion"], "kind": living["kind"], "metadata": metadata, **rest}


def _pod(manifest: Manifest) -> Mapping[str, Any]:
    return mapping(dig(manifest, "spec", "template", "spec"))


def _words(container: Mapping[str, Any]) -> list[str]:
    return [str(one) for key in ("command", "args") for one in sequence(container.get(key))]
