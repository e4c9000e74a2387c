"""The folder that comes first on the engine's PATH: both doubles' plugins, and `aws`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from pulumi_aws_double import aws_cli
from pulumi_aws_double.servers import PYTHON_PATH

_PLUGINS = {
    "pulumi-resource-aws": "pulumi_aws_double.provider",
    "pulumi-resource-eks": "pulumi_aws_double.eks_provider",
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
