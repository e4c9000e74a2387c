"""Let CI jobs in without keys: identity providers of GitHub and GitLab, roles that push, roles that preview."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan import oidc
from gitops_stack.aws_plan.ci_policies import build_previewer_policy, build_publisher_policy
from gitops_stack.aws_plan.iam_documents import Document
from gitops_stack.aws_plan.trust_policies import build_oidc_trust
from gitops_stack.components.aws_account import RoleArgs
from gitops_stack.components.roles import RoleOptions, register_role
from gitops_stack.errors import GitOpsStackError, Problem

_ISSUERS = {"github": oidc.GITHUB, "gitlab": oidc.GITLAB}


class RepositoryArgs(TypedDict):
    """One repository of code, whose jobs take the role."""

    github: NotRequired[str]
    """OWNER/NAME on GitHub, or OWNER@ID/NAME@ID where its tokens have ids: made or renamed since 2026-07-15."""
    gitlab: NotRequired[str]
    """GROUP/NAME on GitLab, groups may nest."""
    environments: NotRequired[Sequence[str]]
    """GitHub environments: a job in one names it to AWS, and not its branch."""


class PublisherArgs(RepositoryArgs):
    """A repository whose jobs push images."""

    branches: NotRequired[Sequence[str]]
    """Branches that may push, by their short names; one `*` stands for any characters."""
    tags: NotRequired[Sequence[str]]
    """Tags that may push, such as `v*`."""
    repository_arns: Sequence[pulumi.Input[str]]
    """ECR repositories they push to."""


class PreviewArgs(TypedDict):
    """What `pulumi preview` opens."""

    read_secret_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """Secrets the program reads."""
    known_secret_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """Secrets it only refers to."""
    state_bucket_arn: NotRequired[pulumi.Input[str]]
    """S3 bucket of Pulumi's state."""
    state_key_arn: NotRequired[pulumi.Input[str]]
    """KMS key of Pulumi's secrets provider."""


class CiAccessArgs(RoleArgs):
    """Roles by name, and identity providers to adopt."""

    publishers: NotRequired[Mapping[str, PublisherArgs]]
    """Roles that push images."""
    previewers: NotRequired[Mapping[str, RepositoryArgs]]
    """Read-only roles for `pulumi preview`."""
    preview: NotRequired[PreviewArgs]
    """What previewers may open."""
    github_provider_arn: NotRequired[pulumi.Input[str]]
    """The account's OIDC provider of GitHub, or of an enterprise's own issuer; default: made when a role needs it."""
    gitlab_provider_arn: NotRequired[pulumi.Input[str]]
    """The same for GitLab, self-managed ones included."""


@dataclass(frozen=True)
class _Jobs:
    """The jobs of one repository, and the provider of the issuer that speaks for them."""

    forge: str
    repository: str
    provider_arn: pulumi.Output[str]
    is_made: bool

    def build_trust(self, subjects_of: Callable[[oidc.OidcIssuer], Sequence[str]]) -> pulumi.Output[Document]:
        """Build the trust policy; the issuer of an adopted provider is read from its ARN."""
        default = _ISSUERS[self.forge]

        def build(arn: str) -> Document:
            try:
                issuer = default if self.is_made else oidc.find_issuer(arn, self.forge)
            except GitOpsStackError as error:
                raise pulumi.RunError(str(error)) from None  # known only now, and no programming error
            return build_oidc_trust(arn, issuer, subjects_of(issuer))

        return self.provider_arn.apply(build)


