"""`upgrade cluster` on a real render: what the next Kubernetes version refuses, and pins with everything else kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say
from tests.e2e.upgrade_platform import Platform

pytestmark = pytest.mark.e2e

BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: guestbook-all}
spec: {maxUnavailable: 0, selector: {matchLabels: {app.kubernetes.io/name: guestbook}}}
"""
GONE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: guestbook}
spec: {template: {spec: {workloadRef: {name: a, podGroup: b}}}}
"""
LEAVING = """\
apiVersion: storage.k8s.io/v1beta1
kind: VolumeAttributesClass
metadata: {name: fast}
driverName: ebs.csi.aws.com
"""


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    return Platform(tmp_path)


def test_the_next_kubernetes_version_meets_what_is_rendered(platform: Platform) -> None:
    overlay = platform.clone / "gitops/workloads/guestbook/overlays/prd"
    fields = yaml.safe_load((overlay / "kustomization.yaml").read_text())
    fields["resources"] = [*fields["resources"], "more.yaml"]
    gone = {"patch": GONE}
    (overlay / "more.yaml").write_text(f"{BUDGET}---\n{LEAVING}", encoding="utf-8")
    (overlay / "kustomization.yaml").write_text(
        yaml.safe_dump({**fields, "patches": [*fields.get("patches", []), gone]})
    )
    platform.push("A field that 1.36 does not have")
    with pytest.raises(GitOpsStackError) as refused:
        platform.upgrade_cluster("1.36")
    assert refused.value.findings
    assert all("workloadRef" in finding for finding in refused.value.findings)
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump({**fields, "patches": [{"path": "no.yaml"}]}))
    platform.push("A render that fails for either version")
    unseen = platform.upgrade_cluster("1.36", "--dry-run")
    assert [one for one in unseen["warnings"] if "was not held against Kubernetes 1.36" in one and "no.yaml" in one]
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    platform.push("Without it")

    found = platform.upgrade_cluster("1.36")
    assert found["branch"] == "gitops-stack/prd/kubernetes-1.36"
    assert found["files"] == ["Pulumi.prd.yaml"]
    assert [one for one in found["budgets"] if "PodDisruptionBudget" in one]
    assert found["leaving"] == [
        "storage.k8s.io/v1beta1 VolumeAttributesClass: Kubernetes 1.37 no longer serves it; used 1 times"
    ]
    assert {pin["name"] for pin in found["pins"]} >= {"kube-proxy", "coredns"}
    assert found["steps"][0].startswith("`pulumi up` upgrades the control plane")
    assert [step for step in found["steps"] if "node group" in step]
    before = (platform.clone / "Pulumi.prd.yaml").read_text()
    platform.take(found["branch"])
    after = (platform.clone / "Pulumi.prd.yaml").read_text()
    changed = [(old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
    assert ('    version: "1.35"', '    version: "1.36"') in changed
    assert len(changed) == 1 + len(found["pins"])
    settings = load_stack_file(platform.clone, "prd")
    assert settings.eks is not None
    assert settings.eks.version == "1.36"
    assert platform.upgrade_cluster("1.36")["files"] == []
    with pytest.raises(GitOpsStackError, match=r"take 1\.37 first"):
        platform.upgrade_cluster("1.38")
    with pytest.raises(GitOpsStackError, match="only goes forward"):
        platform.upgrade_cluster("1.35")


def test_an_image_of_the_old_version_has_to_be_replaced(platform: Platform) -> None:
    text = (platform.clone / "Pulumi.prd.yaml").read_text()
    pinned = text.replace("system: true}", "system: true, releaseVersion: 1.35.2-20261015} # image", 1)
    (platform.clone / "Pulumi.prd.yaml").write_text(pinned, encoding="utf-8")
    platform.push("Pin the image")
    with pytest.raises(GitOpsStackError, match=r"is an image of 1\.35; give --ami system=1\.36\.PATCH-DATE"):
        platform.upgrade_cluster("1.36")
    with pytest.raises(GitOpsStackError, match="which is not a node group; known: system, general"):
        platform.upgrade_cluster("1.36", "--ami", "system=1.36.1-20261101", "--ami", "other=1.36.1-20261101")
    found = platform.upgrade_cluster("1.36", "--ami", "system=1.36.1-20261101", "--dry-run")
    assert {"name": "nodeGroups.system", "before": "1.35.2-20261015", "after": "1.36.1-20261101"} in found["pins"]
