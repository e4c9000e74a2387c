"""The edge to pulumi-aws-double, which plays AWS in a rehearsal.

Its processes become programs of the lab, its errors ours, and our tables of what EKS offers its catalogue.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gitops_stack.account.addon_versions import load_recorded, load_recorded_day
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab.control_plane import CALLER, TOKEN_WEBHOOK
from gitops_stack.lab.probes import build_port_probe
from gitops_stack.lab.processes import Program
from gitops_stack.lab.state import LabState
from gitops_stack.settings import StackSettings
from gitops_stack.settings.eks_versions import load_eks_versions
from pulumi_aws_double.account import NAME, build_account, build_environment
from pulumi_aws_double.catalogue import Catalogue, write_catalogue
from pulumi_aws_double.endpoint_gate import NAME as GATE
from pulumi_aws_double.endpoint_gate import VPC, build_gate, is_place
from pulumi_aws_double.errors import DoubleError
from pulumi_aws_double.errors import EnvironmentProblem as DoubleEnvironmentProblem
from pulumi_aws_double.servers import Server
from pulumi_aws_double.token_review import build_webhook_config


def check_place(place: str) -> str:
    """Return ``place`` when it is an address or `vpc`; raises :class:`GitOpsStackError`."""
    if not is_place(place):
        raise GitOpsStackError(
            Problem(
                f"found {place}", f"needs an address such as 203.0.113.7, or {VPC} for one inside of the VPC", "--from"
            )
        )
    return place


def choose_place(settings: StackSettings) -> str:
    """Return a place from which people work on the stack: of its public networks, or else inside of the VPC."""
    networks = settings.eks.endpoint.public_access_cidrs if settings.eks else ()
    if not networks:
        return VPC
    block = ipaddress.ip_network(networks[0])
    return str(block[min(7, block.num_addresses - 1)])


def build_catalogue() -> Catalogue:
    """Return what the tables of this library know of EKS: versions of Kubernetes, and of add-ons for each."""
    table = load_eks_versions()
    versions = tuple(table.versions)
    addons = {version: load_recorded(version) for version in versions}
    return Catalogue(load_recorded_day(), versions, table.supported(table.judged_on), addons)


def build_programs(
    state: LabState, account_id: str, region: str, place: str, environment: Mapping[str, str]
) -> list[Program]:
    """Return the account and the endpoint of its cluster, which lets ``place`` through; ports are the lab's.

    An API server that starts after this asks the account whose a token is.
    """
    ports = state.load_ports()
    write_catalogue(_catalogue(state), build_catalogue())
    gated = {**environment, **build_variables(state, region)}  # where the account's cluster answers
    tokens = ports["eks-tokens"]
    account = build_account(ports[NAME], account_id, region, _store(state), gated, token_port=tokens)
    (state.directory / TOKEN_WEBHOOK).write_text(json.dumps(build_webhook_config(tokens)), encoding="utf-8")
    gate = build_gate(ports[GATE], ports["kube-apiserver"], region, place, gated)
    return [_as_program(account), _as_program(gate)]


def build_variables(state: LabState, region: str) -> dict[str, str]:
    """Return the environment in which engine, provider and boto3 meet the account of the lab, and no other."""
    ports = state.load_ports()
    return build_environment(
        ports[NAME], region, _store(state), catalogue=_catalogue(state), kubeconfig=state.kubeconfig, caller=CALLER,
        gate=ports[GATE],
    )  # fmt: skip


@contextmanager
def as_our_errors() -> Iterator[None]:
    """Raise what the double refuses as this library's errors, in the same words."""
    try:
        yield
    except DoubleEnvironmentProblem as problem:
        raise EnvironmentProblem(*problem.findings) from None
    except DoubleError as problem:
        raise GitOpsStackError(*problem.findings) from None


def _as_program(server: Server) -> Program:
    return Program(server.name, server.command, build_port_probe(server.port), server.environment)


def _store(state: LabState) -> Path:
    return state.directory / "aws-store.json"


def _catalogue(state: LabState) -> Path:
    return state.directory / "aws-catalogue.json"
