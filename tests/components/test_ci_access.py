"""CiAccess: identity providers made or adopted, and roles that fit one repository each."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from gitops_stack.components import CiAccess
from gitops_stack.errors import GitOpsStackError
from gitops_stack.testing import RegisteredResource
from tests.components.aws import check_common, children, document, keep, of_kind, run

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
ARN = "arn:aws:ecr:eu-west-1:123456789012:repository/guestbook"
GITHUB = {"github": "acme/guestbook", "branches": ["main"], "repository_arns": [ARN]}
GITLAB = {"gitlab": "acme/web/shop", "branches": ["main"], "repository_arns": [ARN]}


def record(
    is_preview: bool = False, outputs: dict[str, Any] | None = None, later: dict[str, str] | None = None, **args: Any
) -> dict[str, RegisteredResource]:
    wanted: Any = args

    def component(opts: pulumi.ResourceOptions) -> None:
        wanted.update({key: pulumi.Output.from_input(arn) for key, arn in (later or {}).items()})
        made = CiAccess("ci", wanted, opts)
        roles = {"publishers": made.publisher_role_arns, "previewers": made.previewer_role_arns}
        keep(outputs, **roles, providers=made.provider_arns)

    return run(component, preview=is_preview)


@BOTH
def test_every_role_has_its_provider_and_its_policy(preview: bool) -> None:
    found = record(
        preview, publishers={"guestbook": GITHUB, "shop": GITLAB}, previewers={"platform": {"github": "acme/platform"}}
    )
    assert children(found) == [
        "OpenIdConnectProvider:ci-github",
        "OpenIdConnectProvider:ci-gitlab",
        "Role:ci-previewer-platform",
        "Role:ci-publisher-guestbook",
        "Role:ci-publisher-shop",
        "RolePolicy:ci-previewer-platform-policy",
        "RolePolicy:ci-publisher-guestbook-policy",
        "RolePolicy:ci-publisher-shop-policy",
    ]
    assert found["CiAccess:ci"].type == "gitops-stack:index:CiAccess"
    check_common(found, "ci")
    assert {one.inputs["maxSessionDuration"] for one in of_kind(found, "Role").values()} == {3600}


def test_providers_are_for_tokens_made_for_aws() -> None:
    found = record(publishers={"guestbook": GITHUB, "shop": GITLAB})
    assert {name: one.inputs for name, one in of_kind(found, "OpenIdConnectProvider").items()} == {
        "ci-github": {"url": "https://token.actions.githubusercontent.com", "clientIdLists": ["sts.amazonaws.com"]},
        "ci-gitlab": {"url": "https://gitlab.com", "clientIdLists": ["https://gitlab.com"]},
    }


def test_providers_stay_when_the_stack_that_made_them_goes() -> None:
    found = record(publishers={"guestbook": GITHUB, "shop": GITLAB})
    retained = {key.partition(":")[0] for key, one in found.items() if one.retained}
    assert retained == {"OpenIdConnectProvider"}


def test_a_site_nobody_uses_gets_no_provider() -> None:
    assert set(of_kind(record(publishers={"shop": GITLAB}), "OpenIdConnectProvider")) == {"ci-gitlab"}
    assert children(record()) == []


def test_a_provider_that_is_there_is_adopted() -> None:
    adopted = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    found = record(publishers={"guestbook": GITHUB}, github_provider_arn=adopted)
    assert of_kind(found, "OpenIdConnectProvider") == {}
    trust = document(found["Role:ci-publisher-guestbook"], "assumeRolePolicy")["Statement"][0]
    assert trust["Principal"] == {"Federated": adopted}


ENTERPRISE = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com/octo-ent"
SELF_MANAGED = "arn:aws:iam::123456789012:oidc-provider/gitlab.example.com"


@pytest.mark.parametrize(
    ("publisher", "args", "condition"),
    [
        (
            GITHUB,
            {"github_provider_arn": ENTERPRISE},
            {
                "token.actions.githubusercontent.com/octo-ent:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com/octo-ent:sub": ["repo:acme/guestbook:ref:refs/heads/main"],
            },
        ),
        (
            GITLAB,
            {"gitlab_provider_arn": SELF_MANAGED},
            {
                "gitlab.example.com:aud": "https://gitlab.example.com",
                "gitlab.example.com:sub": ["project_path:acme/web/shop:ref_type:branch:ref:main"],
            },
        ),
    ],
    ids=["enterprise of GitHub", "self-managed GitLab"],
)
@pytest.mark.parametrize("as_output", [False, True], ids=["plain", "output"])
def test_conditions_are_those_of_the_provider_s_own_issuer(
    publisher: dict[str, Any], args: dict[str, str], condition: dict[str, Any], as_output: bool
) -> None:
    given: dict[str, Any] = {"later": args} if as_output else args
    found = record(publishers={"guestbook": publisher}, **given)
    (arn,) = args.values()
    trust = document(found["Role:ci-publisher-guestbook"], "assumeRolePolicy")["Statement"][0]
    assert trust["Principal"] == {"Federated": arn}
    assert trust["Condition"] == {"StringEquals": condition}


def test_a_provider_of_another_forge_is_refused_whenever_it_is_known() -> None:
    with pytest.raises(
        GitOpsStackError, match=r"^github_provider_arn: found .*gitlab\.example\.com; needs a provider of"
    ):
        record(publishers={"guestbook": GITHUB}, github_provider_arn=SELF_MANAGED)
    with pytest.raises(pulumi.RunError, match=r"^gitlab_provider_arn: found .*octo-ent; needs a provider of GitLab"):
        record(publishers={"shop": GITLAB}, later={"gitlab_provider_arn": ENTERPRISE})


def test_tags_and_environments_push_beside_branches_or_alone() -> None:
    publisher = {"github": "acme/guestbook", "tags": ["v*"], "environments": ["release"], "repository_arns": [ARN]}
    found = record(publishers={"guestbook": publisher}, previewers={"guestbook": {**GITHUB, "environments": ["ci"]}})
    subject = "token.actions.githubusercontent.com:sub"
    publisher_trust = document(found["Role:ci-publisher-guestbook"], "assumeRolePolicy")["Statement"][0]["Condition"]
    assert publisher_trust["StringLike"] == {
        subject: ["repo:acme/guestbook:ref:refs/tags/v*", "repo:acme/guestbook:environment:release"]
    }
    previewer_trust = document(found["Role:ci-previewer-guestbook"], "assumeRolePolicy")["Statement"][0]["Condition"]
    assert previewer_trust["StringEquals"][subject] == [
        "repo:acme/guestbook:pull_request",
        "repo:acme/guestbook:environment:ci",
    ]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        (
            {"branches": ["refs/heads/main"]},
            "acme/guestbook: branch: found 'refs/heads/main'; needs the short name, main",
        ),
        ({"branches": []}, "CiAccess ci: publishers.guestbook: found no branches, tags or environments"),
        (
            {"github": "acme/guestbook.git"},
            "github: found 'acme/guestbook.git'; needs the repository alone, OWNER/NAME",
        ),
    ],
)
def test_what_no_token_carries_is_refused_before_a_role_is_made(changes: dict[str, Any], finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(publishers={"guestbook": {**GITHUB, **changes}})
    assert str(refused.value).startswith(finding)


def test_a_publisher_is_trusted_on_its_branches_and_pushes_to_its_repositories() -> None:
    found = record(publishers={"guestbook": GITHUB})
    role = found["Role:ci-publisher-guestbook"]
    trust = document(role, "assumeRolePolicy")["Statement"][0]
    assert trust["Principal"] == {"Federated": "arn:aws:mock:::ci-github"}
    assert trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] == [
        "repo:acme/guestbook:ref:refs/heads/main"
    ]
    assert role.depends_on == ("ci-github",)
    policy = found["RolePolicy:ci-publisher-guestbook-policy"]
    assert document(policy)["Statement"][1]["Resource"] == [ARN]
    assert policy.inputs["role"] == "ci-publisher-guestbook"


def test_a_previewer_is_trusted_on_pull_requests_and_opens_what_is_named() -> None:
    opened = {"read_secret_arns": ["arn:secret"], "state_bucket_arn": "arn:aws:s3:::state"}
    found = record(previewers={"platform": {"github": "acme/platform"}}, preview=opened)
    trust = document(found["Role:ci-previewer-platform"], "assumeRolePolicy")["Statement"][0]
    assert trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] == [
        "repo:acme/platform:pull_request"
    ]
    sids = {one["Sid"]: one for one in document(found["RolePolicy:ci-previewer-platform-policy"])["Statement"]}
    assert sids["OpenSecrets"]["Resource"] == ["arn:secret"]
    assert sids["ReadState"]["Resource"] == ["arn:aws:s3:::state/*"]


def test_outputs_name_the_roles_and_one_name_may_do_both() -> None:
    outputs: dict[str, Any] = {}
    record(outputs=outputs, publishers={"guestbook": GITHUB}, previewers={"guestbook": {"github": "acme/guestbook"}})
    assert outputs == {
        "publishers": {"guestbook": "arn:aws:mock:::ci-publisher-guestbook"},
        "previewers": {"guestbook": "arn:aws:mock:::ci-previewer-guestbook"},
        "providers": {"github": "arn:aws:mock:::ci-github"},
    }


def test_a_role_for_more_branches_than_a_trust_policy_holds_is_refused() -> None:
    branches = [f"release/{number}-of-the-year" for number in range(99)]
    with pytest.raises(
        pulumi.RunError, match=r"^role ci-publisher-guestbook: trust policy: has \d+ characters; needs 4096"
    ):
        record(publishers={"guestbook": {**GITHUB, "branches": branches}})


@pytest.mark.parametrize(("source", "number"), [({}, 0), ({"github": "a/b", "gitlab": "a/b"}, 2)])
def test_a_role_is_for_one_repository(source: dict[str, str], number: int) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(previewers={"platform": source})
    assert refused.value.findings == (
        f"CiAccess ci: previewers.platform: found {number} repositories; needs one, under github or gitlab",
    )


def test_a_name_iam_would_refuse_is_refused_before() -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(publishers={"x" * 50: GITHUB})
    assert refused.value.findings == (f"role ci-publisher-{'x' * 50}: has 63 characters; needs at most 56",)
