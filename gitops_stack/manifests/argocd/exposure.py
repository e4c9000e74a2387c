"""What leads to argocd-server from outside, as objects that root syncs last.

They are no part of the installation: `pulumi up` would wait for an address that only a controller gives, and that
controller may be one of the applications.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from gitops_stack.manifests import Manifest
from gitops_stack.manifests.argocd.patch import Patch
from gitops_stack.settings import ArgoCDSettings
from gitops_stack.settings.argocd.exposure import AlbSettings, GatewaySettings, NginxSettings, NlbSettings

_SERVER = "argocd-server"
_ALB, _NLB = "alb.ingress.kubernetes.io", "service.beta.kubernetes.io/aws-load-balancer"
_GRPC_SERVICE = "argocd-server-grpc"
# Auto Mode serves classes of its own and makes no IngressClass. Of the annotations of the load balancer controller it
# does not take the type of an NLB and the group of an ALB (EKS user guide, "Create an IngressClass to configure an
# Application Load Balancer" and "Use Service Annotations to configure Network Load Balancers").
_AUTO_MODE = "eks.amazonaws.com"
_AUTO_MODE_CLASS = "argocd"
# Not grpc.health.v1: argocd-server answers it with 16 without a session (argo-cd#26193). 12 says that gRPC is served.
_GRPC_HEALTH = "/AWS.ALB/healthcheck"


def build_exposure(argocd: ArgoCDSettings, *, auto_mode: bool = False) -> Iterator[Manifest]:
    """Yield the objects without their namespace, which is Argo CD's.

    ``auto_mode`` is whether EKS Auto Mode makes the load balancers, in place of the AWS load balancer controller.
    """
    exposure = argocd.exposure
    if exposure is None:
        return
    host = urlsplit(argocd.url or "").hostname or ""
    if exposure.alb:
        yield from _alb(exposure.alb, host, auto_mode=auto_mode)
    elif exposure.nlb:
        yield _nlb(exposure.nlb, host, auto_mode=auto_mode)
    elif exposure.nginx:
        yield from _nginx(exposure.nginx, host)
    elif exposure.gateway:
        yield from _gateway(exposure.gateway, host)


def build_exposure_parameters(argocd: ArgoCDSettings) -> dict[str, str]:
    """Build the parameters a way in needs: behind a Gateway that ends TLS, argocd-server speaks plain HTTP."""
    return {"server.insecure": "true"} if argocd.exposure and argocd.exposure.gateway else {}


def build_exposure_patches(argocd: ArgoCDSettings) -> Iterator[Patch]:
    """Yield the patch that tells a Gateway of HTTP/2 without TLS on the port of gRPC."""
    if argocd.exposure and argocd.exposure.gateway:
        # kustomize merges ports by number and protocol.
        port = {"port": 443, "protocol": "TCP", "name": "https", "appProtocol": "kubernetes.io/h2c"}
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": _SERVER}, "spec": {"ports": [port]}}
        yield Patch("gateway-server", body)


def _alb(alb: AlbSettings, host: str, *, auto_mode: bool) -> Iterator[Manifest]:
    if auto_mode:
        yield from _auto_mode_class(alb)
    # The health check of gRPC stands on its Service: on the Ingress it would be for both target groups (argo-cd#14916).
    yield _service(
        _GRPC_SERVICE,
        {
            f"{_ALB}/backend-protocol-version": "GRPC",
            f"{_ALB}/healthcheck-protocol": "HTTPS",
            f"{_ALB}/healthcheck-path": _GRPC_HEALTH,
            f"{_ALB}/success-codes": "12",
        },
        {"ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 8080}]},
    )
    is_grpc = {
        "field": "http-header",
        "httpHeaderConfig": {"httpHeaderName": "Content-Type", "values": ["application/grpc"]},
    }
    annotations = {
        f"{_ALB}/scheme": alb.scheme,
        f"{_ALB}/target-type": "ip",
        f"{_ALB}/listen-ports": json.dumps([{"HTTPS": 443}]),
        f"{_ALB}/backend-protocol": "HTTPS",
        f"{_ALB}/healthcheck-protocol": "HTTPS",
        f"{_ALB}/healthcheck-path": "/healthz",
        f"{_ALB}/conditions.{_GRPC_SERVICE}": json.dumps([is_grpc]),
        **({f"{_ALB}/certificate-arn": alb.certificate_arn} if alb.certificate_arn else {}),
        **({f"{_ALB}/group.name": alb.group} if alb.group and not auto_mode else {}),
        **({f"{_ALB}/inbound-cidrs": ",".join(alb.inbound_cidrs)} if alb.inbound_cidrs else {}),
    }
    # The rule for gRPC comes first: rules are made in the order of the paths.
    yield _ingress(_SERVER, annotations, _AUTO_MODE_CLASS if auto_mode else "alb", host, [_GRPC_SERVICE, _SERVER])


def _auto_mode_class(alb: AlbSettings) -> Iterator[Manifest]:
    name = {"metadata": {"name": _AUTO_MODE_CLASS}}
    group = {"group": {"name": alb.group}} if alb.group else {}
    yield {
        "apiVersion": f"{_AUTO_MODE}/v1", "kind": "IngressClassParams", **name, "spec": {"scheme": alb.scheme, **group}
    }  # fmt: skip
    parameters = {"apiGroup": _AUTO_MODE, "kind": "IngressClassParams", "name": _AUTO_MODE_CLASS}
    spec = {"controller": f"{_AUTO_MODE}/alb", "parameters": parameters}
    yield {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", **name, "spec": spec}


def _nlb(nlb: NlbSettings, host: str, *, auto_mode: bool) -> Manifest:
    annotations = {
        **({} if auto_mode else {f"{_NLB}-type": "external"}),
        f"{_NLB}-nlb-target-type": "ip",
        f"{_NLB}-scheme": nlb.scheme,
        "external-dns.alpha.kubernetes.io/hostname": host,
    }
    if nlb.certificate_arn:
        annotations |= {
            f"{_NLB}-ssl-cert": nlb.certificate_arn,
            f"{_NLB}-ssl-ports": "443",
            f"{_NLB}-backend-protocol": "ssl",
            f"{_NLB}-alpn-policy": "HTTP2Preferred",
        }
    spec: dict[str, Any] = {
        "type": "LoadBalancer",
        "loadBalancerClass": f"{_AUTO_MODE}/nlb" if auto_mode else "service.k8s.aws/nlb",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 8080}],
    }
    if nlb.inbound_cidrs:
        spec["loadBalancerSourceRanges"] = list(nlb.inbound_cidrs)
    return _service(f"{_SERVER}-nlb", annotations, spec)


def _nginx(nginx: NginxSettings, host: str) -> Iterator[Manifest]:
    prefix = "nginx.ingress.kubernetes.io"
    web = {f"{prefix}/backend-protocol": "HTTPS", f"{prefix}/force-ssl-redirect": "true"}
    yield _ingress(_SERVER, web, nginx.class_name, host, [_SERVER], nginx.tls_secret)
    if nginx.grpc_host:
        grpc = {f"{prefix}/backend-protocol": "GRPCS"}
        yield _ingress(_GRPC_SERVICE, grpc, nginx.class_name, nginx.grpc_host, [_SERVER], nginx.tls_secret)


def _gateway(gateway: GatewaySettings, host: str) -> Iterator[Manifest]:
    parent = {"name": gateway.name, "namespace": gateway.namespace}
    parent |= {"sectionName": gateway.section} if gateway.section else {}
    routes = [("HTTPRoute", _SERVER, host, 80)]
    if gateway.grpc_host:
        routes.append(("GRPCRoute", _GRPC_SERVICE, gateway.grpc_host, 443))
    for kind, name, hostname, port in routes:
        yield {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": {
                "parentRefs": [parent],
                "hostnames": [hostname],
                "rules": [{"backendRefs": [{"name": _SERVER, "port": port}]}],
            },
        }


def _service(name: str, annotations: dict[str, str], spec: dict[str, Any]) -> Manifest:
    selector = {"selector": {"app.kubernetes.io/name": _SERVER}}
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {**spec, **selector}}


def _ingress(
    name: str, annotations: dict[str, str], class_name: str, host: str, services: list[str], secret: str | None = None
) -> Manifest:
    paths = [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 443}}}}
        for service in services
    ]
    tls = {"hosts": [host], **({"secretName": secret} if secret else {})}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"ingressClassName": class_name, "rules": [{"host": host, "http": {"paths": paths}}], "tls": [tls]},
    }
