"""Stack prd with add-ons as Applications, for tests of settings, trees and checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.settings import StackSettings
from gitops_stack.settings.add_on_charts import list_add_on_charts
from tests.stacks import stack_config

ADD_ONS = list_add_on_charts()
ROLES: dict[str, Any] = {
    "loadBalancerController": {},
    "externalSecrets": {"secrets": ["arn:aws:secretsmanager:ap-northeast-1:210987654321:secret:storefront/*"]},
    "externalDns": {"hostedZoneIds": ["Z0123456789", "Z9876543210"]},
    "clusterAutoscaler": {},
    "karpenter": {},
}


def with_add_ons(folder: Path, add_ons: dict[str, Any], **changes: Any) -> StackSettings:
    """Write Pulumi.prd.yaml with ``add_ons`` and the roles they need into ``folder``, and load it."""
    config = {**stack_config("prd"), "gitops-stack:addOns": ROLES, "gitops-stack:addOnApplications": add_ons}
    config |= {f"gitops-stack:{key}": value for key, value in changes.items()}
    (folder / "Pulumi.prd.yaml").write_text(render_document({"config": config}), encoding="utf-8")
    return load_stack_file(folder, "prd")
