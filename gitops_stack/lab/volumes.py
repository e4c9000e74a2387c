"""The lab's storage provisioner: a volume that holds nothing for every claim that waits for one.

Without it the pods of a claim are never scheduled. No data is ever written: kwok's pods run nothing.
"""

from __future__ import annotations

import contextlib
from typing import Any

from httpx2 import HTTPStatusError
from lightkube import Client
from lightkube.models.core_v1 import HostPathVolumeSource, ObjectReference, PersistentVolumeSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim

from gitops_stack.lab.server_side_apply import FIELD_MANAGER
from gitops_stack.live.writing import reached


def provide_volumes(client: Client) -> None:
    """Make a volume for every claim that is Pending and names none, whatever its storage class, bound to it.

    Raises :class:`EnvironmentProblem` when the API server does not answer. What it refuses is left for the next time:
    a claim that waits is seen in the application's health.
    """
    with contextlib.suppress(HTTPStatusError), reached():
        for claim in client.list(PersistentVolumeClaim, namespace="*"):
            if claim.status and claim.status.phase == "Pending" and claim.spec and not claim.spec.volumeName:
                with contextlib.suppress(HTTPStatusError):  # one made a moment ago, and not bound yet, perhaps
                    client.create(build_volume(claim), field_manager=FIELD_MANAGER)


def build_volume(claim: PersistentVolumeClaim) -> PersistentVolume:
    """Build the volume of one claim: its size, modes and class, and room for nobody else."""
    metadata: Any = claim.metadata
    spec: Any = claim.spec
    return PersistentVolume(
        metadata=ObjectMeta(name=f"lab-{metadata.uid}"),
        spec=PersistentVolumeSpec(
            accessModes=spec.accessModes,
            capacity={"storage": spec.resources.requests["storage"]},
            claimRef=ObjectReference(
                apiVersion="v1", kind="PersistentVolumeClaim", name=metadata.name, namespace=metadata.namespace
            ),
            hostPath=HostPathVolumeSource(path="/nowhere"),
            persistentVolumeReclaimPolicy="Retain",
            storageClassName=spec.storageClassName or "",
            volumeMode=spec.volumeMode,
        ),
    )
