"""Settings that become fields of an AWS call, held against the model of that call: what we take, AWS has to take."""

from __future__ import annotations

import re
from typing import Any, get_args

import botocore.session
import pytest
from pydantic import TypeAdapter, ValidationError

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import render_document
from gitops_stack.aws_plan.lifecycle_policies import build_repository_lifecycle
from gitops_stack.aws_plan.registry_policies import build_pull_policy
from gitops_stack.settings import cluster, network, node_groups, registry, types
from gitops_stack.settings.partitions import dns_suffix, find_partition, has_common_endpoint_names, home_region

SESSION = botocore.session.get_session()
# What people write, and what only just is or is not a name; each is asked of the setting and of AWS's model.
WORDS = [
    *["a", "ab", "a1", "A1", "a-b", "a--b", "a__b", "a___b", "a.b", "a..b", "a-", "-a", "a/b", "/a", "a/", "a//b"],
    *["a_b.c/d-e", "", " ", "a b", "é", "٣", "a\n", "123456789012", "12345678901", "1234567890123", "١٢٣٤٥٦٧٨٩٠١٢"],
    *["o-abcdefghij", "o-abc", "O-abcdefghij", "v*", "*", "c-*-*", "eu-west-1", "us-gov-west-1", "eusc-de-east-1"],
    *[
        "ROOT",
        "key:value",
        "arn:aws:kms:eu-west-1:123456789012:key/1a-2b",
        "arn:aws:kms:eu-west-1:123456789012:alias/a",
    ],
    *("x" * length for length in (63, 64, 100, 101, 128, 129, 256, 257)),
]
UPSTREAM_NAMES = {
    "quay.io": "quay",
    "ghcr.io": "github-container-registry",
    "public.ecr.aws": "ecr-public",
    "registry-1.docker.io": "docker-hub",
    "registry.k8s.io": "k8s",
    "registry.gitlab.com": "gitlab-container-registry",
    "cgr.dev": "chainguard",
    "acmehub.azurecr.io": "azure-container-registry",
}
# Setting, service, shape of its API model.
FIELDS: list[tuple[str, Any, str, str]] = [
    ("cluster.name", cluster.ClusterName, "eks", "ClusterName"),
    ("nodeGroups.labels key", node_groups.LabelKey, "eks", "labelKey"),
    ("nodeGroups.labels value", node_groups.LabelValue, "eks", "labelValue"),
    ("registry.repositories", registry.RepositoryName, "ecr", "RepositoryName"),
    ("registry.mutableTags", registry.TagPattern, "ecr", "ImageTagMutabilityExclusionFilterValue"),
    ("registry.kmsKeyArn", types.KmsKeyArn, "ecr", "KmsKeyForRepositoryCreationTemplate"),
    ("account.id", types.AccountId, "ecr", "RegistryId"),
    ("aws:region", types.Region, "ecr", "Region"),
    ("pullAccess.organizationId", registry.OrganizationId, "organizations", "OrganizationId"),
]
# Settings that have to take all that AWS takes: here a refusal of ours would be a false one.
COMPLETE = {"cluster.name", "registry.repositories", "pullAccess.organizationId", "account.id"}


def shape(service: str, name: str) -> Any:
    return SESSION.get_service_model(service).shape_for(name)


def accepts(setting: Any, value: str) -> bool:
    try:
        TypeAdapter(setting).validate_python(value)
    except ValidationError:
        return False
    return True


def aws_accepts(service: str, name: str, value: str) -> bool:
    limits = SESSION.get_service_model(service).shape_for(name).metadata
    pattern = _patterns(service).get(name)
    fits = limits.get("min", 0) <= len(value) <= limits.get("max", len(value))
    return fits and (pattern is None or re.fullmatch(pattern, value, re.ASCII) is not None)


def _patterns(service: str) -> dict[str, str]:
    model = SESSION.get_component("data_loader").load_service_model(service, "service-2")
    return {name: one["pattern"].strip("^$") for name, one in model["shapes"].items() if "pattern" in one}


