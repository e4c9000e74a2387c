"""What a rule says: one finding, and the rendered object it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.known_rules import BY_ID, Severity


def count_noun(count: int, noun: str) -> str:
    """Return the count with its noun, as in `1 error` and `2 errors`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


@dataclass(frozen=True, order=True)
class ObjectName:
    """What identifies an object in a cluster; ``namespace`` is empty for cluster-wide kinds."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}".lstrip("/") + " " + f"{self.namespace}/{self.name}".lstrip("/")


@dataclass(frozen=True)
class Finding:
    """One finding: where (``file``, ``object``, ``field``), what was ``found``, what is needed (``needs``).

    ``application`` and ``folder`` (the source's folder) say on whose behalf the file was read; both may be empty.
    ``line`` counts from 1, 0 when it is not known.
    """

    rule: str
    severity: Severity
    file: str
    object: ObjectName | None
    field: str
    found: str
    needs: str
    application: str = ""
    folder: str = ""
    line: int = 0

    @property
    def message(self) -> str:
        """What was found and what is needed, without the place."""
        return f"{self.found}; {self.needs}" if self.needs else self.found

    @property
    def sentence(self) -> str:
        """The whole finding in one sentence."""
        place = ": ".join(part for part in (self.file, str(self.object or ""), self.field) if part)
        return f"{place}: {self.message} [{self.rule}]" if place else f"{self.message} [{self.rule}]"

    @property
    def docs(self) -> str:
        """Where the rule is explained."""
        return "docs/checks.md#rules" if self.rule in BY_ID else "docs/checks.md#own-policies"

    def sort_key(self) -> tuple[str, str, str, str, str]:
        """Order by place, then rule."""
        return self.file, str(self.object or ""), self.field, self.rule, self.found


@dataclass(frozen=True)
class RenderedObject:
    """One rendered object. ``namespace`` is where it ends up: Argo CD fills in the destination's when it has none.

    ``file`` is relative to the project; ``application`` is empty for a folder that was named on the command line.
    """

    manifest: Manifest = field(repr=False)
    namespace: str
    file: str
    application: str = ""
    folder: str = ""
    varying: tuple[tuple[str | int, ...], ...] = ()
    """Fields that are other ones at every render, beside those that have a placeholder."""

    @cached_property
    def name(self) -> ObjectName:
        """Group, kind, namespace and name."""
        metadata = mapping(self.manifest.get("metadata"))
        return ObjectName(self.group, text(self.manifest.get("kind")), self.namespace, text(metadata.get("name")))

    @cached_property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return text(self.manifest.get("apiVersion")).rpartition("/")[0]

    @cached_property
    def kind(self) -> str:
        """The kind."""
        return self.name.kind

    @property
    def spec(self) -> Mapping[str, Any]:
        """The spec, empty when there is none."""
        return mapping(self.manifest.get("spec"))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata, empty when there are none."""
        return mapping(self.manifest.get("metadata"))

    @property
    def labels(self) -> Mapping[str, Any]:
        """The labels, empty when there are none."""
        return mapping(self.metadata.get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The annotations, empty when there are none."""
        return mapping(self.metadata.get("annotations"))

    def is_config_map(self, name: str, namespace: str | None = None) -> bool:
        """Tell whether it is the ConfigMap of this name, in any namespace unless one is given."""
        found = (self.group, self.kind, self.name.name) == ("", "ConfigMap", name)
        return found and namespace in (None, self.namespace)

    def finding(
        self, place: str, found: str, needs: str, *, rule: str = "", severity: Severity | None = None
    ) -> Finding:
        """Make a finding about this object; an own policy may leave out ``rule``: it is named after its function."""
        default = BY_ID[rule].default if rule in BY_ID else "error"
        used = severity or ("warning" if default == "off" else default)
        return Finding(rule, used, self.file, self.name, place, found, needs, self.application, self.folder)
