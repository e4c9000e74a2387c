"""`password`, `ui` and `graph --live` against a real Argo CD, its own server and all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from httpx2 import Client as HttpClient
from lightkube.resources.core_v1 import Node

from gitops_stack.guard.cluster import Claim, build_claim
from gitops_stack.lab.control_plane import STAGES
from gitops_stack.lab.ports import choose_free_ports
from gitops_stack.lab.probes import build_port_probe
from gitops_stack.live.reading import ObjectReference, connect
from gitops_stack.live.writing import create
from tests.e2e.scenario import wait_for
from tests.e2e.test_try import Project
from tests.e2e.test_try import project as project_of_a_try

pytestmark = pytest.mark.e2e
pytest.importorskip("bcrypt", reason="the extra `password` is not installed")

lab = project_of_a_try
INITIAL = ObjectReference("", "Secret", "argocd", "argocd-initial-admin-secret", "v1")


@pytest.fixture(scope="module")
def project(lab: Project) -> Project:
    """Have Argo CD run in the lab of a kept try, claimed by stack dev."""
    lab.run("guestbook", "--keep")
    with connect(lab.lab.state.kubeconfig) as client:
        create(client, build_claim(Claim("gitops-stack", "dev", "argocd")), "test")
    return lab


def call(project: Project, *arguments: str, code: int = 0, text: str = "") -> str:
    """Run a command on stack dev in the lab; returns standard output, then standard error."""
    options = ["--stack", "dev", "--kubeconfig", str(project.lab.state.kubeconfig)]
    command = [str(Path(sys.executable).parent / "gitops-stack"), *arguments, *options]
    done = subprocess.run(command, cwd=project.folder, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def sign_in(project: Project, password: str) -> int:
    """Sign in as admin at Argo CD's server; returns the status of its answer."""
    port = project.lab.state.load_ports()["argocd-server"]
    with HttpClient(trust_env=False) as http:
        login = {"username": "admin", "password": password}
        return http.post(f"http://127.0.0.1:{port}/api/v1/session", json=login).status_code


def sign_in_until(project: Project, password: str, status: int) -> None:
    """Wait until the server knows: it hears of a changed Secret by a watch."""
    wait_for(f"status {status}", lambda: sign_in(project, password) == status, seconds=15)


def test_the_initial_password_signs_in_until_it_is_rotated(project: Project) -> None:
    wait_for("the initial password", lambda: project.load(INITIAL) != [None], seconds=30)
    initial = call(project, "password").splitlines()[0]
    assert sign_in(project, initial) == 200
    assert project.load(INITIAL) == [None]
    assert "it was shown before" in call(project, "password", code=1)
    new = call(project, "password", "--rotate").splitlines()[0]
    sign_in_until(project, new, 200)
    assert sign_in(project, initial) == 401


def test_a_password_of_ones_own_signs_in_and_ends_earlier_sessions(project: Project) -> None:
    first = call(project, "password", "--rotate").splitlines()[0]
    sign_in_until(project, first, 200)
    port = project.lab.state.load_ports()["argocd-server"]
    with HttpClient(trust_env=False, base_url=f"http://127.0.0.1:{port}") as http:

        def open_session() -> str | None:
            session = http.post("/api/v1/session", json={"username": "admin", "password": first}).json()["token"]
            return session if ask(session) == 200 else None

        def ask(session: str) -> int:
            return http.get("/api/v1/account", headers={"Authorization": f"Bearer {session}"}).status_code

        session = wait_for("a session that holds, a second after the change", open_session, seconds=15)
        call(project, "password", "--rotate", "--stdin", text="correct horse battery\n")
        sign_in_until(project, "correct horse battery", 200)
        assert sign_in(project, first) == 401
        assert ask(session) == 401


def test_admin_stays_on_where_nobody_else_could_sign_in(project: Project) -> None:
    assert "nobody else could administer" in call(project, "password", "--disable-admin", code=1)