@pytest.mark.parametrize(("place", "setting", "service", "name"), FIELDS, ids=[field[0] for field in FIELDS])
def test_what_a_setting_takes_aws_takes(place: str, setting: Any, service: str, name: str) -> None:
    ours = {word for word in WORDS if accepts(setting, word)}
    theirs = {word for word in WORDS if aws_accepts(service, name, word)}
    assert ours, place
    assert ours - theirs == set()
    if place in COMPLETE:
        assert theirs - ours == set()


@pytest.mark.parametrize(
    ("setting", "service", "name", "translate"),
    [
        (cluster.LogType, "eks", "LogType", str),
    ],
    ids=["cluster.logs.types"],
)
def test_every_choice_is_one_of_aws_s(setting: Any, service: str, name: str, translate: Any) -> None:
    assert {translate(choice) for choice in get_args(setting)} <= set(shape(service, name).enum)


def test_upstreams_are_all_that_ecr_caches_but_ecr_itself() -> None:
    assert {*registry.CACHE_PREFIXES, "acmehub.azurecr.io"} == set(UPSTREAM_NAMES)
    assert all(accepts(registry.Upstream, host) for host in UPSTREAM_NAMES)
    assert {*UPSTREAM_NAMES.values(), "ecr"} == set(shape("ecr", "UpstreamRegistry").enum)


def test_images_of_nodes_and_ways_to_buy_them_are_aws_s() -> None:
    from gitops_stack.components.node_groups import _IMAGES  # noqa: PLC0415 - brings the SDK of AWS

    assert set(_IMAGES.values()) <= set(shape("eks", "AMITypes").enum)
    assert {"ON_DEMAND", "SPOT"} <= set(shape("eks", "CapacityTypes").enum)


def test_lists_end_where_aws_s_end() -> None:
    filters = registry.RepositorySettings.model_json_schema(by_alias=False)["properties"]["mutable_tags"]["maxItems"]
    assert filters == shape("ecr", "ImageTagMutabilityExclusionFilters").metadata["max"]
    assert shape("ecr", "RepositoryFilterList").metadata["max"] == registry.MOST_FILTERS
    assert shape("ecr", "PullThroughCacheRuleRepositoryPrefix").metadata["max"] == registry.LONGEST_CACHE_PREFIX


def test_the_longest_policies_fit() -> None:
    accounts = [f"{number:012}" for number in range(registry.MOST_READERS)]
    pull = build_pull_policy(AccountRegion("123456789012", "us-gov-west-1"), accounts, "o-" + "a" * 32)
    assert len(render_document(pull)) <= shape("ecr", "RepositoryPolicyText").metadata["max"]
    prefixes = [f"{number:0128}" for number in range(registry.MOST_RULES - 1)]
    lifecycle = build_repository_lifecycle(untagged_days=3650, keep_last=1000, prefixes=prefixes)
    assert lifecycle is not None
    assert len(lifecycle["rules"]) == registry.MOST_RULES
    assert len(render_document(lifecycle)) <= shape("ecr", "LifecyclePolicyText").metadata["max"]


def test_endpoint_services_are_named_for_network_interfaces_alone() -> None:
    assert [
        name for name in ("s3", "com.amazonaws.eu-west-1.sts", "STS", "") if accepts(network.EndpointService, name)
    ] == []
    named = ("ecr.api", "secretsmanager", "kms", "autoscaling", "ssm", "sqs", "sts", "aps-workspaces")
    assert all(accepts(network.EndpointService, name) for name in named)


def test_partitions_are_botocore_s() -> None:
    data = SESSION.get_component("data_loader").load_data("partitions")
    for partition in data["partitions"]:
        regions = [region for region in partition["regions"] if not region.endswith("-global")]
        assert {find_partition(region) for region in regions} == {partition["id"]}
        assert dns_suffix(partition["id"]) == partition["outputs"]["dnsSuffix"]
        assert all(accepts(types.Region, region) for region in regions)
        assert home_region(partition["id"]) in regions
    ids = {partition["id"] for partition in data["partitions"]}
    assert {one for one in ids if has_common_endpoint_names(one)} == {"aws", "aws-us-gov"}
