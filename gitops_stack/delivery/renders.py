"""What a proof reads of a render, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gitops_stack.manifests import Manifest


class Renders(Protocol):
    """Folders at one moment: what each renders to, or why that is not known."""

    @property
    def objects(self) -> Mapping[str, Sequence[Manifest]]:
        """Folder -> its objects, where they are known."""
        ...

    @property
    def unseen(self) -> Mapping[str, str]:
        """Folder -> why its objects are not known."""
        ...
