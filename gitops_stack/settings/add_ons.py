"""The AWS side of add-ons that Git deploys: roles by EKS Pod Identity."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gitops_stack.settings.types import UNIQUE, DnsLabel, KmsKeyArn, Settings, matching

SecretArn = Annotated[
    str,
    matching(
        r"arn:aws(-[a-z]+)*:secretsmanager:[a-z0-9-]+:\d{12}:secret:(?!\*)[\w/+=.@*-]{1,519}",
        "the ARN of secrets: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, '*' not at its beginning",
    ),
]
HostedZoneId = Annotated[str, matching(r"Z[A-Z0-9]{1,31}", "the id of a Route 53 hosted zone: Z…")]


class ExternalSecretsSettings(Settings):
    """The external-secrets operator."""

    namespace: DnsLabel = Field("external-secrets", description="Its namespace.")
    service_account: DnsLabel = Field("external-secrets", description="Its service account.")
    secrets: tuple[SecretArn, ...] = Field(min_length=1, description="What it may read.")
    key_arns: Annotated[tuple[KmsKeyArn, ...], UNIQUE] = Field(
        (), description="KMS keys of these secrets; default: the account's own for Secrets Manager."
    )


class LoadBalancerControllerSettings(Settings):
    """The AWS load balancer controller; Auto Mode has its own."""

    namespace: DnsLabel = Field("kube-system", description="Its namespace.")
    service_account: DnsLabel = Field("aws-load-balancer-controller", description="Its service account.")


class ExternalDnsSettings(Settings):
    """external-dns."""

    namespace: DnsLabel = Field("external-dns", description="Its namespace.")
    service_account: DnsLabel = Field("external-dns", description="Its service account.")
    hosted_zone_ids: tuple[HostedZoneId, ...] = Field(min_length=1, description="Zones it may write to.")


class ClusterAutoscalerSettings(Settings):
    """cluster-autoscaler, for node groups; Auto Mode makes nodes by itself."""

    namespace: DnsLabel = Field("kube-system", description="Its namespace.")
    service_account: DnsLabel = Field("cluster-autoscaler", description="Its service account.")


class KarpenterSettings(Settings):
    """Karpenter, beside a node group it runs on; Auto Mode has it inside."""

    namespace: DnsLabel = Field("kube-system", description="Its namespace.")
    service_account: DnsLabel = Field("karpenter", description="Its service account.")


class AddOnSettings(Settings):
    """Add-ons that get a role; none unless listed."""

    external_secrets: ExternalSecretsSettings | None = Field(None, description="external-secrets.")
    load_balancer_controller: LoadBalancerControllerSettings | None = Field(
        None, description="AWS load balancer controller."
    )
    external_dns: ExternalDnsSettings | None = Field(None, description="external-dns.")
    cluster_autoscaler: ClusterAutoscalerSettings | None = Field(None, description="cluster-autoscaler.")
    karpenter: KarpenterSettings | None = Field(
        None, description="Karpenter: roles, access entry, interruption queue, and the tag it finds subnets by."
    )
