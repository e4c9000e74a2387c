"""Judge a living installation: one report from what lives in the cluster and what the stack would install. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gitops_stack import conventions
from gitops_stack.adoption.app_projects import build_adopted_project, check_app_projects
from gitops_stack.adoption.configuration import Kept, build_config_patches, check_configuration
from gitops_stack.adoption.conflicts import (
    PREFIX,
    check_cluster_wide,
    check_immutable,
    check_installations,
    check_leftovers,
    check_terminating,
)
from gitops_stack.adoption.customizations import check_customizations
from gitops_stack.adoption.living import Living
from gitops_stack.adoption.living_applications import check_applications
from gitops_stack.adoption.origin import find_installations, labels_of
from gitops_stack.adoption.ours import build_test, find_other_stack
from gitops_stack.adoption.report import AdoptionFinding, AdoptionReport, Installation, list_names
from gitops_stack.adoption.wanted import Wanted
from gitops_stack.gitops_tree.manifest_set import object_key
from gitops_stack.manifests import Manifest

_ORDER = ("refused", "lost", "note")
_ENFORCE = "pod-security.kubernetes.io/enforce"


def build_report(living: Living, wanted: Wanted) -> AdoptionReport:
    """Build the report; it is clear for an empty cluster and for what this stack itself put there."""
    is_ours = build_test(living.home, wanted.stack, wanted.namespace)
    foreign = [one for one in living.objects if not is_ours(one)]
    home_is_ours = bool(living.home) and labels_of(living.home or {}).get(conventions.STACK_LABEL) == wanted.stack
    installations = find_installations(living.objects, living.applications, wanted.namespace, home_is_ours)
    here = next((one for one in installations if (one.namespace, one.prefix) == (wanted.namespace, PREFIX)), None)
    kept, patches = Kept(), list[Manifest]()
    findings = [
        *_check_home(living, wanted),
        *check_terminating([*([living.home] if living.home else ()), *living.objects], wanted),
        *check_immutable(foreign, wanted),
        *check_installations(installations, foreign, wanted, home_is_ours),
        *check_cluster_wide(foreign, installations, wanted),
        *check_applications([*living.applications, *living.application_sets], wanted, is_ours),
        *check_app_projects(living.app_projects, living.applications, wanted, is_ours),
        *_check_dormant(living, installations),
        *_check_version(installations, wanted),
        *check_configuration(foreign, wanted, kept),
        *check_customizations(foreign, wanted, here.kind if here else "unknown", patches),
        *check_leftovers(foreign, installations, wanted, is_ours),
    ]
    adopted = build_adopted_project(living.app_projects, living.applications, wanted, is_ours)
    return AdoptionReport(
        tuple(installations),
        tuple(sorted(findings, key=lambda found: _ORDER.index(found.level))),
        (*build_config_patches(kept.data), *patches),
        (adopted,) if adopted else (),
        tuple(sorted(kept.rbac.items())),
        kept.admin_enabled,
    )


def _check_home(living: Living, wanted: Wanted) -> Iterator[AdoptionFinding]:
    if other := find_other_stack(living.home, wanted.stack):
        yield AdoptionFinding(
            "refused",
            f"namespace {wanted.namespace}",
            f"belongs to stack {other}",
            f"use the kubeconfig context of {wanted.stack}'s cluster",
        )
    enforced = labels_of(living.home).get(_ENFORCE) if living.home else None
    if enforced not in (None, "restricted"):
        yield AdoptionFinding(
            "note",
            f"namespace {wanted.namespace}",
            f"{_ENFORCE} becomes restricted, it is {enforced}",
            "see that every other pod there meets it",
        )


def _check_dormant(living: Living, installations: Sequence[Installation]) -> Iterator[AdoptionFinding]:
    if living.applications and not installations:
        yield AdoptionFinding(
            "note",
            list_names(f"Application {'/'.join(object_key(one)[2:])}" for one in living.applications),
            "no Argo CD runs in this cluster; the stack's will sync them as soon as it does",
        )


def _check_version(installations: Sequence[Installation], wanted: Wanted) -> Iterator[AdoptionFinding]:
    for found in installations:
        if found.namespace != wanted.namespace:
            continue
        there, own = _parse(found.version), _parse(wanted.version)
        if there and own and there > own:
            yield AdoptionFinding(
                "lost",
                f"namespace {found.namespace}",
                f"runs Argo CD {found.version}, newer than the stack's {wanted.version}: fields that the older CRDs do "
                "not have would be dropped",
                f"run `gitops-stack lock --stack {wanted.stack} --version {found.version}`",
            )
        elif there and own and there[0] < own[0]:
            yield AdoptionFinding(
                "note",
                f"namespace {found.namespace}",
                f"runs Argo CD {found.version}, a major release behind the stack's {wanted.version}",
                "read upstream's upgrade notes, or take over at its own release first",
            )


def _parse(version: str) -> tuple[int, ...]:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, match.groups())) if match else ()
