"""Plan another release of Argo CD in one stack: what it will meet, and the text of every file that changes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitops_stack.account.version_checks import check_argocd_version
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import GENERATED_HEADER
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree import manifest_set
from gitops_stack.gitops_tree.files import is_generated
from gitops_stack.gitops_tree.installation import load_manifests, load_stack_installation
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.gitops_tree.release import check_tag, load_tag_commit
from gitops_stack.gitops_tree.tree import LOCK, PATCHES, build_remote_base, list_folders
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests import Manifest
from gitops_stack.scaffold.stack_text import write_release
from gitops_stack.settings import ArgoCDSettings, EksClusterSettings, StackSettings
from gitops_stack.stack_files import stack_file
from gitops_stack.upgrade.patch_targets import check_patches
from gitops_stack.upgrade.promotion import check_order, load_promoted_release
from gitops_stack.upgrade.release_difference import ReleaseDifference, compare_installations
from gitops_stack.upgrade.release_facts import Fact, find_facts
from gitops_stack.upgrade.release_path import check_known, check_path
from gitops_stack.upgrade.stack_copy import change_copy


@dataclass(frozen=True)
class ArgoCDUpgrade:
    """The way of one stack from one release to another; no texts and no difference when it is there already."""

    stack: str
    old: str
    new: str
    commit: str
    digests: tuple[str, str] = ("", "")
    difference: ReleaseDifference = field(default_factory=ReleaseDifference)
    facts: tuple[Fact, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def changes(self) -> Sequence[str]:
        """The release, as one change."""
        return (f"{self.old} -> {self.new}",) if self.texts else ()

    def with_warnings(self, warnings: Sequence[str]) -> ArgoCDUpgrade:
        """Return the plan with more warnings."""
        return replace(self, warnings=(*self.warnings, *warnings))


def plan_argocd_upgrade(
    checkout: Path, prefix: str, stack: str, version: str | None, *, downgrade: bool = False
) -> ArgoCDUpgrade:
    """Plan release ``version`` for ``stack``, whose project is at ``prefix`` of ``checkout``. Writes nothing there.

    Without a ``version`` it is the release of the stack before this one in the promotion order.
    Raises :class:`GitOpsStackError` with every finding: a way upstream does not describe, a tree that is stale or does
    not match its lock, patches that lose their target.
    """
    project = checkout / prefix
    settings = load_stack_file(project, stack)
    old = settings.argocd.version
    version = version or load_promoted_release(project, stack)
    GitOpsStackError.raise_for(check_path(old, version, downgrade=downgrade))
    commit = load_tag_commit(settings.argocd.source, version)
    if version == old:
        GitOpsStackError.raise_for(check_tag(old, settings.argocd.commit, commit))
        return ArgoCDUpgrade(stack, old, version, commit)
    root = project / settings.tree_path
    before = load_stack_installation(settings, root)
    bases = load_base(settings.argocd), load_base(_with_release(settings.argocd, version, commit))
    patches = {file.relative_to(project).as_posix(): _read(file) for file in sorted((root / PATCHES).glob("*.yaml"))}
    GitOpsStackError.raise_for(check_patches(patches, *bases))
    texts, after = change_copy(project, settings, lambda file: _take(file, version, commit))
    difference = compare_installations(before, after, *bases)
    return ArgoCDUpgrade(
        stack,
        old,
        version,
        commit,
        (manifest_set.digest(before), manifest_set.digest(after)),
        difference,
        tuple(find_facts(old, version, load_authored_files(project, settings), before)),
        {f"{prefix}{path}": text for path, text in texts.items()},
        (
            *check_known(version),
            *check_order(project, stack, version),
            *_check_kubernetes(settings, version),
            *_check_images(settings, difference.images),
        ),
    )


def load_base(argocd: ArgoCDSettings) -> list[Manifest]:
    """Render the bare release the settings name, without a patch of the stack's."""
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": argocd.namespace,
        "resources": [build_remote_base(argocd)],
    }
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        file = Path(made) / "kustomization.yaml"
        file.write_text(f"{GENERATED_HEADER}\n{render_document(kustomization)}", encoding="utf-8")
        return load_manifests(made)


def prove_upgrade(checkout: Path, prefix: str, plan: ArgoCDUpgrade) -> None:
    """Hold the written tree against what was announced: fresh, locked, and rendering to exactly that.

    Raises :class:`GitOpsStackError`; nothing is then committed.
    """
    project = checkout / prefix
    settings = load_stack_file(project, plan.stack)
    root = project / settings.tree_path
    load_stack_installation(settings, root)
    rendered = manifest_set.digest(render_kustomization(root / "argocd"))  # of its own, not a kept one
    if rendered != plan.digests[1]:
        raise GitOpsStackError(
            Problem(
                f"renders to {rendered[:19]}…, announced is {plan.digests[1][:19]}…", "nothing is committed", str(root)
            )
        )


def load_authored_files(project: Path, settings: StackSettings) -> dict[str, str]:
    """Read what people wrote of a stack: its stack file and the authored YAML files of its tree, path -> text."""
    root = project / settings.tree_path
    found = [project / stack_file(settings.stack)]
    for folder in list_folders(root):
        found += sorted(file for file in (root / folder).rglob("*.y*ml") if file.is_file() and file != root / LOCK)
    return {
        file.relative_to(project).as_posix(): _read(file) for file in dict.fromkeys(found) if not is_generated(file)
    }


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace")


def _with_release(argocd: ArgoCDSettings, version: str, commit: str) -> ArgoCDSettings:
    return argocd.model_copy(update={"version": version, "commit": commit})


def _take(file: Path, version: str, commit: str) -> None:
    write_release(file, version, commit)


def _check_kubernetes(settings: StackSettings, version: str) -> Iterator[str]:
    if isinstance(settings.cluster, EksClusterSettings):
        for check in check_argocd_version(version, settings.cluster.version):
            if check.status != "ok":
                yield f"{check.found}; needs {check.needs}; {check.remedy}"
    else:
        yield f"Argo CD {version}: the stack file does not name the cluster's Kubernetes version; compare it by hand"


def _check_images(settings: StackSettings, images: Sequence[str]) -> Iterator[str]:
    if settings.registry is None or not settings.registry.pull_through_cache or settings.account is None:
        return
    for image in images:
        if not image.startswith(f"{settings.account.id}.dkr."):
            yield f"{image}: is pulled from its own registry; no cache of registry.pullThroughCache serves it"
