"""The role by which an Argo CD of another cluster enters this one."""

import pulumi

from gitops_stack.aws_plan.trust_policies import build_hub_trust
from gitops_stack.components.aws_account import RoleArgs
from gitops_stack.components.roles import RoleOptions, register_role


class HubAccessArgs(RoleArgs):
    """Who may take the role."""

    hub_role_arn: pulumi.Input[str]
    """Role of the hub's Argo CD, `role_arns["argocd"]` of its `PodIdentity`. IAM refuses one that is not there."""


class HubAccess(pulumi.ComponentResource):
    """A role without policies, for an access entry of the cluster: what it may do there is the entry's to say."""

    role_arn: pulumi.Output[str]
    """What the access entry and the hub's cluster Secret name."""

    def __init__(self, name: str, args: HubAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:HubAccess", name, {}, opts)
        trust = pulumi.Output.from_input(args["hub_role_arn"]).apply(build_hub_trust)
        role = register_role(f"{name}-role", "Argo CD of another cluster", trust, self, options=RoleOptions.of(args))
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})
