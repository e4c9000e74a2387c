"""The IAM actions of a request, and whether the role a run plays may take them.

A right is judged by its action and, where a request names one, by its resource. Conditions are not: moto's accounts
know neither tags of requests nor boundaries, so that what they would say is not what AWS says.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from pulumi_aws_double.models import AwsError

ROLE = "PULUMI_AWS_DOUBLE_ROLE"
"""The file of :func:`write_role`; unset: whoever calls may do everything."""
_EVERYBODY = frozenset({"sts:GetCallerIdentity"})

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """The account and region a request is sent to."""

    account_id: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Build an ARN of the commercial partition; IAM's have no region."""
        return f"arn:aws:{service}:{'' if service == 'iam' else self.region}:{self.account_id}:{resource}"


def find_actions(service: str, operation: str, parameters: Parameters) -> list[str]:
    """List what IAM asks for a request: the operation's own action, and those it depends on.

    Service authorization reference, "Dependent actions"; EKS and ECR user guides for grants and service-linked roles.
    """
    dependent = _DEPENDENT.get(f"{service}:{operation}", _nothing)
    return [f"{service}:{operation}", *_find_tagging(service, operation, parameters), *dependent(parameters)]


def find_resource(action: str, parameters: Parameters, place: Place) -> str:
    """Return the ARN that ``action`` is about, where the request's ``parameters`` say it by name; else nothing."""
    if action == "iam:PassRole":
        found = (_find_passed(value) for value in parameters.values())
        return next((arn for arn in found if arn), "")
    service = action.partition(":")[0]
    for name, pattern in _NAMED.get(service, {}).items():
        if isinstance(value := parameters.get(name), str):
            named = pattern.format(value.rpartition("/")[2] if name == "QueueUrl" else value.removeprefix("https://"))
            arn = value if value.startswith("arn:") else place.arn(service, named)
            return arn.removesuffix(":*")
    return ""


def _find_passed(value: Any) -> str:  # noqa: ANN401 - a request's parameter
    if isinstance(value, Mapping):
        return next((arn for arn in map(_find_passed, value.values()) if arn), "")
    return value if isinstance(value, str) and ":role/" in value else ""


# Of each service the parameters that name what a request is about, and the resource part of its ARN.
_NAMED: Mapping[str, Mapping[str, str]] = {
    "ecr": {"repositoryName": "repository/{}", "resourceArn": "{}"},
    "eks": {"resourceArn": "{}", "clusterName": "cluster/{}", "name": "cluster/{}"},
    "events": {"Name": "rule/{}", "Rule": "rule/{}", "ResourceARN": "{}"},
    "iam": {
        "InstanceProfileName": "instance-profile/{}",
        "RoleName": "role/{}",
        "OpenIDConnectProviderArn": "{}",
        "Url": "oidc-provider/{}",
    },
    "kms": {"AliasName": "{}"},
    "logs": {"logGroupName": "log-group:{}", "resourceArn": "{}"},
    "secretsmanager": {"SecretId": "secret:{}-AbCdEf"},
    "sqs": {"QueueName": "{}", "QueueUrl": "{}"},
}


def write_role(file: Path, name: str, rights: Mapping[str, list[str]]) -> None:
    """Write who a run is: the role's ``name`` and its ``rights``, action -> patterns of the resources it holds for."""
    file.write_text(json.dumps({"name": name, "rights": rights}), encoding="utf-8")


def load_unused(file: Path) -> list[str]:
    """List the actions the role of ``file`` may take and did not."""
    return sorted({*json.loads(file.read_text(encoding="utf-8"))["rights"]} - load_used(file))


def load_used(file: Path) -> set[str]:
    """Read the actions that were taken as the role of ``file``."""
    log = _log_of(file)
    return set(log.read_text(encoding="utf-8").split()) if log.exists() else set()


def ask_permission(service: str, service_id: str, operation: str, parameters: Parameters, place: Place) -> None:
    """Note the actions of a request, and raise :class:`AwsError` as AWS does for the first that the role may not."""
    path = os.environ.get(ROLE)
    if not path:
        return
    name, rights = _load_role(path)
    for action in find_actions(service, operation, parameters):
        if action in _EVERYBODY:
            continue
        resource = find_resource(action, parameters, place)
        allowed = rights.get(action, [])
        if not allowed or (resource and not any(fnmatchcase(resource, pattern) for pattern in allowed)):
            code = "UnauthorizedOperation" if service == "ec2" else "AccessDenied"
            caller = f"arn:aws:sts::{place.account_id}:assumed-role/{name}/double"
            on = f" on resource: {resource}" if resource else ""
            raise AwsError(
                service_id,
                operation,
                code,
                f"User: {caller} is not authorized to perform: {action}{on} because no identity-based policy allows "
                f"the {action} action",
            )
        _note(path, action)


