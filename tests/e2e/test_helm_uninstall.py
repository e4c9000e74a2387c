"""`helm uninstall` of an Argo CD that was installed by Helm and has been taken over, by Helm itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from gitops_stack.manifests import Manifest
from tests.adoption import installations as made
from tests.e2e.test_adoption import Cluster, cluster, run_the_remedies, upstream

__all__ = ["cluster"]  # a fixture

pytestmark = [pytest.mark.e2e, pytest.mark.soak]


def write_chart(folder: Path, objects: list[Manifest]) -> Path:
    """Write a chart of ``objects`` as they are."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: argo-cd, version: 9.0.0}\n", encoding="utf-8")
    text = yaml.safe_dump_all(objects).replace("{{", '{{ "{{" }}')
    (folder / "templates/all.yaml").write_text(text, encoding="utf-8")
    return folder


def helm(cluster: Cluster, *arguments: str) -> str:
    lab = cluster.scenario.lab
    environment = {**os.environ, "KUBECONFIG": str(lab.state.kubeconfig), "HOME": str(lab.state.directory)}
    command = [str(lab.tools.bin / "helm"), *arguments, "--namespace", "argocd"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_helm_uninstall_takes_away_after_the_adoption_comes_back_with_an_update(
    cluster: Cluster, tmp_path: Path
) -> None:
    scenario = cluster.scenario
    cluster.kubectl("create", "namespace", "argocd")
    objects = made.unmanaged(made.helm(upstream(scenario, scenario.settings.argocd.commit), "argocd"))
    definitions = [one for one in objects if one["kind"] == "CustomResourceDefinition"]  # crds.keep
    cluster.apply(definitions, "--server-side", "--field-manager", "helm")
    chart = write_chart(tmp_path / "chart", [one for one in objects if one not in definitions])
    helm(cluster, "install", "argocd", str(chart))
    cluster.start()
    run_the_remedies(cluster)
    cluster.adopt("--yes")
    scenario.push("Take over the chart's settings")
    cluster.move_shop()
    cluster.take_over()
    uids = cluster.uids()
    helm(cluster, "uninstall", "argocd")
    scenario.lab.stop_argocd()  # its pods are gone
    assert scenario.get("v1", "Secret", "argocd-secret", "argocd") is None
    said = scenario.cli("status", "--stack", "local", check=False)
    assert said.returncode == 1
    assert "argocd-secret" in said.stdout + said.stderr or "not handed over" in said.stdout + said.stderr
    assert scenario.report.engine.preview()["replace"] > 1
    scenario.report.engine.up()
    scenario.start_controllers()
    scenario.wait_until_well()
    assert scenario.wait_until_handed_over().complete
    assert cluster.uids() == uids
