"""Who may do what: exact documents where few lines decide, key conditions where there are many."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.aws_plan import (
    ci_policies,
    load_balancer_policy,
    network_policies,
    oidc,
    pod_policies,
    registry_policies,
)
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, render_document
from gitops_stack.aws_plan.trust_policies import (
    build_oidc_trust,
    build_pod_identity_trust,
    build_registry_trust,
    build_service_trust,
)
from gitops_stack.errors import GitOpsStackError

ACCOUNT = AccountRegion("123456789012", "eu-west-1")
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
REF = "needs the name of a branch or tag; one '*' may stand for any characters"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/guestbook"


def only(document: Document) -> dict[str, Any]:
    (statement,) = document["Statement"]
    return dict(statement)


def by_sid(document: Document) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_pods_take_a_role_for_their_own_service_account_in_their_own_cluster() -> None:
    cluster = "arn:aws:eks:eu-west-1:123456789012:cluster/acme"
    assert only(build_pod_identity_trust(cluster, "argocd", ["server", "controller"])) == {
        "Sid": "Pods",
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "StringEquals": {
                "aws:RequestTag/eks-cluster-arn": cluster,
                "aws:RequestTag/kubernetes-namespace": "argocd",
                "aws:RequestTag/kubernetes-service-account": ["server", "controller"],
            }
        },
    }


def test_services_take_a_role_for_the_account_alone() -> None:
    trust = only(build_service_trust("vpc-flow-logs.amazonaws.com", ACCOUNT))
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert only(build_registry_trust())["Principal"] == {"Service": "ecr.amazonaws.com"}


def test_a_publisher_is_a_job_for_a_named_branch() -> None:
    subjects = oidc.build_job_subjects(oidc.GITHUB, "acme/guestbook", branches=["main", "next"])
    trust = only(build_oidc_trust(PROVIDER, oidc.GITHUB, subjects))
    assert trust["Principal"] == {"Federated": PROVIDER}
    assert trust["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": [
                "repo:acme/guestbook:ref:refs/heads/main",
                "repo:acme/guestbook:ref:refs/heads/next",
            ],
        }
    }


def test_a_branch_pattern_loosens_the_subject_and_not_the_audience() -> None:
    subjects = oidc.build_job_subjects(oidc.GITLAB, "acme/web/guestbook", branches=["main", "release/*"])
    assert only(build_oidc_trust(PROVIDER, oidc.GITLAB, subjects))["Condition"] == {
        "StringEquals": {"gitlab.com:aud": "https://gitlab.com"},
        "StringLike": {
            "gitlab.com:sub": [
                "project_path:acme/web/guestbook:ref_type:branch:ref:main",
                "project_path:acme/web/guestbook:ref_type:branch:ref:release/*",
            ]
        },
    }


@pytest.mark.parametrize(
    ("issuer", "repository", "subjects"),
    [
        (oidc.GITHUB, "acme/platform", ["repo:acme/platform:pull_request"]),
        (oidc.GITHUB, "acme@12/platform@34", ["repo:acme@12/platform@34:pull_request"]),
        (oidc.GITLAB, "acme/web/platform", ["project_path:acme/web/platform:ref_type:branch:ref:*"]),
    ],
)
def test_a_previewer_is_a_job_for_a_proposal(issuer: oidc.OidcIssuer, repository: str, subjects: list[str]) -> None:
    assert oidc.build_proposal_subjects(issuer, repository) == subjects


@pytest.mark.parametrize(
    ("issuer", "repository", "branch", "finding"),
    [
        (
            oidc.GITHUB,
            "acme/*",
            "main",
            "github: found 'acme/*'; needs a GitHub repository: OWNER/NAME, or OWNER@ID/NAME@ID",
        ),
        (
            oidc.GITHUB,
            "acme/guestbook:pull_request",
            "main",
            "github: found 'acme/guestbook:pull_request'; needs a GitHub repository: OWNER/NAME, or OWNER@ID/NAME@ID",
        ),
        (oidc.GITLAB, "acme", "main", "gitlab: found 'acme'; needs a GitLab project: GROUP/NAME, groups may nest"),
        (oidc.GITHUB, "acme/guestbook", "", f"acme/guestbook: branch: found ''; {REF}"),
        (oidc.GITHUB, "acme/guestbook", "a:b", f"acme/guestbook: branch: found 'a:b'; {REF}"),
    ],
)
def test_names_that_could_mean_more_are_refused(
    issuer: oidc.OidcIssuer, repository: str, branch: str, finding: str
) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        oidc.build_job_subjects(issuer, repository, branches=[branch])
    assert refused.value.findings == (finding,)


def test_a_publisher_writes_to_its_repositories_alone() -> None:
    policy = by_sid(ci_policies.build_publisher_policy([REPOSITORY]))
    assert policy["LogIn"]["Action"] == ["ecr:GetAuthorizationToken"]
    assert policy["Push"]["Resource"] == [REPOSITORY]
    assert "ecr:PutImage" in policy["Push"]["Action"]


def test_a_previewer_writes_nothing() -> None:
    document = ci_policies.build_previewer_policy(
        read_secret_arns=["arn:a"], known_secret_arns=["arn:b"], state_bucket_arn="arn:c", state_key_arn="arn:d"
    )
    verbs = {action.split(":")[1] for statement in document["Statement"] for action in statement["Action"]}
    assert {verb for verb in verbs if not verb.startswith(("Describe", "Get", "List"))} == {"Decrypt"}
    policy = by_sid(document)
    assert policy["OpenSecrets"]["Resource"] == ["arn:a"]
    assert policy["KnowSecrets"]["Resource"] == ["arn:a", "arn:b"]
    assert policy["ListState"]["Resource"] == ["arn:c"]
    assert policy["ReadState"]["Resource"] == ["arn:c/*"]
    assert (policy["OpenState"]["Action"], policy["OpenState"]["Resource"]) == (["kms:Decrypt"], ["arn:d"])


def test_a_previewer_without_extras_reads_descriptions_alone() -> None:
    sids = set(by_sid(ci_policies.build_previewer_policy()))
    assert sids == {"ReadNetwork", "ReadCluster", "ReadInterruptions", "ReadRegistry", "ReadAccess"}


def test_external_dns_changes_named_zones_alone() -> None:
    policy = by_sid(pod_policies.build_external_dns_policy(AccountRegion("123456789012", "cn-north-1"), ["Z1", "Z2"]))
    assert policy["ChangeRecords"]["Action"] == ["route53:ChangeResourceRecordSets"]
    assert policy["ChangeRecords"]["Resource"] == [
        "arn:aws-cn:route53:::hostedzone/Z1",
        "arn:aws-cn:route53:::hostedzone/Z2",
    ]


def test_flow_logs_cannot_bring_their_group_back() -> None:
    policy = by_sid(network_policies.build_flow_log_policy("arn:group"))
    assert policy["Write"]["Resource"] == ["arn:group", "arn:group:*"]
    assert not [one for statement in policy.values() for one in statement["Action"] if one == "logs:CreateLogGroup"]


def test_load_balancers_of_other_clusters_are_out_of_reach() -> None:
    policy = by_sid(load_balancer_policy.build_load_balancer_policy(ACCOUNT, "acme-dev"))
    own, new = "aws:ResourceTag/elbv2.k8s.aws/cluster", "aws:RequestTag/elbv2.k8s.aws/cluster"
    tied = {
        sid: key
        for sid, statement in policy.items()
        for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
        if value == "acme-dev"
    }
    assert tied == {
        "TagNewGroups": new,
        "TagOwnGroups": own,
        "DeleteOwnGroups": own,
        "Create": new,
        "TagNew": new,
        "TagOwn": own,
        "Own": own,
    }
    assert policy["TagOwn"]["Condition"]["Null"] == {new: "true"}
    assert "elasticloadbalancing:DeleteLoadBalancer" in policy["Own"]["Action"]


def test_readers_of_a_repository_are_accounts_and_an_organisation() -> None:
    policy = by_sid(registry_policies.build_pull_policy(ACCOUNT, ["210987654321"], "o-abc123defg"))
    assert policy["PullFromAccounts"]["Principal"] == {"AWS": ["arn:aws:iam::210987654321:root"]}
    assert policy["PullFromOrganization"]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-abc123defg"}}
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    assert [statement["Action"] for statement in policy.values()] == [pull, pull]
    assert not [statement for statement in policy.values() if "Resource" in statement]  # ECR refuses one


def test_readers_fill_the_caches_of_the_registry() -> None:
    statement = only(registry_policies.build_registry_policy(ACCOUNT, ["210987654321"], None, ["dev/quay"]))
    assert statement["Action"] == ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]
    assert statement["Resource"] == ["arn:aws:ecr:eu-west-1:123456789012:repository/dev/quay/*"]


def test_nodes_fill_the_caches_of_their_stack() -> None:
    statement = only(registry_policies.build_cache_pull_policy(ACCOUNT, ["dev/quay", "dev/github"]))
    assert statement["Action"] == ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository", "ecr:TagResource"]
    assert statement["Resource"] == [
        "arn:aws:ecr:eu-west-1:123456789012:repository/dev/quay/*",
        "arn:aws:ecr:eu-west-1:123456789012:repository/dev/github/*",
    ]


def test_templates_use_a_key_when_there_is_one() -> None:
    assert set(by_sid(registry_policies.build_template_policy(ACCOUNT, ["dev/quay"]))) == {"MakeRepositories"}
    with_key = by_sid(registry_policies.build_template_policy(ACCOUNT, ["dev/quay"], "arn:key"))
    assert with_key["UseKey"]["Resource"] == ["arn:key"]


def test_the_same_document_is_the_same_text() -> None:
    document = build_registry_trust()
    assert render_document(document) == render_document(build_registry_trust())
    assert render_document(document).startswith('{"Version":"2012-10-17","Statement":[{"Sid":"Service"')
