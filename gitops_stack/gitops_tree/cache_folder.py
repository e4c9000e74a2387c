"""The folder of everything that can be made again: renders, the git environment, the lab's executables."""

from __future__ import annotations

import os
from pathlib import Path


def load_cache_folder() -> Path:
    """Return `$GITOPS_STACK_CACHE_DIR`, else `gitops-stack` under `$XDG_CACHE_HOME` or `~/.cache`."""
    if own := os.environ.get("GITOPS_STACK_CACHE_DIR"):
        return Path(own).absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "gitops-stack"
