"""Hold what a tree's ApplicationSets read of the cluster Secret against what the stack writes there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.gitops_tree.yaml_text import build_no_yaml, load_documents
from gitops_stack.manifests.cluster_metadata import check_reads, produced_keys
from gitops_stack.settings import StackSettings


def check_metadata_reads(settings: StackSettings, root: Path) -> Iterator[str]:
    """Yield a finding for each key that an ApplicationSet under ``root`` reads and the contract does not produce."""
    produced = produced_keys(settings)
    for file in sorted(path for path in root.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file()):
        text = file.read_text(encoding="utf-8", errors="replace")
        if "ApplicationSet" not in text:
            continue
        try:
            documents = load_documents(text)
        except yaml.YAMLError as error:
            yield build_no_yaml(str(file), error)
            continue
        for document in documents:
            if _is_application_set(document):
                yield from (f"{file}: {finding}" for finding in check_reads(document, produced))


def _is_application_set(document: Any) -> bool:  # noqa: ANN401 - any YAML value
    return (
        isinstance(document, dict)
        and document.get("kind") == "ApplicationSet"
        and isinstance(document.get("metadata"), dict)
    )
