"""What Argo CD thinks of kinds of resources: health, differences it ignores, and kinds it does not look at."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gitops_stack.settings.types import UNIQUE, Settings, matching

ResourceKind = Annotated[
    str,
    matching(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Z][A-Za-z0-9]*|all", "GROUP/KIND, KIND of the core group, or all"),
]
JsonPointer = Annotated[str, matching(r"(/[^/\s]*)+", "a JSON pointer such as /spec/replicas")]
ApiGroup = Annotated[str, matching(r"[a-z0-9*]([a-z0-9.*-]*[a-z0-9*])?|", "an API group; '' is the core group")]
Kind = Annotated[str, matching(r"[A-Z][A-Za-z0-9]*|\*", "a kind such as Deployment, or *")]
Pattern = Annotated[str, matching(r"\S+", "text without spaces")]


class IgnoredDifferencesSettings(Settings):
    """Fields of a kind that Argo CD does not compare."""

    json_pointers: Annotated[tuple[JsonPointer, ...], UNIQUE] = Field((), description="Fields by JSON pointer.")
    jq_path_expressions: tuple[str, ...] = Field((), description="Fields by jq path.")
    managed_fields_managers: Annotated[tuple[Pattern, ...], UNIQUE] = Field(
        (), description="Fields that these field managers own."
    )

    @model_validator(mode="after")
    def _something(self) -> IgnoredDifferencesSettings:
        if not (self.json_pointers or self.jq_path_expressions or self.managed_fields_managers):
            raise ValueError("needs at least one of jsonPointers, jqPathExpressions, managedFieldsManagers")
        return self


class ResourceCustomizationSettings(Settings):
    """One kind of resources."""

    health: str | None = Field(None, min_length=1, description="Lua that returns `{status, message}`.")
    ignore_differences: IgnoredDifferencesSettings | None = Field(None, description="What is not compared.")
    ignore_resource_updates: IgnoredDifferencesSettings | None = Field(
        None, description="Changes that do not have an application compared anew."
    )


class ResourceExclusionSettings(Settings):
    """Kinds that Argo CD neither watches nor shows."""

    api_groups: Annotated[tuple[ApiGroup, ...], UNIQUE] = Field(min_length=1, description="API groups.")
    kinds: Annotated[tuple[Kind, ...], UNIQUE] = Field(min_length=1, description="Kinds.")
    clusters: Annotated[tuple[Pattern, ...], UNIQUE] = Field((), description="Clusters by URL; default: all.")
