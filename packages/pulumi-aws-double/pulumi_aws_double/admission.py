"""The caller's way into the lab's cluster, granted as late as EKS grants it.

An access entry with the policy ClusterAdmin is followed after some seconds. Until then the API server does not know the
caller (401: `aws_cli` hands out a token that nobody has); then it knows the caller and not yet the policy (403); then a
ClusterRoleBinding lets the caller in. That one is written by a process of its own, run as ``python -m
pulumi_aws_double.admission SECONDS``, because the provider may be killed meanwhile and EKS would not care.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Final

from lightkube import ApiError, Client
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.models.rbac_v1 import RoleRef, Subject
from lightkube.resources.rbac_authorization_v1 import ClusterRoleBinding

from pulumi_aws_double import lab_nodes
from pulumi_aws_double.aws_cli import ADMISSIONS
from pulumi_aws_double.servers import PYTHON_PATH
from pulumi_aws_double.session import AwsSession

CALLER: Final = "PULUMI_AWS_DOUBLE_CALLER"
"""The lab's user that the caller of EKS is; its token is in `tokens.csv` beside the kubeconfig."""
DELAYS: Final = "PULUMI_AWS_DOUBLE_EKS_ADMISSION"
"""Seconds until the caller is known, and until it is let in: `3,6`."""
_DEFAULT = "3,6"
_BINDING = "pulumi-aws-double:caller"
_GROUP = "rbac.authorization.k8s.io"
_NOT_FOUND = 404
POLICY: Final = "/AmazonEKSClusterAdminPolicy"


def admit(aws: AwsSession, identity: str) -> None:
    """Note that association ``identity`` (`<cluster>#…`) was made just now, and have it followed later."""
    if not os.environ.get(lab_nodes.KUBECONFIG) or not os.environ.get(CALLER):
        return
    known, allowed = map(float, (os.environ.get(DELAYS) or _DEFAULT).split(","))
    aws.store.put(ADMISSIONS, f"{aws.region}/{identity}", {"knownFrom": time.time() + known})
    subprocess.Popen(
        [sys.executable, "-m", "pulumi_aws_double.admission", str(allowed)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
    )


def dismiss(aws: AwsSession, identity: str) -> None:
    """Shut the caller out at once when its last association is gone."""
    if aws.store.remove(ADMISSIONS, f"{aws.region}/{identity}") is None or aws.store.list(ADMISSIONS):
        return
    lab_nodes.ask_lab(_unbind)


def bind() -> None:
    """Let the caller do everything."""
    binding = ClusterRoleBinding(
        metadata=ObjectMeta(name=_BINDING),
        roleRef=RoleRef(apiGroup=_GROUP, kind="ClusterRole", name="cluster-admin"),
        subjects=[Subject(kind="User", name=os.environ[CALLER], apiGroup=_GROUP)],
    )
    lab_nodes.ask_lab(lambda client: client.apply(binding, force=True))


def _unbind(client: Client) -> None:
    try:
        client.delete(ClusterRoleBinding, _BINDING)
    except ApiError as refused:
        if refused.status.code != _NOT_FOUND:
            raise


if __name__ == "__main__":
    time.sleep(float(sys.argv[1]))
    bind()
