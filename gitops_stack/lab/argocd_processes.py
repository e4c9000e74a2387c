"""Argo CD's controllers as host processes, against the lab's API server.

The CRDs, config maps and secrets of the installation must be in the cluster before these start: argocd-server and the
repo-server leave without them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.lab.ports import LOOPBACK
from gitops_stack.lab.probes import Probe, build_http_probe, build_port_probe
from gitops_stack.lab.processes import Program
from gitops_stack.lab.state import LabState

RESYNC_SECONDS = 20
MOST_SHARDS = 2  # each takes 250 MB
_CONTROLLER = "argocd-application-controller"

# A commit has every application rendered again. Without a limit 387 kustomize and git start at once, and the machine
# stands still for minutes.
_RENDERS_AT_ONCE = 8

# How the repo-server's git leaves the machine is the machine's business, not the lab's.
_NETWORK = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


def build_argocd(
    state: LabState,
    binaries: Path,
    ports: Mapping[str, int],
    environment: Mapping[str, str],
    *,
    namespace: str,
    git_environment: Mapping[str, str],
    resync_seconds: int = RESYNC_SECONDS,
    shards: int = 1,
) -> list[Program]:
    """Return the programs in the order they start, for an Argo CD installed in ``namespace``.

    ``git_environment`` is for the repo-server alone, the one process that runs git. Everything polls every few
    seconds where a production installation waits minutes; ``resync_seconds`` is how often every application is
    compared anew. The clusters are spread over ``shards`` application controllers.
    """
    folder = write_folders(state)
    write_login_program(state, binaries)
    repo_server = f"{LOOPBACK}:{ports['repo-server']}"
    redis = f"--redis={LOOPBACK}:{ports['redis']}"
    shared = {
        **environment,
        "PATH": os.pathsep.join([str(folder / "bin"), environment.get("PATH", os.defpath)]),
        "KUBECONFIG": str(state.kubeconfig),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_TLS_DATA_PATH": str(folder / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "ssh"),
        "ARGOCD_APP_CONF_PATH": str(folder / "config"),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "plugins"),
        "ARGOCD_ASK_PASS_SOCK": str(state.run / "ask-pass.sock"),
        "GOGC": "50",
    }
    network = {name: os.environ[name] for name in _NETWORK if name in os.environ}

    def argocd(name: str, arguments: tuple[str, ...], probe: Probe, **extra: str) -> Program:
        own = {**shared, "ARGOCD_BINARY_NAME": name, **extra}
        return Program(name, (str(binaries / "argocd"), "--logformat=text", *arguments), probe, own)

    def port(name: str) -> str:
        return str(ports[name])

    def controller(shard: int) -> Program:
        name, metrics = (
            "-".join([part, *([str(shard)] if shard else [])]) for part in (_CONTROLLER, "application-controller")
        )
        # Round robin: with two clusters each controller has one. The default goes by a hash of the Secret's UID.
        sharding = ("--sharding-method=round-robin",) if shards > 1 else ()
        environment = (
            {"ARGOCD_CONTROLLER_REPLICAS": str(shards), "ARGOCD_CONTROLLER_SHARD": str(shard)} if shards > 1 else {}
        )
        return argocd(
            name,
            (
                f"--namespace={namespace}",
                redis,
                f"--repo-server={repo_server}",
                f"--metrics-port={port(f'{metrics}-metrics')}",
                f"--app-resync={resync_seconds}",  # each one costs a server-side diff of every object
                "--app-resync-jitter=0",
                "--persist-resource-health",  # so that a status names the object that is not healthy, and why
                "--repo-error-grace-period-seconds=5",  # 180 otherwise: so long a broken push looks Synced
                "--self-heal-backoff-timeout-seconds=1",
                "--self-heal-backoff-factor=2",
                "--self-heal-backoff-cap-seconds=10",
                "--self-heal-backoff-cooldown-seconds=30",
                *sharding,
            ),
            build_http_probe(ports[f"{metrics}-metrics"], "/healthz"),
            ARGOCD_SYNC_WAVE_DELAY="1",
            ARGOCD_BINARY_NAME=_CONTROLLER,
            **environment,
        )

    return [
        Program(
            "redis",
            (str(binaries / "miniredis"), f"{LOOPBACK}:{ports['redis']}"),
            build_port_probe(ports["redis"]),
            environment,
        ),
        argocd(
            "argocd-repo-server",
            (
                f"--address={LOOPBACK}",
                f"--port={port('repo-server')}",
                f"--metrics-address={LOOPBACK}",
                f"--metrics-port={port('repo-server-metrics')}",
                redis,
                "--revision-cache-expiration=5s",  # how long a new commit can stay unseen
                f"--parallelismlimit={_RENDERS_AT_ONCE}",
            ),
            build_http_probe(ports["repo-server-metrics"], "/healthz"),
            **{**network, **git_environment},
        ),
        *(controller(shard) for shard in range(shards)),
        argocd(
            "argocd-applicationset-controller",
            (
                f"--namespace={namespace}",
                f"--argocd-repo-server={repo_server}",
                f"--metrics-addr={LOOPBACK}:{ports['applicationset-metrics']}",
                f"--probe-addr={LOOPBACK}:{ports['applicationset-probe']}",
                f"--webhook-addr={LOOPBACK}:{ports['applicationset-webhook']}",
            ),
            build_http_probe(ports["applicationset-metrics"], "/metrics"),
        ),
        argocd(
            "argocd-server",
            (
                f"--namespace={namespace}",
                "--insecure",  # plain HTTP on loopback; logging in stays required
                f"--address={LOOPBACK}",
                f"--port={port('argocd-server')}",
                f"--metrics-address={LOOPBACK}",
                f"--metrics-port={port('argocd-server-metrics')}",
                redis,
                f"--repo-server={repo_server}",
                f"--staticassets={folder / 'assets'}",
            ),
            build_http_probe(ports["argocd-server"], "/healthz"),
        ),
    ]


def write_login_program(state: LabState, binaries: Path) -> None:
    """Write `argocd-k8s-auth`, which Argo CD starts for a token of an EKS cluster.

    In the image it is a link to the one binary, which then goes by its name. Here the name is in the environment, and
    what its pod's service account would have in it stands in the file `login` of the folder, if there is one.
    """
    folder = state.directory / "argocd"
    login = folder / "login"
    program = folder / "bin" / "argocd-k8s-auth"
    program.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = ["#!/bin/sh", f'[ ! -r "{login}" ] || . "{login}"', "ARGOCD_BINARY_NAME=argocd-k8s-auth"]
    program.write_text("\n".join([*lines, "export ARGOCD_BINARY_NAME", f'exec "{binaries / "argocd"}" "$@"', ""]))
    program.chmod(0o700)


def write_folders(state: LabState) -> Path:
    """Make the folders that stand in for the images' volumes, and return the one that holds them."""
    folder = state.directory / "argocd"
    for name in ("tls", "ssh", "config", "plugins", "assets"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "ssh" / "ssh_known_hosts").touch()
    return folder
