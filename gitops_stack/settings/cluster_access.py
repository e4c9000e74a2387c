"""Who may use a cluster: EKS access entries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gitops_stack.settings.types import UNIQUE, DnsLabel, PrincipalArn, SettingError, Settings, matching

# EKS API reference, CreateAccessEntry: these beginnings are Kubernetes' and AWS's own.
KubernetesGroup = Annotated[
    str,
    matching(
        r"(?!(system|eks|aws|amazon|iam):)\S{1,253}",
        "the name of a group that does not begin with system:, eks:, aws:, amazon: or iam:",
    ),
]
AccessPolicy = Literal["ClusterAdmin", "Admin", "AdminView", "Edit", "View"]


class AccessPolicySettings(Settings):
    """One access policy of an entry, and where it holds."""

    policy: AccessPolicy = Field(description="EKS access policy.")
    namespaces: Annotated[tuple[DnsLabel, ...], UNIQUE] = Field(
        (), description="Where it holds; default: the whole cluster."
    )

    @model_validator(mode="after")
    def _scope_fits(self) -> AccessPolicySettings:
        if self.namespaces and self.policy == "ClusterAdmin":
            found = ", ".join(self.namespaces)
            raise SettingError("namespaces", found, "needs policy Admin: ClusterAdmin holds for the whole cluster")
        return self


class AccessSettings(Settings):
    """Who may use the cluster: one access entry, with access policies, Kubernetes groups or both."""

    principal_arn: PrincipalArn = Field(description="IAM role or user.")
    policy: AccessPolicy | None = Field(None, description="EKS access policy.")
    namespaces: Annotated[tuple[DnsLabel, ...], UNIQUE] = Field(
        (), description="Where it holds; default: the whole cluster."
    )
    policies: tuple[AccessPolicySettings, ...] = Field((), description="More of them, each with its own namespaces.")
    kubernetes_groups: Annotated[tuple[KubernetesGroup, ...], UNIQUE] = Field(
        (), description="Groups that RoleBindings in the cluster name."
    )

    @model_validator(mode="after")
    def _grants_something_once(self) -> AccessSettings:
        found = ", ".join(self.namespaces)
        if not (self.policy or self.policies or self.kubernetes_groups):
            raise ValueError("needs policy, policies or kubernetesGroups: what the principal may do")
        if self.namespaces and self.policy is None:
            raise SettingError("namespaces", found, "needs policy beside it; each of policies has its own")
        if self.namespaces and self.policy == "ClusterAdmin":
            raise SettingError("namespaces", found, "needs policy Admin: ClusterAdmin holds for the whole cluster")
        named = [one.policy for one in self.all_policies]
        if twice := [name for name in named if named.count(name) > 1]:
            raise SettingError("policies", twice[0], "needs every policy once: list its namespaces together")
        return self

    @property
    def all_policies(self) -> tuple[AccessPolicySettings, ...]:
        """Every access policy of the entry."""
        if self.policy is None:
            return self.policies
        single = {"policy": self.policy, "namespaces": self.namespaces}
        return (AccessPolicySettings.model_validate(single), *self.policies)
