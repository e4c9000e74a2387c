from __future__ import annotations

import os
from pathlib import Path

import pytest

from driver import ACCOUNT, REGION, unique
from pulumi_aws_double.account import build_environment, seed_secret
from pulumi_aws_double.executables import write_executables
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.store import Store


def test_the_account_has_its_own_id_and_starts_empty(account: Path) -> None:
    assert AwsSession(REGION).account_id == ACCOUNT
    assert Store(account).find("eks_addons", "left") is None


def test_the_environment_names_one_account_and_none_of_the_callers() -> None:
    found = build_environment(5000, REGION, Path("/state/store.json"), kubeconfig=Path("/state/kubeconfig"))
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5000"
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == (REGION, REGION)
    assert (found["AWS_CONFIG_FILE"], found["AWS_SHARED_CREDENTIALS_FILE"]) == (os.devnull, os.devnull)
    assert found["PULUMI_AWS_DOUBLE_KUBECONFIG"] == "/state/kubeconfig"
    assert "PULUMI_AWS_DOUBLE_KUBECONFIG" not in build_environment(5000, REGION, Path("/state/store.json"))


def test_the_executables_have_the_names_the_engine_looks_for(tmp_path: Path) -> None:
    folder = write_executables(tmp_path / "bin")
    assert sorted(file.name for file in folder.iterdir()) == ["aws", "pulumi-resource-aws", "pulumi-resource-eks"]
    assert all(os.access(file, os.X_OK) for file in folder.iterdir())


def test_the_account_lists_pod_identities_which_moto_does_not(account: Path) -> None:
    cluster, wanted = unique("acme"), {"namespace": "argocd", "serviceAccount": "argocd-server"}
    others = {"namespace": "argocd", "serviceAccount": "other"}
    for key, summary in (
        (f"{REGION}/{cluster}:a-1", wanted),
        (f"{REGION}/{cluster}:a-2", others),
        (f"{REGION}/{cluster}-2:a-3", wanted),
        (f"us-west-2/{cluster}:a-4", wanted),
    ):
        document = {**summary, "associationId": key.rpartition(":")[2], "associationArn": "arn"}
        Store(account).put("eks_pod_identities", key, document)
    found = AwsSession(REGION).call("eks", "ListPodIdentityAssociations", clusterName=cluster, **wanted)
    assert [association["associationId"] for association in found["associations"]] == ["a-1"]


@pytest.mark.usefixtures("account")
def test_a_seeded_secret_is_made_once() -> None:
    session, name = AwsSession(REGION), f"ecr-pullthroughcache/{unique('ghcr')}"
    assert seed_secret(session, name, "{}") == seed_secret(session, name, "{}")


def test_executables_run_under_this_interpreter_and_again_are_the_same(tmp_path: Path) -> None:
    folder = write_executables(tmp_path / "a folder's bin")
    first = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    assert write_executables(folder) == folder
    assert {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()} == first
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "-m pulumi_aws_double.eks_provider" in first["pulumi-resource-eks"]
    assert "-m pulumi_aws_double.provider" in first["pulumi-resource-aws"]
    assert " -I -S " in first["aws"]
