"""What is warned of around a release: its images beside the caches, and the cluster's Kubernetes version."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.config import load_stack_file
from gitops_stack.scaffold.promotion import find_stack_before
from gitops_stack.upgrade.argocd_upgrade import _check_images, _check_kubernetes, load_authored_files
from gitops_stack.upgrade.promotion import check_order
from tests.stacks import ROOT

CACHED = "210987654321.dkr.ecr.ap-northeast-1.amazonaws.com/prd/quay/argoproj/argocd:v3.6.0"


def test_an_image_that_no_cache_serves_is_named_where_there_are_caches() -> None:
    prd, local = (load_stack_file(ROOT, stack) for stack in ("prd", "local"))
    assert list(_check_images(prd, [CACHED])) == []
    [warning] = _check_images(prd, [CACHED, "docker.io/library/redis:9"])
    assert warning.startswith("docker.io/library/redis:9: is pulled from its own registry")
    assert list(_check_images(local, ["docker.io/library/redis:9"])) == []


def test_an_untested_pair_is_warned_of_and_an_unknown_version_is_said() -> None:
    dev, local = (load_stack_file(ROOT, stack) for stack in ("dev", "local"))
    assert list(_check_kubernetes(dev, "v3.5.1")) == []
    [warning] = _check_kubernetes(dev, "v3.2.11")
    assert "needs Kubernetes 1.31 to 1.34" in warning
    [unknown] = _check_kubernetes(local, "v3.5.1")
    assert "does not name the cluster's Kubernetes version" in unknown


def test_only_what_people_wrote_is_searched() -> None:
    settings = load_stack_file(ROOT, "dev")
    files = load_authored_files(ROOT, settings)
    assert "Pulumi.dev.yaml" in files
    assert not [path for path in files if Path(path).name.startswith("00-") or path.endswith("lock.yaml")]
    assert "gitops/dev/apps/argocd.yaml" not in files


def test_the_order_of_promotion_names_the_stack_before() -> None:
    assert find_stack_before(ROOT, "prd") == "dev"
    assert find_stack_before(ROOT, "dev") is find_stack_before(ROOT, "local") is None
    assert list(check_order(ROOT, "prd", "v3.5.1")) == []
    [warning] = check_order(ROOT, "prd", "v9.9.9")
    assert warning == "dev comes before prd in gitops/promotion.yaml and still has v3.5.1; upgrade it first"
