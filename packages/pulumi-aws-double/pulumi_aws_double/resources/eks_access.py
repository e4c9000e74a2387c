"""Who may do what in a cluster: access entries, access policies and pod identities."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable

from pulumi_aws_double.admission import POLICY, admit, dismiss
from pulumi_aws_double.lab_nodes import KUBECONFIG
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resource import Schema
from pulumi_aws_double.resources.eks import StoredType, build_timestamp, require_cluster, require_role
from pulumi_aws_double.resources.iam import check_document
from pulumi_aws_double.resources.kinds import ASSOCIATIONS, ENTRIES, POD_IDENTITIES
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

_LONG_AGO = "2020-01-01T00:00:00Z"
_TYPES = ("STANDARD", "EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX")
_PRINCIPAL = re.compile(r"arn:aws:(iam::\d{12}:(role|user)/[\w+=,.@/-]+|sts::\d{12}:[\w+=,.@/-]+)")
_POLICY = re.compile(
    r"arn:aws:eks::aws:cluster-access-policy/AmazonEKS(ClusterAdmin|Admin|AdminView|Edit|View|\w+)Policy"
)


class AccessEntry(StoredType):
    """The entry of one principal; the id is ``<cluster>:<principal ARN>``."""

    token = "aws:eks/accessEntry:AccessEntry"
    kind = ENTRIES
    reading, deleting = "DescribeAccessEntry", "DeleteAccessEntry"
    schema = Schema(
        required="clusterName principalArn",
        replaces="clusterName principalArn type",
        updates="kubernetesGroups userName tags",
        computed="kubernetesGroups userName",
        outputs="accessEntryArn createdAt modifiedAt tagsAll",
        sets="kubernetesGroups",
        identity="clusterName principalArn",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a type that EKS does not have."""
        kind = inputs.get("type")
        if isinstance(kind, str) and kind not in _TYPES:
            yield "type", f"expected type to be one of {[*_TYPES]}, got {kind}"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it; a cluster that authenticates by its aws-auth ConfigMap alone has none."""
        cluster, principal = inputs["clusterName"], inputs["principalArn"]
        groups = inputs.get("kubernetesGroups") or []
        aws.check(
            "eks", "CreateAccessEntry", clusterName=cluster, principalArn=principal, kubernetesGroups=groups,
            username=inputs.get("userName"), type=inputs.get("type"), tags=inputs["tagsAll"] or None,
        )  # fmt: skip
        _require_entries(aws, cluster, "CreateAccessEntry")
        self._check_content(aws, "CreateAccessEntry", principal, groups)
        self._require_role(aws, principal)
        identity = f"{cluster}:{principal}"
        if aws.store.find(ENTRIES, f"{aws.region}/{identity}") is not None:
            message = "The specified access entry resource is already in use on this cluster."
            raise aws.refuse("EKS", "CreateAccessEntry", "ResourceInUseException", message)
        account, name = principal.split(":")[4], principal.rpartition("/")[2]
        now = build_timestamp()
        document = {
            "clusterName": cluster,
            "principalArn": principal,
            "kubernetesGroups": groups,
            "type": inputs.get("type", "STANDARD"),
            "userName": inputs.get("userName") or _build_user_name(principal, account, name),
            "accessEntryArn": aws.arn("eks", f"access-entry/{cluster}/role/{account}/{name}/{secrets.token_hex(16)}"),
            "createdAt": now,
            "modifiedAt": now,
            "tagsAll": inputs["tagsAll"],
        }
        self.keep(aws, identity, document)
        return identity

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change groups and user name."""
        aws.permit("eks", "UpdateAccessEntry")
        groups = new.get("kubernetesGroups") or []
        self._check_content(aws, "UpdateAccessEntry", new["principalArn"], groups)
        document = {"kubernetesGroups": groups, "modifiedAt": build_timestamp()}
        if new.get("userName"):
            document["userName"] = new["userName"]
        self.keep(aws, identity, document)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it with its policies, as EKS does."""
        super().delete(aws, identity, state)
        prefix = f"{aws.region}/{state['clusterName']}#{state['principalArn']}#"
        for key in aws.store.list(ASSOCIATIONS):
            if key.startswith(prefix):
                aws.store.remove(ASSOCIATIONS, key)
                dismiss(aws, key.partition("/")[2])

    def _require_role(self, aws: AwsSession, principal: str) -> None:
        """Raise EKS's error for a role of the account that does not exist (EKS API reference, CreateAccessEntry)."""
        _, _, _, _, account, resource = principal.split(":", 5)
        if not resource.startswith("role/") or account != aws.account_id:
            return
        try:
            aws.call("iam", "GetRole", RoleName=resource.rpartition("/")[2])
        except AwsError as refused:
            if not refused.is_missing:
                raise
            message = "The specified principalArn is invalid: invalid principal."
            raise aws.refuse("EKS", "CreateAccessEntry", "InvalidParameterException", message) from None

    def _check_content(self, aws: AwsSession, operation: str, principal: str, groups: list[str]) -> None:
        if not _PRINCIPAL.fullmatch(principal):
            message = "The specified principalArn is invalid: invalid principal."
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)
        for group in groups:
            if group.startswith(("system:", "amazon:", "aws:", "eks:", "iam:")):
                message = (
                    f"The kubernetes group name {group} is invalid, it cannot start with {group.partition(':')[0]}:"
                )
                raise aws.refuse("EKS", operation, "InvalidParameterException", message)


