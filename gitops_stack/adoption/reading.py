"""Read what a look needs of a cluster, in a bounded number of requests; three when there is no Argo CD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitops_stack import conventions
from gitops_stack.adoption.judgement import build_report
from gitops_stack.adoption.living import Living
from gitops_stack.adoption.origin import is_part_of_argocd
from gitops_stack.adoption.report import AdoptionReport
from gitops_stack.adoption.wanted import Wanted, build_wanted
from gitops_stack.gitops_tree.manifest_set import object_key
from gitops_stack.live.reading import Listing, ObjectReference, load_listings, load_objects, reference
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings

if TYPE_CHECKING:
    from lightkube import Client

_PART_OF = {conventions.PART_OF: "argocd"}
_DEFINITION = ObjectReference(
    "apiextensions.k8s.io", "CustomResourceDefinition", "", f"applications.{conventions.ARGOCD_GROUP}", "v1"
)
_WORKLOADS = tuple(Listing("apps/v1", kind, "*", _PART_OF) for kind in ("Deployment", "StatefulSet"))
_CUSTOM = tuple(
    Listing(conventions.ARGOCD_API_VERSION, kind, "*") for kind in ("Application", "AppProject", "ApplicationSet")
)


def look(
    client: Client,
    settings: StackSettings,
    manifests: Sequence[Manifest],
    authored: Sequence[Manifest] = (),
) -> AdoptionReport:
    """Look at a cluster before the first `up` of a stack; never writes.

    ``manifests`` is the render of the tree, ``authored`` what :func:`build_wanted` says. Raises
    :class:`EnvironmentProblem` when the cluster cannot be read.
    """
    wanted = build_wanted(settings, manifests, authored)
    return build_report(load_living(client, wanted), wanted)


def load_living(client: Client, wanted: Wanted) -> Living:
    """Read what lives in a cluster: 3 requests without any Argo CD, some 20 with one, however many objects it has."""
    definition = load_objects(client, [_DEFINITION])[_DEFINITION.text]
    workloads = [found for listed in load_listings(client, _WORKLOADS) for found in listed]
    if definition is None and not workloads:
        return Living()
    home = ObjectReference("", "Namespace", "", wanted.namespace, "v1")
    definitions = [reference(one) for one in wanted.manifests if one["kind"] == _DEFINITION.kind]
    single = load_objects(client, [home, *definitions])
    kinds = sorted(
        {
            (one["apiVersion"], one["kind"], "namespace" in one["metadata"])
            for one in wanted.manifests
            if one["kind"] != _DEFINITION.kind
        }
    )
    wide = [Listing(api, kind, wanted.namespace if namespaced else "") for api, kind, namespaced in kinds]
    listed = load_listings(client, [*wide, *(_CUSTOM if definition else ())])
    installed = {object_key(one): one for found in listed[: len(wide)] for one in found if _concerns(one, wanted)}
    installed |= {object_key(one): one for one in workloads}
    installed |= {object_key(one): one for name, one in single.items() if one and name != home.text}
    custom = [*listed[len(wide) :], [], [], []]
    return Living(single[home.text], [installed[key] for key in sorted(installed)], custom[0], custom[1], custom[2])


def _concerns(manifest: Manifest, wanted: Wanted) -> bool:
    return is_part_of_argocd(manifest) or object_key(manifest) in wanted.rendered
