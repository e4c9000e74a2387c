"""Packages of charts, made in memory; and a helm that knows a folder of them as its only repository."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

REPOSITORY = "https://charts.example.com"
DEPLOYMENT = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {version: {{ .Chart.Version }}}\n"
)
# What helm v3.22.0 says, word for word (tests/e2e/test_charts_with_helm.py).
_HELM = """#!{python}
import pathlib, shutil, sys
arguments = sys.argv[1:]
with open("{folder}/calls", "a") as calls:
    calls.write(" ".join(arguments) + "\\n")
if arguments[:2] == ["repo", "list"]:
    print(pathlib.Path("{folder}/aliases").read_text())
    sys.exit(0)
if arguments[:2] == ["repo", "update"]:
    sys.exit(0)
name, version = arguments[1], arguments[arguments.index("--version") + 1]
said = pathlib.Path("{folder}/fails")
if said.exists():
    sys.exit("Error: " + said.read_text())
package = pathlib.Path("{folder}") / (name.rpartition("/")[2] + "-" + version + ".tgz")
if not package.exists():
    sys.exit(f'Error: chart "{{name}}" version "{{version}}" not found in {repository} repository')
shutil.copy(package, ".")
"""


def build_package(
    name: str = "web", version: str = "1.0.0", files: Mapping[str, str | bytes] | None = None, **chart: object
) -> bytes:
    """Build an archive as `helm package` does; ``files`` are below the chart's folder."""
    about = {"apiVersion": "v2", "name": name, "version": version, **chart}
    held = {"Chart.yaml": yaml.safe_dump(about), "templates/all.yaml": DEPLOYMENT, **(files or {})}
    return build_archive({f"{name}/{path}": content for path, content in held.items()})


def build_archive(files: Mapping[str, str | bytes], **special: tarfile.TarInfo) -> bytes:
    """Build an archive of any files, the same bytes each time."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            held = content.encode() if isinstance(content, str) else content
            entry.size = len(held)
            archive.addfile(entry, io.BytesIO(held))
        for entry in special.values():
            archive.addfile(entry)
    return gzip.compress(made.getvalue(), mtime=0)


class FakeHelm:
    """A helm on PATH whose repository is ``folder``."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin/helm"
        program.write_text(_HELM.format(python=sys.executable, folder=folder, repository=REPOSITORY))
        program.chmod(0o755)
        (folder / "aliases").write_text("[]")
        monkeypatch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)

    def publish(self, content: bytes, name: str = "web", version: str = "1.0.0") -> None:
        """Offer a package under a name and a version."""
        (self.folder / f"{name}-{version}.tgz").write_bytes(content)

    def fail(self, said: str) -> None:
        """Let every pull fail from now on."""
        (self.folder / "fails").write_text(said)

    @property
    def calls(self) -> list[str]:
        """What was asked of it, `repo list` left out."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if not line.startswith("repo list")]
