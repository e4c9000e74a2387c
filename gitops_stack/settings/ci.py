"""What pipelines may do in the account, without any key: by OIDC, per repository and branch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gitops_stack.settings.registry import RepositoryName
from gitops_stack.settings.types import DnsLabel, KmsKeyArn, Settings, matching

OidcProviderArn = Annotated[
    str,
    matching(
        r"arn:aws(-[a-z]+)*:iam::\d{12}:oidc-provider/\S+",
        "the ARN of an IAM OIDC provider: arn:aws:iam::ACCOUNT:oidc-provider/HOST",
    ),
]
BucketArn = Annotated[
    str,
    matching(r"arn:aws(-[a-z]+)*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the ARN of an S3 bucket: arn:aws:s3:::NAME"),
]
GithubRepository = Annotated[
    str,
    matching(
        # OWNER@ID/NAME@ID is how tokens name repositories made or renamed since 2026 (GitHub docs, "OpenID Connect").
        r"[A-Za-z0-9][\w.-]*(@\d+)?/[\w.-]+(@\d+)?",
        "a GitHub repository: OWNER/NAME, or OWNER@ID/NAME@ID",
    ),
]
GitlabProject = Annotated[str, matching(r"[\w.-]+(/[\w.-]+)+", "a GitLab project: GROUP/NAME")]
Branch = Annotated[str, matching(r"(?!.*\*.*\*)[\w./*-]+", "a branch; one '*' may stand for any characters")]


class PipelineSettings(Settings):
    """A repository whose pipelines get a role: of GitHub or of GitLab."""

    github: GithubRepository | None = Field(None, description="OWNER/NAME on GitHub.")
    gitlab: GitlabProject | None = Field(None, description="GROUP/NAME on GitLab.")

    @model_validator(mode="after")
    def _one_forge(self) -> PipelineSettings:
        if (self.github is None) == (self.gitlab is None):
            raise ValueError("needs exactly one of github, gitlab")
        return self


class PublisherSettings(PipelineSettings):
    """A pipeline that may push images."""

    branches: tuple[Branch, ...] = Field(("main",), min_length=1, description="Branches that may push.")
    repositories: tuple[RepositoryName, ...] = Field(min_length=1, description="ECR repositories it may push to.")


class CiSettings(Settings):
    """Roles of pipelines."""

    github_provider_arn: OidcProviderArn | None = Field(
        None, description="The account's OIDC provider of GitHub; default: made when a role needs it."
    )
    gitlab_provider_arn: OidcProviderArn | None = Field(None, description="The same for GitLab.")
    state_bucket_arn: BucketArn | None = Field(None, description="S3 bucket of Pulumi's state, for previewers to read.")
    state_key_arn: KmsKeyArn | None = Field(None, description="KMS key of Pulumi's secrets provider, for previewers.")
    publishers: dict[DnsLabel, PublisherSettings] = Field(default_factory=dict, description="Roles that push images.")
    previewers: dict[DnsLabel, PipelineSettings] = Field(
        default_factory=dict, description="Read-only roles for `pulumi preview` on pull requests."
    )
