"""What a killed `pulumi up` left pending in its state, as data: operations in, a state without them out. Pure.

An engine notes each create before it asks for it. What is still noted when the engine is dead may exist or not, and the
state has no id for it. Formats of ids are those of the "Import" sections of pulumi-aws' own documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

State = dict[str, Any]
Inputs = Mapping[str, Any]

# Whose create runs again over what is there: policies that are put as a whole, adoptions.
_COMPLETES = frozenset(
    {
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:ecr/registryPolicy:RegistryPolicy",
        "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
        "aws:ecr/replicationConfiguration:ReplicationConfiguration",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:sqs/queuePolicy:QueuePolicy",
    }
)
_IDS = {
    "aws:cloudwatch/eventRule:EventRule": "{name}",
    "aws:cloudwatch/logGroup:LogGroup": "{name}",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "{subnetId}/{routeTableId}",
    "aws:ecr/pullThroughCacheRule:PullThroughCacheRule": "{ecrRepositoryPrefix}",
    "aws:ecr/repository:Repository": "{name}",
    "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": "{prefix}",
    "aws:eks/accessEntry:AccessEntry": "{clusterName}:{principalArn}",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "{clusterName}#{principalArn}#{policyArn}",
    "aws:eks/addon:Addon": "{clusterName}:{addonName}",
    "aws:eks/cluster:Cluster": "{name}",
    "aws:eks/nodeGroup:NodeGroup": "{clusterName}:{nodeGroupName}",
    "aws:iam/instanceProfile:InstanceProfile": "{name}",
    "aws:iam/role:Role": "{name}",
    "aws:iam/rolePolicy:RolePolicy": "{role}:{name}",
    "aws:kms/alias:Alias": "{name}",
}
_KUBERNETES = "kubernetes:"
_ROUTE = "aws:ec2/route:Route"
_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_GROUP_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
_POLICY = "aws:iam/policy:Policy"


@dataclass(frozen=True)
class PendingCreate:
    """One create of which nobody knows how it ended; ``inputs`` are as the provider got them, names it chose included.

    ``resource`` is the engine's own record, without an id.
    """

    urn: str
    type: str
    inputs: Inputs
    resource: Mapping[str, Any]

    @property
    def completes(self) -> bool:
        """Whether the next `pulumi up` creates it without a care for what is there."""
        return self.type in _COMPLETES

    @property
    def in_cluster(self) -> bool:
        """Whether it is an object of Kubernetes, whose create is a server-side apply."""
        return self.type.startswith(_KUBERNETES)


@dataclass(frozen=True)
class Pending:
    """What is pending in a state. ``touched`` are the URNs of resources that have to be read again.

    Those were being updated or deleted, or were put into the state by a recovery that was killed itself.
    """

    creates: tuple[PendingCreate, ...] = ()
    touched: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to recover. The engine keeps the note of a create for good, once it was killed."""
        return bool(self.touched or self.creates)


def load_pending(state: State) -> Pending:
    """Read what `pulumi stack export` says is pending."""
    deployment = state.get("deployment") or {}
    operations = deployment.get("pending_operations") or []
    resources = deployment.get("resources") or []
    creates = {
        found["urn"]: PendingCreate(found["urn"], found["type"], found.get("inputs") or {}, found)
        for found in (operation["resource"] for operation in operations if operation["type"] == "creating")
    }
    interrupted = {
        operation["resource"]["urn"] for operation in operations if operation["type"] in ("updating", "deleting")
    }
    touched = dict.fromkeys(
        found["urn"]
        for found in resources
        if _is_unread(found) or (found["urn"] in interrupted and found["type"].startswith("aws:"))
    )
    return Pending(tuple(creates.values()), tuple(touched))


def derive_id(create: PendingCreate, account: str, partition: str) -> str | None:
    """Return the id to import it by when its inputs tell; None when only AWS can."""
    inputs = create.inputs
    if create.type in _IDS:
        return _format(_IDS[create.type], inputs)
    if create.type == _ROUTE:
        destinations = [inputs[name] for name in _DESTINATIONS if inputs.get(name)]
        return f"{inputs['routeTableId']}_{destinations[0]}" if destinations else None
    if create.type == _GROUP_RULE:
        return _build_rule_id(inputs)
    arn = f"arn:{partition}:iam::{account}"
    if create.type == _OIDC_PROVIDER:
        return f"{arn}:oidc-provider/{inputs['url'].removeprefix('https://')}"
    if create.type == _POLICY:
        return f"{arn}:policy{inputs.get('path') or '/'}{inputs['name']}"
    return None


def known_ids(state: State) -> set[str]:
    """Return the ids the state has already; what carries one of them is not a pending create's."""
    return {found["id"] for found in _resources(state) if found.get("id")}


def known_urns(state: State) -> set[str]:
    """Return the URNs the state has already: a pending create of one of them is a replacement."""
    return {found["urn"] for found in _resources(state)}


def build_state(state: State, imported: Iterable[tuple[PendingCreate, str]]) -> State:
    """Return ``state`` with nothing pending and each of ``imported`` as a resource with its id, still to be read."""
    added = [{**create.resource, "id": identity} for create, identity in imported]
    deployment = {name: value for name, value in state["deployment"].items() if name != "pending_operations"}
    return {**state, "deployment": {**deployment, "resources": [*_resources(state), *added]}}


def find_place(state: State, create: PendingCreate) -> tuple[tuple[str, ...], str]:
    """Return the accounts and the region that the provider of ``create`` is held to; empty where it names none."""
    urn = str(create.resource.get("provider", "")).rpartition("::")[0]
    inputs: Inputs = next((found.get("inputs") or {} for found in _resources(state) if found["urn"] == urn), {})
    allowed = inputs.get("allowedAccountIds") or "[]"  # providers keep all but texts as JSON
    accounts = json.loads(allowed) if isinstance(allowed, str) else allowed
    return tuple(map(str, accounts)), str(inputs.get("region") or "")


def _resources(state: State) -> list[dict[str, Any]]:
    return (state.get("deployment") or {}).get("resources") or []


def _is_unread(resource: Mapping[str, Any]) -> bool:
    made = resource.get("custom") and resource["type"].startswith(("aws:", _KUBERNETES))
    return bool(made and resource.get("id") and not resource.get("outputs"))


def _format(template: str, inputs: Inputs) -> str | None:
    try:
        return template.format_map(inputs)
    except KeyError:
        return None


def build_object_id(create: PendingCreate) -> str | None:
    """Build the id of an object of Kubernetes: `namespace/name`, or the name alone (pulumi-kubernetes, fqName)."""
    metadata = create.inputs.get("metadata") or {}
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"]))) if metadata.get("name") else None


def _build_rule_id(inputs: Inputs) -> str:
    """Build ``<group>_<direction>_<protocol>_<from>_<to>_<source>…``; upstream writes protocol -1 as all."""
    protocol = "all" if str(inputs["protocol"]) == "-1" else inputs["protocol"]
    sources = [
        source for name in ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds") for source in inputs.get(name) or []
    ]
    if inputs.get("self"):
        sources.append("self")
    if inputs.get("sourceSecurityGroupId"):
        sources.append(inputs["sourceSecurityGroupId"])
    ports = f"{int(inputs['fromPort'])}_{int(inputs['toPort'])}"
    return f"{inputs['securityGroupId']}_{inputs['type']}_{protocol}_{ports}_{'_'.join(sources)}"
