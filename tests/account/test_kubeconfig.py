"""A kubeconfig for the stack's cluster: exec form, token form, and merged beside what is there."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from typer.testing import CliRunner, Result

from gitops_stack.account.kubeconfig import merge_kubeconfig
from gitops_stack.cli.main import app
from gitops_stack.errors import GitOpsStackError
from tests.account.stacks import CLUSTER, REGION, ROLE
from tests.stacks import ROOT

OTHERS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "kind", "cluster": {"server": "https://127.0.0.1:6443"}}],
    "users": [{"name": "kind", "user": {"token": "kept"}}],
    "contexts": [{"name": "kind", "context": {"cluster": "kind", "user": "kind"}}],
    "current-context": "kind",
}


@pytest.fixture
def cluster() -> dict[str, Any]:
    client = boto3.client("eks", region_name=REGION)
    client.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": []}, version="1.31")
    found: dict[str, Any] = client.describe_cluster(name=CLUSTER)["cluster"]
    return found


def run(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["kubeconfig", "--stack", "dev", "--project", str(project), *arguments])


def test_the_exec_form_fetches_tokens_by_this_command(eks_project: Path, cluster: dict[str, Any]) -> None:
    result = run(eks_project)
    assert result.exit_code == 0
    found = yaml.safe_load(result.stdout)
    assert found["clusters"] == [
        {
            "name": CLUSTER,
            "cluster": {
                "server": cluster["endpoint"],
                "certificate-authority-data": cluster["certificateAuthority"]["data"],
            },
        }
    ]
    plugin = found["users"][0]["user"]["exec"]
    assert plugin["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert [plugin["command"], *plugin["args"]] == [
        "gitops-stack", "eks-token", "--cluster", CLUSTER, "--region", REGION,
    ]  # fmt: skip
    assert found["current-context"] == CLUSTER


@pytest.mark.usefixtures("cluster")
def test_role_and_profile_go_into_the_exec_form(
    eks_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profiles = tmp_path / "config"
    profiles.write_text("[profile acme]\nregion = eu-west-1\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles))
    monkeypatch.setenv("AWS_PROFILE", "acme")
    result = run(eks_project, "--role-arn", ROLE)
    plugin = yaml.safe_load(result.stdout)["users"][0]["user"]["exec"]
    assert plugin["args"][-2:] == ["--role-arn", ROLE]
    assert plugin["env"] == [{"name": "AWS_PROFILE", "value": "acme"}]


@pytest.mark.usefixtures("cluster")
def test_the_token_form_is_static_and_private(eks_project: Path, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    result = run(eks_project, "--token", "--context", "dev", "--output", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert found["users"][0]["name"] == "dev"
    assert found["users"][0]["user"]["token"].startswith("k8s-aws-v1.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.usefixtures("cluster")
def test_update_keeps_what_others_wrote(eks_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text(yaml.safe_dump(OTHERS), encoding="utf-8")
    link.symlink_to(real)
    monkeypatch.setenv("KUBECONFIG", f"{link}:{tmp_path / 'second'}")
    for _ in range(2):
        assert run(eks_project, "--update").exit_code == 0
    found = yaml.safe_load(real.read_text(encoding="utf-8"))
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    for section in ("clusters", "users", "contexts"):
        assert [entry["name"] for entry in found[section]] == ["kind", CLUSTER]
        assert found[section][0] == OTHERS[section][0]
    assert found["preferences"] == {"colors": True}
    assert found["current-context"] == CLUSTER


@pytest.mark.usefixtures("cluster")
def test_update_makes_the_file_when_there_is_none(
    eks_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(eks_project, "--update").exit_code == 0
    assert yaml.safe_load((tmp_path / ".kube" / "config").read_text(encoding="utf-8"))["current-context"] == CLUSTER


def test_a_context_of_the_same_name_that_others_wrote_is_not_replaced() -> None:
    added = {**OTHERS, "contexts": [{"name": "kind", "context": {}}]}
    with pytest.raises(GitOpsStackError) as raised:
        merge_kubeconfig(yaml.safe_dump(OTHERS), added, "config")
    assert str(raised.value) == (
        "config: has a context kind that gitops-stack did not write; choose another name with --context"
    )


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("text", "said"),
    [("[1, 2]", "is not a kubeconfig; repair it, or name another with $KUBECONFIG"), ("{", "cannot be read: ")],
)
def test_a_file_that_is_no_kubeconfig_is_left_alone(
    eks_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "config"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))
    result = run(eks_project, "--update")
    assert f"{file}: {said}" in str(result.exception)
    assert file.read_text(encoding="utf-8") == text


def test_a_missing_cluster_is_one_sentence(eks_project: Path) -> None:
    assert str(run(eks_project).exception) == (
        "Pulumi.dev.yaml: account 123456789012 has no EKS cluster acme-dev in ap-northeast-1; "
        "run `pulumi up`, or correct cluster.name and aws:region"
    )


def test_credentials_of_another_account_are_refused(eks_project: Path) -> None:
    file = eks_project / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8").replace("id: '123456789012'", "id: '210987654321'")
    file.write_text(text, encoding="utf-8")
    assert str(run(eks_project).exception) == (
        "Pulumi.dev.yaml: gitops-stack:account.id: needs account 210987654321, found credentials of 123456789012 "
        "(arn:aws:sts::123456789012:user/moto); use credentials of 210987654321"
    )


def test_update_and_output_exclude_each_other(eks_project: Path) -> None:
    assert str(run(eks_project, "--update", "--output", "x").exception) == (
        "kubeconfig: --update writes to $KUBECONFIG and --output elsewhere; give one of them"
    )


def test_a_stack_with_an_existing_cluster_has_a_kubeconfig_already(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.local.yaml", tmp_path)
    command = ["kubeconfig", "--stack", "local", "--project", str(tmp_path)]
    assert str(CliRunner().invoke(app, command).exception) == (
        "Pulumi.local.yaml: has cluster.provider existing and so no EKS cluster: there is no kubeconfig to write; use "
        "your own cluster's, with context kind-gitops-stack"
    )
