"""Whether the roles, policies, keys, identity providers and security groups exist that a stack file names by id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from gitops_stack.account.checks import Check, run_check
from gitops_stack.account.principals import TAKING, Taker, check_principal
from gitops_stack.account.session import Account
from gitops_stack.aws_plan.oidc import find_issuer
from gitops_stack.settings import StackSettings
from gitops_stack.settings.arn_references import list_arns

_AWS = "aws"  # the account in the ARN of a policy that AWS manages
# `access: NAME` and `cluster: NAME` look at these. What a policy names need not exist: the role of a spoke is made
# after the hub's, which its trust names.
_LEFT_OUT = re.compile(r"cluster\.access\.|clusters\.|argocd\.spokeRoleArns\.|podRoles\.[^.]+\.statements\.")


def check_named(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that what the settings name by ARN or id is in the account; `up` finds out in its middle.

    What is of another account or region is not looked at: its policies decide who may.
    """
    own = (_AWS, account.identity.account)
    for path, arn in list_arns(settings):
        if _LEFT_OUT.match(path) or "*" in arn:
            continue
        _, _, service, region, owner, resource = arn.split(":", 5)
        if owner in own and region in ("", account.region):
            if service == "iam" and resource.startswith("role/"):
                yield from run_check(_label(path), partial(_look_at_role, account, settings, path, arn))
            else:
                yield from run_check(_label(path), partial(_look, account, path, arn, service, resource))
    if settings.eks is not None:
        yield from _check_security_groups(account, settings)


def _look_at_role(account: Account, settings: StackSettings, path: str, arn: str) -> Iterator[Check]:
    yield check_principal(account, _label(path), arn, "an IAM role that exists", path, _find_taker(settings, path))


def _find_taker(settings: StackSettings, path: str) -> Taker | None:
    """Return which service takes a role that is named: EKS refuses one it cannot take, and agents hand out no other."""
    if path == "cluster.roleArn":  # EKS user guide, "Amazon EKS Auto Mode cluster IAM role"
        auto_mode = settings.eks is not None and settings.eks.compute.auto_mode
        return Taker("eks.amazonaws.com", TAKING if auto_mode else TAKING[:1], "Service")
    if path == "cluster.compute.nodeRoleArn":  # in every partition (pulumi-eks, cluster/cluster.ts)
        return Taker("ec2.amazonaws.com", TAKING[:1], "Service")
    if path.startswith("podRoles."):  # EKS user guide, "Create IAM role with trust policy required by EKS Pod Identity"
        return Taker("pods.eks.amazonaws.com", TAKING, "Service")
    return None


def _find_audience(arn: str, path: str) -> str:
    return find_issuer(arn, "github" if path == "ci.githubProviderArn" else "gitlab").audience


def _look(account: Account, path: str, arn: str, service: str, resource: str) -> Iterator[Check]:
    kind = resource.partition("/")[0]
    call = _find_call(service, kind, arn)
    if call is None:
        return
    what, method, arguments = call
    label, needs = _label(path), f"{what} that exists"
    found = account.find(service, method, **arguments)
    if found is None:
        yield Check(label, "failed", f"{arn} does not exist", needs, f"make it, or correct {path}")
    elif kind == "oidc-provider" and (audience := _find_audience(arn, path)) not in found["ClientIDList"]:
        # STS answers `Incorrect token audience` then, whatever the roles' trust policies say.
        takes = ", ".join(found["ClientIDList"]) or "nobody"
        remedy = f"aws iam add-client-id-to-open-id-connect-provider --client-id {audience} "
        remedy += f"--open-id-connect-provider-arn {arn}"
        yield Check(label, "failed", f"{arn} takes tokens for {takes} alone", f"one for {audience}", remedy)
    elif service == "kms" and (state := found["KeyMetadata"]["KeyState"]) != "Enabled":
        yield Check(label, "failed", f"{arn} is {state}", "a key that is Enabled", f"enable it, or correct {path}")
    else:
        yield Check(label, "ok", arn, needs)


def _find_call(service: str, kind: str, arn: str) -> tuple[str, str, dict[str, Any]] | None:
    """Return what the ARN is of and the call that reads it; nothing for kinds that are not looked at."""
    match service, kind:
        case "iam", "policy":
            return "an IAM policy", "get_policy", {"PolicyArn": arn}
        case "iam", "oidc-provider":
            arguments = {"OpenIDConnectProviderArn": arn}
            return "an IAM identity provider", "get_open_id_connect_provider", arguments
        case "kms", ("key" | "alias"):
            return "a KMS key", "describe_key", {"KeyId": arn}
    return None


def _check_security_groups(account: Account, settings: StackSettings) -> Iterator[Check]:
    groups = settings.eks.compute.node_groups if settings.eks else {}
    vpc = settings.network.vpc_id if settings.network else None
    for name, group in groups.items():
        path = f"cluster.compute.nodeGroups.{name}.securityGroupIds"
        for wanted in group.security_group_ids:
            yield from run_check(_label(path), partial(_look_at_group, account, path, wanted, vpc))


def _look_at_group(account: Account, path: str, wanted: str, vpc: str | None) -> Iterator[Check]:
    needs = f"security groups of {vpc}" if vpc else "security groups that exist"
    found = account.find("ec2", "describe_security_groups", GroupIds=[wanted])
    actual = found["SecurityGroups"][0]["VpcId"] if found else None
    if actual is None:
        yield Check(_label(path), "failed", f"{wanted} does not exist", needs, f"correct {path}")
    elif vpc is not None and actual != vpc:
        yield Check(_label(path), "failed", f"{wanted} is of {actual}", needs, f"correct {path}")
    else:
        yield Check(_label(path), "ok", wanted, needs)


def _label(path: str) -> str:
    return f"named: {path}"
