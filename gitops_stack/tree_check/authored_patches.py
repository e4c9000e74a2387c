"""What authored patches of the installation do: settings they override, and where a line of theirs stands."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gitops_stack.conventions import SELF_MANAGEMENT_APPLICATION
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.files import load_authored_patches
from gitops_stack.gitops_tree.parameter_reads import ALL, list_parameter_reads
from gitops_stack.gitops_tree.tree import PATCHES, patch_file
from gitops_stack.gitops_tree.yaml_text import load_documents, load_yaml_file
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.patches import build_library_patches
from gitops_stack.rules.access_policy import RULE, check_access_policy
from gitops_stack.rules.argocd_config import check_argocd_config
from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.notifications_config import check_notifications_config
from gitops_stack.rules.overridden import has_field, list_overridden
from gitops_stack.rules.subscriptions import check_subscriptions
from gitops_stack.settings import ArgoCDSettings, StackSettings
from gitops_stack.settings.argocd.parameters import PARAMETERS
from gitops_stack.tree_check.applications import Tree


def check_installation_settings(tree: Tree, project: Path, settings: StackSettings) -> Iterator[Finding]:
    """Yield what Argo CD cannot read of its own configuration, and each setting that a patch overrides."""
    objects = [
        found for one in tree.applications if one.spec.name == SELF_MANAGEMENT_APPLICATION for found in one.objects
    ]
    own = _load_own_patches(project / settings.tree_path, settings.argocd)
    for found in objects:
        for finding in check_access_policy(found, settings.argocd.namespace, load_documents):
            yield _at_line(finding, found, project / settings.tree_path / PATCHES, project)
        yield from check_argocd_config(found, settings.argocd.namespace, load_documents)
        yield from check_notifications_config(found, settings.argocd.namespace, load_documents)
    yield from _check_parameters(objects, settings.argocd.namespace)
    yield from check_subscriptions(tree.objects, settings.argocd.namespace)
    yield from _check_overridden(settings, objects, own)


def _check_parameters(objects: Sequence[RenderedObject], namespace: str) -> Iterator[Finding]:
    """Yield a finding per key of argocd-cmd-params-cm that no container reads; settings have been held to it before."""
    read = {key for found in objects for name, key in list_parameter_reads(found.manifest) if name == PARAMETERS}
    if ALL in read:
        return
    for found in objects:
        if not found.is_config_map(PARAMETERS, namespace):
            continue
        for key in sorted(mapping(found.manifest.get("data")).keys() - read):
            near = difflib.get_close_matches(key, read, 1)
            needs = f"write {near[0]}" if near else "take it out"
            yield found.finding(f"data.{key}", "is a key that no container reads", needs, rule="argocd-config")


def _check_overridden(
    settings: StackSettings, objects: Sequence[RenderedObject], own: Sequence[tuple[str, Manifest]]
) -> Iterator[Finding]:
    for patch in build_library_patches(settings.argocd):
        body = patch.body
        if isinstance(body, list) or patch.target is not None or "$patch" in body:
            continue
        for found in objects:
            if not _changes(body, found.manifest):
                continue
            for path in list_overridden(body, found.manifest):
                names = [name for name, other in own if _changes(other, found.manifest) and has_field(other, path)]
                if names:
                    said = f"is {_shown(found.manifest, path)} by {names[-1]}, which wins over {patch_file(patch)}"
                    yield found.finding(
                        path, said, "take the setting or the patch's field away", rule="setting-overridden"
                    )


def _load_own_patches(root: Path, argocd: ArgoCDSettings) -> list[tuple[str, Manifest]]:
    """Return the patches of people in the order they apply: those of the stack file, then the authored ones."""
    found = [(f"argocd.patches.{name}", body) for name, body in sorted(argocd.patches.items())]
    for name in load_authored_patches(root):
        try:
            documents = load_yaml_file(root / PATCHES / name)
        except (OSError, GitOpsStackError):
            continue  # kustomize says so
        found += [(name, document) for document in documents if isinstance(document, dict)]
    return found


def _changes(patch: Manifest, manifest: Manifest) -> bool:
    names = [text(mapping(one.get("metadata")).get("name")) for one in (patch, manifest)]
    return patch.get("kind") == manifest.get("kind") and names[0] == names[1]


def _shown(manifest: Manifest, path: str) -> str:
    value: Any = manifest
    rest = path
    while isinstance(value, dict) and rest:
        key = max((one for one in value if rest == one or rest.startswith(f"{one}.")), key=len, default="")
        if not key:
            return "taken out"
        value, rest = value[key], rest[len(key) + 1 :]
    if isinstance(value, (dict, list)):
        return "otherwise"
    shown = " ".join(str(value).split())
    return f"set to {shown[:40]}{'…' if len(shown) > 40 else ''}" if shown else "emptied"  # noqa: PLR2004 - a width


def _at_line(finding: Finding, found: RenderedObject, folder: Path, project: Path) -> Finding:
    """Place a finding about a line of the policy in the file that holds it; generated ones come last."""
    if finding.rule != RULE or " line " not in finding.field:
        return finding
    key, _, number = finding.field.removeprefix("data.").partition(" line ")
    line = text(mapping(found.manifest.get("data")).get(key)).split("\n")[int(number) - 1].strip()
    for file in sorted(folder.glob("*.yaml"), key=lambda file: (file.name.startswith("00-"), file.name)):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for at, held in enumerate(lines, start=1):
            if held.strip() == line:
                return replace(finding, file=file.relative_to(project).as_posix(), line=at)
    return finding
