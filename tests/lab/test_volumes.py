"""The volume the lab makes for a claim."""

from __future__ import annotations

import pytest
from lightkube.resources.core_v1 import PersistentVolumeClaim

from gitops_stack.lab.volumes import build_volume


@pytest.mark.parametrize("storage_class", [None, "gp3"])
def test_a_volume_fits_its_claim_and_no_other(storage_class: str | None) -> None:
    claim = PersistentVolumeClaim.from_dict(
        {
            "metadata": {"name": "data", "namespace": "shop", "uid": "1-2"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                **({"storageClassName": storage_class} if storage_class else {}),
            },
        }
    )
    assert isinstance(claim, PersistentVolumeClaim)
    made = build_volume(claim).to_dict()
    assert made["metadata"] == {"name": "lab-1-2"}
    assert made["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "data", "namespace": "shop"},
        "hostPath": {"path": "/nowhere"},
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": storage_class or "",
    }
