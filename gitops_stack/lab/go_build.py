"""One run of `go build` in a scratch copy of its pins; where its result is kept is left to ``tools``."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.artifacts import Artifact, Patch, load_sources
from gitops_stack.lab.go_toolchain import build_go_environment

_ERROR_LINES = 12
# The same pins and toolchain give the same bytes: no path of this machine, no state of a repository, no symbol tables.
FLAGS = ("-trimpath", "-buildvcs=false")


@dataclass
class Running:
    """Hold the Go processes under way, so that one failure can end the rest."""

    processes: set[subprocess.Popen[str]] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)
    ended: bool = False

    @contextmanager
    def holding(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """Keep ``process`` among those that ``end`` stops, as long as the block runs."""
        with self.lock:
            self.processes.add(process)
            if self.ended:
                process.terminate()
        try:
            yield
        finally:
            with self.lock:
                self.processes.discard(process)

    def end(self) -> None:
        """Stop every Go process, and those that start later."""
        with self.lock:
            self.ended = True
            for process in self.processes:
                process.terminate()


def build_executable(go: str, artifact: Artifact, pins: Path, path: Path, running: Running) -> None:
    """Build ``artifact`` from its folder under ``pins`` and move it to ``path`` once it is whole.

    Raise EnvironmentProblem with the end of the log, which lies beside the folder of ``path``.
    """
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
            _GoBuild(go, artifact, source, output.fileno(), log, running).write(unfinished)
        unfinished.chmod(0o755)
        unfinished.replace(path)


@dataclass(frozen=True)
class _GoBuild:
    """Run one build in a scratch copy of its pins; ``output`` is the open log."""

    go: str
    artifact: Artifact
    source: Path
    output: int
    log: Path
    running: Running

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
            self._run(["build", *FLAGS, "-ldflags", artifact.ldflags, "-o", str(target), artifact.package])

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
            raise EnvironmentProblem(
                Problem("the passage to patch is not there exactly once.", place=f"{patch.module} {patch.file}")
            )
        file.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
        self._run(["mod", "edit", f"-replace={patch.module}=./patched"])

    def _module_folder(self, module: str) -> Path:
        self._run(["mod", "download", module])
        return Path(self._run(["list", "-m", "-f", "{{.Dir}}", module]).strip())

    def _run(self, arguments: list[str]) -> str:
        process = subprocess.Popen(
            [self.go, *arguments],
            cwd=self.source,
            env=build_go_environment(os.environ),
            stdout=subprocess.PIPE,
            stderr=self.output,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        with self.running.holding(process):
            printed, _ = process.communicate()
        if process.returncode != 0:
            last = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_ERROR_LINES:])
            raise EnvironmentProblem(
                f"building {self.artifact.name}: go {arguments[0]} failed; look at {self.log}, which ends with:\n{last}"
            )
        return printed
