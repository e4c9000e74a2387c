"""The folder that comes first on the engine's PATH in a rehearsal: both doubles' plugins, and `aws`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from gitops_stack.lab.aws import aws_cli
from gitops_stack.lab.processes import PYTHON_PATH

_PLUGINS = {
    "pulumi-resource-aws": "gitops_stack.lab.aws.provider",
    "pulumi-resource-eks": "gitops_stack.lab.aws.eks_provider",
}


def write_executables(folder: Path) -> Path:
    """Write them and return ``folder``. They run under this interpreter."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = shlex.quote(PYTHON_PATH)
    python = shlex.quote(sys.executable)
    for name, module in _PLUGINS.items():
        _write(folder / name, f'PYTHONPATH={paths} exec {python} -m {module} "$@"')
    # Run for every token the Kubernetes provider asks for: without site-packages it starts in 40 ms.
    _write(folder / "aws", f'exec {python} -I -S {shlex.quote(str(aws_cli.__file__))} "$@"')
    return folder


def _write(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    file.chmod(0o755)
