"""Rules between the stacks of one project: what an account has once has one owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.config.sentences import PREFIX, REGION_KEY
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.settings import StackSettings


def check_siblings(settings: StackSettings, project: Path) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed) for what another stack file of ``project`` claims as well.

    Only stacks of the same account and region are rivals. A stack file that cannot be read is left to its own check.
    """
    if settings.account is None:
        return
    for file in sorted(project.glob("Pulumi.*.yaml")):
        stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        config = _load_config(file)
        if stack == settings.stack or _section(config, "account").get("id") != settings.account.id:
            continue
        if file.name < f"Pulumi.{settings.stack}.yaml":  # the first of them makes it
            yield from _check_issuers(settings, config, file.name)
        if config.get(REGION_KEY) != settings.region:
            continue
        owns = settings.registry is not None and settings.registry.owns_account_registry
        if owns and _section(config, "registry").get("ownsAccountRegistry") is True:
            needs = f"needs one owner: {file.name} owns the registry of this account and region"
            yield "registry.ownsAccountRegistry", True, needs
        yield from _check_names(settings, config, file.name)
        cluster = _section(config, "cluster")
        name = cluster.get("name") or f"{PULUMI_PROJECT}-{stack}"
        if settings.eks is not None and cluster.get("provider") == "eks" and name == settings.cluster_name:
            yield "cluster.name", name, f"needs another name: {file.name} has a cluster of that name"


def _check_issuers(
    settings: StackSettings, config: Mapping[str, Any], sibling: str
) -> Iterator[tuple[str, object, str]]:
    """Yield what both stacks would make: an account has one OIDC provider per issuer."""
    if settings.ci is None:
        return
    own = {"github": settings.ci.github_provider_arn, "gitlab": settings.ci.gitlab_provider_arn}
    pipelines = (*settings.ci.publishers.values(), *settings.ci.previewers.values())
    theirs = _section(config, "ci")
    entries = [
        entry
        for key in ("publishers", "previewers")
        for entry in (theirs.get(key) or {}).values()
        if isinstance(entry, Mapping)
    ]
    for issuer, arn in own.items():
        makes = arn is None and any(getattr(pipeline, issuer) is not None for pipeline in pipelines)
        made = theirs.get(f"{issuer}ProviderArn") is None and any(issuer in entry for entry in entries)
        if makes and made:
            needs = f"needs the ARN of the account's one provider: {sibling} makes it"
            yield f"ci.{issuer}ProviderArn", None, needs


def _check_names(settings: StackSettings, config: Mapping[str, Any], sibling: str) -> Iterator[tuple[str, object, str]]:
    theirs = _section(config, "registry").get("repositories")
    shared = [
        name
        for name in (settings.registry.repositories if settings.registry else ())
        if isinstance(theirs, Mapping) and name in theirs
    ]
    for name in shared:
        needs = f"needs one stack that makes it: {sibling} has a repository of that name in this account and region"
        yield "registry.repositories", name, needs


def _section(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = config.get(f"{PREFIX}{key}")
    return section if isinstance(section, Mapping) else {}


def _load_config(file: Path) -> Mapping[str, Any]:
    try:
        documents = load_documents(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return {}
    config = documents[0].get("config") if documents and isinstance(documents[0], dict) else None
    return config if isinstance(config, Mapping) else {}
