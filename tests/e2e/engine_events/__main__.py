"""Fifteen resources whose preview shows what $SCENE says; recorded by test_engine_events.py."""

from __future__ import annotations

import os
from typing import Any

import pulumi

SCENE = os.environ["SCENE"]


def component(noun: str, name: str, parent: pulumi.Resource | None = None) -> pulumi.ComponentResource:
    return pulumi.ComponentResource(f"gitops-stack:index:{noun}", name, None, pulumi.ResourceOptions(parent=parent))


def resource(
    kind: str, name: str, inputs: dict[str, Any], parent: pulumi.Resource, depends_on: pulumi.Resource | None = None
) -> pulumi.CustomResource:
    options = pulumi.ResourceOptions(parent=parent, depends_on=depends_on)
    return pulumi.CustomResource(kind, name, inputs, options)


def kubernetes(
    kind: str, name: str, body: dict[str, Any], parent: pulumi.Resource, depends_on: pulumi.Resource | None = None
) -> pulumi.CustomResource:
    version, _, noun = kind.rpartition(":")
    api = version.removeprefix("core/")
    metadata = {"name": name.rpartition("/")[2], "namespace": "argocd"}
    inputs = {"apiVersion": api, "kind": noun, "metadata": metadata, **body}
    return resource(f"kubernetes:{kind}", name, inputs, parent, depends_on)


stack = component("GitOpsStack", "gitops-stack")
network, registry = component("Network", "network", stack), component("ContainerRegistry", "registry", stack)
argocd, apps = component("ArgoCD", "argocd", stack), component("AppOfApps", "app-of-apps", stack)

tags = {"gitops-stack:stack": "dev", **({"team": "platform"} if SCENE == "update" else {})}
cidr = "10.40.0.0/16" if SCENE == "replace" else "10.20.0.0/16"
vpc = resource("aws:ec2/vpc:Vpc", "vpc", {"cidrBlock": cidr, "enableDnsHostnames": True, "tags": tags}, network)
for index in range(2):
    subnet = {"vpcId": vpc.id, "cidrBlock": f"10.20.{index}.0/24", "tags": {"kubernetes.io/role/internal-elb": "1"}}
    resource("aws:ec2/subnet:Subnet", f"private-{index}", subnet, network)
if SCENE != "delete":
    encryption = [{"encryptionType": "KMS" if SCENE == "update" else "AES256"}]
    repository: dict[str, Any] = {
        "name": "guestbook",
        "forceDelete": SCENE == "update",
        "encryptionConfigurations": encryption,
    }
    repository["imageTagMutability"] = "IMMUTABLE_WITH_EXCLUSION"
    resource("aws:ecr/repository:Repository", "guestbook", repository, registry)

namespace = kubernetes("core/v1:Namespace", "argocd/argocd", {}, argocd)
for name in ("argocd-server", "argocd-repo-server"):
    image = f"quay.io/argoproj/argocd:{'v3.5.2' if SCENE == 'argocd-update' else 'v3.5.1'}"
    pod = {"spec": {"containers": [{"name": name, "image": image}]}}
    spec = {"replicas": 2 if SCENE == "argocd-update" else 1, "template": pod}
    kubernetes("apps/v1:Deployment", f"argocd/{name}", {"spec": spec}, argocd, namespace)
password = pulumi.Output.secret({"admin.password": f"hunter2-{'new' if SCENE == 'update' else 'old'}"})
kubernetes("core/v1:Secret", "argocd/argocd-secret", {"stringData": password}, argocd, namespace)
application = {"spec": {"project": "platform"}}
kubernetes("argoproj.io/v1alpha1:Application", "app-of-apps/root", application, apps)

if SCENE == "failing-program":
    raise pulumi.RunError("gitops/dev/apps/argocd.yaml: is missing; run `gitops-stack render --stack dev` and commit")
if SCENE == "crashing-program":
    outputs: dict[str, str] = {}
    pulumi.export("clusterName", outputs["clusterName"])
if SCENE == "failing-check":
    resource("aws:ec2/natGateway:NatGateway", "nat", {"forbidden": 7}, network)
if SCENE == "failing-provider":
    pulumi.export("account", pulumi.runtime.invoke("aws:index/unreachable:unreachable", {}).value)
if SCENE == "warning":
    pulumi.log.warn("the lock was made for v3.5.1", resource=stack)

region = "eu-west-1" if SCENE == "update" else "ap-northeast-1"
pulumi.export("clusterName", "acme-dev")
pulumi.export("ecrHost", f"123456789012.dkr.ecr.{region}.amazonaws.com")
