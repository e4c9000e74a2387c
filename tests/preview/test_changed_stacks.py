"""Which stacks a change concerns, as a table."""

from __future__ import annotations

import pytest

from gitops_stack.preview.changed_stacks import find_changed_stacks

GUESTBOOK = "gitops/workloads/guestbook"
FOLDERS = {
    "local": ("gitops/local", f"{GUESTBOOK}/overlays/local"),
    "dev": ("gitops/dev", f"{GUESTBOOK}/overlays/dev"),
    "prd": ("gitops/prd", f"{GUESTBOOK}/overlays/prd", "gitops/shop/overlays/prd"),
    "old": ("clusters/old/",),
}
ALL = sorted(FOLDERS)


@pytest.mark.parametrize(
    ("paths", "stacks"),
    [
        ([], []),
        (["Pulumi.dev.yaml"], ["dev"]),
        (["Pulumi.dev.yaml", "Pulumi.prd.yaml", "docs/a.md"], ["dev", "prd"]),
        (["Pulumi.gone.yaml"], []),
        (["gitops/dev/apps/argocd.yaml"], ["dev"]),
        (["gitops/device/x.yaml"], ALL),
        (["clusters/old/argocd/lock.yaml"], ["old"]),
        ([f"{GUESTBOOK}/overlays/prd/kustomization.yaml"], ["prd"]),
        ([f"{GUESTBOOK}/base/deployment.yaml"], ["dev", "local", "prd"]),
        ([f"{GUESTBOOK}/overlays/stage/kustomization.yaml"], []),
        (["gitops/shop/base/a.yaml"], ["prd"]),
        (["gitops/unknown/a.yaml"], ALL),
        (["__main__.py"], ALL),
        (["Pulumi.yaml"], ALL),
        (["gitops_stack/components/argocd.py"], ALL),
        (["requirements.txt"], ALL),
        (["requirements-dev.txt"], ALL),
        (["pyproject.toml"], ALL),
        (["infra/new.py"], ALL),
        (["docs/a.md", "tests/test_x.py", "README.md", "CHANGELOG.md", "LICENSE", ".github/workflows/ci.yml"], []),
        ([".gitlab-ci.yml", ".gitignore", "Makefile", ".ci/run", "bench/__main__.py"], []),
        (["gitops/dev/README.md"], ["dev"]),
        (["documentation/a.md"], ALL),
        (["docs/a.md", "gitops/prd/projects/default.yaml"], ["prd"]),
    ],
    ids=lambda value: ",".join(value) or "none",
)
def test_the_stacks_a_change_concerns(paths: list[str], stacks: list[str]) -> None:
    assert find_changed_stacks(paths, FOLDERS) == stacks
