from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from driver import ACCOUNT, REGION, unique
from pulumi_aws_double.account import build_environment, seed_secret
from pulumi_aws_double.answers import complete_cluster
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


def test_the_account_describes_a_cluster_as_it_was_made_and_not_as_moto_keeps_it(account: Path) -> None:
    cluster, session = unique("acme"), AwsSession(REGION)
    request = {"name": cluster, "roleArn": f"arn:aws:iam::{ACCOUNT}:role/eks", "resourcesVpcConfig": {"subnetIds": []}}
    session.call("eks", "CreateCluster", version="1.35", **request)
    moto = session.call("eks", "DescribeCluster", name=cluster)["cluster"]
    made = {"version": "1.36", "deletionProtection": True, "vpcConfig": {"publicAccessCidrs": ["203.0.113.0/24"]}}
    Store(account).put("eks_clusters", f"{REGION}/{cluster}", made)
    found = session.call("eks", "DescribeCluster", name=cluster)["cluster"]
    Store(account).remove("eks_clusters", f"{REGION}/{cluster}")  # it is not whole, and the account is shared
    assert (found["version"], found["deletionProtection"]) == ("1.36", True)
    assert found["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]
    assert (found["arn"], found["endpoint"]) == (moto["arn"], moto["endpoint"])


def test_an_endpoint_that_others_open_is_open_and_shut_again(account: Path) -> None:
    cluster, session = unique("acme"), AwsSession(REGION)
    role = f"arn:aws:iam::{ACCOUNT}:role/eks"
    session.call("eks", "CreateCluster", name=cluster, roleArn=role, resourcesVpcConfig={"subnetIds": []})
    network = {"endpointPublicAccess": False, "endpointPrivateAccess": True, "vpcId": "vpc-1"}
    Store(account).put("eks_clusters", f"{REGION}/{cluster}", {"version": "1.35", "vpcConfig": network})
    opened = {"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.7/32"]}
    begun = session.call("eks", "UpdateClusterConfig", name=cluster, resourcesVpcConfig=opened)["update"]
    ended = session.call("eks", "DescribeUpdate", name=cluster, updateId=begun["id"])["update"]
    found = session.call("eks", "DescribeCluster", name=cluster)["cluster"]["resourcesVpcConfig"]
    session.call("eks", "UpdateClusterConfig", name=cluster, resourcesVpcConfig={"endpointPublicAccess": False})
    left = Store(account).find("eks_clusters", f"{REGION}/{cluster}")
    Store(account).remove("eks_clusters", f"{REGION}/{cluster}")  # it is not whole, and the account is shared
    assert (ended["id"], ended["status"]) == (begun["id"], "Successful")
    assert found["publicAccessCidrs"] == ["203.0.113.7/32"]
    assert left == {"version": "1.35", "vpcConfig": network}


def test_a_described_cluster_answers_at_the_labs_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"name": "acme", "endpoint": "https://moto", "certificateAuthority": {"data": "bW90bw=="}}
    monkeypatch.setenv("PULUMI_AWS_DOUBLE_KUBECONFIG", str(tmp_path / "kubeconfig"))
    assert complete_cluster(own, {}) == own, "a lab that is down"
    cluster = {"server": "https://127.0.0.1:6443", "certificate-authority-data": "bGFi"}
    config = {
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab"}}],
        "clusters": [{"name": "lab", "cluster": cluster}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.setenv("PULUMI_AWS_DOUBLE_EKS_ENDPOINT", "https://127.0.0.1:7443")
    found = complete_cluster(own, {})
    assert (found["endpoint"], found["certificateAuthority"]) == ("https://127.0.0.1:7443", {"data": "bGFi"})


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
