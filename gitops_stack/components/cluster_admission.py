"""When an EKS cluster's kubeconfig is of use: once its access entries are effective. Part of ``eks_cluster``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_aws import eks

from gitops_stack.errors import GitOpsStackError


def hand_out_kubeconfig(
    name: str,
    kubeconfig: pulumi.Output[str],
    associations: Sequence[eks.AccessPolicyAssociation],
    doors: Sequence[pulumi.Output[str]],
) -> pulumi.Output[str]:
    """Hand out the kubeconfig of cluster ``name`` once new access entries are effective; in a preview nothing waits.

    ``doors`` are the rules of the private endpoint, which the wait may have to pass.
    """
    if pulumi.runtime.is_dry_run():
        return kubeconfig

    async def wait(found: Sequence[Any]) -> str:
        # Half a second of imports, which only an update that made an entry has to wait for.
        from gitops_stack.guard.admission import is_recent, wait_until_admitted  # noqa: PLC0415

        text, *rest = found
        if is_recent(rest[: len(associations)]):
            try:
                await asyncio.to_thread(wait_until_admitted, text, name)
            except GitOpsStackError as error:
                raise pulumi.RunError(str(error)) from None
        return str(text)

    return pulumi.Output.all(kubeconfig, *(one.associated_at for one in associations), *doors).apply(wait)