class AccessPolicyAssociation(StoredType):
    """A policy on an entry; the id is ``<cluster>#<principal ARN>#<policy ARN>``."""

    token = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    kind = ASSOCIATIONS
    reading, deleting = "ListAssociatedAccessPolicies", "DisassociateAccessPolicy"
    schema = Schema(
        required="accessScope clusterName policyArn principalArn",
        replaces="accessScope clusterName policyArn principalArn",
        outputs="associatedAt modifiedAt",
        identity="clusterName policyArn principalArn",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Associate the policy; the principal needs an entry first."""
        cluster, principal, policy = inputs["clusterName"], inputs["principalArn"], inputs["policyArn"]
        scope, operation = inputs["accessScope"], "AssociateAccessPolicy"
        aws.check("eks", operation, clusterName=cluster, principalArn=principal, policyArn=policy, accessScope=scope)
        _require_entries(aws, cluster, operation)
        if aws.store.find(ENTRIES, f"{aws.region}/{cluster}:{principal}") is None:
            message = (
                "The specified principalArn could not be found. You can view your available access entries with "
                "'list-access-entries'."
            )
            raise aws.refuse("EKS", operation, "ResourceNotFoundException", message)
        if not _POLICY.fullmatch(policy):
            message = f"The policyArn parameter format is not valid: {policy}"
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)
        if (scope.get("type") == "namespace") != bool(scope.get("namespaces")):
            message = "The namespaces parameter is required for the access scope type namespace, and only for that."
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)
        now = build_timestamp()
        identity = f"{cluster}#{principal}#{policy}"
        names = self.schema.names("required")
        # Without a lab no API server answers, and nobody is to wait until it has followed.
        at = now if os.environ.get(KUBECONFIG) else _LONG_AGO
        self.keep(aws, identity, {**{name: inputs[name] for name in names}, "associatedAt": at, "modifiedAt": now})
        if policy.endswith(POLICY) and scope["type"] == "cluster":
            admit(aws, identity)
        return identity

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; who had no other is shut out."""
        super().delete(aws, identity, state)
        dismiss(aws, identity)


class PodIdentityAssociation(StoredType):
    """The role of a Kubernetes service account; the id is AWS's ``a-…``."""

    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    kind = POD_IDENTITIES
    reading, deleting = "DescribePodIdentityAssociation", "DeletePodIdentityAssociation"
    schema = Schema(
        required="clusterName namespace roleArn serviceAccount",
        replaces="clusterName namespace serviceAccount",
        updates="disableSessionTags policy roleArn targetRoleArn tags",
        computed="disableSessionTags",
        outputs="associationArn associationId externalId tagsAll",
        documents="policy",
        identity="clusterName namespace serviceAccount",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a session policy that is not a JSON object."""
        return check_document(inputs, "policy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Associate the role; a service account has one at most."""
        operation, cluster = "CreatePodIdentityAssociation", inputs["clusterName"]
        given = {name: inputs[name] for name in self.schema.inputs if name in inputs and name != "tags"}
        aws.check("eks", operation, **given, tags=inputs["tagsAll"] or None)
        require_cluster(aws, cluster, operation)
        self._check_role(aws, operation, inputs)
        account = (inputs["namespace"], inputs["serviceAccount"])
        prefix = f"{aws.region}/{cluster}:"
        for key, found in aws.store.list(POD_IDENTITIES).items():
            if key.startswith(prefix) and (found["namespace"], found["serviceAccount"]) == account:
                message = f"Association already exists: {found['associationId']}"
                raise aws.refuse("EKS", operation, "ResourceInUseException", message)
        association = f"a-{secrets.token_hex(9)[:17]}"
        document = {
            **given,
            "associationId": association,
            "associationArn": aws.arn("eks", f"podidentityassociation/{cluster}/{association}"),
            "externalId": "",
            "tagsAll": inputs["tagsAll"],
        }
        aws.store.put(POD_IDENTITIES, f"{prefix}{association}", document)
        return association

    def find_identity(self, aws: AwsSession, identity: str) -> str:
        """Take ``<cluster>,<id>`` too, which is how one is imported."""
        return identity.rpartition(",")[2]

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the association; ids are AWS's own, so an import needs no name of the cluster."""
        aws.permit("eks", self.reading)
        found = aws.store.list(POD_IDENTITIES).items()
        own = (
            association
            for key, association in found
            if key.startswith(f"{aws.region}/") and key.endswith(f":{identity}")
        )
        return next(own, None)

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change role, target role, policy and session tags."""
        aws.permit("eks", "UpdatePodIdentityAssociation")
        self._check_role(aws, "UpdatePodIdentityAssociation", new)
        names = ("disableSessionTags", "policy", "roleArn", "targetRoleArn")
        self.keep(aws, f"{new['clusterName']}:{identity}", {name: new.get(name) for name in names if name in changed})

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        super().delete(aws, f"{state['clusterName']}:{identity}", state)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        super().tag(aws, f"{state['clusterName']}:{identity}", state, added, removed)

    def _check_role(self, aws: AwsSession, operation: str, inputs: Plain) -> None:
        require_role(aws, operation, inputs["roleArn"], "pods.eks.amazonaws.com")
        if inputs.get("policy") and not inputs.get("disableSessionTags"):
            message = "A session policy can be set only when session tags are disabled."
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)


def _require_entries(aws: AwsSession, cluster: str, operation: str) -> None:
    access = require_cluster(aws, cluster, operation).get("accessConfig") or {}
    if access.get("authenticationMode", "CONFIG_MAP") == "CONFIG_MAP":
        message = (
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this "
            "operation."
        )
        raise aws.refuse("EKS", operation, "InvalidRequestException", message)


def _build_user_name(principal: str, account: str, name: str) -> str:
    if ":role/" in principal:
        return f"arn:aws:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}"
    return principal
