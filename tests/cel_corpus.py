"""Rules in CEL with values that kube-apiserver accepts or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitops_stack.gitops_tree.yaml_text import load_documents
from tests.cases import FIXTURES

GROUP = "rules.example.org"


@dataclass(frozen=True)
class RuleCase:
    """One value under the rules of a schema; ``refused`` is what kube-apiserver does."""

    number: int
    schema: dict[str, Any]
    value: Any
    refused: bool

    @property
    def manifest(self) -> dict[str, Any]:
        """The object whose spec the value is."""
        kind = f"Rule{self.number}"
        return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": "a"}, "spec": self.value}

    def __str__(self) -> str:
        return f"{self.number}: {self.value}"


def load_rule_cases() -> Iterator[RuleCase]:
    """Yield every value of every schema."""
    for number, found in enumerate(load_documents((FIXTURES / "cel_rules.yaml").read_text(encoding="utf-8"))[0]):
        for key in ("accepted", "refused"):
            for value in found[key]:
                yield RuleCase(number, found["schema"], value, key == "refused")


def build_rule_definition(number: int, schema: dict[str, Any]) -> dict[str, Any]:
    """Build the CRD of a schema."""
    root = {"type": "object", "properties": {"spec": schema}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}
    names = {"kind": f"Rule{number}", "plural": f"rule{number}s", "singular": f"rule{number}"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"rule{number}s.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Cluster", "names": names, "versions": [version]},
    }
