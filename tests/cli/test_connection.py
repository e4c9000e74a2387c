"""A command that writes into a cluster names it first, and writes into none that is not its stack's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube import Client

from gitops_stack.cli.connection import open_cluster
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.guard.cluster import Claim, build_claim
from tests.loopback import answer_json, serving
from tests.stacks import ROOT

SYSTEM, RECORD = "/api/v1/namespaces/kube-system", "/api/v1/namespaces/kube-system/configmaps/gitops-stack"


@dataclass
class Api:
    """What one API server holds, by path, and what it was asked."""

    objects: dict[str, Any]
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return f"cluster http://127.0.0.1:{self.port} (context kind-gitops-stack, kube-system {self.uid})"

    @property
    def uid(self) -> str:
        return str(self.objects[SYSTEM]["metadata"]["uid"])

    def write_kubeconfig(self, file: Path) -> Path:
        name = "kind-gitops-stack"
        cluster, context = {"server": f"http://127.0.0.1:{self.port}"}, {"cluster": name, "user": name}
        content = {
            "clusters": [{"name": name, "cluster": cluster}],
            "contexts": [{"name": name, "context": context}],
            "users": [{"name": name, "user": {}}],
        }
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return file


class Handler(BaseHTTPRequestHandler):
    def __init__(self, api: Api, *arguments: Any) -> None:
        self.api = api
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.api.asked.append(self.path)
        found = self.api.objects.get(self.path)
        answer_json(self, 200 if found else 404, found or {"kind": "Status", "code": 404, "reason": "NotFound"})

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def apis() -> Iterator[tuple[Api, Api]]:
    """Serve the cluster that stack local names, and another one."""
    found = [Api({SYSTEM: {"kind": "Namespace", "metadata": {"name": "kube-system", "uid": uid}}}) for uid in "ab"]
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, api)) for api in found]
    for api, server in zip(found, servers, strict=True):
        api.port = server.server_port
    with serving(servers[0]), serving(servers[1]):
        yield found[0], found[1]


@pytest.fixture
def stack(project: Path, tmp_path: Path, apis: tuple[Api, Api], monkeypatch: pytest.MonkeyPatch) -> Path:
    (project / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    monkeypatch.setenv("KUBECONFIG", str(apis[0].write_kubeconfig(tmp_path / "own")))
    return project


def connect(project: Path, kubeconfig: Path | None = None, *, owned: bool = False) -> Client:
    settings = load_stack_file(project, "local")
    return open_cluster(
        "adopt", settings, project, kubeconfig=kubeconfig, context=None, role_arn=None, owned=owned, writes=True
    )


def claim(api: Api, stack: str) -> None:
    api.objects[RECORD] = build_claim(Claim("gitops-stack", stack, "argocd", api.uid))


def test_a_command_that_writes_names_cluster_context_and_stack(
    stack: Path, apis: tuple[Api, Api], capsys: pytest.CaptureFixture[str]
) -> None:
    connect(stack).close()
    assert " ".join(capsys.readouterr().err.split()) == f"{apis[0].text}: for stack gitops-stack/local"


def test_a_cluster_without_a_record_has_to_be_the_one_that_the_stack_file_names(
    stack: Path, apis: tuple[Api, Api], tmp_path: Path
) -> None:
    connect(stack, apis[0].write_kubeconfig(tmp_path / "same")).close()
    with pytest.raises(EnvironmentProblem) as refused:
        connect(stack, apis[1].write_kubeconfig(tmp_path / "other"))
    assert str(refused.value) == (
        f"{apis[1].text}: is not the cluster that Pulumi.local.yaml names, which is {apis[0].text}; "
        "leave out --kubeconfig and --context, or correct gitops-stack:cluster"
    )


def test_the_stack_s_record_is_enough_by_whatever_kubeconfig(
    stack: Path, apis: tuple[Api, Api], tmp_path: Path
) -> None:
    claim(apis[1], "local")
    connect(stack, apis[1].write_kubeconfig(tmp_path / "other")).close()
    assert apis[0].asked == []


@pytest.mark.parametrize("owned", [False, True])
def test_another_stack_s_cluster_is_refused(stack: Path, apis: tuple[Api, Api], owned: bool) -> None:
    claim(apis[0], "second")
    with pytest.raises(
        EnvironmentProblem, match="belongs to stack gitops-stack/second, and this is gitops-stack/local"
    ):
        connect(stack, owned=owned)
    assert apis[0].asked == [RECORD]


def test_a_command_for_its_own_argo_cd_alone_needs_the_record(stack: Path, apis: tuple[Api, Api]) -> None:
    with pytest.raises(EnvironmentProblem, match="has no record that its Argo CD is gitops-stack/local's"):
        connect(stack, owned=True)
    assert apis[0].asked == [RECORD]
