"""What importing the components costs, and that all of them are found."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gitops_stack import components
from tests.stacks import ROOT


def imported_by(statement: str) -> set[str]:
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(json.loads(done.stdout))


def test_components_for_an_existing_cluster_do_without_the_sdk_of_aws() -> None:
    assert "pulumi_aws" not in imported_by("from gitops_stack.components import AppOfApps, ArgoCD, GitOpsStack")


def test_a_component_of_aws_brings_the_modules_it_needs_and_no_others() -> None:
    found = imported_by("from gitops_stack.components import PodIdentity")
    assert {"gitops_stack.components.pod_identity", "pulumi_aws.eks"} <= found
    assert not found & {"gitops_stack.components.network", "pulumi_aws.ec2.vpc", "pulumi_aws.wafv2.web_acl"}


@pytest.mark.parametrize("name", components.__all__)
def test_every_name_is_found(name: str) -> None:
    assert getattr(components, name).__name__ == name


def test_a_name_nobody_wrote_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Netwrok'"):
        _ = components.Netwrok
