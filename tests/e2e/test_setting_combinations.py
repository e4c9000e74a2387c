"""Random combinations of Argo CD's settings through the real kustomize, and `check` on each.

The base is upstream's manifests at v3.5.1 without their CRDs, which no setting touches, in a repository of its own: a
render takes a second, and tag, lock and check are those of every stack.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from gitops_stack.gitops_tree import manifest_set
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.gitops_tree.lock import build_lock, render_lock
from gitops_stack.gitops_tree.tree import LOCK, build_kustomization
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.tools import build_tools
from gitops_stack.manifests.patches import build_library_patches
from gitops_stack.rules.overridden import list_overridden
from gitops_stack.settings import StackSettings, check_references
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.check import check_stack
from tests.e2e.scenario import say
from tests.manifests.test_notifications import SERVICES
from tests.manifests.test_sign_in import PROVIDERS
from tests.manifests.test_surroundings import WAYS
from tests.stacks import COMMIT, minimal

pytestmark = pytest.mark.e2e

EXTERNAL = {"externalSecret": {"store": "aws", "secret": "acme/argocd"}}
CSV = "p, role:deployer, applications, sync, shop/*, allow\ng, role:lead, role:admin\n"
SUBSCRIPTIONS = [{"service": "pager"}, {"service": "slack", "recipients": ["a"]}]


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, *values])


ARGOCD = st.fixed_dictionaries({
    "highAvailability": st.booleans(),
    "adminEnabled": st.booleans(),
    "rbac": st.sampled_from([{}, {"ci": "deployer"}, {"ci": "lead", "backup": "readonly"}]),
    "policy": st.fixed_dictionaries({"csv": st.just(CSV), "default": maybe("readonly", "deployer")}),
    "accounts": st.just({"ci": {}, "backup": {"capabilities": ["login"], "enabled": False}}),
    "sso": maybe(
        *({name: provider} for name, provider in PROVIDERS.items()),
        {"okta": {**PROVIDERS["okta"], "clientSecret": EXTERNAL}},
        {"keycloak": {**PROVIDERS["keycloak"], "clientSecret": {"value": "hunter2"}}},
    ),
    "parameters": st.dictionaries(
        st.sampled_from(["controller.status.processors", "server.log.level", "timeout.reconciliation", "redis.server",
                         "dexserver.log.level", "log.format.timestamp"]), st.sampled_from(["1", "20", "debug"])),
    "notifications": st.sampled_from([
        {},
        {"services": SERVICES},
        {"services": SERVICES, "subscriptions": {"shop": SUBSCRIPTIONS}},
    ]),
    "resourceCustomizations": st.sampled_from([{}, {"apps/Deployment": {"health": "return {}"}}]),
    "resourceExclusions": st.sampled_from([[], [{"apiGroups": ["tekton.dev"], "kinds": ["TaskRun"]}]]),
    "size": maybe("small", "medium", "large"),
    "shards": maybe(1, 4),
    "exposure": maybe(*({name: way} for name, way in WAYS.items())),
    "metrics": st.fixed_dictionaries({"serviceMonitors": st.booleans(), "alerts": st.booleans()}),
    "resources": st.sampled_from([{}, {"application-controller": {"limits": {"memory": "3Gi"}}}]),
    "kustomize": st.sampled_from([{}, {"buildOptions": "--enable-helm"}]),
})  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Make a repository with both variants of upstream's manifests, CRDs left out; returns its URL and commit."""
    folder = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as context:
        context.setenv("PATH", str(build_tools(say).bin), prepend=":")
        for variant in (False, True):
            argocd = minimal(argocd={"version": "v3.5.1", "commit": COMMIT, "highAvailability": variant}).argocd
            bare = folder / "render"
            bare.mkdir(exist_ok=True)
            (bare / "kustomization.yaml").write_text(render_document(build_kustomization(argocd, [], [])))
            kept = [one for one in render_kustomization(bare) if one["kind"] != "CustomResourceDefinition"]
            for one in kept:
                one["metadata"].pop("namespace", None)  # as upstream has them
            place = folder / "repository/manifests" / ("ha/cluster-install" if variant else "cluster-install")
            place.mkdir(parents=True)
            (place / "all.yaml").write_text(yaml.safe_dump_all(kept))
            (place / "kustomization.yaml").write_text("resources: [all.yaml]\n")
    repository = folder / "repository"

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        command = ["git", "-C", str(repository), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Base")
    git("tag", "v3.5.1")
    return f"file://{repository}", git("rev-parse", "HEAD")


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=":")
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    for name, value in load_git_environment().items():
        monkeypatch.setenv(name, value)


COMBINATIONS = int(os.environ.get("COMBINATIONS", "50"))  # a second each; `make soak` asks for 200


@pytest.mark.usefixtures("tools")
@settings(
    max_examples=COMBINATIONS,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a combination is small as it is, and shrinking costs minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(argocd=ARGOCD)
def test_any_combination_renders_passes_check_and_is_the_same_on_day_0_and_day_1(
    base: tuple[str, str], argocd: dict[str, Any]
) -> None:
    url, commit = base
    own = {"version": "v3.5.1", "commit": commit, "source": url, "url": "https://argocd.example.com"}
    stack = minimal(argocd={**own, **argocd}, projects={"shop": {"namespaces": ["shop"]}})
    assume(not list(check_references(stack)))  # such as a parameter of Dex, where Dex is left out
    with TemporaryDirectory() as folder:
        project = Path(folder)
        root = project / stack.tree_path
        write_tree(stack, root)
        (root / LOCK).write_text(render_lock(build_lock(stack.argocd, load_manifests(root / "argocd"))))
        day_0 = load_manifests(root / "argocd")  # what `pulumi up` registers once check_stack has found nothing
        assert_render_is_what_the_patches_say(stack, day_0)
        report = check_stack(project, stack)
        assert [one.sentence for one in report.findings if one.severity == "error"] == []
        assert [one.sentence for one in report.findings if one.rule == "setting-overridden"] == []
        (installation,) = [one for one in load_tree(project, stack).applications if one.spec.name == "argocd"]
        assert manifest_set.digest([one.manifest for one in installation.objects]) == manifest_set.digest(day_0)


def assert_render_is_what_the_patches_say(stack: StackSettings, render: list[dict[str, Any]]) -> None:
    found = {(one["kind"], one["metadata"]["name"]): one for one in render}
    for patch in build_library_patches(stack.argocd):
        if isinstance(patch.body, dict) and patch.target is None:
            rendered = found.get((patch.body["kind"], patch.body["metadata"]["name"]))
            if patch.body.get("$patch") == "delete":
                assert rendered is None
            else:
                assert rendered is not None
                assert list(list_overridden(patch.body, rendered)) == []
