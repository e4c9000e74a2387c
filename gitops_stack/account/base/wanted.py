"""What the base of a stack's account is to be: names, and the documents of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_stack.aws_plan import oidc
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.boundary import build_boundary
from gitops_stack.aws_plan.ci_policies import allow_knowing_secrets, build_reading_policy
from gitops_stack.aws_plan.iam_documents import Document, allow, build_document
from gitops_stack.aws_plan.stack_needs import (
    ISSUERS,
    find_named_provider,
    list_forges,
    list_keys,
    list_passed_roles,
    list_read_stacks,
    list_secrets,
)
from gitops_stack.aws_plan.state_policies import State, allow_reading_state
from gitops_stack.aws_plan.trust_policies import build_oidc_trust
from gitops_stack.aws_plan.up_policies import build_further_policy, build_up_policies
from gitops_stack.conventions import BASE_BOUNDARY, PULUMI_PROJECT
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings import StackSettings

ALIAS = f"alias/{PULUMI_PROJECT}-state"
# Apart from all that stacks make: the policy of `up` ends at the names of their roles, which have no path.
PATH = f"/{PULUMI_PROJECT}/"
UP_SECONDS, _READER_SECONDS = 7200, 3600  # a first `up` outlasts an hour
_MANAGED = "network"  # of the policies of the role for up


@dataclass(frozen=True)
class Jobs:
    """Whose jobs take the roles: ``forge`` is `github` or `gitlab`; GitLab's tokens name no environment."""

    forge: str
    repository: str
    branch: str = "main"
    environment: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no token carries, and a branch by pattern: an update is for one branch."""
        if "*" in self.branch:
            raise GitOpsStackError(Problem(f"found {self.branch}", "needs one branch, without *", "--branch"))
        if self.forge == "gitlab" and self.environment is not None:
            raise GitOpsStackError(
                Problem(
                    f"found {self.environment}; GitLab's tokens name no environment",
                    "leave it out, and protect the branch and the environment in GitLab",
                    "--environment",
                )
            )
        issuer = ISSUERS[self.forge]
        environments = [self.environment] if self.environment is not None else []
        oidc.build_job_subjects(issuer, self.repository, branches=[self.branch], environments=environments)


@dataclass(frozen=True)
class RoleWanted:
    """One role: ``policies`` are inline, by name; ``attached`` are ARNs of managed ones of the base."""

    name: str
    description: str
    trust: Document
    policies: dict[str, Document]
    session_seconds: int
    attached: tuple[str, ...]


@dataclass(frozen=True)
class Base:
    """The base as it is wanted. ``key_arn`` is the state key's, or what stands for it until it is made.

    ``issuer_hosts`` are those whose identity providers the stack makes itself; with the base it makes none.
    """

    account: AccountRegion
    settings: StackSettings
    bucket: str
    key_arn: str
    jobs: Jobs
    issuer_hosts: tuple[str, ...] = ()

    @property
    def stack(self) -> str:
        """Name the stack."""
        return self.settings.stack

    @property
    def state(self) -> State:
        """Where the stack's state is."""
        others = tuple(list_read_stacks(self.settings))
        return State(self.account, self.stack, self.bucket, self.key_arn, others, self.settings.pulumi_project)

    @property
    def backend_url(self) -> str:
        """Build what `pulumi login` takes."""
        return f"s3://{self.bucket}?region={self.account.region}"

    @property
    def secrets_provider(self) -> str:
        """Build what `pulumi stack init --secrets-provider` takes."""
        return f"awskms://{ALIAS}?region={self.account.region}"

    def policy_arn(self, name: str) -> str:
        """Build the ARN of a managed policy of the base."""
        return f"arn:{self.account.partition}:iam::{self.account.id}:policy{PATH}{name}"

    def role_arn(self, name: str) -> str:
        """Build the ARN of a role of the base."""
        return f"arn:{self.account.partition}:iam::{self.account.id}:role{PATH}{name}"

    @property
    def boundary_arn(self) -> str:
        """Build the ARN of the boundary of all roles that stacks make."""
        return self.policy_arn(BASE_BOUNDARY)

    @property
    def reading_arn(self) -> str:
        """Build the ARN of the policy all of a stack's roles read by."""
        return self.policy_arn(f"{PULUMI_PROJECT}-read")

    @property
    def bounding_arn(self) -> str:
        """Return the ARN of the boundary of the stack's own roles: as its file names it, or the base's."""
        named = self.settings.account.permissions_boundary_arn if self.settings.account else None
        return named or self.boundary_arn

    @property
    def further_arn(self) -> str:
        """Build the ARN of what the role for up may beside its inline policies, for a stack that needs more."""
        return self.policy_arn(f"{PULUMI_PROJECT}-further-{self.stack}")

    @property
    def network_arn(self) -> str:
        """Build the ARN of what the role for up may in networks: inline there is no room for it beside the rest."""
        return self.policy_arn(f"{PULUMI_PROJECT}-network-{self.stack}")

    @property
    def _up_policies(self) -> dict[str, Document]:
        read, known = list_secrets(self.settings, self.account)
        return build_up_policies(
            self.state,
            self.bounding_arn,
            cluster_name=self.settings.cluster_name,
            key_arns=list_keys(self.settings),
            issuer_hosts=self.issuer_hosts,
            read_secret_arns=read,
            known_secret_arns=known,
        )

    @property
    def managed_policies(self) -> dict[str, Document]:
        """Build the managed policies by their ARNs."""
        made = {
            self.boundary_arn: build_boundary(self.account),
            self.reading_arn: build_reading_policy(),
            self.network_arn: self._up_policies[_MANAGED],
        }
        further = build_further_policy(
            self.account,
            self.stack,
            self.bounding_arn,
            role_path=self.settings.account.role_path if self.settings.account else None,
            passed_arns=list_passed_roles(self.settings),
            karpenter=self.settings.add_ons is not None and self.settings.add_ons.karpenter is not None,
            delivers_logs=self.settings.network is not None and self.settings.network.flow_log_bucket_arn is not None,
            scans=self.settings.registry is not None and self.settings.registry.scanning == "enhanced",
        )
        return made if further is None else {**made, self.further_arn: further}

    @property
    def forges(self) -> list[str]:
        """List the forges that need an identity provider: the jobs', and those of the stack's own roles."""
        return [self.jobs.forge, *(forge for forge in list_forges(self.settings) if forge != self.jobs.forge)]

    def provider_arn(self, forge: str) -> str:
        """Return the ARN of a forge's identity provider: as the stack file names it, or the public one's."""
        public = f"arn:{self.account.partition}:iam::{self.account.id}:oidc-provider/{ISSUERS[forge].host}"
        return find_named_provider(self.settings, forge) or public

    @property
    def issuer(self) -> oidc.OidcIssuer:
        """The issuer of the jobs' tokens."""
        return oidc.find_issuer(self.provider_arn(self.jobs.forge), self.jobs.forge)

    @property
    def up_role(self) -> RoleWanted:
        """The role of `pulumi up` and `pulumi destroy`."""
        jobs = self.jobs
        named: dict[str, Sequence[str]] = (
            {"branches": [jobs.branch]} if jobs.environment is None else {"environments": [jobs.environment]}
        )
        subjects = oidc.build_job_subjects(self.issuer, jobs.repository, **named)
        bound = None if jobs.environment is None else jobs.branch
        return RoleWanted(
            build_up_role_name(self.stack),
            f"pulumi up of stack {self.stack}",
            build_oidc_trust(self.provider_arn(self.jobs.forge), self.issuer, subjects, branch=bound),
            {name: document for name, document in self._up_policies.items() if name != _MANAGED},
            UP_SECONDS,
            tuple(arn for arn in self.managed_policies if arn != self.boundary_arn),
        )

    @property
    def preview_role(self) -> RoleWanted:
        """The role of `pulumi preview`: it writes nothing, and opens no secret but the state's own."""
        subjects = oidc.build_proposal_subjects(self.issuer, self.jobs.repository)
        trust = build_oidc_trust(self.provider_arn(self.jobs.forge), self.issuer, subjects)
        return self._build_reader("preview", f"pulumi preview of stack {self.stack}", trust, opens=False)

    @property
    def drift_role(self) -> RoleWanted:
        """The role of the nightly comparison: it writes nothing, and opens what the program on that branch opens.

        On GitHub it is for jobs in environment `drift-STACK`, as .github/workflows/drift.yml has it.
        """
        jobs = self.jobs
        on_github = jobs.forge == "github"
        named: dict[str, Sequence[str]] = (
            {"environments": [f"drift-{self.stack}"]} if on_github else {"branches": [jobs.branch]}
        )
        subjects = oidc.build_job_subjects(self.issuer, jobs.repository, **named)
        bound = jobs.branch if on_github else None
        trust = build_oidc_trust(self.provider_arn(jobs.forge), self.issuer, subjects, branch=bound)
        return self._build_reader("drift", f"drift of stack {self.stack}", trust, opens=True)

    def _build_reader(self, purpose: str, description: str, trust: Document, *, opens: bool) -> RoleWanted:
        read, known = list_secrets(self.settings, self.account)
        statements = [*allow_reading_state(self.state), *allow_knowing_secrets([*read, *known])]
        if opens and read:
            statements.append(allow("OpenSecrets", ["secretsmanager:GetSecretValue"], read))
        return RoleWanted(
            f"{PULUMI_PROJECT}-{purpose}-{self.stack}",
            description,
            trust,
            {"state": build_document(*statements)},
            _READER_SECONDS,
            (self.reading_arn,),
        )


def list_rights(base: Base, role: RoleWanted) -> dict[str, list[str]]:
    """List every action the policies of ``role`` allow, the managed ones included, and the resources it holds for."""
    rights: dict[str, list[str]] = {}
    for document in (*(base.managed_policies[arn] for arn in role.attached), *role.policies.values()):
        for statement in document["Statement"]:
            found = statement["Resource"]
            for action in statement["Action"]:
                rights.setdefault(action, []).extend([found] if isinstance(found, str) else found)
    return rights


def build_up_role_name(stack: str) -> str:
    """Name the role of a stack's `pulumi up`."""
    return f"{PULUMI_PROJECT}-up-{stack}"


def default_bucket(account: AccountRegion) -> str:
    """Name the state's bucket: names of buckets are everybody's, so account and region are in it."""
    return f"{PULUMI_PROJECT}-state-{account.id}-{account.region}"
