"""Make one lab a spoke of another: a cluster Secret with the spoke's own administrator token.

A lab has no AWS to ask for a token, so this Secret holds one; those of stacks never do.
"""

from __future__ import annotations

import json
from base64 import b64decode

from lightkube.types import PatchType

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.object_reference import ObjectReference, reference
from gitops_stack.lab.nodes import FIELD_MANAGER
from gitops_stack.lab.state import LabState
from gitops_stack.live.reading import connect, load_objects
from gitops_stack.live.writing import Gone, patch
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.cluster_metadata import build_spoke_secret

_LAB = "gitops-stack/lab"
"""Annotation of the Secret: the folder of the lab that it stands for."""


def join(hub: LabState, spoke: LabState, name: str, namespace: str) -> None:
    """Register the cluster of lab ``spoke`` as ``name`` with the Argo CD in ``namespace`` of lab ``hub``.

    Run again, it takes the spoke's present address. Raises :class:`EnvironmentProblem` when one of the two is not up,
    and when the name is another cluster's: what Argo CD made there would be left behind.
    """
    if hub.directory == spoke.directory:
        raise EnvironmentProblem(Problem("is hub and spoke", "needs another lab to join", str(hub.directory)))
    home = ObjectReference("", "Namespace", "", "kube-system", "v1")
    with connect(spoke.kubeconfig) as client:
        load_objects(client, [home])  # a lab that is down is found here, not by Argo CD minutes later
    secret = build_lab_secret(namespace, name, spoke)
    place = reference(secret)
    with connect(hub.kubeconfig) as client:
        check_name(secret, load_objects(client, [place])[place.text])
        try:
            patch(client, place, secret, PatchType.APPLY, FIELD_MANAGER, force=True)
        except Gone:
            raise EnvironmentProblem(
                Problem(f"has no namespace {namespace}", "bootstrap this lab first", str(hub.directory))
            ) from None


def build_lab_secret(namespace: str, name: str, spoke: LabState) -> Manifest:
    """Build the cluster Secret of a lab from its kubeconfig; it says which folder the lab has."""
    kubeconfig: Manifest = json.loads(spoke.kubeconfig.read_text(encoding="utf-8"))
    cluster = kubeconfig["clusters"][0]["cluster"]
    config = {
        "bearerToken": kubeconfig["users"][0]["user"]["token"],
        "tlsClientConfig": {"insecure": False, "caData": cluster["certificate-authority-data"]},
    }
    data = {"server": cluster["server"], "config": json.dumps(config)}
    return build_spoke_secret(namespace, name, {"stack": name}, {_LAB: str(spoke.directory)}, data)


def _authority(secret: Manifest) -> object:
    """Return whose certificates a cluster Secret trusts: a lab that was moved, or known before, has the same ones."""
    config = (secret.get("stringData") or {}).get("config") or b64decode((secret.get("data") or {}).get("config") or "")
    try:
        return json.loads(config)["tlsClientConfig"]["caData"]
    except (ValueError, KeyError, TypeError):
        return None


def check_name(secret: Manifest, found: Manifest | None) -> None:
    """Raise :class:`EnvironmentProblem` when the hub knows another cluster by the name of ``secret``."""
    if found is None:
        return
    metadata = found["metadata"]
    lab = (metadata.get("annotations") or {}).get(_LAB)
    if lab != secret["metadata"]["annotations"][_LAB] and _authority(found) != _authority(secret):
        owner = f"lab {lab}" if lab else "another cluster"
        place = f"Secret {metadata['namespace']}/{metadata['name']}"
        raise EnvironmentProblem(Problem(f"is {owner}", "needs another name: --as NAME", place))
