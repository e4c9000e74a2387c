"""What belongs to the account's whole ECR registry in a region: one of each, and the pull-through cache.

moto has no pull-through cache and no creation templates, and its registry policy allows two actions only, so the
store keeps these three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resource import ResourceType, Schema
from pulumi_aws_double.resources.ec2 import build_tags
from pulumi_aws_double.resources.iam import check_document
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

RULES, TEMPLATES, POLICIES = "pull_through_cache_rules", "repository_creation_templates", "registry_policies"
# Upstream registries ECR can cache, and those it reads only with credentials (ECR user guide, pull through cache).
_OPEN = frozenset({"public.ecr.aws", "quay.io", "registry.k8s.io"})
_WITH_CREDENTIALS = frozenset({"ghcr.io", "registry-1.docker.io", "registry.gitlab.com", "cgr.dev"})


class PullThroughCacheRule(ResourceType):
    """A pull-through cache rule; the id is its prefix."""

    token = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
    schema = Schema(
        required="ecrRepositoryPrefix upstreamRegistryUrl",
        replaces="ecrRepositoryPrefix upstreamRegistryUrl upstreamRepositoryPrefix",
        updates="credentialArn customRoleArn",
        computed="upstreamRepositoryPrefix",
        outputs="registryId",
        identity="ecrRepositoryPrefix",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it; a registry that wants credentials needs a secret of the right name."""
        operation, prefix = "CreatePullThroughCacheRule", str(inputs["ecrRepositoryPrefix"])
        aws.check("ecr", operation, **{name: inputs[name] for name in self.schema.inputs if name in inputs})
        if aws.store.find(RULES, _key(aws, prefix)):
            message = (
                f"A pull through cache rule with the repository prefix '{prefix}' already exists in the registry with "
                f"id '{aws.account_id}'"
            )
            raise aws.refuse("ECR", operation, "PullThroughCacheRuleAlreadyExistsException", message)
        upstream = inputs["upstreamRegistryUrl"]
        if upstream not in _OPEN | _WITH_CREDENTIALS and not upstream.endswith((".azurecr.io", ".amazonaws.com")):
            message = f"The specified upstream registry URL '{upstream}' is not supported"
            raise aws.refuse("ECR", operation, "UnsupportedUpstreamRegistryException", message)
        _check_credential(aws, operation, upstream, inputs.get("credentialArn"))
        self._keep(aws, inputs)
        return prefix

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the rule."""
        aws.permit("ecr", "DescribePullThroughCacheRules")
        found = aws.store.find(RULES, _key(aws, identity))
        return None if found is None else {**found, "registryId": aws.account_id}

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change credential and role."""
        operation = "UpdatePullThroughCacheRule"
        given = {name: new[name] for name in ("ecrRepositoryPrefix", "credentialArn", "customRoleArn") if name in new}
        aws.check("ecr", operation, **given)
        _check_credential(aws, operation, new["upstreamRegistryUrl"], new.get("credentialArn"))
        self._keep(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.permit("ecr", "DeletePullThroughCacheRule")
        aws.store.remove(RULES, _key(aws, identity))

    def _keep(self, aws: AwsSession, inputs: Plain) -> None:
        document = {
            "upstreamRepositoryPrefix": "ROOT",
            **{name: inputs[name] for name in self.schema.inputs if name in inputs},
        }
        aws.store.put(RULES, _key(aws, inputs["ecrRepositoryPrefix"]), document)


class RepositoryCreationTemplate(ResourceType):
    """What repositories get that ECR itself makes; the id is the prefix."""

    token = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
    schema = Schema(
        required="appliedFors prefix",
        replaces="prefix",
        updates="appliedFors customRoleArn description encryptionConfigurations imageTagMutability "
        "imageTagMutabilityExclusionFilters lifecyclePolicy repositoryPolicy resourceTags",
        outputs="registryId",
        documents="lifecyclePolicy repositoryPolicy",
        sets="appliedFors imageTagMutabilityExclusionFilters",
        identity="prefix",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse documents that are no JSON objects."""
        yield from check_document(inputs, "lifecyclePolicy")
        yield from check_document(inputs, "repositoryPolicy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        prefix = str(inputs["prefix"])
        self._check_template(aws, "CreateRepositoryCreationTemplate", inputs)
        if aws.store.find(TEMPLATES, _key(aws, prefix)):
            message = f"The repository creation template with prefix '{prefix}' already exists"
            raise aws.refuse("ECR", "CreateRepositoryCreationTemplate", "TemplateAlreadyExistsException", message)
        self._keep(aws, inputs)
        return prefix

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the template."""
        aws.permit("ecr", "DescribeRepositoryCreationTemplates")
        found = aws.store.find(TEMPLATES, _key(aws, identity))
        return None if found is None else {**found, "registryId": aws.account_id}

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change it."""
        self._check_template(aws, "UpdateRepositoryCreationTemplate", new)
        self._keep(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.permit("ecr", "DeleteRepositoryCreationTemplate")
        aws.store.remove(TEMPLATES, _key(aws, identity))

    def _check_template(self, aws: AwsSession, operation: str, inputs: Plain) -> None:
        irregular = {"appliedFors", "encryptionConfigurations", "resourceTags"}
        given = {name: inputs[name] for name in self.schema.inputs if name in inputs and name not in irregular}
        encryption = (inputs.get("encryptionConfigurations") or [None])[0]
        tags = inputs.get("resourceTags") or {}
        aws.check(
            "ecr", operation, **given, appliedFor=inputs["appliedFors"], encryptionConfiguration=encryption,
            resourceTags=build_tags(tags) or None,
        )  # fmt: skip
        with_key = isinstance(encryption, Mapping) and encryption.get("encryptionType") == "KMS"
        if (tags or with_key) and not inputs.get("customRoleArn"):
            message = "A custom role is required when resource tags or KMS encryption is specified in the template"
            raise aws.refuse("ECR", operation, "InvalidParameterException", message)

    def _keep(self, aws: AwsSession, inputs: Plain) -> None:
        document = {name: inputs[name] for name in self.schema.inputs if name in inputs}
        aws.store.put(TEMPLATES, _key(aws, inputs["prefix"]), document)


class RegistryPolicy(ResourceType):
    """The registry's policy; the id is the account's."""

    token = "aws:ecr/registryPolicy:RegistryPolicy"
    schema = Schema(required="policy", updates="policy", outputs="registryId", documents="policy")

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a document that is not a JSON object."""
        return check_document(inputs, "policy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put the policy, over whatever is there."""
        aws.check("ecr", "PutRegistryPolicy", policyText=inputs["policy"])
        aws.store.put(POLICIES, aws.region, {"policy": inputs["policy"]})
        return aws.account_id

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the policy."""
        aws.permit("ecr", "GetRegistryPolicy")
        found = aws.store.find(POLICIES, aws.region)
        return None if found is None else {**found, "registryId": aws.account_id}

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Put the policy again."""
        self.create(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Remove the policy."""
        aws.permit("ecr", "DeleteRegistryPolicy")
        aws.store.remove(POLICIES, aws.region)


class RegistryScanningConfiguration(ResourceType):
    """How the registry scans; deleting it goes back to basic scanning without rules."""

    token = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
    schema = Schema(required="scanType", updates="scanType rules", outputs="registryId", sets="rules")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put the configuration, over whatever is there."""
        aws.call(
            "ecr", "PutRegistryScanningConfiguration", scanType=inputs["scanType"], rules=inputs.get("rules") or []
        )
        return aws.account_id

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the configuration."""
        found = aws.call("ecr", "GetRegistryScanningConfiguration")["scanningConfiguration"]
        return {"scanType": found["scanType"], "rules": found["rules"], "registryId": aws.account_id}

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Put the configuration again."""
        self.create(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Go back to the default."""
        aws.call("ecr", "PutRegistryScanningConfiguration", scanType="BASIC", rules=[])


class ReplicationConfiguration(ResourceType):
    """Where the registry replicates to; deleting it stops replication."""

    token = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
    schema = Schema(updates="replicationConfiguration", outputs="registryId")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put the configuration, over whatever is there."""
        wanted: Answer = inputs.get("replicationConfiguration") or {"rules": []}
        aws.call("ecr", "PutReplicationConfiguration", replicationConfiguration=wanted)
        return aws.account_id

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the configuration."""
        found: Any = aws.call("ecr", "DescribeRegistry")["replicationConfiguration"]
        return {"replicationConfiguration": found, "registryId": aws.account_id}

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Put the configuration again."""
        self.create(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Stop replication."""
        aws.call("ecr", "PutReplicationConfiguration", replicationConfiguration={"rules": []})


def _key(aws: AwsSession, prefix: str) -> str:
    return f"{aws.region}/{prefix}"


def _check_credential(aws: AwsSession, operation: str, upstream: str, credential: str | None) -> None:
    if credential is None:
        if upstream in _WITH_CREDENTIALS or upstream.endswith(".azurecr.io"):
            message = f"The credential ARN is required for the upstream registry '{upstream}'"
            raise aws.refuse("ECR", operation, "InvalidParameterException", message)
        return
    try:
        aws.call("secretsmanager", "DescribeSecret", SecretId=credential)
    except AwsError as refused:
        if not refused.is_missing:
            raise
        message = (
            "The ARN of the secret specified in the pull through cache rule was not found. Update the pull through "
            "cache rule with a valid secret ARN and try again."
        )
        raise aws.refuse("ECR", operation, "SecretNotFoundException", message) from None
