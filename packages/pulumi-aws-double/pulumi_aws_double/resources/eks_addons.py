"""EKS addons, which moto lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pulumi_aws_double.catalogue import load_catalogue
from pulumi_aws_double.resource import Schema, load_document
from pulumi_aws_double.resources.eks import StoredType, build_timestamp, require_cluster, require_role
from pulumi_aws_double.resources.kinds import ADDONS
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")


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
            "addonVersion": inputs.get("addonVersion") or load_catalogue().find_default(name, kubernetes),
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
        catalogue = load_catalogue()
        if catalogue.find_default(name, kubernetes) is None:
            raise aws.refuse("EKS", operation, "InvalidParameterException", f"Addon {name} specified is not supported")
        recorded = catalogue.find_addon_versions(name, kubernetes)
        unrecorded = catalogue.takes_any(name, kubernetes) and _VERSION.fullmatch(version or "")
        if version not in (None, *recorded) and not unrecorded:
            known = f"the catalogue of {catalogue.as_of} has {', '.join(recorded)}"
            message = f"Addon version specified is not supported: {name} {version} on Kubernetes {kubernetes} ({known})"
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)
        values = inputs.get("configurationValues")
        if values and not isinstance(load_document(values), dict):
            message = "ConfigurationValue is not in valid JSON or YAML format"
            raise aws.refuse("EKS", operation, "InvalidParameterException", message)
        for identity in inputs.get("podIdentityAssociations") or []:
            require_role(aws, operation, identity["roleArn"], "pods.eks.amazonaws.com")
