"""Register the guards of a component: what is judged before its first write and before its first deletion.

The judgement is in ``gitops_stack.guard``; here is what each guard is told.
"""

from __future__ import annotations

import atexit
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.dynamic import Resource
from pulumi.resource import DependencyProviderResource

from gitops_stack.components.clearance import clear_cluster, clear_facts, open_question
from gitops_stack.components.ordering import Registered as RegisteredResource
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.object_reference import reference
from gitops_stack.guard.providers import ClusterGuard, StackGuard, TeardownGuard
from gitops_stack.guard.registered import Registered
from gitops_stack.manifests import Manifest

_KUBERNETES = "kubernetes:core/v1:Namespace"
_MINUTES_FOR_ROOT = 15
_CONNECTIONS: WeakKeyDictionary[pulumi.ProviderResource, dict[str, pulumi.Input[str] | None]] = WeakKeyDictionary()


class StackGuardResource(Resource, module="gitops-stack", name="StackGuard"):
    """Refuses settings that would replace a cluster, or make one nobody reaches; everything of the stack waits for it.

    ``facts`` are kept. ``unreachable`` is why nobody would reach a cluster that is made now, by the name of the reason.
    """

    cleared: list[RegisteredResource]
    """Itself for `depends_on`, once this run was judged."""

    def __init__(
        self,
        name: str,
        facts: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
        *,
        unreachable: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        inputs = {**facts, **unreachable, "dryRun": pulumi.runtime.is_dry_run()}
        super().__init__(StackGuard(), name, inputs, opts)
        self.cleared = clear_facts(self, facts)


class ClusterGuardResource(Resource, module="gitops-stack", name="ClusterGuard"):
    """Refuses a cluster that is another's, and claims it; all objects of a component wait for it."""

    cluster: pulumi.Output[str]
    restored: pulumi.Output[dict[str, str]]
    cleared: list[RegisteredResource]
    """Itself for `depends_on`, once this run was judged."""

    def __init__(
        self,
        name: str,
        component: pulumi.ComponentResource,
        namespace: str,
        registered: Iterable[Registered],
        depends_on: Sequence[pulumi.Resource] = (),
        *,
        take_over: str = "",
        source: str = "",
        root: str = "",
        tree: str | None = None,
        manifests: Sequence[Manifest] = (),
        definitions: Sequence[Manifest] = (),
        remains: Iterable[Registered] = (),
        releases: bool = True,
    ) -> None:
        inputs: dict[str, Any] = {
            **_build_connection(component),
            "project": pulumi.get_project(),
            "stack": pulumi.get_stack(),
            "namespace": namespace,
            "takeOver": take_over,
            "source": source,
            "root": root,
            "releases": releases,
            "component": component.pulumi_resource_name if releases else "",
            "tree": str(Path(tree).absolute()) if tree else None,
            "manifests": _write_manifests(manifests) if manifests and not tree else None,
            "dryRun": pulumi.runtime.is_dry_run(),
            "registered": [one.to_input() for one in registered],
            "definitions": list(definitions),
            "remains": [one.to_input() for one in remains],
            "question": open_question(),
            "cluster": None,
            "address": None,
            "restored": None,
        }
        options = pulumi.ResourceOptions(parent=component, depends_on=list(depends_on))
        super().__init__(ClusterGuard(), name, dict(inputs), options)
        self.cleared = clear_cluster(self, inputs)

    def build_trigger(self, manifest: Manifest) -> pulumi.Output[str]:
        """Build the replacement trigger of an object: it changes when the object was found missing."""
        key = reference(manifest).text
        return self.restored.apply(lambda found: (found or {}).get(key, "0"))


class TeardownGuardResource(Resource, module="gitops-stack", name="TeardownGuard"):
    """Deleted before everything it depends on: refuses a destroy that would hang, and ends root."""

    def __init__(
        self,
        name: str,
        component: pulumi.ComponentResource,
        namespace: str,
        guard: ClusterGuardResource,
        depends_on: Sequence[pulumi.Resource],
        root: str = "",
    ) -> None:
        inputs: dict[str, Any] = {
            **_build_connection(component),
            "project": pulumi.get_project(),
            "stack": pulumi.get_stack(),
            "namespace": namespace,
            "cluster": guard.cluster,
            "root": root,
            "limitSeconds": str(_MINUTES_FOR_ROOT * 60),
        }
        options = pulumi.ResourceOptions(parent=component, depends_on=list(depends_on))
        super().__init__(TeardownGuard(), name, inputs, options)


def build_registered(manifests: Iterable[Manifest], *, handed_over: bool) -> list[Registered]:
    """Build what a guard looks for."""
    return [Registered(reference(manifest), handed_over) for manifest in manifests]


def _write_manifests(manifests: Sequence[Manifest]) -> str:
    """Write what would be installed where the guard, in the plugin's process, reads it; gone with the program."""
    descriptor, name = tempfile.mkstemp(prefix="gitops-stack-", suffix=".json")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(list(manifests), file)
    atexit.register(Path(name).unlink, missing_ok=True)
    return name


def remember_connection(
    provider: pulumi.ProviderResource, kubeconfig: pulumi.Input[str] | None, context: pulumi.Input[str] | None
) -> None:
    """Note how ``provider`` reaches its cluster: in a preview Pulumi does not tell what was left out from unknown."""
    _CONNECTIONS[provider] = {"kubeconfig": kubeconfig, "context": context}


def _build_connection(component: pulumi.ComponentResource) -> dict[str, pulumi.Input[str] | None]:
    """Return how the component's Kubernetes provider reaches its cluster: kubeconfig, context, name of a cluster in it.

    Secret in the state, since a content may carry a login.
    """
    provider = component.get_provider(_KUBERNETES)
    if provider is None:
        ambient = pulumi.Config("kubernetes")
        return {
            "kubeconfig": ambient.get_secret("kubeconfig"),
            "context": ambient.get("context"),
            "clusterEntry": ambient.get("cluster"),
        }
    if isinstance(provider, DependencyProviderResource):
        # Taken for no kubeconfig, the guard would look at whatever cluster is the default one here.
        raise GitOpsStackError(
            Problem(
                "found a provider of a program in another language, whose kubeconfig cannot be read from here",
                "give the component kubeconfig and context instead of the provider",
                component.pulumi_resource_name,
            )
        )
    if provider in _CONNECTIONS:
        return dict(_CONNECTIONS[provider])
    configured = vars(provider)
    kubeconfig = configured.get("kubeconfig")
    return {
        "kubeconfig": pulumi.Output.secret(kubeconfig) if kubeconfig is not None else None,
        "context": configured.get("context"),
        "clusterEntry": configured.get("cluster"),
        "rendersTo": configured.get("render_yaml_to_directory"),  # then there is no cluster to look at
    }
