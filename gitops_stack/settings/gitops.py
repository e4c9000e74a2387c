"""The repository Argo CD follows, and how it logs in there."""

from __future__ import annotations

from pydantic import Field, SecretStr, model_validator

from gitops_stack.settings.types import RelativePath, RepositoryUrl, SecretReference, Settings


class GithubAppSettings(Settings):
    """Credentials of a GitHub App that may read the GitOps repository."""

    app_id: str = Field(description="Id of the App, in quotes.")
    installation_id: str | None = Field(None, description="Found by Argo CD itself when left out.")
    private_key: SecretStr = Field(description="PEM, as a Pulumi secret.")


class CredentialsSettings(Settings):
    """How Argo CD logs in to the GitOps repository; exactly one way."""

    secrets_manager: SecretReference | None = Field(
        None, description="Name or ARN of an AWS Secrets Manager secret: a JSON object of Argo CD's repository keys."
    )
    github_app: GithubAppSettings | None = Field(None, description="A GitHub App that may read the repository.")
    ssh_key: SecretStr | None = Field(None, description="Private SSH key, as a Pulumi secret.")
    token: SecretStr | None = Field(None, description="HTTPS access token, as a Pulumi secret.")
    username: str | None = Field(None, description="User name beside the token; default: git.")

    @model_validator(mode="after")
    def _exactly_one(self) -> CredentialsSettings:
        ways = [self.secrets_manager, self.github_app, self.ssh_key, self.token]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("needs exactly one of secretsManager, githubApp, sshKey, token")
        if self.username is not None and self.token is None:
            raise ValueError("needs username only beside token")
        return self


class GitOpsSettings(Settings):
    """The repository Argo CD follows."""

    repo_url: RepositoryUrl = Field(description="URL of the GitOps repository, as Argo CD clones it.")
    revision: str = Field("main", min_length=1, description="Branch, tag or commit Argo CD follows.")
    path: RelativePath | None = Field(None, description="The stack's tree in it; default: gitops/<stack>.")
    credentials: CredentialsSettings | None = Field(None, description="How Argo CD logs in; default: not at all.")
