"""The commands in the README of pulumi-aws-double, by the real engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_stack.lab.tools import build_tools
from tests.stacks import ROOT

pytestmark = pytest.mark.e2e
DOUBLE = ROOT / "packages/pulumi-aws-double"


def test_the_example_goes_up_and_down_again(tmp_path: Path) -> None:
    (script,) = re.findall(r"```sh\n(.*?)```", (DOUBLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    program = shutil.copytree(DOUBLE / "examples/registry", tmp_path / "registry")
    command = tmp_path / "bin/pulumi-aws-double"  # as installing the package writes it
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m pulumi_aws_double "$@"\n')
    command.chmod(0o755)
    path = (command.parent, build_tools(print).bin, Path(sys.executable).parent, os.environ["PATH"])
    environment = {
        **os.environ,
        "PATH": os.pathsep.join(map(str, path)),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "TMPDIR": str(tmp_path / "temporary"),
    }
    (tmp_path / "temporary").mkdir()
    done = subprocess.run(
        ["sh", "-c", script], cwd=program, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"url *: \"123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com/shop/images\"", done.stdout)
    assert re.findall(r"([+-]) (\d+) (created|deleted|unchanged)", done.stdout) == [
        ("+", "4", "created"),
        ("-", "4", "deleted"),
    ]
    assert list((tmp_path / "temporary").glob("pulumi-aws-double-*")) == []
