"""Why Argo CD cannot enter another cluster, in plain words before its own."""

from __future__ import annotations

# Words of Argo CD 3.2 about a cluster whose Secret has `awsAuthConfig`: client-go's (plugin/pkg/client/auth/exec, and
# apimachinery's StatusReasonUnauthorized), and util/argo GetDestinationCluster's. The meanings are short enough to be
# left whole by :func:`gitops_stack.errors.shorten`, which keeps both ends.
_MEANINGS = (
    (
        "executable argocd-k8s-auth failed",
        "AWS gives Argo CD no token: the hub's policy and the cluster role's trust both need sts:AssumeRole and "
        "sts:TagSession",
    ),
    (
        "the server has asked for the client to provide credentials",
        "the cluster lets nobody in by this role: it needs an EKS access entry",
    ),
    (
        "Unauthorized",  # the same, where only the status code is left of it
        "the cluster lets nobody in by this role: it needs an EKS access entry",
    ),
    (
        "there are no clusters with this name",
        "the cluster is not registered: add it to `clusters` of the stack file, then run `pulumi up`",
    ),
)


def explain_login(message: str) -> str:
    """Return ``message`` of a condition or an operation, after what it means if it is about entering a cluster."""
    meanings = [meaning for words, meaning in _MEANINGS if words in message]
    return f"{meanings[0]} ({message})" if meanings else message
