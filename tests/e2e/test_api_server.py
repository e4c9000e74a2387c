"""What the API server's rules are held against: kube-apiserver itself, and the command that asks it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from httpx2 import Client

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.guard.cluster import load_cluster, open_connection
from gitops_stack.lab.api_dry_run import DryRun, open_client
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import build_tools
from gitops_stack.live.reading import AccessDenied
from gitops_stack.rules.api.check import load_published_enums
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.api_types import shorten
from tests.api_corpus import VERSIONED, Case, build_definition, load_corpus
from tests.cases import build_object
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.open(tmp_path_factory.mktemp("api") / "lab", build_tools(say))
    try:
        made.up(say, nodes=False)
        yield made
    finally:
        made.down(say)


@pytest.fixture(scope="module")
def client(lab: Lab) -> Iterator[Client]:
    with open_client(lab.state.kubeconfig) as opened:
        yield opened


def rendered(manifest: dict[str, Any]) -> RenderedObject:
    namespace = manifest["metadata"].get("namespace") or ""
    return RenderedObject(manifest, namespace, "a.yaml")


def test_kube_apiserver_still_says_what_the_corpus_holds(client: Client) -> None:
    dry_run = DryRun(client)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "shop"}}
    assert dry_run.ask([rendered(namespace), rendered(build_definition()), rendered(account)]) == []
    client.post("/api/v1/namespaces/shop/serviceaccounts", json=account)
    cases = list(load_corpus())

    def differs(case: Case) -> str:
        found = dry_run.apply(rendered(case.manifest))
        return "" if (found is not None) == case.refused else f"{case}: {found.found if found else 'accepted'}"

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        different = [said for said in pool.map(differs, cases) if said]
    assert different == CLUSTER_ONLY
    assert time.monotonic() - started < len(cases) / 2400 * 60, "2,400 objects in 60 s"


@pytest.mark.parametrize("version", ["1.35", "1.36"])
def test_rules_of_two_versions_are_those_of_two_api_servers(version: str, tmp_path: Path) -> None:
    built = build_tools(say)
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for program in built.bin.iterdir():
        (binaries / program.name).symlink_to(program)
    (binaries / "kube-apiserver").unlink()
    server = f'#!/bin/sh\nexec {built.bin}/kube-apiserver --emulated-version={version} "$@"\n'
    (binaries / "kube-apiserver").write_text(server)
    (binaries / "kube-apiserver").chmod(0o755)
    lab = Lab.open(tmp_path / "lab", replace(built, bin=binaries))
    try:
        lab.up(say, nodes=False)
        with open_client(lab.state.kubeconfig) as opened:
            dry_run = DryRun(opened)
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
            assert dry_run.ask([rendered(namespace)]) == []
            refused = [dry_run.apply(rendered(case.manifest)) is not None for case in VERSIONED]
    finally:
        lab.down(say)
    expected = [case.refused_before if version == "1.35" else case.refused_since for case in VERSIONED]
    assert dict(zip(map(str, VERSIONED), refused, strict=True)) == dict(zip(map(str, VERSIONED), expected, strict=True))


CLUSTER_ONLY = [
    "service: spec.type=NodePort & "
    "spec.ports=[{port: 80, name: a, nodePort: 30080}, {port: 81, name: b, nodePort: 30080}]: accepted",
    "service: spec.clusterIP=10.0.0.1: accepted",
    "backup: apiVersion=example.com/v2: accepted",
]
"""What the command does not report: it is about this cluster alone, or a kind without a CRD, which other rules name."""


def test_the_enums_are_those_that_kube_apiserver_publishes(client: Client) -> None:
    published: dict[str, dict[str, list[str]]] = {}
    for name, path in client.get("/openapi/v3").json()["paths"].items():
        if name.startswith(("api/", "apis/")):
            document = client.get(path["serverRelativeURL"]).json()
            for long, schema in document.get("components", {}).get("schemas", {}).items():
                short = shorten(long)
                for field, found in schema.get("properties", {}).items():
                    if values := found.get("enum") or (found.get("items") or {}).get("enum"):
                        published.setdefault(short, {})[field] = sorted(values)
    kept = load_published_enums()
    stable = {name: published[name] for name in published if name in kept}
    assert kept == stable


def test_the_command_finds_what_only_a_server_can_say(tmp_path: Path) -> None:
    definition = build_definition()
    good = build_object({"base": "configmap"})
    told = {"apiVersion": "example.com/v1", "kind": "Backup", "metadata": {"name": "many"}}
    told |= {"spec": {"schedule": "0 4 * * *", "keep": 200}}
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/all.yaml").write_text(yaml.safe_dump_all([definition, good, told]))
    command = [str(Path(sys.executable).parent / "gitops-stack"), "check", "apps", "--api-server", "--output", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    (report,) = json.loads(done.stdout)["checks"]
    errors = [found for found in report["findings"] if found["severity"] == "error"]
    # The rule in CEL is judged here as well, and both say the same.
    assert {(one["rule"], one["object"]["name"], one["field"]) for one in errors} == {
        ("api-server", "many", "spec"),
        ("crd-rule", "many", "spec"),
    }
    assert all("too many to keep" in one["found"] for one in errors)
    assert done.returncode == 1


def test_the_api_server_takes_what_a_kubeconfig_beyond_lightkube_says(lab: Lab, tmp_path: Path) -> None:
    content = yaml.safe_load(lab.state.kubeconfig.read_text(encoding="utf-8"))
    (user,) = (one["user"] for one in content["users"])
    (cluster,) = (one["cluster"] for one in content["clusters"])
    pairs = (
        ("token", "token"),
        ("client-certificate-data", "clientCertificateData"),
        ("client-key-data", "clientKeyData"),
    )
    status = {
        name: user[key] if key == "token" else base64.b64decode(user[key]).decode()
        for key, name in pairs
        if key in user
    }
    answer = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status}
    (tmp_path / "answer").write_text(json.dumps(answer), encoding="utf-8")
    said = {"apiVersion": answer["apiVersion"], "command": "cat", "args": [str(tmp_path / "answer")]}
    cluster["tls-server-name"] = "kubernetes.default.svc"
    content["users"][0]["user"] = {"exec": said}
    with open_connection({"kubeconfig": yaml.safe_dump(content)}) as connection:
        assert load_cluster(connection).uid
    content["users"][0]["user"] = {**user, "as": "nobody"}
    with open_connection({"kubeconfig": yaml.safe_dump(content)}) as connection, pytest.raises(AccessDenied):
        load_cluster(connection)
    cluster["tls-server-name"] = "elsewhere.example.com"
    with (
        open_connection({"kubeconfig": yaml.safe_dump(content)}) as connection,
        pytest.raises(EnvironmentProblem, match="does not answer"),
    ):
        load_cluster(connection)
