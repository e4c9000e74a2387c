"""The volume the lab makes for a claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import HTTPStatusError, ReadTimeout, Request, Response
from lightkube.resources.core_v1 import PersistentVolumeClaim

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.volumes import build_volume, provide_volumes
from gitops_stack.live.reading import ObjectReference
from gitops_stack.live.writing import delete


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


class Unwell:
    """A client whose API server fails in one way."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def __getattr__(self, _verb: str) -> Callable[..., None]:
        return self._fail

    def _fail(self, *_arguments: object, **_options: object) -> None:
        raise self._failure


def test_an_api_server_that_does_not_answer_is_one_sentence() -> None:
    client: Any = Unwell(ReadTimeout("timed out"))
    said = "cluster: does not answer: timed out; is it running?"
    with pytest.raises(EnvironmentProblem) as raised:
        provide_volumes(client)
    assert raised.value.findings == (said,)
    with pytest.raises(EnvironmentProblem) as raised:
        delete(client, ObjectReference("argoproj.io", "AppProject", "argocd", "x", "v1alpha1"))
    assert raised.value.findings == (said,)


def test_volumes_wait_for_an_api_server_that_is_busy() -> None:
    request = Request("GET", "http://x")
    client: Any = Unwell(HTTPStatusError("busy", request=request, response=Response(429, request=request)))
    provide_volumes(client)
