"""Every policy document the package can build, by the name of who carries it."""

from __future__ import annotations

from gitops_stack.aws_plan import (
    boundary,
    ci_policies,
    key_policies,
    load_balancer_policy,
    network_policies,
    oidc,
    pod_policies,
    registry_policies,
    scaling_policies,
    state_policies,
    trust_policies,
    up_policies,
)
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, build_document

ID = "123456789012"
BOUNDARY = "boundary"
"""The one document that may allow more, since it grants nothing."""


def build_further(account: AccountRegion) -> Document:
    found = up_policies.build_further_policy(
        account,
        "dev",
        f"arn:{account.partition}:iam::{ID}:policy/gitops-stack/gitops-stack-boundary",
        role_path=f"/{'p' * 148}/",
        passed_arns=[f"arn:{account.partition}:iam::{ID}:role/platform/nodes"],
        karpenter=True,
        delivers_logs=True,
        scans=True,
    )
    assert found is not None
    return found


def build_all(account: AccountRegion) -> dict[str, Document]:
    partition = account.partition
    repository = account.arn("ecr", "repository/guestbook")
    key = account.arn("kms", "key/1")
    secret = account.secret_arn("acme/gitops-repo")
    state = state_policies.State(account, "dev", "acme-state", key, ("stage",))
    updating = up_policies.build_up_policies(
        state,
        f"arn:{partition}:iam::{ID}:policy/gitops-stack/gitops-stack-boundary",
        cluster_name="acme-dev",
        key_arns=[key],
        read_secret_arns=[secret],
        known_secret_arns=[account.secret_arn("ecr-pullthroughcache/ghcr.io")],
    )
    return {
        "flow logs trust": trust_policies.build_service_trust("vpc-flow-logs.amazonaws.com", account),
        "template trust": trust_policies.build_registry_trust(),
        "pod trust": trust_policies.build_pod_identity_trust(account.arn("eks", "cluster/acme"), "argocd", ["server"]),
        "github trust": trust_policies.build_oidc_trust(
            f"arn:{partition}:iam::{ID}:oidc-provider/token.actions.githubusercontent.com",
            oidc.GITHUB,
            oidc.build_job_subjects(oidc.GITHUB, "acme/guestbook", branches=["main", "release/*"]),
        ),
        "gitlab trust": trust_policies.build_oidc_trust(
            f"arn:{partition}:iam::{ID}:oidc-provider/gitlab.com",
            oidc.GITLAB,
            oidc.build_proposal_subjects(oidc.GITLAB, "acme/platform"),
        ),
        "hub trust": trust_policies.build_hub_trust(f"arn:{partition}:iam::{ID}:role/hub-argocd"),
        "pods on IPv6": network_policies.build_ipv6_pods_policy(account),
        "flow logs": network_policies.build_flow_log_policy(account.arn("logs", "log-group:flow-logs")),
        "publisher": ci_policies.build_publisher_policy([repository]),
        "previewer": ci_policies.build_previewer_policy(
            read_secret_arns=[secret],
            known_secret_arns=[account.arn("secretsmanager", "secret:ecr-pullthroughcache/*")],
            state_bucket_arn=f"arn:{partition}:s3:::acme-state",
            state_key_arn=key,
        ),
        "reading": ci_policies.build_reading_policy(),
        "previewing": build_document(*state_policies.allow_reading_state(state)),
        "state bucket": state_policies.build_bucket_policy(state),
        "state key": state_policies.build_state_key_policy(account),
        "further": build_further(account),
        **{f"up {name}": document for name, document in updating.items()},
        BOUNDARY: boundary.build_boundary(account),
        "hub": pod_policies.build_hub_policy([f"arn:{partition}:iam::210987654321:role/argocd-spoke"]),
        "external secrets": pod_policies.build_external_secrets_policy([secret], [key]),
        "external dns": pod_policies.build_external_dns_policy(account, ["Z0123456789ABCDEFGHIJ"]),
        "load balancers": load_balancer_policy.build_load_balancer_policy(account, "acme-dev"),
        "autoscaler": scaling_policies.build_autoscaler_policy(account, "acme-dev"),
        "karpenter": scaling_policies.build_karpenter_policy(
            account,
            "acme-dev",
            f"arn:{partition}:iam::{ID}:role/nodes",
            f"arn:{partition}:iam::{ID}:instance-profile/nodes",
            account.arn("sqs", "interruptions"),
        ),
        "interruptions": scaling_policies.build_interruption_policy(
            account.arn("sqs", "interruptions"), [account.arn("events", "rule/spot")]
        ),
        "secrets key": key_policies.build_secrets_key_policy(account),
        "pull": registry_policies.build_pull_policy(account, ["210987654321"], "o-abc123defg"),
        "registry": registry_policies.build_registry_policy(account, ["210987654321"], "o-abc123defg", ["dev/quay"]),
        "cache pull": registry_policies.build_cache_pull_policy(account, ["dev/quay"]),
        "template": registry_policies.build_template_policy(account, ["dev/quay"], key),
    }
