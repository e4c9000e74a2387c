"""CRDs without their schemas, which are most of Argo CD's manifests by size."""

from __future__ import annotations

from gitops_stack.manifests import Manifest


def open_schema(manifest: Manifest) -> Manifest:
    """Return a CRD whose versions accept anything; other objects as they are.

    The schemas are three quarters of the bytes the engine would move and store on every run; Argo CD's first sync,
    under the same field manager, applies the full ones.
    """
    if manifest["kind"] != "CustomResourceDefinition":
        return manifest
    # Built anew around the schemas and not copied: they are 1.5 MB, at every run.
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{**version, "schema": schema} for version in manifest["spec"]["versions"]]
    return {**manifest, "spec": {**manifest["spec"], "versions": versions}}
