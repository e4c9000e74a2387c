"""Edit a stack file below `config`, as text: every byte that is not meant stays as people wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitops_stack.config.stack_config import load_project_name
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.edits.document import YamlDocument
from gitops_stack.edits.yaml_source import decode_text
from gitops_stack.gitops_tree.whole_file import write_whole_file


class StackText(YamlDocument):
    """The text of a stack file; paths are keys below `config`, such as ("gitops-stack:network", "cidr").

    A section that is written without its namespace is found all the same, as Pulumi finds it.
    """

    def __init__(self, text: str, place: str = "stack file", project_name: str = PULUMI_PROJECT) -> None:
        super().__init__(text, place, ("config",))
        self.project_name = project_name
        self._prefix = f"{project_name}:"

    @classmethod
    def load(cls, file: Path) -> StackText:
        """Read a stack file, its line breaks and byte order mark kept."""
        return cls(decode_text(file.read_bytes(), file.name), file.name, load_project_name(file.parent))

    def resolve(self, path: Sequence[str | int]) -> tuple[str | int, ...]:
        """Return ``path`` with its section as the file writes it."""
        first = str(path[0]) if path else ""
        short = first.removeprefix(self._prefix)
        config = self.data()
        config = config.get("config") if isinstance(config, dict) else None
        if path and isinstance(config, dict) and first not in config and short in config:
            return (*self.root, short, *path[1:])
        return super().resolve(path)

    def write(self, file: Path) -> None:
        """Write the text to ``file``, byte for byte."""
        write_whole_file(file, self.text)


def write_release(file: Path, version: str, commit: str) -> bool:
    """Set `argocd.version` and `argocd.commit` in a stack file. Returns whether anything changed."""
    text = StackText.load(file)
    before = text.text
    text.set((f"{PULUMI_PROJECT}:argocd", "version"), version)
    text.set((f"{PULUMI_PROJECT}:argocd", "commit"), commit)
    if text.text != before:
        text.write(file)
    return text.text != before
