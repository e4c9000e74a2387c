"""What pipelines may do in the account, without any key: by OIDC, per repository and branch."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, model_validator

from gitops_stack.settings import forge_jobs
from gitops_stack.settings.registry import RepositoryName
from gitops_stack.settings.types import (
    BUCKET_NAME,
    UNIQUE,
    DnsLabel,
    KmsKeyArn,
    SettingError,
    Settings,
    following,
    matching,
)

OidcProviderArn = Annotated[
    str,
    matching(
        r"arn:aws(-[a-z]+)*:iam::\d{12}:oidc-provider/(?!https?:)\S{1,255}",
        f"the ARN of an IAM OIDC provider: {forge_jobs.PROVIDER_PREFIX}HOST",
    ),
]
BucketArn = Annotated[
    str,
    matching(
        rf"arn:aws(-[a-z]+)*:s3:::{BUCKET_NAME}",
        "the ARN of an S3 bucket: arn:aws:s3:::NAME",
    ),
]
GithubRepository = Annotated[str, following(forge_jobs.check_github_repository)]
GitlabProject = Annotated[str, following(forge_jobs.check_gitlab_project)]
Ref = Annotated[str, following(forge_jobs.check_branch)]
Environment = Annotated[str, following(forge_jobs.check_environment)]


def check_bucket_name(name: str) -> str | None:
    """Return what the name of an S3 bucket needs, or ``None`` for one that is right (S3 user guide, naming rules)."""
    if re.fullmatch(BUCKET_NAME, name, re.ASCII) is None:
        return "needs the name of an S3 bucket: 3 to 63 lower-case letters, digits, '-' and '.'"
    return None


class PipelineSettings(Settings):
    """A repository whose pipelines get a role: of GitHub or of GitLab."""

    github: GithubRepository | None = Field(
        None, description="OWNER/NAME on GitHub, or OWNER@ID/NAME@ID where its tokens have ids."
    )
    gitlab: GitlabProject | None = Field(None, description="GROUP/NAME on GitLab.")
    environments: tuple[Environment, ...] = Field(
        (), description="GitHub environments: a job in one names it to AWS, and not its branch or pull request."
    )

    @model_validator(mode="after")
    def _one_forge(self) -> PipelineSettings:
        if (self.github is None) == (self.gitlab is None):
            raise ValueError("needs exactly one of github, gitlab")
        if self.gitlab is not None and self.environments:
            needs = "needs to be left out with gitlab: its tokens do not name the environment"
            raise SettingError("environments", ", ".join(self.environments), needs)
        return self


class PublisherSettings(PipelineSettings):
    """A pipeline that may push images."""

    branches: tuple[Ref, ...] = Field(
        ("main",), description="Branches that may push; [] when only tags or environments may."
    )
    tags: tuple[Ref, ...] = Field((), description="Tags that may push, such as v*.")
    repositories: Annotated[tuple[RepositoryName, ...], UNIQUE] = Field(
        min_length=1, description="ECR repositories it may push to."
    )

    @model_validator(mode="after")
    def _somebody_pushes(self) -> PublisherSettings:
        if not (self.branches or self.tags or self.environments):
            raise SettingError("branches", [], "needs a branch, or tags or environments beside it: nobody could push")
        return self


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
