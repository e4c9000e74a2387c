"""The metadata contract: what the `in-cluster` cluster Secret tells ApplicationSets about the stack they run in.

One dataclass is the contract; its JSON Schema is committed. Keys have no prefix, so that a template reads them
plainly: `{{metadata.annotations.vpcId}}`, or `{{.metadata.annotations.vpcId}}` with `goTemplate: true`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from gitops_stack import conventions
from gitops_stack.errors import Problem
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings

CLUSTER_SECRET = "in-cluster"  # noqa: S105 - an object name; also the name Argo CD itself gives to its own cluster
LABELS = ("stack", "region")  # what selectors pick by; all else are annotations, which have no limit on characters
_OWN_LABELS = (conventions.SECRET_TYPE, conventions.PART_OF, "app.kubernetes.io/name")
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PATH = re.compile(r"(?<![\w.$])\$?\.?metadata\.(labels|annotations)\.([A-Za-z0-9][\w./-]*)")
_INDEX = re.compile(r"(?:index|get)\s+\$?\.metadata\.(labels|annotations)\s+[\"`]([^\"`]+)[\"`]")
# The generators whose templates read cluster Secrets, and those that combine others (ApplicationSet documentation).
_OF_CLUSTERS = ("clusters", "clusterDecisionResource")
_COMBINING = ("matrix", "merge")
_ARN = r"^arn:aws[-a-z]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+$"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ClusterMetadata:
    """What ApplicationSets may read. A field that is None does not belong to this kind of stack and is not written."""

    stack: str = Field(description="Name of the stack; a label.")
    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region; a label.")
    accountId: str | None = Field(default=None, pattern=r"^\d{12}$", description="AWS account.")  # noqa: N815 - the key
    clusterName: str | None = Field(default=None, description="Name of the EKS cluster.")  # noqa: N815
    vpcId: str | None = Field(default=None, pattern=r"^vpc-", description="VPC of the EKS cluster.")  # noqa: N815
    ecrHost: str | None = Field(default=None, description="Host of the container registry.")  # noqa: N815
    argocdRoleArn: str | None = Field(default=None, pattern=_ARN, description="Hub role of Argo CD.")  # noqa: N815
    externalSecretsRoleArn: str | None = Field(default=None, pattern=_ARN, description="Role of external-secrets.")  # noqa: N815
    loadBalancerControllerRoleArn: str | None = Field(  # noqa: N815
        default=None, pattern=_ARN, description="Role of the AWS load balancer controller."
    )
    externalDnsRoleArn: str | None = Field(default=None, pattern=_ARN, description="Role of external-dns.")  # noqa: N815

    karpenterInstanceProfile: str | None = Field(  # noqa: N815
        default=None, description="Instance profile of Karpenter's machines."
    )
    karpenterQueue: str | None = Field(default=None, description="Queue that tells Karpenter of interruptions.")  # noqa: N815

    def labels(self) -> dict[str, str]:
        """Return the labels of the cluster Secret that carry the contract."""
        return {key: value for key, value in self._written() if key in LABELS}

    def annotations(self) -> dict[str, str]:
        """Return the annotations of the cluster Secret that carry the contract."""
        return {key: value for key, value in self._written() if key not in LABELS}

    def _written(self) -> Iterator[tuple[str, str]]:
        yield from ((key, value) for key, value in vars(self).items() if value is not None)


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
    own = {"app.kubernetes.io/name": CLUSTER_SECRET, conventions.PART_OF: "argocd", conventions.SECRET_TYPE: "cluster"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": CLUSTER_SECRET,
            "namespace": namespace,
            "labels": {**own, **labels},
            "annotations": dict(annotations),
        },
        "type": "Opaque",
        "stringData": {
            "name": CLUSTER_SECRET,
            "server": conventions.IN_CLUSTER,
            "config": json.dumps({"tlsClientConfig": {"insecure": False}}),
        },
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
