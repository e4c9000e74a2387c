"""Edit a stack file below `config`, as text: every byte that is not meant stays as people wrote it."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.edits.document import YamlDocument
from gitops_stack.edits.yaml_source import decode_text


class StackText(YamlDocument):
    """The text of a stack file; paths are keys below `config`, such as ("gitops-stack:network", "cidr")."""

    def __init__(self, text: str, place: str = "stack file") -> None:
        super().__init__(text, place, ("config",))

    @classmethod
    def load(cls, file: Path) -> StackText:
        """Read a stack file, its line breaks and byte order mark kept."""
        return cls(decode_text(file.read_bytes(), file.name), file.name)

    def write(self, file: Path) -> None:
        """Write the text to ``file``, byte for byte."""
        file.write_bytes(self.text.encode("utf-8"))


def write_release(file: Path, version: str, commit: str) -> bool:
    """Set `argocd.version` and `argocd.commit` in a stack file. Returns whether anything changed."""
    text = StackText.load(file)
    before = text.text
    text.set((f"{PULUMI_PROJECT}:argocd", "version"), version)
    text.set((f"{PULUMI_PROJECT}:argocd", "commit"), commit)
    if text.text != before:
        text.write(file)
    return text.text != before
