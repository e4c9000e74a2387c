"""The README: its program runs, its tables are what the double knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pulumi_aws_double.functions import FUNCTIONS
from pulumi_aws_double.registry import RESOURCE_TYPES

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_python_program_runs() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"http://\S+/111122223333/orders\n", done.stdout)


def test_every_resource_type_is_listed_below_its_service() -> None:
    rows = re.findall(r"^\| ([a-z0-9]+) \| ([A-Z].*) \|$", README, re.MULTILINE)
    listed = sorted((service, name) for service, names in rows for name in names.split(", "))
    assert listed == sorted((token.split(":")[1].partition("/")[0], token.split(":")[2]) for token in RESOURCE_TYPES)


def test_every_function_is_listed() -> None:
    (names,) = re.findall(r"^Functions: (.*?)\.\n\n", README, re.MULTILINE | re.DOTALL)
    assert re.split(r",\s", names) == sorted(token.rpartition(":")[2] for token in FUNCTIONS)
