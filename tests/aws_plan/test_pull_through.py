"""Image references and their names in the cache."""

from __future__ import annotations

import pytest

from gitops_stack.aws_plan.pull_through import (
    UPSTREAMS,
    ImageCache,
    build_cache_prefix,
    build_image_overrides,
    build_secret_name,
    find_upstream,
    rewrite_image,
)
from gitops_stack.errors import GitOpsStackError

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ALL = ImageCache(HOST, frozenset(UPSTREAMS))
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("quay.io/argoproj/argocd:v3.5.1", "quay/argoproj/argocd:v3.5.1"),
        (f"quay.io/argoproj/argocd:v3.5.1@{DIGEST}", f"quay/argoproj/argocd:v3.5.1@{DIGEST}"),
        (f"ghcr.io/dexidp/dex@{DIGEST}", f"github/dexidp/dex@{DIGEST}"),
        ("public.ecr.aws/docker/library/redis:8.2.3-alpine", "ecr-public/docker/library/redis:8.2.3-alpine"),
        ("registry.k8s.io/pause:3.10", "kubernetes/pause:3.10"),
        ("registry.gitlab.com/gitlab-org/build/cng/kas:v1", "gitlab/gitlab-org/build/cng/kas:v1"),
        ("cgr.dev/chainguard/static", "chainguard/chainguard/static"),
        ("redis", "docker-hub/library/redis"),
        ("redis:8", "docker-hub/library/redis:8"),
        ("grafana/grafana:12", "docker-hub/grafana/grafana:12"),
        ("docker.io/redis:8", "docker-hub/library/redis:8"),
        ("docker.io/library/redis:8", "docker-hub/library/redis:8"),
        ("index.docker.io/grafana/grafana", "docker-hub/grafana/grafana"),
        ("registry-1.docker.io/grafana/grafana", "docker-hub/grafana/grafana"),
    ],
)
def test_an_image_of_a_cached_registry_moves_and_keeps_tag_and_digest(reference: str, path: str) -> None:
    assert rewrite_image(reference, ALL) == f"{HOST}/{path}"


@pytest.mark.parametrize(
    "reference",
    [
        "localhost/app:1",
        "localhost:5000/app:1",
        "registry.example.com:5000/team/app",
        f"{HOST}/guestbook:v1",
        "gcr.io/distroless/static",
    ],
)
def test_other_images_stay(reference: str) -> None:
    assert rewrite_image(reference, ALL) == reference


def test_a_registry_that_is_not_cached_stays() -> None:
    quay = ImageCache(HOST, frozenset({"quay.io"}), namespace="dev")
    assert rewrite_image("ghcr.io/dexidp/dex:v2.45.0", quay) == "ghcr.io/dexidp/dex:v2.45.0"
    assert rewrite_image("redis:8", quay) == "redis:8"
    assert rewrite_image("quay.io/argoproj/argocd:v3.5.1", quay) == f"{HOST}/dev/quay/argoproj/argocd:v3.5.1"


ARGO_CD = [
    "quay.io/argoproj/argocd:v3.5.1",
    "quay.io/argoproj/argocd:v3.5.1",
    "ghcr.io/dexidp/dex:v2.45.0",
    "public.ecr.aws/docker/library/redis:8.2.3-alpine",
    "public.ecr.aws/docker/library/haproxy:3.0.8-alpine",
]


def test_the_four_images_of_argo_cd_become_entries_of_a_kustomization() -> None:
    assert build_image_overrides(ARGO_CD, ALL) == [
        {"name": "ghcr.io/dexidp/dex", "newName": f"{HOST}/github/dexidp/dex"},
        {
            "name": "public.ecr.aws/docker/library/haproxy",
            "newName": f"{HOST}/ecr-public/docker/library/haproxy",
        },
        {"name": "public.ecr.aws/docker/library/redis", "newName": f"{HOST}/ecr-public/docker/library/redis"},
        {"name": "quay.io/argoproj/argocd", "newName": f"{HOST}/quay/argoproj/argocd"},
    ]


def test_entries_name_cached_registries_only_and_see_no_tag_in_a_port() -> None:
    quay = ImageCache(HOST, frozenset({"quay.io"}))
    assert [entry["name"] for entry in build_image_overrides([*ARGO_CD, "localhost:5000/app"], quay)] == [
        "quay.io/argoproj/argocd"
    ]
    assert build_image_overrides([f"quay.io/a/b@{DIGEST}"], quay)[0]["name"] == "quay.io/a/b"


def test_prefixes_tell_upstreams_and_stacks_apart() -> None:
    prefixes = {build_cache_prefix(host, stack) for host in UPSTREAMS for stack in ("dev", "prd", "")}
    assert len(prefixes) == 3 * len(UPSTREAMS)
    assert all(2 <= len(prefix) <= 30 for prefix in prefixes)


def test_each_of_azure_s_registries_has_its_own_cache() -> None:
    both = ImageCache(HOST, frozenset({"acmehub.azurecr.io", "other.azurecr.io"}), namespace="dev")
    assert rewrite_image("acmehub.azurecr.io/web:v1", both) == f"{HOST}/dev/azure/acmehub/web:v1"
    assert rewrite_image("other.azurecr.io/web:v1", both) == f"{HOST}/dev/azure/other/web:v1"
    assert rewrite_image("third.azurecr.io/web:v1", both) == "third.azurecr.io/web:v1"


def test_the_registries_that_need_credentials() -> None:
    assert {host for host, upstream in UPSTREAMS.items() if upstream.needs_credentials} == {
        "ghcr.io",
        "registry-1.docker.io",
        "registry.gitlab.com",
        "cgr.dev",
    }
    assert find_upstream("acmehub.azurecr.io").needs_credentials
    assert build_secret_name("ghcr.io") == "ecr-pullthroughcache/ghcr.io"


@pytest.mark.parametrize(
    ("host", "namespace", "finding"),
    [
        (
            "gcr.io",
            "",
            "pull-through cache: found gcr.io; needs one of quay.io, ghcr.io, public.ecr.aws, "
            "registry-1.docker.io, registry.k8s.io, registry.gitlab.com, cgr.dev, NAME.azurecr.io",
        ),
        (
            "quay.io",
            "Dev",
            "pull-through cache: the prefix for quay.io is Dev/quay; "
            "needs lower-case letters and digits, joined by . _ - and /",
        ),
        (
            "quay.io",
            "a-stack-with-quite-a-long-name",
            "pull-through cache: the prefix for quay.io is a-stack-with-quite-a-long-name/quay "
            "(35 characters); needs at most 30, so give a shorter name to the stack",
        ),
    ],
)
def test_prefixes_that_ecr_refuses_are_refused(host: str, namespace: str, finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        build_cache_prefix(host, namespace)
    assert refused.value.findings == (finding,)
