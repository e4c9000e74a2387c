"""Write a release into a stack file, comments and order kept. The only place a tool edits what people wrote."""

from __future__ import annotations

import io
from pathlib import Path

from ruamel.yaml import YAML

from gitops_stack.conventions import PULUMI_PROJECT


def write_release(file: Path, version: str, commit: str) -> bool:
    """Set `argocd.version` and `argocd.commit` in a stack file. Returns whether anything changed."""
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    editor.indent(mapping=2, sequence=4, offset=2)
    document = editor.load(file.read_text(encoding="utf-8"))
    argocd = document["config"][f"{PULUMI_PROJECT}:argocd"]
    if (argocd["version"], argocd["commit"]) == (version, commit):
        return False
    argocd["version"], argocd["commit"] = version, commit
    text = io.StringIO()
    editor.dump(document, text)
    file.write_text(text.getvalue(), encoding="utf-8")
    return True
