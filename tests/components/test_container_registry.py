"""ContainerRegistry: repositories, readers, caches, and what belongs to the whole account."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from gitops_stack.aws_plan.lifecycle_policies import build_cache_lifecycle
from gitops_stack.components import ContainerRegistry
from gitops_stack.errors import GitOpsStackError
from gitops_stack.testing import RegisteredResource
from tests.components.aws import OWN, check_common, children, document, keep, of_kind, run

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
GUESTBOOK = {"keep_last": 30, "prefixes": ["v"], "untagged_days": 7, "mutable_tags": ["latest*", "cache-*"]}
ACCESS = {"organization_id": "o-abc123defg", "accounts": ["210987654321"]}


def secret(args: dict[str, Any]) -> dict[str, Any]:
    return {"arn": f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{args['name']}-a1b2c3"}


def record(preview: bool = False, outputs: dict[str, Any] | None = None, **args: Any) -> dict[str, RegisteredResource]:
    wanted: Any = {**OWN, "repositories": {"guestbook": GUESTBOOK}, **args}

    def component(opts: pulumi.ResourceOptions) -> None:
        made = ContainerRegistry("ecr", wanted, opts)
        keep(outputs, host=made.host, arns=made.repository_arns, prefixes=made.cache_prefixes)

    return run(component, preview=preview, secret=secret)


@BOTH
def test_a_repository_has_a_lifecycle_and_nothing_nobody_asked_for(preview: bool) -> None:
    found = record(preview)
    assert children(found) == ["LifecyclePolicy:ecr-guestbook", "Repository:ecr-guestbook"]
    assert found["ContainerRegistry:ecr"].type == "gitops-stack:index:ContainerRegistry"
    check_common(found, "ecr")


def test_tags_stay_where_they_are_but_for_those_listed() -> None:
    found = record(repositories={"guestbook": GUESTBOOK, "web/front": {}})
    assert found["Repository:ecr-guestbook"].inputs == {
        "name": "guestbook",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [
            {"filter": "latest*", "filterType": "WILDCARD"},
            {"filter": "cache-*", "filterType": "WILDCARD"},
        ],
        "encryptionConfigurations": [{"encryptionType": "AES256"}],
        "imageScanningConfiguration": {"scanOnPush": True},
        "forceDelete": False,
    }
    plain = found["Repository:ecr-web/front"].inputs
    assert (plain["name"], plain["imageTagMutability"]) == ("web/front", "IMMUTABLE")
    assert "imageTagMutabilityExclusionFilters" not in plain
    assert set(of_kind(found, "LifecyclePolicy")) == {"ecr-guestbook"}


def test_the_lifecycle_is_that_of_the_settings() -> None:
    policy = record()["LifecyclePolicy:ecr-guestbook"]
    assert policy.inputs["repository"] == "guestbook"
    assert [rule["selection"]["countNumber"] for rule in json.loads(policy.inputs["policy"])["rules"]] == [7, 30]
    assert policy.depends_on == ("ecr-guestbook",)


def test_a_key_encrypts_repositories_and_caches() -> None:
    found = record(kms_key_arn=KEY, force_delete=True, pull_through_cache=["quay.io"])
    encryption = [{"encryptionType": "KMS", "kmsKey": KEY}]
    assert found["Repository:ecr-guestbook"].inputs["encryptionConfigurations"] == encryption
    assert found["Repository:ecr-guestbook"].inputs["forceDelete"] is True
    assert found["RepositoryCreationTemplate:ecr-quay"].inputs["encryptionConfigurations"] == encryption
    uses = document(found["RolePolicy:ecr-caches-policy"])["Statement"][1]
    assert (uses["Sid"], uses["Resource"]) == ("UseKey", [KEY])


@BOTH
def test_readers_pull_from_every_repository(preview: bool) -> None:
    found = record(preview, pull_access=ACCESS)
    assert children(found) == [
        "LifecyclePolicy:ecr-guestbook",
        "Repository:ecr-guestbook",
        "RepositoryPolicy:ecr-guestbook",
    ]
    check_common(found, "ecr")
    principals = [one["Principal"] for one in document(found["RepositoryPolicy:ecr-guestbook"])["Statement"]]
    assert principals == [{"AWS": ["arn:aws:iam::210987654321:root"]}, {"AWS": "*"}]


@BOTH
def test_caches_come_with_a_template_and_credentials_where_upstream_wants_them(preview: bool) -> None:
    upstreams = ["quay.io", "ghcr.io", "public.ecr.aws", "registry-1.docker.io", "registry.k8s.io"]
    found = record(
        preview,
        repositories={},
        pull_through_cache=upstreams,
        pull_through_credentials={"ghcr.io": "ecr-pullthroughcache/ghcr"},
        cache_namespace="dev",
        cache_tags={"gitops-stack:stack": "dev"},
    )
    names = ["docker-hub", "ecr-public", "github", "kubernetes", "quay"]
    assert children(found) == [
        *(f"PullThroughCacheRule:ecr-{name}" for name in names),
        *(f"RepositoryCreationTemplate:ecr-{name}" for name in names),
        "Role:ecr-caches",
        "RolePolicy:ecr-caches-policy",
    ]
    check_common(found, "ecr")
    rules = of_kind(found, "PullThroughCacheRule")
    prefix = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/"
    assert {one.inputs["upstreamRegistryUrl"]: one.inputs.get("credentialArn") for one in rules.values()} == {
        "quay.io": None,
        "ghcr.io": f"{prefix}ghcr-a1b2c3",
        "public.ecr.aws": None,
        "registry-1.docker.io": f"{prefix}registry-1.docker.io-a1b2c3",
        "registry.k8s.io": None,
    }
    assert rules["ecr-quay"].inputs["ecrRepositoryPrefix"] == "dev/quay"
    assert rules["ecr-quay"].depends_on == ("ecr-quay",)


def test_a_template_makes_tagged_repositories_that_forget() -> None:
    found = record(pull_through_cache=["quay.io"], cache_tags={"gitops-stack:stack": "dev"}, pull_access=ACCESS)
    template = found["RepositoryCreationTemplate:ecr-quay"]
    lifecycle, policy = template.inputs.pop("lifecyclePolicy"), template.inputs.pop("repositoryPolicy")
    assert template.inputs == {
        "prefix": "quay",
        "description": "Cache of quay.io",
        "appliedFors": ["PULL_THROUGH_CACHE"],
        "customRoleArn": "arn:aws:mock:::ecr-caches",
        "encryptionConfigurations": [{"encryptionType": "AES256"}],
        "imageTagMutability": "MUTABLE",
        "resourceTags": {"gitops-stack:stack": "dev"},
    }
    assert json.loads(lifecycle) == build_cache_lifecycle(90)
    assert policy == found["RepositoryPolicy:ecr-guestbook"].inputs["policy"]
    assert template.depends_on == ("ecr-caches", "ecr-caches-policy")
    makes = document(found["RolePolicy:ecr-caches-policy"])["Statement"][0]
    assert makes["Resource"] == ["arn:aws:ecr:eu-west-1:123456789012:repository/quay/*"]


@BOTH
def test_the_owner_of_the_account_s_registry_sets_it_up(preview: bool) -> None:
    found = record(
        preview,
        owns_account_registry=True,
        scanning="enhanced",
        pull_access=ACCESS,
        pull_through_cache=["quay.io"],
        replicate_to={"regions": ["eu-central-1"], "accounts": ["210987654321"]},
    )
    assert {"RegistryPolicy:ecr", "RegistryScanningConfiguration:ecr", "ReplicationConfiguration:ecr"} <= set(found)
    check_common(found, "ecr")
    assert found["RegistryScanningConfiguration:ecr"].inputs == {
        "scanType": "ENHANCED",
        "rules": [
            {
                "scanFrequency": "CONTINUOUS_SCAN",
                "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
            }
        ],
    }
    assert found["ReplicationConfiguration:ecr"].inputs["replicationConfiguration"]["rules"] == [
        {
            "destinations": [
                {"region": "eu-central-1", "registryId": "123456789012"},
                {"region": "eu-west-1", "registryId": "210987654321"},
            ],
            "repositoryFilters": [{"filter": "guestbook", "filterType": "PREFIX_MATCH"}],
        }
    ]
    fill = document(found["RegistryPolicy:ecr"])["Statement"][0]
    assert fill["Resource"] == ["arn:aws:ecr:eu-west-1:123456789012:repository/quay/*"]
    assert "imageScanningConfiguration" not in found["Repository:ecr-guestbook"].inputs


def test_an_owner_without_readers_scans_and_lets_nobody_in() -> None:
    found = record(owns_account_registry=True, pull_through_cache=["quay.io"])
    assert found["RegistryScanningConfiguration:ecr"].inputs["scanType"] == "BASIC"
    assert of_kind(found, "RegistryPolicy") == of_kind(found, "ReplicationConfiguration") == {}


@pytest.mark.parametrize(
    "args",
    [
        {"replicate_to": {"regions": [], "accounts": []}},
        {"replicate_to": {"regions": ["eu-central-1"]}, "repositories": {}},
    ],
    ids=["nowhere", "nothing"],
)
def test_copies_need_a_repository_and_a_destination(args: dict[str, Any]) -> None:
    assert of_kind(record(owns_account_registry=True, **args), "ReplicationConfiguration") == {}


def test_account_wide_things_need_the_owner() -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(scanning="basic", replicate_to={"regions": ["eu-central-1"]})
    assert refused.value.findings == tuple(
        f"ContainerRegistry ecr: {key}: is set once for the whole account and region; "
        "needs owns_account_registry, in one stack"
        for key in ("replicate_to", "scanning")
    )


@pytest.mark.parametrize(
    ("args", "finding"),
    [
        ({"owns_account_registry": True, "scanning": "deep"}, "scanning: found deep; needs basic or enhanced"),
        (
            {"repositories": {"Web": {}}},
            "repositories.Web: needs an ECR repository name: lower-case words joined by . _ - and /, "
            "2 to 256 characters",
        ),
        (
            {"repositories": {"web": {"prefixes": [f"v{n}" for n in range(50)]}}},
            "repositories.web.prefixes: found 50; needs at most 49",
        ),
        (
            {
                "owns_account_registry": True,
                "replicate_to": {"regions": ["eu-central-1"]},
                "repositories": {f"r{n}": {} for n in range(101)},
            },
            "repositories: found 101; needs 100 at most beside replicate_to, which has one rule",
        ),
    ],
)
def test_what_ecr_refuses_is_refused_in_the_words_of_the_arguments(args: dict[str, Any], finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(**args)
    assert refused.value.findings == (f"ContainerRegistry ecr: {finding}",)


def test_outputs_say_where_to_push_and_where_caches_are() -> None:
    outputs: dict[str, Any] = {}
    record(outputs=outputs, pull_through_cache=["quay.io"], cache_namespace="dev")
    assert outputs == {
        "host": "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "arns": {"guestbook": "arn:aws:mock:::ecr-guestbook"},
        "prefixes": {"quay.io": "dev/quay"},
    }
