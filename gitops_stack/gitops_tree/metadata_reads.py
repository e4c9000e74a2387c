"""Hold what a tree's ApplicationSets read of the cluster Secret against what the stack writes there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.errors import Problem
from gitops_stack.gitops_tree.yaml_text import build_no_yaml, load_documents
from gitops_stack.manifests.cluster_metadata import check_reads, produced_keys
from gitops_stack.settings import StackSettings


def check_metadata_reads(settings: StackSettings, root: Path) -> Iterator[Problem]:
    """Yield a problem for each key that an ApplicationSet under ``root`` reads and the contract does not produce."""
    produced = produced_keys(settings)
    for file in sorted(_files_with_application_sets(root)):
        text = file.read_text(encoding="utf-8", errors="replace")
        try:
            documents = load_documents(text)
        except yaml.YAMLError as error:
            yield build_no_yaml(str(file), error)
            continue
        for document in documents:
            if _is_application_set(document):
                yield from (problem.at(str(file)) for problem in check_reads(document, produced))


def _files_with_application_sets(root: Path) -> Iterator[Path]:
    """Yield the YAML files that say the word; `pulumi up` asks, and a tree may have thousands that do not."""
    for folder, _, names in os.walk(root):
        for name in names:
            place = f"{folder}/{name}"
            if name.endswith((".yaml", ".yml")) and os.path.isfile(place):  # noqa: PTH113 - each Path costs as much
                with open(place, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                    if b"ApplicationSet" in file.read():
                        yield Path(place)


def _is_application_set(document: Any) -> bool:  # noqa: ANN401 - any YAML value
    return (
        isinstance(document, dict)
        and document.get("kind") == "ApplicationSet"
        and isinstance(document.get("metadata"), dict)
    )
