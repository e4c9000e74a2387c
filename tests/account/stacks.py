"""Settings of a stack that is made in moto's account."""

from __future__ import annotations

from typing import Any

from gitops_stack.settings import StackSettings
from tests.stacks import COMMIT

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
CLUSTER = "acme-dev"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/platform"


class Replace(dict[str, Any]):
    """A change that replaces the whole map."""


def eks_config(**changes: Any) -> dict[str, Any]:
    """Build the configuration of stack `dev`; ``changes`` are merged into the maps of that name, or replace them."""
    config: dict[str, Any] = {
        "account": {"id": ACCOUNT},
        "network": {"cidr": "10.20.0.0/16", "availabilityZones": 2},
        "cluster": {
            "provider": "eks",
            "name": CLUSTER,
            "version": "1.35",
            "endpoint": {"publicAccessCidrs": ["203.0.113.0/24"]},
            "access": {"admins": {"principalArn": ROLE, "policy": "ClusterAdmin"}},
            "compute": {"autoMode": True},
        },
        "gitops": {"repoUrl": "https://example.com/platform.git"},
        "argocd": {"version": "v3.5.1", "commit": COMMIT},
    }
    for key, value in changes.items():
        config[key] = dict(value) if isinstance(value, Replace) else {**config.get(key, {}), **value}
    return {"aws:region": REGION, **{f"gitops-stack:{key}": value for key, value in config.items()}}


def eks_settings(**changes: Any) -> StackSettings:
    """Build the settings of stack `dev`; ``changes`` as in :func:`eks_config`."""
    config = eks_config(**changes)
    values = {key.removeprefix("gitops-stack:"): value for key, value in config.items() if key != "aws:region"}
    return StackSettings.model_validate({**values, "region": config["aws:region"], "stack": "dev"})
