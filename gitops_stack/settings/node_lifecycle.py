"""How nodes of a group are exchanged, repaired and kept free: updates, repair, taints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from gitops_stack.settings.types import Flag, SettingError, Settings, matching

# EKS API model, taint: 63 characters each. Kubernetes' form of a label's key and value.
TaintKey = Annotated[
    str,
    matching(
        r"(?=.{1,63}\Z)([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?",
        "a key as labels have, of at most 63 characters",
    ),
]
TaintValue = Annotated[
    str, matching(r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", "a value as labels have, of at most 63 characters")
]
TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
MOST_TAINTS = 50  # EKS service quotas, "Taints per managed node group"
Nodes = Annotated[int, Strict()]


class TaintSettings(Settings):
    """A taint of the nodes: pods that do not tolerate it stay away."""

    key: TaintKey = Field(description="Its key.")
    value: TaintValue = Field("", description="Its value.")
    effect: TaintEffect = Field(description="What it does to pods without a toleration.")


class NodeUpdateSettings(Settings):
    """How nodes are exchanged for newer ones."""

    max_unavailable: Nodes | None = Field(None, ge=1, le=100, description="Nodes exchanged at once.")
    max_unavailable_percentage: Nodes | None = Field(
        None, ge=1, le=100, description="The same in percent; default: 33, unless maxUnavailable is set."
    )
    strategy: Literal["default", "minimal"] = Field(
        "default", description="default: new nodes first; minimal: old ones go first, where capacity is scarce."
    )
    force: Flag = Field(False, description="Go on when a PodDisruptionBudget keeps a node from draining.")

    @model_validator(mode="after")
    def _one_measure(self) -> NodeUpdateSettings:
        if self.max_unavailable is not None and self.max_unavailable_percentage is not None:
            needs = "needs to be left out beside maxUnavailable: EKS takes one of them"
            raise SettingError("maxUnavailablePercentage", self.max_unavailable_percentage, needs)
        return self
