"""Cluster Secrets by the metadata contract: which keys a stack writes, and which of them ApplicationSets read.

The contract itself is :class:`gitops_stack.settings.ClusterMetadata`; its JSON Schema is committed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from gitops_stack import conventions
from gitops_stack.errors import Problem
from gitops_stack.manifests import Manifest
from gitops_stack.settings import ClusterMetadata, RegisteredClusterSettings, StackSettings
from gitops_stack.settings.cluster_metadata import LABELS

_OWN_LABELS = (conventions.SECRET_TYPE, conventions.PART_OF, "app.kubernetes.io/name")
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PATH = re.compile(r"(?<![\w.$])\$?\.?metadata\.(labels|annotations)\.([A-Za-z0-9][\w./-]*)")
_INDEX = re.compile(r"(?:index|get)\s+\$?\.metadata\.(labels|annotations)\s+[\"`]([^\"`]+)[\"`]")
# The generators whose templates read cluster Secrets, and those that combine others (ApplicationSet documentation).
_OF_CLUSTERS = ("clusters", "clusterDecisionResource")
_COMBINING = ("matrix", "merge")


def render_metadata_schema() -> str:
    """Render the JSON Schema of the contract."""
    schema = TypeAdapter(ClusterMetadata).json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2) + "\n"


def produced_keys(settings: StackSettings) -> frozenset[str]:
    """Return the keys of the contract that a stack produces, known from its settings alone."""
    keys = {"stack"}
    if settings.account is not None:
        keys |= {"region", "accountId", "ecrHost"}
    if settings.eks is not None:
        keys |= {"clusterName", "vpcId", "argocdRoleArn"}
    add_ons = settings.add_ons
    if add_ons is not None:
        named = {
            "externalSecretsRoleArn": add_ons.external_secrets,
            "loadBalancerControllerRoleArn": add_ons.load_balancer_controller,
            "externalDnsRoleArn": add_ons.external_dns,
        }
        keys |= {key for key, value in named.items() if value is not None}
        if add_ons.karpenter is not None:
            keys |= {"karpenterInstanceProfile", "karpenterQueue"}
    return frozenset(keys)


def build_cluster_secret(namespace: str, labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> Manifest:
    """Build the cluster Secret of the cluster Argo CD runs in (util/db/cluster.go of Argo CD), keys of data included.

    ``labels`` and ``annotations`` are those of :class:`ClusterMetadata`, or what stands for their values until known.
    """
    data = {"server": conventions.IN_CLUSTER, "config": json.dumps({"tlsClientConfig": {"insecure": False}})}
    return _build_secret(namespace, conventions.IN_CLUSTER_NAME, conventions.IN_CLUSTER_NAME, labels, annotations, data)


def build_spoke_secret(
    namespace: str, name: str, labels: Mapping[str, Any], annotations: Mapping[str, Any], data: Mapping[str, Any]
) -> Manifest:
    """Build the cluster Secret of another cluster; ``data`` is that of :func:`build_spoke_data`, or stands for it."""
    return _build_secret(namespace, f"cluster-{name}", name, labels, annotations, data)


def build_spoke_data(server: str, ca_data: str, cluster_name: str, role_arn: str | None) -> dict[str, str]:
    """Build `server` and `config` of an EKS cluster's Secret: whom Argo CD asks for a token, and no token.

    Without ``role_arn`` the token is the hub's own role's. Source: argo-cd declarative-setup.md, "EKS".
    """
    login = {"clusterName": cluster_name, **({"roleARN": role_arn} if role_arn else {})}
    config = {"awsAuthConfig": login, "tlsClientConfig": {"insecure": False, "caData": ca_data}}
    return {"server": server, "config": json.dumps(config)}


def build_spoke_metadata(name: str, cluster: RegisteredClusterSettings) -> ClusterMetadata:
    """Build the metadata of a cluster that is typed: what the settings say, or its names alone."""
    known = cluster.metadata.written() if cluster.metadata else {"stack": name}
    return ClusterMetadata(**{"clusterName": cluster.cluster_name, **known})  # type: ignore[arg-type]


def _build_secret(
    namespace: str,
    own_name: str,
    name: str,
    labels: Mapping[str, Any],
    annotations: Mapping[str, Any],
    data: Mapping[str, Any],
) -> Manifest:
    own = {"app.kubernetes.io/name": own_name, conventions.PART_OF: "argocd", conventions.SECRET_TYPE: "cluster"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": own_name,
            "namespace": namespace,
            "labels": {**own, **labels},
            "annotations": dict(annotations),
        },
        "type": "Opaque",
        "stringData": {"name": name, **data},
    }


def check_reads(application_set: Manifest, produced: frozenset[str]) -> Iterator[Problem]:
    """Yield a problem, without the file, for every key of the contract an ApplicationSet reads and nobody writes.

    One that generates from no cluster, or from other clusters alone, reads keys of others and is let through.
    """
    generators = _list(_map(application_set.get("spec")).get("generators"))
    if generators and not any(_is_of_this_cluster(generator, produced) for generator in generators):
        return
    texts = [_COMMENT.sub("", found) for text in _texts(application_set) for found in _TEMPLATE.findall(text)]
    reads = dict.fromkeys(found for text in texts for pattern in (_PATH, _INDEX) for found in pattern.findall(text))
    name = application_set["metadata"].get("name", "")
    for kind, key in reads:
        known = {own for own in produced if (own in LABELS) == (kind == "labels")}
        if key not in known and not (kind == "labels" and key in _OWN_LABELS):
            listed = ", ".join(sorted(known)) or "none"
            found = f"found metadata.{kind}.{key}, which this stack's cluster Secret does not have"
            yield Problem(found, f"it has: {listed}", f"ApplicationSet {name}")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in _texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in _texts(part))


def _is_of_this_cluster(generator: object, produced: frozenset[str]) -> bool:
    inner = (one for kind in _COMBINING for one in _list(_map(_map(generator).get(kind)).get("generators")))
    if any(_is_of_this_cluster(one, produced) for one in inner):
        return True
    if not any(kind in _map(generator) for kind in _OF_CLUSTERS):
        return False
    selector = _map(_map(_map(generator).get("clusters")).get("selector"))
    wanted = set(_map(selector.get("matchLabels")))
    expressions = [_map(one) for one in _list(selector.get("matchExpressions"))]
    wanted |= {one.get("key") for one in expressions if one.get("operator") in ("In", "Exists")}
    return wanted <= {*(produced & set(LABELS)), *_OWN_LABELS}


def _map(value: object) -> dict[Any, Any]:  # what people wrote: of any shape until Argo CD has checked it
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
