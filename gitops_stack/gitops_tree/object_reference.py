"""What names one object in a cluster, its version included."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_stack.gitops_tree.manifest_set import object_name
from gitops_stack.manifests import Manifest


@dataclass(frozen=True, order=True)
class ObjectReference:
    """One object in the cluster; ``namespace`` is empty for cluster-wide kinds."""

    group: str
    kind: str
    namespace: str
    name: str
    version: str

    @property
    def text(self) -> str:
        """The object as people write it."""
        return object_name((self.group, self.kind, self.namespace, self.name))


def reference(manifest: Manifest) -> ObjectReference:
    """Return the reference of a manifest."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    metadata = manifest["metadata"]
    return ObjectReference(group, manifest["kind"], metadata.get("namespace", ""), metadata["name"], version)