@cache
def _note(path: str, action: str) -> None:
    with _log_of(Path(path)).open("a", encoding="utf-8") as log:
        log.write(f"{action}\n")


def _log_of(file: Path) -> Path:
    return file.with_suffix(".used")


@cache
def _load_role(path: str) -> tuple[str, dict[str, list[str]]]:
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    return found["name"], found["rights"]


def _find_tagging(service: str, operation: str, parameters: Parameters) -> Iterator[str]:
    if not operation.startswith("Create") and operation != "PutRule":
        return
    if service == "ec2" and parameters.get("TagSpecifications"):
        yield "ec2:CreateTags"
    elif parameters.get("tags") or (service != "ec2" and parameters.get("Tags")):
        noun = operation.removeprefix("Create") if service in ("iam", "sqs") else "Resource"
        yield f"{service}:Tag{noun}"


def _nothing(_parameters: Parameters) -> Iterator[str]:
    return iter(())


def _passing(*names: str) -> Callable[[Parameters], Iterator[str]]:
    def find(parameters: Parameters) -> Iterator[str]:
        if any(parameters.get(name) for name in names):
            yield "iam:PassRole"

    return find


def _of_cluster(parameters: Parameters) -> Iterator[str]:
    yield from ("iam:PassRole", "iam:CreateServiceLinkedRole")
    if parameters.get("encryptionConfig"):
        yield from ("kms:DescribeKey", "kms:CreateGrant")


def _of_node_group(parameters: Parameters) -> Iterator[str]:
    yield from ("iam:PassRole", "iam:CreateServiceLinkedRole")
    if parameters.get("launchTemplate"):
        yield "ec2:RunInstances"


def _of_flow_log(parameters: Parameters) -> Iterator[str]:
    if parameters.get("DeliverLogsPermissionArn"):
        yield "iam:PassRole"
    if parameters.get("LogDestinationType") == "s3":
        yield "logs:CreateLogDelivery"  # DeleteLogDelivery as well, of whose request nobody can tell where it went


def _of_nat_gateway(parameters: Parameters) -> Iterator[str]:
    if parameters.get("AvailabilityMode") == "regional":
        yield "iam:CreateServiceLinkedRole"


def _of_scanning(parameters: Parameters) -> Iterator[str]:
    if parameters.get("scanType") == "ENHANCED":
        yield from ("inspector2:Enable", "inspector2:ListAccountPermissions", "iam:CreateServiceLinkedRole")


def _of_endpoint(parameters: Parameters) -> Iterator[str]:
    if parameters.get("PrivateDnsEnabled"):
        yield "route53:AssociateVPCWithHostedZone"


def _of_repository(parameters: Parameters) -> Iterator[str]:
    if (parameters.get("encryptionConfiguration") or {}).get("kmsKey"):
        yield from ("kms:DescribeKey", "kms:CreateGrant")


_DEPENDENT: Mapping[str, Callable[[Parameters], Iterator[str]]] = {
    "eks:CreateCluster": _of_cluster,
    "eks:CreateNodegroup": _of_node_group,
    "eks:CreateAddon": _passing("serviceAccountRoleArn"),
    "eks:CreatePodIdentityAssociation": _passing("roleArn"),
    "eks:UpdatePodIdentityAssociation": _passing("roleArn"),
    "ec2:CreateVpcEndpoint": _of_endpoint,
    "ec2:CreateFlowLogs": _of_flow_log,
    "ec2:CreateNatGateway": _of_nat_gateway,
    "iam:AddRoleToInstanceProfile": lambda _parameters: iter(("iam:PassRole",)),
    "ecr:CreateRepository": _of_repository,
    "ecr:CreateRepositoryCreationTemplate": _passing("customRoleArn"),
    "ecr:CreatePullThroughCacheRule": lambda _parameters: iter(("iam:CreateServiceLinkedRole",)),
    "ecr:PutRegistryScanningConfiguration": _of_scanning,
    "ecr:PutReplicationConfiguration": lambda _parameters: iter(("iam:CreateServiceLinkedRole",)),
}