class CiAccess(pulumi.ComponentResource):
    """Roles that CI jobs take with the token of their run; sessions end after an hour.

    Raises ``GitOpsStackError`` for a role that names no repository, or one on both sites, and for names that no token
    carries.
    """

    publisher_role_arns: Mapping[str, pulumi.Output[str]]
    """Roles that push, by their names."""
    previewer_role_arns: Mapping[str, pulumi.Output[str]]
    """Roles that preview, by their names."""
    provider_arns: Mapping[str, pulumi.Output[str]]
    """Identity providers in use, by `github` and `gitlab`: a second `CiAccess` of the account adopts them."""

    def __init__(self, name: str, args: CiAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:CiAccess", name, {}, opts)
        self._name, self._options = name, RoleOptions.of(args)
        publishers, previewers = args.get("publishers", {}), args.get("previewers", {})
        used = {
            **{f"publishers.{key}": self._find_source(f"publishers.{key}", one) for key, one in publishers.items()},
            **{f"previewers.{key}": self._find_source(f"previewers.{key}", one) for key, one in previewers.items()},
        }
        providers = self._find_providers(args, {forge for forge, _ in used.values()})
        self.provider_arns = {forge: arn for forge, (arn, _) in providers.items()}
        jobs = {place: _Jobs(forge, repository, *providers[forge]) for place, (forge, repository) in used.items()}
        self.publisher_role_arns = {
            key: self._register_publisher(key, one, jobs[f"publishers.{key}"]) for key, one in publishers.items()
        }
        preview = _build_preview_policy(args.get("preview", {}))
        self.previewer_role_arns = {
            key: self._register_previewer(key, one, jobs[f"previewers.{key}"], preview)
            for key, one in previewers.items()
        }
        self.register_outputs(
            {
                "publisherRoleArns": self.publisher_role_arns,
                "previewerRoleArns": self.previewer_role_arns,
                "providerArns": self.provider_arns,
            }
        )

    def _find_source(self, place: str, repository: RepositoryArgs) -> tuple[str, str]:
        named = [
            (forge, found)
            for forge, found in (("github", repository.get("github")), ("gitlab", repository.get("gitlab")))
            if found
        ]
        if len(named) != 1:
            raise GitOpsStackError(
                Problem(
                    f"found {len(named)} repositories",
                    "needs one, under github or gitlab",
                    f"CiAccess {self._name}",
                    place,
                )
            )
        return named[0]

    def _find_providers(self, args: CiAccessArgs, forges: set[str]) -> dict[str, tuple[pulumi.Output[str], bool]]:
        """Return, by forge, the ARN of its provider and whether it is made here."""
        adopted = {"github": args.get("github_provider_arn"), "gitlab": args.get("gitlab_provider_arn")}
        found: dict[str, tuple[pulumi.Output[str], bool]] = {}
        for forge, issuer in _ISSUERS.items():
            if forge not in forges:
                continue
            if (arn := adopted[forge]) is not None:
                if isinstance(arn, str):
                    oidc.find_issuer(arn, forge)
                found[forge] = (pulumi.Output.from_input(arn), False)
                continue
            provider = iam.OpenIdConnectProvider(
                f"{self._name}-{forge}",
                url=issuer.url,
                client_id_lists=[issuer.audience],
                # The account has one for all its stacks: a destroy of the one that made it must not take it from them.
                opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
            )
            found[forge] = (provider.arn, True)
        return found

    def _register_publisher(self, key: str, publisher: PublisherArgs, jobs: _Jobs) -> pulumi.Output[str]:
        named: dict[str, Sequence[str]] = {
            "branches": publisher.get("branches", ()),
            "tags": publisher.get("tags", ()),
            "environments": publisher.get("environments", ()),
        }
        if not any(named.values()):
            place = f"CiAccess {self._name}: publishers.{key}"
            raise GitOpsStackError(Problem("found no branches, tags or environments", "needs one at least", place))
        # Names are judged here, before anything is made; the issuer may be known later.
        oidc.build_job_subjects(_ISSUERS[jobs.forge], jobs.repository, **named)
        return register_role(
            f"{self._name}-publisher-{key}",
            f"Pushes images built from {jobs.repository}",
            jobs.build_trust(lambda issuer: oidc.build_job_subjects(issuer, jobs.repository, **named)),
            self,
            policy=pulumi.Output.all(*publisher["repository_arns"]).apply(build_publisher_policy),
            options=self._options,
        ).arn

    def _register_previewer(
        self, key: str, previewer: RepositoryArgs, jobs: _Jobs, policy: pulumi.Output[Document]
    ) -> pulumi.Output[str]:
        environments = previewer.get("environments", ())

        def build_subjects(issuer: oidc.OidcIssuer) -> list[str]:
            proposals = oidc.build_proposal_subjects(issuer, jobs.repository)
            return [*proposals, *oidc.build_job_subjects(issuer, jobs.repository, environments=environments)]

        build_subjects(_ISSUERS[jobs.forge])
        return register_role(
            f"{self._name}-previewer-{key}",
            f"Previews changes proposed in {jobs.repository}",
            jobs.build_trust(build_subjects),
            self,
            policy=policy,
            options=self._options,
        ).arn


def _build_preview_policy(preview: PreviewArgs) -> pulumi.Output[Document]:
    given: dict[str, Any] = {key: list(one) if isinstance(one, tuple) else one for key, one in preview.items()}
    if not given:
        return pulumi.Output.from_input(build_previewer_policy())
    return pulumi.Output.all(**given).apply(lambda known: build_previewer_policy(**known))