def test_another_stacks_cluster_is_refused(project: Project) -> None:
    file = project.folder / "Pulumi.other.yaml"
    file.write_text((project.folder / "Pulumi.dev.yaml").read_text())
    options = ("--stack", "other", "--kubeconfig", str(project.lab.state.kubeconfig))
    command = [str(Path(sys.executable).parent / "gitops-stack"), "password", "--rotate", *options]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    file.unlink()
    assert (done.returncode, done.stdout) == (2, "")
    assert "belongs to stack gitops-stack/dev, and this is gitops-stack/other" in done.stderr


def test_the_lab_says_where_its_api_is(project: Project) -> None:
    address = call(project, "ui").strip()
    with HttpClient(trust_env=False) as http:
        assert http.get(address).json()["Version"].startswith("v3.2.11")


@contextmanager
def kubelet(project: Project, folder: Path) -> Iterator[None]:
    """Have kwok serve port 8080 of every pod of Argo CD's namespace as a kubelet does; it leads to argocd-server."""
    state = project.lab.state
    (port,) = choose_free_ports(1, state.load_ports().values())
    config = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterPortForward",
        "metadata": {"name": "argocd"},
        "spec": {
            "selector": {"matchNamespaces": ["argocd"]},
            "forwards": [
                {"ports": [8080], "target": {"port": state.load_ports()["argocd-server"], "address": "127.0.0.1"}}
            ],
        },
    }
    file = folder / "kwok.yaml"
    file.write_text(yaml.safe_dump(config))
    certificate = [f"--tls-{name}={state.certificates / f'apiserver.{ending}'}" for name, ending in _CERTIFICATE]
    command = [str(project.lab.tools.bin / "kwok"), f"--kubeconfig={state.kubeconfig}"]
    command += [f"--config={file}", f"--config={STAGES}"]  # without stages it does not start
    command += [f"--server-address=127.0.0.1:{port}", "--manage-nodes-with-label-selector=nobody=here", *certificate]
    with (folder / "kwok.log").open("w") as log, connect(state.kubeconfig) as client:
        running = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            status = {
                "addresses": [{"type": kind, "address": "127.0.0.1"} for kind in ("Hostname", "InternalIP")],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            }
            for node in client.list(Node):
                assert node.metadata
                assert node.metadata.name
                client.patch(Node.Status, node.metadata.name, {"status": status})
            wait_for("a kubelet answers", build_port_probe(port).holds, seconds=30)
            yield
        finally:
            running.terminate()
            running.wait()


_CERTIFICATE = (("cert-file", "crt"), ("private-key-file", "key"))


def test_the_page_is_reached_through_the_api_server(project: Project, tmp_path: Path) -> None:
    config = tmp_path / "config"  # of another name than a lab's own
    config.write_bytes(project.lab.state.kubeconfig.read_bytes())
    options = ["--stack", "dev", "--kubeconfig", str(config), "--no-browser"]
    command = [str(Path(sys.executable).parent / "gitops-stack"), "ui", *options]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "port 8080 cannot be forwarded" in done.stderr
    with kubelet(project, tmp_path), (tmp_path / "err").open("w") as err:
        running = subprocess.Popen(
            command,
            cwd=project.folder,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert running.stdout is not None
            address = running.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), (tmp_path / "err").read_text()
            with HttpClient(trust_env=False) as http:
                found = [http.get(f"{address}api/version").json()["Version"] for _ in range(3)]
            assert [version.split("+")[0] for version in found] == ["v3.2.11"] * 3
        finally:
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=20)
        assert running.returncode == 130


def test_a_graph_shows_what_the_cluster_says(project: Project) -> None:
    drawn = call(project, "graph", "--live")
    assert '["guestbook<br>project storefront<br>well"]' in drawn
    assert '["root<br>project platform<br>not in the cluster"]' in drawn
