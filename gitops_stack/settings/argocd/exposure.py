"""How people reach Argo CD's server, and what Prometheus reads of Argo CD."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gitops_stack.settings.types import UNIQUE, DnsLabel, Flag, Settings, following, matching

Scheme = Literal["internal", "internet-facing"]
CertificateArn = Annotated[
    str,
    matching(
        r"arn:aws(-[a-z]+)*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}",
        "the ARN of a certificate of ACM: arn:aws:acm:REGION:ACCOUNT:certificate/ID",
    ),
]


def _check_network(value: str) -> str | None:
    try:
        written = str(IPv4Network(value))
    except ValueError:
        written = ""
    return None if written == value else "needs an IPv4 network such as 203.0.113.0/24"


Cidr = Annotated[str, following(_check_network)]
Host = Annotated[str, matching(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a host name such as grpc.argocd.example.com")]
LabelValue = Annotated[str, matching(r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", "the value of a label")]


class AlbSettings(Settings):
    """An Application Load Balancer, by the AWS load balancer controller: HTTPS and gRPC on one host."""

    certificate_arn: CertificateArn | None = Field(None, description="Default: the controller finds one for the host.")
    scheme: Scheme = Field("internal", description="internal, or internet-facing.")
    group: DnsLabel | None = Field(None, description="Ingress group, to share a load balancer.")
    inbound_cidrs: Annotated[tuple[Cidr, ...], UNIQUE] = Field((), description="Who may connect; default: everybody.")


class NlbSettings(Settings):
    """A Network Load Balancer, by the AWS load balancer controller."""

    certificate_arn: CertificateArn | None = Field(
        None, description="Default: TLS goes through to argocd-server (Secret argocd-server-tls)."
    )
    scheme: Scheme = Field("internal", description="internal, or internet-facing.")
    inbound_cidrs: Annotated[tuple[Cidr, ...], UNIQUE] = Field((), description="Who may connect; default: everybody.")


class NginxSettings(Settings):
    """ingress-nginx, which upstream archived in March 2026."""

    class_name: DnsLabel = Field("nginx", description="Ingress class.")
    tls_secret: DnsLabel = Field(description="Secret with the certificate.")
    grpc_host: Host | None = Field(None, description="A host of its own for the CLI; without it, `--grpc-web`.")


class GatewaySettings(Settings):
    """A Gateway that ends TLS; argocd-server then speaks plain HTTP."""

    name: DnsLabel = Field(description="The Gateway.")
    namespace: DnsLabel = Field(description="Its namespace.")
    section: DnsLabel | None = Field(None, description="Its listener.")
    grpc_host: Host | None = Field(None, description="A host of its own for the CLI; without it, `--grpc-web`.")


class ExposureSettings(Settings):
    """One way to reach argocd-server at the host of `argocd.url`."""

    alb: AlbSettings | None = Field(None, description="Application Load Balancer.")
    nlb: NlbSettings | None = Field(None, description="Network Load Balancer.")
    nginx: NginxSettings | None = Field(None, description="ingress-nginx.")
    gateway: GatewaySettings | None = Field(None, description="Gateway API.")

    @model_validator(mode="after")
    def _exactly_one(self) -> ExposureSettings:
        if sum(way is not None for way in (self.alb, self.nlb, self.nginx, self.gateway)) != 1:
            raise ValueError("needs exactly one of alb, nlb, nginx, gateway")
        return self


class MetricsSettings(Settings):
    """Objects of the Prometheus operator, which has to be there."""

    service_monitors: Flag = Field(False, description="A ServiceMonitor for each component.")
    alerts: Flag = Field(False, description="A PrometheusRule with the library's alerts.")
    labels: dict[str, LabelValue] = Field(
        default_factory=dict, description="Labels of both, by which Prometheus selects them."
    )
