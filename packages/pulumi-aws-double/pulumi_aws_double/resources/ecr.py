"""ECR repositories and their policies. What belongs to the whole registry is in ``ecr_registry``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pulumi_aws_double.resource import AutoName, ResourceType, Schema
from pulumi_aws_double.resources.ec2 import build_tags, load_tags
from pulumi_aws_double.resources.iam import check_document
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

_EXCLUSION = "imageTagMutabilityExclusionFilters"


class Repository(ResourceType):
    """A repository; one with images is deleted with ``forceDelete`` only."""

    token = "aws:ecr/repository:Repository"
    auto_name = AutoName("name", 256, lower=True)
    schema = Schema(
        replaces="name encryptionConfigurations",
        updates="forceDelete imageScanningConfiguration imageTagMutability imageTagMutabilityExclusionFilters tags",
        computed="name",
        outputs="arn registryId repositoryUrl tagsAll",
        sets="imageTagMutabilityExclusionFilters",
        identity="name",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse exclusion filters without a mutability that has exclusions."""
        mutability = inputs.get("imageTagMutability", "MUTABLE")
        if inputs.get(_EXCLUSION) and isinstance(mutability, str) and not mutability.endswith("_WITH_EXCLUSION"):
            yield _EXCLUSION, "image_tag_mutability_exclusion_filter needs a mutability that ends in _WITH_EXCLUSION"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make the repository."""
        aws.call(
            "ecr",
            "CreateRepository",
            repositoryName=inputs["name"],
            imageTagMutability=inputs.get("imageTagMutability"),
            imageTagMutabilityExclusionFilters=inputs.get(_EXCLUSION),
            imageScanningConfiguration=inputs.get("imageScanningConfiguration"),
            encryptionConfiguration=(inputs.get("encryptionConfigurations") or [None])[0],
            tags=build_tags(inputs["tagsAll"]),
        )
        return str(inputs["name"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the repository."""
        found = aws.call("ecr", "DescribeRepositories", repositoryNames=[identity])["repositories"][0]
        tags = aws.call("ecr", "ListTagsForResource", resourceArn=found["repositoryArn"])["tags"]
        return {
            "arn": found["repositoryArn"],
            "name": found["repositoryName"],
            "registryId": found["registryId"],
            "repositoryUrl": found["repositoryUri"],
            "imageTagMutability": found["imageTagMutability"],
            "imageTagMutabilityExclusionFilters": found.get(_EXCLUSION),
            "imageScanningConfiguration": found["imageScanningConfiguration"],
            "encryptionConfigurations": [found["encryptionConfiguration"]],
            "tagsAll": load_tags(tags),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change mutability and scanning; ``forceDelete`` is the provider's own."""
        if changed & {"imageTagMutability", _EXCLUSION}:
            aws.call(
                "ecr",
                "PutImageTagMutability",
                repositoryName=identity,
                imageTagMutability=new.get("imageTagMutability", "MUTABLE"),
                imageTagMutabilityExclusionFilters=new.get(_EXCLUSION),
            )
        if "imageScanningConfiguration" in changed:
            scanning = new.get("imageScanningConfiguration") or {"scanOnPush": False}
            aws.call(
                "ecr", "PutImageScanningConfiguration", repositoryName=identity, imageScanningConfiguration=scanning
            )

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; AWS refuses one with images unless told to force."""
        aws.call("ecr", "DeleteRepository", repositoryName=identity, force=bool(state.get("forceDelete")))

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.call("ecr", "UntagResource", resourceArn=state["arn"], tagKeys=removed)
        if added:
            aws.call("ecr", "TagResource", resourceArn=state["arn"], tags=build_tags(added))


class _RepositoryDocument(ResourceType):
    """A JSON document on a repository; the id is the repository's name."""

    put: ClassVar[str]
    get: ClassVar[str]
    remove: ClassVar[str]
    parameter: ClassVar[str]
    schema = Schema(
        required="repository policy",
        replaces="repository",
        updates="policy",
        outputs="registryId",
        documents="policy",
        identity="repository",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a document that is not a JSON object."""
        return check_document(inputs, "policy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put the document."""
        aws.call("ecr", self.put, **{"repositoryName": inputs["repository"], self.parameter: inputs["policy"]})
        return str(inputs["repository"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the document."""
        found = aws.call("ecr", self.get, repositoryName=identity)
        return {"repository": identity, "policy": found[self.parameter], "registryId": found["registryId"]}

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Put the document again."""
        self.create(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Remove the document."""
        aws.call("ecr", self.remove, repositoryName=identity)


class LifecyclePolicy(_RepositoryDocument):
    """A repository's lifecycle policy."""

    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    put, get, remove = "PutLifecyclePolicy", "GetLifecyclePolicy", "DeleteLifecyclePolicy"
    parameter = "lifecyclePolicyText"


class RepositoryPolicy(_RepositoryDocument):
    """A repository's resource policy."""

    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    put, get, remove = "SetRepositoryPolicy", "GetRepositoryPolicy", "DeleteRepositoryPolicy"
    parameter = "policyText"
