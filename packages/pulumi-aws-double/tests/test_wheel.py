"""The wheel: the package and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[1]


def test_the_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("pulumi_aws_double-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name}
    package = FOLDER / "pulumi_aws_double"
    wanted = {file.relative_to(FOLDER).as_posix() for file in (*package.rglob("*.py"), package / "py.typed")}
    assert held == wanted
