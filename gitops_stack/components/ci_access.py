"""Let CI jobs in without keys: identity providers of GitHub and GitLab, roles that push, roles that preview."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pulumi
from pulumi_aws import iam
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan import oidc
from gitops_stack.aws_plan.ci_policies import build_previewer_policy, build_publisher_policy
from gitops_stack.aws_plan.iam_documents import Document
from gitops_stack.aws_plan.trust_policies import build_oidc_trust
from gitops_stack.components.roles import register_role
from gitops_stack.errors import GitOpsStackError


class RepositoryArgs(TypedDict):
    """One repository of code, on GitHub (`acme/guestbook`) or on GitLab (`acme/web/guestbook`)."""

    github: NotRequired[str]
    gitlab: NotRequired[str]


class PublisherArgs(RepositoryArgs):
    """Jobs for ``branches`` of a repository, which push to ``repository_arns`` of ECR."""

    branches: Sequence[str]
    repository_arns: Sequence[pulumi.Input[str]]


class PreviewArgs(TypedDict):
    """What `pulumi preview` opens: see :func:`gitops_stack.aws_plan.ci_policies.build_previewer_policy`."""

    read_secret_arns: NotRequired[Sequence[str]]
    known_secret_arns: NotRequired[Sequence[str]]
    state_bucket_arn: NotRequired[str]
    state_key_arn: NotRequired[str]


class CiAccessArgs(TypedDict):
    """Roles by name, and identity providers to adopt: an account has one per issuer, whoever made it."""

    publishers: NotRequired[Mapping[str, PublisherArgs]]
    previewers: NotRequired[Mapping[str, RepositoryArgs]]
    preview: NotRequired[PreviewArgs]
    github_provider_arn: NotRequired[pulumi.Input[str]]
    gitlab_provider_arn: NotRequired[pulumi.Input[str]]


class CiAccess(pulumi.ComponentResource):
    """Roles that CI jobs take with the token of their run; sessions end after an hour.

    Raises ``GitOpsStackError`` for a role that names no repository, or one on both sites.
    """

    publisher_role_arns: Mapping[str, pulumi.Output[str]]
    previewer_role_arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: CiAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:CiAccess", name, {}, opts)
        self._name = name
        publishers, previewers = args.get("publishers", {}), args.get("previewers", {})
        sources = {
            **{f"publishers.{key}": _find_source(f"publishers.{key}", one) for key, one in publishers.items()},
            **{f"previewers.{key}": _find_source(f"previewers.{key}", one) for key, one in previewers.items()},
        }
        providers = self._register_providers(args, {issuer for issuer, _ in sources.values()})
        self.publisher_role_arns = {
            key: self._register_publisher(key, one, sources[f"publishers.{key}"], providers)
            for key, one in publishers.items()
        }
        preview = build_previewer_policy(**args.get("preview", {}))
        self.previewer_role_arns = {
            key: self._register_previewer(key, sources[f"previewers.{key}"], providers, preview) for key in previewers
        }
        self.register_outputs(
            {"publisherRoleArns": self.publisher_role_arns, "previewerRoleArns": self.previewer_role_arns}
        )

    def _register_providers(
        self, args: CiAccessArgs, used: set[oidc.OidcIssuer]
    ) -> dict[oidc.OidcIssuer, pulumi.Output[str]]:
        adopted = {oidc.GITHUB: args.get("github_provider_arn"), oidc.GITLAB: args.get("gitlab_provider_arn")}
        found = {}
        for label, issuer in (("github", oidc.GITHUB), ("gitlab", oidc.GITLAB)):
            if issuer not in used:
                continue
            if (arn := adopted[issuer]) is not None:
                found[issuer] = pulumi.Output.from_input(arn)
                continue
            provider = iam.OpenIdConnectProvider(
                f"{self._name}-{label}",
                url=issuer.url,
                client_id_lists=[issuer.audience],
                opts=pulumi.ResourceOptions(parent=self),
            )
            found[issuer] = provider.arn
        return found

    def _register_publisher(
        self,
        key: str,
        publisher: PublisherArgs,
        source: tuple[oidc.OidcIssuer, str],
        providers: Mapping[oidc.OidcIssuer, pulumi.Output[str]],
    ) -> pulumi.Output[str]:
        issuer, repository = source
        subjects = oidc.build_branch_subjects(issuer, repository, publisher["branches"])
        return register_role(
            f"{self._name}-publisher-{key}",
            f"Pushes images built from {repository}",
            providers[issuer].apply(_trust(issuer, subjects)),
            self,
            policy=pulumi.Output.all(*publisher["repository_arns"]).apply(build_publisher_policy),
        ).arn

    def _register_previewer(
        self,
        key: str,
        source: tuple[oidc.OidcIssuer, str],
        providers: Mapping[oidc.OidcIssuer, pulumi.Output[str]],
        policy: Document,
    ) -> pulumi.Output[str]:
        issuer, repository = source
        subjects = oidc.build_proposal_subjects(issuer, repository)
        return register_role(
            f"{self._name}-previewer-{key}",
            f"Previews changes proposed in {repository}",
            providers[issuer].apply(_trust(issuer, subjects)),
            self,
            policy=policy,
        ).arn


def _trust(issuer: oidc.OidcIssuer, subjects: Sequence[str]) -> Callable[[str], Document]:
    return lambda provider_arn: build_oidc_trust(provider_arn, issuer, subjects)


def _find_source(place: str, repository: RepositoryArgs) -> tuple[oidc.OidcIssuer, str]:
    named = [
        (issuer, name)
        for issuer, name in ((oidc.GITHUB, repository.get("github")), (oidc.GITLAB, repository.get("gitlab")))
        if name
    ]
    if len(named) != 1:
        raise GitOpsStackError(
            f"gitops-stack:ci.{place}: found {len(named)} repositories; needs one, under github or gitlab"
        )
    return named[0]
