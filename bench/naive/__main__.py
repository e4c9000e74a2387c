"""What one would write today: a namespace and one `kustomize.v2.Directory` over the same overlay."""

import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
provider = kubernetes.Provider("cluster", kubeconfig=config.require("kubeconfig"))
namespace = kubernetes.core.v1.Namespace(
    "argocd", metadata={"name": "argocd"}, opts=pulumi.ResourceOptions(provider=provider)
)
kubernetes.kustomize.v2.Directory(
    "argocd",
    directory=config.require("directory"),
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[namespace]),
)
