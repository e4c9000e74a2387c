"""Build the lab's executables from pinned Go modules, once, into a cache of the user's.

Imports ``artifacts`` (what to build), ``go_toolchain`` (with what) and ``errors``. Running them is left to ``lab``.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.lab.artifacts import ARTIFACTS, SOURCES, Artifact, Patch, build_bin_key, build_key, load_sources
from gitops_stack.lab.go_toolchain import build_go_environment, load_go

_ERROR_LINES = 12


@dataclass(frozen=True)
class Tools:
    """Hold the one folder with all executables of the lab; put it first on PATH."""

    bin: Path


def build_tools(
    progress: Callable[[str], None],
    *,
    cache: Path | None = None,
    artifacts: tuple[Artifact, ...] = ARTIFACTS,
    pins: Path = SOURCES,
) -> Tools:
    """Build what is missing, one at a time, and return the folder with all executables.

    ``artifacts`` are the lab's unless others are named, with the folder ``pins`` that holds one of theirs each.

    About 22 minutes on two cores the first time, below 0.2 s when all is there. ``progress`` gets one line per tool.
    Raise EnvironmentProblem when Go or git cannot be had or a build fails, with the end of its output.
    """
    cache = cache or load_cache_folder()
    folders = dict.fromkeys(artifact.folder for artifact in artifacts)
    keys = {folder: build_key(folder, load_sources(folder, pins), artifacts) for folder in folders}
    root = cache / "tools"
    binaries = root / build_bin_key(tuple(keys.values()))
    paths = {artifact: root / keys[artifact.folder] / artifact.name for artifact in artifacts}
    if all((binaries / artifact.name).exists() for artifact in artifacts):
        return Tools(binaries)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(root / ".lock", progress):
        if any(not path.exists() for path in paths.values()):
            if shutil.which("git") is None:
                raise EnvironmentProblem("PATH: git is missing, and Go needs it to fetch some modules; install git.")
            go = load_go(cache, progress)
            for number, (artifact, path) in enumerate(paths.items(), start=1):
                if not path.exists():
                    _build_one(go, artifact, pins, path, progress, place=f"{number} of {len(artifacts)}")
        write_links(binaries, paths.values())
    return Tools(binaries)


def write_links(binaries: Path, paths: Iterable[Path]) -> None:
    """Fill the folder ``binaries`` with one hard link per executable in ``paths``, replacing what is there.

    Not symlinks: the Python language host looks for its script beside its own, resolved, path.
    """
    binaries.mkdir(parents=True, exist_ok=True)
    for path in paths:
        scratch = binaries / f".{path.name}.{os.getpid()}"
        scratch.unlink(missing_ok=True)
        os.link(path, scratch)
        scratch.replace(binaries / path.name)


def _build_one(
    go: str, artifact: Artifact, pins: Path, path: Path, progress: Callable[[str], None], *, place: str
) -> None:
    progress(f"building {artifact.name} ({place}; about {artifact.minutes} the first time)")
    started = time.monotonic()
    path.parent.mkdir(parents=True, exist_ok=True)
    log = path.parent.parent / f"{artifact.name}.log"
    # The package folder may be read-only (a wheel): Go gets a copy. Only a finished executable gets its name.
    with tempfile.TemporaryDirectory(dir=path.parent.parent, prefix=f".{artifact.name}-") as scratch:
        source = Path(scratch) / "source"
        for name, content in load_sources(artifact.folder, pins).items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
        unfinished = Path(scratch) / artifact.name
        with log.open("w", encoding="utf-8") as output:
            build = _GoBuild(go, artifact, source, output.fileno(), log)
            build.write(unfinished)
        unfinished.chmod(0o755)
        unfinished.replace(path)
    progress(f"built {artifact.name} ({place}) in {time.monotonic() - started:.0f} s")


@dataclass(frozen=True)
class _GoBuild:
    """Run one build in a scratch copy of its pins; ``output`` is the open log."""

    go: str
    artifact: Artifact
    source: Path
    output: int
    log: Path

    def write(self, target: Path) -> None:
        artifact = self.artifact
        if artifact.module:
            folder = self._module_folder(artifact.module)
            destination = self.source if artifact.package else target.parent
            for name in artifact.copied:
                shutil.copyfile(folder / name, destination / Path(name).name)
        if artifact.patch is not None:
            self._write_patched(artifact.patch)
        if artifact.package:
            flags = ["-trimpath", "-buildvcs=false", "-ldflags", artifact.ldflags]
            self._run(["build", *flags, "-o", str(target), artifact.package])

    def _write_patched(self, patch: Patch) -> None:
        # Go refuses overlays inside its module cache, so the module is copied; with -trimpath the build cache still
        # recognises every package but the patched one.
        copy = self.source / "patched"
        ignored = shutil.ignore_patterns("docs", "testdata", "*_test.go")
        shutil.copytree(self._module_folder(patch.module), copy, ignore=ignored, copy_function=shutil.copyfile)
        for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
            folder.chmod(0o700)
        file = copy / patch.file
        text = file.read_text(encoding="utf-8")
        if text.count(patch.old) != 1:
            raise EnvironmentProblem(f"{patch.module} {patch.file}: the passage to patch is not there exactly once.")
        file.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
        self._run(["mod", "edit", f"-replace={patch.module}=./patched"])

    def _module_folder(self, module: str) -> Path:
        self._run(["mod", "download", module])
        return Path(self._run(["list", "-m", "-f", "{{.Dir}}", module]).strip())

    def _run(self, arguments: list[str]) -> str:
        done = subprocess.run(
            [self.go, *arguments],
            cwd=self.source,
            env=build_go_environment(os.environ),
            stdout=subprocess.PIPE,
            stderr=self.output,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_ERROR_LINES:])
            raise EnvironmentProblem(
                f"building {self.artifact.name}: go {arguments[0]} failed; look at {self.log}, which ends with:\n{last}"
            )
        return done.stdout


@contextmanager
def _locked(file: Path, progress: Callable[[str], None]) -> Iterator[None]:
    with file.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build of the lab's tools to finish")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
