"""The network of a private stack, made before its cluster: what docs/aws.md calls "The network first"."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.lab.lab_run import LabRun
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import StackSettings
from gitops_stack.settings.private_endpoint import describe_network_first
from gitops_stack.stack_files import stack_file

_OF_A_CLUSTER = ("cluster", "clusters")  # the Argo CD that deploys to others runs in it
_VPC_TYPE = "aws:ec2/vpc:Vpc"


def list_updates(settings: StackSettings, report: LabRun, *, inside: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield phase and options of each `pulumi up` that makes the stack: one, or of a private stack two.

    Nobody is ``inside`` of a VPC that the state has not got, so the first one makes the network alone.
    """
    resources = report.engine.backend.load_deployment(settings.stack).get("resources") or ()
    made = any(found["type"] == _VPC_TYPE for found in resources)
    if inside and not made and describe_network_first(settings) is not None:
        alone = report.lab.state.directory / "network-alone.yaml"
        text = StackText.load(report.workspace.directory / stack_file(settings.stack))
        for section in _OF_A_CLUSTER:
            text.remove((f"{PULUMI_PROJECT}:{section}",))
        text.write(alone)
        yield "pulumi up of the network alone", (f"--config-file={alone}",)
    yield "pulumi up", ()
