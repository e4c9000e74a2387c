"""`status` of a stack that makes its EKS cluster: no kubeconfig is needed, none is left behind."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.eks.models import eks_backends
from typer.testing import CliRunner, Result

from gitops_stack.cli.main import app
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.certificate import write_certificate
from tests.account.stacks import ACCOUNT, CLUSTER, REGION, ROLE
from tests.loopback import answer_json, serving
from tests.stacks import ROOT

ROOT_APPLICATION = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "root", "namespace": "argocd"},
    "spec": {"project": "platform"},
    "status": {"sync": {"status": "Synced", "revision": "4711"}, "health": {"status": "Healthy"}},
}


@pytest.fixture(autouse=True)
def head(monkeypatch: pytest.MonkeyPatch) -> None:
    """The followed branch is where root was compared; asking a real remote starts git."""
    monkeypatch.setattr("gitops_stack.cli.status.load_head", lambda *_: "4711")


class ApiServer(ThreadingHTTPServer):
    """An API server that holds one Application and remembers who asked."""

    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://localhost:{self.server_port}"
        self.authority = base64.b64encode(certificate.read_bytes()).decode()
        self.callers: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"  # one connection for many requests

    def do_GET(self) -> None:
        self.server.callers.add(self.headers["Authorization"])
        known = self.path.startswith("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications")
        answer_json(
            self, 200 if known else 404, {"items": [ROOT_APPLICATION]} if known else {"kind": "Status", "code": 404}
        )

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api_server(tmp_path: Path) -> Iterator[ApiServer]:
    write_certificate(tmp_path / "server.pem", "localhost")
    server = ApiServer(tmp_path / "server.pem")
    with serving(server):
        yield server


@pytest.fixture
def cluster(api_server: ApiServer) -> ApiServer:
    """Make the stack's EKS cluster, whose endpoint is the API server."""
    client = boto3.client("eks", region_name=REGION)
    client.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": []}, version="1.31")
    made = eks_backends[ACCOUNT][REGION].clusters[CLUSTER]
    made.endpoint, made.certificate_authority = api_server.url, {"data": api_server.authority}
    return api_server


@pytest.fixture
def tree(eks_project: Path) -> None:
    """Give the project the committed tree of its stack, whose render is kept."""
    shutil.copytree(ROOT / "gitops" / "dev", eks_project / "gitops" / "dev")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that holds temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def own_kubeconfig(api_server: ApiServer, tmp_path: Path) -> Path:
    """Write a kubeconfig of two contexts, the second of which is the API server's."""
    file = tmp_path / "own"
    server = {"server": api_server.url, "certificate-authority-data": api_server.authority}
    contexts = [{"name": name, "context": {"cluster": name, "user": "me"}} for name in ("gone", "here")]
    content = {
        "clusters": [
            {"name": "gone", "cluster": {"server": "https://127.0.0.1:1"}},
            {"name": "here", "cluster": server},
        ],
        "users": [{"name": "me", "user": {"token": "mine"}}],
        "contexts": contexts,
        "current-context": "gone",
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def run(project: Path, *arguments: str | Path) -> Result:
    given = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, ["status", "--stack", "dev", "--project", str(project), "--output", "json", *given])


@pytest.mark.usefixtures("tree")
def test_an_eks_cluster_is_asked_with_a_token_of_its_own(
    eks_project: Path, cluster: ApiServer, temporary: Path
) -> None:
    result = run(eks_project)
    assert result.exit_code == 1, result.exception  # nothing of what was to be handed over is there
    found = json.loads(result.stdout)
    assert [(one["name"], one["revision"], one["well"]) for one in found["applications"]] == [("root", "4711", True)]
    (caller,) = cluster.callers
    assert caller.startswith("Bearer k8s-aws-v1.")
    assert caller.removeprefix("Bearer ") not in result.output
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_kubeconfig_that_is_given_needs_no_credentials_of_the_account(
    by: str, eks_project: Path, api_server: ApiServer, own_kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "Session", lambda **_: pytest.fail("the account was asked"))
    given: tuple[str | Path, ...] = ("--context", "here")
    if by == "option":
        given = (*given, "--kubeconfig", own_kubeconfig)
    else:
        monkeypatch.setenv("KUBECONFIG", str(own_kubeconfig))
    assert [one["name"] for one in json.loads(run(eks_project, *given).stdout)["applications"]] == ["root"]
    assert api_server.callers == {"Bearer mine"}


@pytest.mark.usefixtures("tree")
def test_options_go_before_what_the_stack_says(eks_project: Path, api_server: ApiServer, own_kubeconfig: Path) -> None:
    file = eks_project / "Pulumi.dev.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    kept = {key: config[key] for key in ("gitops-stack:gitops", "gitops-stack:argocd")}
    existing = {"provider": "existing", "context": "gone", "kubeconfig": "nowhere"}
    file.write_text(yaml.safe_dump({"config": {**kept, "gitops-stack:cluster": existing}}), encoding="utf-8")
    run(eks_project, "--kubeconfig", own_kubeconfig, "--context", "here")
    assert api_server.callers == {"Bearer mine"}


def test_a_cluster_that_is_not_there_is_one_sentence(eks_project: Path) -> None:
    raised = run(eks_project).exception
    assert isinstance(raised, GitOpsStackError)
    assert raised.findings == (
        "Pulumi.dev.yaml: account 123456789012 has no EKS cluster acme-dev in ap-northeast-1; "
        "run `pulumi up`, or correct cluster.name and aws:region",
    )


def test_missing_credentials_are_one_sentence(eks_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    raised = run(eks_project).exception
    assert isinstance(raised, EnvironmentProblem)
    assert raised.findings == (
        "AWS: found no credentials; set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY",
    )


@pytest.mark.usefixtures("tree")
def test_an_endpoint_that_does_not_answer_is_one_sentence(
    eks_project: Path, cluster: ApiServer, temporary: Path
) -> None:
    eks_backends[ACCOUNT][REGION].clusters[CLUSTER].endpoint = "https://127.0.0.1:1"
    raised = run(eks_project).exception
    assert isinstance(raised, EnvironmentProblem)
    assert str(raised).startswith("cluster: does not answer at 127.0.0.1:1: ")
    assert cluster.callers == set()
    assert list(temporary.iterdir()) == []


def test_a_role_and_a_kubeconfig_exclude_each_other(eks_project: Path, own_kubeconfig: Path) -> None:
    raised = run(eks_project, "--kubeconfig", own_kubeconfig, "--role-arn", ROLE).exception
    assert isinstance(raised, EnvironmentProblem)
    assert raised.findings == (
        "status: --role-arn is for the token of the stack's EKS cluster, which a kubeconfig does without; leave it out",
    )
