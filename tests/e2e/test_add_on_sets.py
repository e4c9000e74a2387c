"""What Argo CD's own code makes of the ApplicationSets of add-ons: one Application, with the values of its stack."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.lab.tools import build_tools
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.add_ons import build_add_ons
from gitops_stack.manifests.cluster_metadata import build_cluster_secret
from gitops_stack.settings import ClusterMetadata
from gitops_stack.settings.add_on_values import list_texts
from tests.add_ons import with_add_ons
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

METADATA = ClusterMetadata(stack="prd", region="ap-northeast-1", vpcId="vpc-0a1b", karpenterQueue="queue-1f2e")
# What looks like a template in a value is the chart's, or Prometheus'.
BRACES: dict[str, Any] = {"serviceAccount": {"annotations": {"text": "{{ .Release.Name }} {{`x`}} }}"}}}
TOLD: dict[str, dict[str, Any]] = {
    "aws-load-balancer-controller": {"vpcId": "vpc-0a1b"},
    "karpenter": {"settings": {"interruptionQueue": "queue-1f2e"}},
}


def ask_argocd(folder: Path, application_set: Manifest) -> list[dict[str, Any]]:
    secret = build_cluster_secret("argocd", METADATA.labels(), METADATA.annotations())
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in secret.pop("stringData").items()}
    spoke = {
        "name": "eu",
        "namespace": "argocd",
        "labels": {"argocd.argoproj.io/secret-type": "cluster", "stack": "prd"},
    }
    servers = {
        key: base64.b64encode(value.encode()).decode() for key, value in {"name": "eu", "server": "https://eu"}.items()
    }
    clusters = [{**secret, "data": encoded}, {"metadata": spoke, "data": servers}]
    asked = json.dumps({"applicationSets": [application_set], "clusters": clusters})
    command = [str(build_tools(say).bin / "applicationsets"), "https://github.com/acme/platform.git", str(folder)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, timeout=60)
    (answer,) = json.loads(done.stdout)
    assert not answer.get("error"), answer
    found: list[dict[str, Any]] = answer["applications"]
    return found


@pytest.mark.parametrize("name", TOLD)
def test_it_is_the_application_of_a_stack_that_knows_and_of_no_other_cluster(name: str, tmp_path: Path) -> None:
    made = build_add_ons(with_add_ons(tmp_path, {name: {"values": BRACES}}))[name]
    told = build_add_ons(with_add_ons(tmp_path, {name: {"values": {**BRACES, **TOLD[name]}}}))[name]
    (found,), (wanted,) = ask_argocd(tmp_path, made), ask_argocd(tmp_path, told)
    values = found["spec"]["source"]["helm"]["valuesObject"]
    assert next(iter(list_texts(TOLD[name]))) in list(list_texts(values))
    assert values["serviceAccount"]["annotations"] == BRACES["serviceAccount"]["annotations"]
    assert found["spec"] == wanted["spec"]
    template = made["spec"]["template"]
    for key in ("project", "ignoreDifferences", "syncPolicy", "destination"):
        assert found["spec"].get(key) == template["spec"].get(key)
    assert found["metadata"]["name"] == name
    assert found["metadata"]["finalizers"] == template["metadata"]["finalizers"]
