"""What the account answers in moto's place: operations of EKS that moto lacks, or knows only half of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from pulumi_aws_double.errors import EnvironmentProblem
from pulumi_aws_double.lab_nodes import load_endpoint
from pulumi_aws_double.resources.kinds import CLUSTERS, POD_IDENTITIES
from pulumi_aws_double.store import Document, Store

_Answer = tuple[int, Mapping[str, str], str]
_CLUSTER_PATH: Final = "{0}/clusters/(?P<name>[^/]+)$"
_CONFIG_PATH: Final = "{0}/clusters/(?P<name>[^/]+)/update-config$"
_UPDATES_PATH: Final = "{0}/clusters/(?P<name>[^/]+)/updates/(?P<update>[^/]+)$"
_ASSOCIATIONS_PATH: Final = "{0}/clusters/(?P<name>[^/]+)/pod-identity-associations$"
_ASSOCIATION_SUMMARY: Final = ("namespace", "serviceAccount", "associationArn", "associationId")
_KEPT_AS_THEY_ARE: Final = (
    "accessConfig", "computeConfig", "deletionProtection", "storageConfig", "upgradePolicy", "version",
    "zonalShiftConfig",
)  # fmt: skip


def install_answers(store: Path) -> None:
    """Have moto's EKS give these answers; ``store`` is the file that keeps what moto does not."""
    paths = import_module("moto.eks.urls").url_paths
    paths[_ASSOCIATIONS_PATH] = _build_associations_answer(store)
    paths[_CLUSTER_PATH] = _build_cluster_answer(store, paths[_CLUSTER_PATH])
    paths[_CONFIG_PATH] = _build_config_answer(store, paths[_CONFIG_PATH])
    paths[_UPDATES_PATH] = _answer_update


def change_networks(kept: Document, change: Mapping[str, Any]) -> Document:
    """Return a kept cluster after eks:UpdateClusterConfig with ``change``; a closed public endpoint has no networks."""
    network = {**kept["vpcConfig"], **change}
    if not network.get("endpointPublicAccess"):
        network.pop("publicAccessCidrs", None)
    return {**kept, "vpcConfig": network}


def complete_cluster(found: Document, kept: Document) -> Document:
    """Return eks:DescribeCluster's document with what the provider made and moto forgot; the endpoint is the lab's."""
    answer: Document = {**found, **{name: kept[name] for name in _KEPT_AS_THEY_ARE if name in kept}}
    if "vpcConfig" in kept:
        answer["resourcesVpcConfig"] = {**found.get("resourcesVpcConfig", {}), **kept["vpcConfig"]}
    if "kubernetesNetworkConfig" in kept:
        network = found.get("kubernetesNetworkConfig", {})
        answer["kubernetesNetworkConfig"] = {**network, **kept["kubernetesNetworkConfig"]}
    with suppress(EnvironmentProblem):  # a lab that is down: the cluster keeps moto's own endpoint
        if lab := load_endpoint():
            answer |= {"endpoint": lab.server, "certificateAuthority": {"data": lab.authority}}
    return answer


def _build_cluster_answer(store: Path, dispatch: Callable[..., _Answer]) -> Callable[..., _Answer]:
    def answer(request: Any, full_url: str, headers: Any) -> _Answer:  # noqa: ANN401 - moto's
        status, sent, body = dispatch(request, full_url, headers)
        if request.method != "GET" or status != 200:  # noqa: PLR2004
            return status, sent, body
        found = json.loads(body)["cluster"]
        kept = Store(store).find(CLUSTERS, f"{_find_region(request)}/{found['name']}") or {}
        return 200, {"Content-Type": "application/json"}, json.dumps({"cluster": complete_cluster(found, kept)})

    return answer


def _build_config_answer(store: Path, dispatch: Callable[..., _Answer]) -> Callable[..., _Answer]:
    """Build the answer to eks:UpdateClusterConfig of others than the provider: the endpoint follows it at once."""

    def answer(request: Any, full_url: str, headers: Any) -> _Answer:  # noqa: ANN401 - moto's
        status, sent, body = dispatch(request, full_url, headers)
        if status != 200:  # noqa: PLR2004
            return status, sent, body
        key = f"{_find_region(request)}/{request.path.split('/')[2]}"
        change = json.loads(request.get_data(as_text=True) or "{}").get("resourcesVpcConfig")
        if change and (kept := Store(store).find(CLUSTERS, key)):
            Store(store).put(CLUSTERS, key, change_networks(kept, change))
        return _describe_update(str(uuid4()))

    return answer


def _answer_update(request: Any, _full_url: str, _headers: Any) -> _Answer:  # noqa: ANN401 - moto's
    """Answer eks:DescribeUpdate, which moto lacks: what was asked for has been done."""
    return _describe_update(request.path.split("/")[-1])


def _describe_update(identity: str) -> _Answer:
    update = {"id": identity, "status": "Successful", "type": "EndpointAccessUpdate", "params": [], "errors": []}
    return 200, {"Content-Type": "application/json"}, json.dumps({"update": update})


def _build_associations_answer(store: Path) -> Callable[..., _Answer]:
    """Build the answer to eks:ListPodIdentityAssociations, which moto lacks."""

    def answer(request: Any, full_url: str, headers: Any) -> _Answer:  # noqa: ANN401 - moto's
        cluster = request.path.split("/")[2]
        wanted = {name: request.args[name] for name in ("namespace", "serviceAccount") if name in request.args}
        associations = [
            {"clusterName": cluster, **{name: found[name] for name in _ASSOCIATION_SUMMARY}}
            for key, found in Store(store).list(POD_IDENTITIES).items()
            if key.startswith(f"{_find_region(request)}/{cluster}:") and wanted.items() <= found.items()
        ]
        return 200, {"Content-Type": "application/json"}, json.dumps({"associations": associations})

    return answer


def _find_region(request: Any) -> str:  # noqa: ANN401 - moto's
    return str(request.headers["Authorization"].split("/")[2])  # Credential=<key>/<date>/<region>/eks/aws4_request
