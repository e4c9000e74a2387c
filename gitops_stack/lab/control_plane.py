"""A Kubernetes control plane: etcd, API server, controllers, scheduler, and kwok in place of kubelets.

Starting the programs in order is left to ``lab``, the nodes to ``nodes``.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.gitops_tree.private_file import write_private_file
from gitops_stack.lab.ports import LOOPBACK
from gitops_stack.lab.probes import Probe, build_http_probe
from gitops_stack.lab.processes import PYTHON_PATH, Program
from gitops_stack.lab.state import LabState

CONTEXT = "gitops-stack-lab"
CALLER = "eks-caller"
TOKENS = "tokens.csv"
# A kubeconfig; where it is, the API server asks its server about tokens, as in EKS.
TOKEN_WEBHOOK = "token-webhook.json"  # noqa: S105 - a file name
_ADMINISTRATOR = "lab-administrator,lab-administrator,system:masters"
STAGES = Path(__file__).with_name("kwok-stages.yaml")
_STAYS_UP = Probe("its process stays up", lambda: True)
_KILLED_AFTER = 25  # kube-apiserver drains its watches first; nothing is lost when it is cut short


def write_credentials(state: LabState) -> str:
    """Return the administrator's token, written to the API server's token file once per lab.

    Beside it stands a token of :data:`CALLER`, who may do nothing until somebody says so: the caller of an EKS cluster.
    """
    file = state.directory / TOKENS
    if not file.exists():
        tokens = (f"{secrets.token_urlsafe(32)},{user}\n" for user in (_ADMINISTRATOR, f"{CALLER},{CALLER}"))
        write_private_file(file, "".join(tokens))
    return file.read_text(encoding="utf-8").split(",", 1)[0]


def write_kubeconfig(state: LabState, token: str, port: int) -> None:
    """Write the kubeconfig, mode 0600, trusting only the certificate this lab's API server made for itself."""
    authority = base64.b64encode((state.certificates / "apiserver.crt").read_bytes()).decode()
    cluster = {"server": f"https://{LOOPBACK}:{port}", "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "current-context": CONTEXT,
    }
    text = json.dumps(config, indent=2) + "\n"  # JSON is YAML
    if state.kubeconfig.exists() and state.kubeconfig.read_text(encoding="utf-8") == text:
        return
    write_private_file(state.kubeconfig, text)


def build_control_plane(
    state: LabState, binaries: Path, ports: Mapping[str, int], environment: Mapping[str, str], token: str
) -> list[Program]:
    """Return the programs in the order they start: each needs the ones before it."""
    clients = [f"--kubeconfig={state.kubeconfig}", "--leader-elect=false", f"--bind-address={LOOPBACK}"]
    manager, scheduler = ports["kube-controller-manager"], ports["kube-scheduler"]
    return [
        Program(
            "kwok-renewal",
            (sys.executable, "-m", "gitops_stack.lab.kwok_renewal", str(state.directory)),
            _STAYS_UP,
            {**environment, "PYTHONPATH": PYTHON_PATH},
            events="PROCESS_STATE_RUNNING",
        ),
        _build_etcd(state, binaries, ports, environment),
        _build_apiserver(state, binaries, ports, environment, token),
        Program(
            "kube-controller-manager",
            (
                str(binaries / "kube-controller-manager"),
                *clients,
                f"--secure-port={manager}",
                f"--service-account-private-key-file={state.certificates / 'apiserver.key'}",
                f"--root-ca-file={state.certificates / 'apiserver.crt'}",
                "--use-service-account-credentials=false",
                "--kube-api-qps=200",  # a rollout is many small requests; 20 a second would be what one waits for
                "--kube-api-burst=400",
                "--profiling=false",
            ),
            build_http_probe(manager, "/healthz", tls=True),
            {**environment, "GOGC": "50"},
        ),
        Program(
            "kube-scheduler",
            (
                str(binaries / "kube-scheduler"),
                *clients,
                f"--secure-port={scheduler}",
                "--kube-api-qps=200",
                "--kube-api-burst=400",
                "--profiling=false",
            ),
            build_http_probe(scheduler, "/healthz", tls=True),
            {**environment, "GOGC": "50"},
        ),
        Program(
            "kwok",
            (
                str(binaries / "kwok"),
                f"--kubeconfig={state.kubeconfig}",
                f"--config={STAGES}",
                "--manage-all-nodes=true",
                # A kwok that starts anew does nothing for a node before the lease of its forerunner has ended.
                "--node-lease-duration-seconds=12",
            ),
            # kwok has no health endpoint without a public port; the nodes becoming Ready are its probe.
            _STAYS_UP,
            {**environment, "GOGC": "50"},
        ),
    ]


def build_readiness(ports: Mapping[str, int], token: str) -> Probe:
    """Return the probe of the API server, which holds when it reaches etcd too."""
    return build_http_probe(ports["kube-apiserver"], "/readyz", tls=True, token=token)


def _build_etcd(state: LabState, binaries: Path, ports: Mapping[str, int], environment: Mapping[str, str]) -> Program:
    client, peer = (f"http://{LOOPBACK}:{ports[name]}" for name in ("etcd", "etcd-peer"))
    command = (
        str(binaries / "etcd"),
        "--name=lab",
        f"--data-dir={state.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=lab={peer}",
        "--unsafe-no-fsync",  # a lab's data may go with a power cut; every write would cost a disk flush
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=10m",
        "--log-level=warn",
    )
    return Program("etcd", command, build_http_probe(ports["etcd"], "/health"), environment)


def _build_apiserver(
    state: LabState, binaries: Path, ports: Mapping[str, int], environment: Mapping[str, str], token: str
) -> Program:
    port = ports["kube-apiserver"]
    command: tuple[str, ...] = (
        str(binaries / "kube-apiserver"),
        f"--etcd-servers=http://{LOOPBACK}:{ports['etcd']}",
        f"--bind-address={LOOPBACK}",
        # Given, or it looks for the machine's default route and fails on a laptop without network.
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",  # the API refuses a loopback address as an endpoint
        f"--secure-port={port}",
        f"--cert-dir={state.certificates}",
        f"--token-auth-file={state.directory / TOKENS}",
        "--authorization-mode=RBAC",
        "--anonymous-auth=false",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        # The key it makes for its own certificate serves: one less file to make without openssl.
        f"--service-account-key-file={state.certificates / 'apiserver.key'}",
        f"--service-account-signing-key-file={state.certificates / 'apiserver.key'}",
        "--profiling=false",
        "--allow-privileged=true",  # as in EKS; without it no privileged container is accepted
        "--event-ttl=30m",
    )
    webhook = state.directory / TOKEN_WEBHOOK
    if webhook.exists():
        command += (
            f"--authentication-token-webhook-config-file={webhook}",
            "--authentication-token-webhook-version=v1",
            "--authentication-token-webhook-cache-ttl=1s",
        )
    probe = build_readiness(ports, token)
    tuned = {**environment, "GOGC": "50", "GOMEMLIMIT": "700MiB"}
    return Program("kube-apiserver", command, probe, tuned, stop_seconds=_KILLED_AFTER, ready_seconds=90)
