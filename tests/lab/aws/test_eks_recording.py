"""The eks double registers what upstream's component registered, for every argument set of the recording."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest

from tests.lab.aws.fake_engine import Engine, Registration, Run, start_engine

with warnings.catch_warnings():  # its import warns of a class of its own that nobody here uses
    warnings.simplefilter("ignore", DeprecationWarning)
    import pulumi_eks as eks

RECORDING = json.loads((Path(__file__).parents[2] / "fixtures" / "eks-component.json").read_text(encoding="utf-8"))
# The SDK loads whole services, deprecated classes among them.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_aws.*")
NODE_GROUP = "eks:index:ManagedNodeGroup"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("bin")
    executable = folder / "aws"
    executable.write_text("#!/bin/sh\necho aws-cli/2.31.0\n")
    executable.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    environment.pop("AWS_PROFILE", None)
    with start_engine(environment) as engine:
        yield engine


def run_recorded(name: str, engine: Engine) -> Run:
    arguments = RECORDING[name]["clusterArgs"]
    has_nodes = any(resource["type"] == NODE_GROUP for resource in RECORDING[name]["resources"])

    def program() -> None:
        nodes = aws.iam.Role("nodes", assume_role_policy="{}")
        cluster = eks.Cluster("main", **arguments)
        if has_nodes:
            eks.ManagedNodeGroup(
                "system",
                cluster=cluster,
                node_role=nodes,
                ami_type="AL2023_ARM_64_STANDARD",
                instance_types=["m7g.large"],
                labels={"pool": "system"},
                scaling_config={"desired_size": 4, "min_size": 4, "max_size": 6},
                subnet_ids=["subnet-1", "subnet-2"],
                taints=[{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}],
            )

    return engine.run(program)


def normalise(found: Registration) -> dict[str, Any]:
    """Bring a registration into the recording's form, which leaves out what is empty."""
    inputs = dict(found.inputs)
    if found.type == "pulumi:providers:kubernetes":
        inputs["kubeconfig"] = "<kubeconfig>"
    form: dict[str, Any] = {"type": found.type, "name": found.name, "parent": found.parent, "custom": found.custom}
    if found.type == "eks:index:Cluster":  # of the component itself, the recording has the keys of its outputs
        return {**form, "outputKeys": sorted(found.outputs)}
    form["inputs"] = inputs
    form.update({"ignoreChanges": found.ignore_changes} if found.ignore_changes else {})
    form.update({"dependsOn": found.depends_on} if found.depends_on else {})
    return form


def by_name(resources: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    assert len({(each["type"], each["name"]) for each in resources}) == len(resources)
    return {(each["type"], each["name"]): each for each in resources}


@pytest.mark.parametrize("name", RECORDING)
def test_registers_exactly_what_upstream_registered(name: str, engine: Engine) -> None:
    run = run_recorded(name, engine)

    assert by_name([normalise(found) for found in run.resources]) == by_name(RECORDING[name]["resources"])


@pytest.mark.parametrize("name", RECORDING)
def test_calls_exactly_the_functions_upstream_called(name: str, engine: Engine) -> None:
    run = run_recorded(name, engine)

    assert sorted(map(json.dumps, run.invokes)) == sorted(
        json.dumps(call, sort_keys=False) for call in RECORDING[name]["invokes"]
    )
