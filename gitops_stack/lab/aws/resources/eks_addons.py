"""EKS addons, which moto lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gitops_stack.account.addon_versions import load_recorded, load_recorded_day
from gitops_stack.lab.aws.resource import Schema, load_document
from gitops_stack.lab.aws.resources.eks import StoredType, build_timestamp, require_cluster, require_role
from gitops_stack.lab.aws.resources.kinds import ADDONS
from gitops_stack.lab.aws.session import AwsSession
from gitops_stack.lab.aws.values import Plain

UNRECORDED: Final = {
    "amazon-cloudwatch-observability": "v4.4.0-eksbuild.1",
    "aws-efs-csi-driver": "v2.1.11-eksbuild.1",
    "aws-mountpoint-s3-csi-driver": "v2.1.0-eksbuild.1",
    "cert-manager": "v1.18.2-eksbuild.2",
    "eks-node-monitoring-agent": "v1.4.1-eksbuild.1",
    "external-dns": "v0.19.0-eksbuild.2",
    "metrics-server": "v0.8.0-eksbuild.2",
    "snapshot-controller": "v8.3.0-eksbuild.1",
}
"""Add-ons of which the catalogue has no record, with a version for those that are not pinned."""
_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")


def find_default(addon: str, kubernetes: str) -> str | None:
    """Return the version that an add-on which is not pinned gets on a cluster of version ``kubernetes``.

    None for an add-on that is not known, or of which the catalogue has nothing for this version.
    """
    return next(iter(load_recorded(kubernetes).get(addon, ())), UNRECORDED.get(addon))


class Addon(StoredType):
    """An addon; the id is ``<cluster>:<addon>``."""

    token = "aws:eks/addon:Addon"
    kind = ADDONS
    reading, deleting = "DescribeAddon", "DeleteAddon"
    schema = Schema(
        required="addonName clusterName",
        replaces="addonName clusterName namespaceConfig",
        updates="addonVersion configurationValues podIdentityAssociations preserve resolveConflictsOnCreate "
        "resolveConflictsOnUpdate serviceAccountRoleArn tags",
        computed="addonVersion configurationValues",
        outputs="arn createdAt modifiedAt tagsAll",
        documents="configurationValues",
        sets="podIdentityAssociations",
        identity="addonName clusterName",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse ways to resolve conflicts that AWS does not have."""
        ways = {
            "resolveConflictsOnCreate": ("NONE", "OVERWRITE"),
            "resolveConflictsOnUpdate": ("NONE", "OVERWRITE", "PRESERVE"),
        }
        for name, allowed in ways.items():
            if isinstance(inputs.get(name), str) and inputs[name] not in allowed:
                yield name, f"expected {name} to be one of {[*allowed]}, got {inputs[name]}"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Install it; one addon of a name per cluster."""
        cluster, name = inputs["clusterName"], inputs["addonName"]
        self._check_request(aws, "CreateAddon", inputs, inputs.get("resolveConflictsOnCreate"))
        kubernetes = require_cluster(aws, cluster, "CreateAddon")["version"]
        identity = f"{cluster}:{name}"
        if aws.store.find(ADDONS, f"{aws.region}/{identity}") is not None:
            raise aws.refuse("EKS", "CreateAddon", "ResourceInUseException", "Addon already exists.")
        self._check_content(aws, "CreateAddon", inputs)
        now = build_timestamp()
        document = {
            **self._document(inputs),
            "addonVersion": inputs.get("addonVersion") or find_default(name, kubernetes),
            "arn": aws.arn("eks", f"addon/{cluster}/{name}/{now}"),
            "createdAt": now,
            "modifiedAt": now,
            "tagsAll": inputs["tagsAll"],
        }
        self.keep(aws, identity, document)
        return identity

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change version, configuration and roles."""
        self._check_request(aws, "UpdateAddon", new, new.get("resolveConflictsOnUpdate"))
        self._check_content(aws, "UpdateAddon", new)
        cleared = {name: None for name in changed if name not in new}
        self.keep(aws, identity, {**self._document(new), **cleared, "modifiedAt": build_timestamp()})

    def _document(self, inputs: Plain) -> Plain:
        return {name: inputs[name] for name in self.schema.inputs if name in inputs and name != "tags"}

    def _check_request(self, aws: AwsSession, operation: str, inputs: Plain, conflicts: str | None) -> None:
        names = [
            "addonName",
            "clusterName",
            "addonVersion",
            "configurationValues",
            "podIdentityAssociations",
            "serviceAccountRoleArn",
        ]
        given = {name: inputs[name] for name in names if name in inputs}
        if operation == "CreateAddon":
            given["namespaceConfig"] = inputs.get("namespaceConfig")
        aws.check("eks", operation, **given, resolveConflicts=conflicts)

    def _check_content(self, aws: AwsSession, operation: str, inputs: Plain) -> None:
        kubernetes = require_cluster(aws, inputs["clusterName"], operation)["version"]
        name, version = inputs["addonName"], inputs.get("addonVersion")
        if find_default(name, kubernetes) is None:
            raise aws.refuse("EKS", operation, "InvalidParameterException", f"Addon {name} specified is not supported")
        recorded = load_recorded(kubernetes).get(name, ())
        unrecorded = name in UNRECORDED and not recorded and _VERSION.fullmatch(version or "")
        if version not in (None, *recorded) and not unrecorded:
            known = f"the rehearsal's catalogue of {load_recorded_day()} has {', '.join(recorded)}"
            message = f"Addon version specified is not supported: {name} {version} on Kubernetes {kubernetes} ({known})"
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)
        values = inputs.get("configurationValues")
        if values and not isinstance(load_document(values), dict):
            message = "ConfigurationValue is not in valid JSON or YAML format"
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)
        for identity in inputs.get("podIdentityAssociations") or []:
            require_role(aws, operation, identity["roleArn"], "pods.eks.amazonaws.com")
