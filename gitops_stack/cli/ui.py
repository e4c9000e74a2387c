"""`gitops-stack ui`: the page of a stack's Argo CD, by a port of this machine."""

from __future__ import annotations

import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import Context, Kubeconfig, open_cluster
from gitops_stack.cli.console import Project, Stack, err, out
from gitops_stack.config import kubeconfig_path, load_stack_file
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.state import find_server_port
from gitops_stack.rules.fields import mapping
from gitops_stack.settings import ExistingClusterSettings, StackSettings

if TYPE_CHECKING:
    from lightkube import Client

_SERVER = (("app.kubernetes.io/name", "argocd-server"),)
_PORT = 8080  # of argocd-server's container; it serves HTTPS and plain HTTP on it
_ANSWER_SECONDS = 15.0
_INTERVAL_SECONDS = 0.2


def ui(
    stack: Stack,
    project: Project = Path(),
    port: Annotated[int, typer.Option(help="Port of this machine; default: any.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
) -> None:
    """Forward a port to the stack's Argo CD and open its page, until Ctrl-C. Needs no kubectl and no Ingress.

    In the lab, whose pods have no processes, the address of Argo CD's API is printed: its page is not built there.
    """
    from gitops_stack.live.port_forward import Target, forward  # noqa: PLC0415

    settings = load_stack_file(project, stack)

    def connect() -> Client:
        return open_cluster("ui", settings, project, kubeconfig=kubeconfig, context=context, role_arn=role_arn)

    with connect() as client:
        root = _read_root(client, settings)
    if lab := _find_lab(settings, kubeconfig):
        out.print(f"http://127.0.0.1:{lab}{root}/api/version", markup=False)
        return
    target = Target(settings.argocd.namespace, _SERVER, _PORT)
    with forward(connect, target, port) as local:
        address = _find_address(f"127.0.0.1:{local}{root}/")
        out.print(address, markup=False)
        err.print("forwarding, end with Ctrl-C; sign in as admin: `gitops-stack password`, or by SSO")
        if browser:
            webbrowser.open(address)
        while True:
            time.sleep(3600)


def _read_root(client: Client, settings: StackSettings) -> str:
    """Read the path below which the server answers, as it is configured."""
    from gitops_stack.live.reading import ObjectReference, load_objects  # noqa: PLC0415

    wanted = ObjectReference("", "ConfigMap", settings.argocd.namespace, "argocd-cmd-params-cm", "v1")
    found = mapping((load_objects(client, [wanted])[wanted.text] or {}).get("data"))
    root = str(found.get("server.rootpath") or "").strip("/")
    return f"/{root}" if root else ""


def _find_lab(settings: StackSettings, kubeconfig: Path | None) -> int | None:
    if kubeconfig:
        return find_server_port(kubeconfig)
    cluster = settings.cluster
    return find_server_port(kubeconfig_path(cluster)) if isinstance(cluster, ExistingClusterSettings) else None


def _find_address(place: str) -> str:
    """Return the URL that answers: https, or http where TLS is off."""
    from httpx2 import Client as HttpClient  # noqa: PLC0415
    from httpx2 import HTTPError  # noqa: PLC0415

    deadline, said = time.monotonic() + _ANSWER_SECONDS, ""
    # The server's certificate is its own, and the way to it is the API server's.
    with HttpClient(verify=False, trust_env=False, timeout=_ANSWER_SECONDS) as http:
        while time.monotonic() < deadline:
            for scheme in ("https", "http"):
                try:
                    answered = http.get(f"{scheme}://{place}healthz")
                except HTTPError as error:
                    said = said or str(error) or type(error).__name__
                else:
                    if answered.is_success:
                        return f"{scheme}://{place}"
                    said = f"status {answered.status_code}"
            time.sleep(_INTERVAL_SECONDS)
    raise EnvironmentProblem(
        Problem(
            f"Argo CD does not answer in {_ANSWER_SECONDS:.0f} s: {said}", "look at the pods of argocd-server", place
        )
    )
