"""The wheel: complete, and usable where the repository is not."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.stacks import ROOT


def run(*command: str | Path, cwd: Path) -> str:
    # With $PYTHONPATH the package would be the caller's, not the wheel's.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a new environment that finds everything else in this one; returns its folder."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False)
    site = Path(
        run(folder / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    command = ("-m", "pip", "--python", folder / "bin/python", "install", "--quiet", "--no-deps", "--no-index")
    run(sys.executable, *command, "--disable-pip-version-check", wheel, cwd=folder)
    (site / "outer.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


def test_the_wheel_holds_every_file_the_package_reads(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    tools = {
        file for pattern in ("go.mod", "go.sum", "*.go") for file in (ROOT / "gitops_stack/lab/tools").rglob(pattern)
    }
    schemas = ("stack.schema.json", "cluster-metadata.schema.json")
    data = (
        "py.typed", *schemas, "gitops_tree/known_bad_releases.yaml", "lab/kwok-stages.yaml",
        "lab/tool-digests.json", "upgrade/release_facts.yaml",
    )  # fmt: skip
    wanted = {file.relative_to(ROOT).as_posix() for file in tools} | {f"gitops_stack/{name}" for name in data}
    assert len(tools) > 8
    assert wanted - held == set()
    assert {name.partition("/")[0] for name in held if ".dist-info" not in name} == {"gitops_stack"}


def test_the_installed_package_is_the_wheel_s(installed: Path, tmp_path: Path) -> None:
    code = "import gitops_stack.components; print(gitops_stack.__file__)"
    assert Path(run(installed / "bin/python", "-c", code, cwd=tmp_path).strip()).is_relative_to(installed)


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--version"], "gitops-stack 0.1.0"), (["lab", "--help"], "bootstrap")]
)
def test_the_installed_command_runs(arguments: list[str], said: str, installed: Path, tmp_path: Path) -> None:
    assert said in run(installed / "bin/gitops-stack", *arguments, cwd=tmp_path)


@pytest.mark.parametrize("options", [(), ("--metadata",)], ids=["stack", "metadata"])
def test_the_installed_schema_is_fresh(options: tuple[str, ...], installed: Path, tmp_path: Path) -> None:
    assert "fresh" in run(installed / "bin/gitops-stack", "schema", "--check", *options, cwd=tmp_path)
