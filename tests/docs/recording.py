"""Record `make local` as a picture: `make recording` runs it, and writes what it printed to docs/make-local.svg."""

from __future__ import annotations

import io
import re
import subprocess
import sys

from rich.console import Console
from rich.text import Text

from tests.stacks import ROOT

PICTURE = ROOT / "docs" / "make-local.svg"
COMMAND = ("make", "local")
_WIDTH = 120
_FONT_FACES = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)  # loaded from elsewhere; a picture loads nothing


def draw(lines: list[str]) -> str:
    """Return the picture of a terminal in which the command printed ``lines``."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {' '.join(COMMAND)}", style="bold"))
    for line in lines:
        console.print(Text(line.replace(str(ROOT), "~/platform")))
    return _FONT_FACES.sub("", console.export_svg(title=" ".join(COMMAND), unique_id="local"))


def main() -> int:
    """Run the command in this project, draw what it prints, and pass its exit code on."""
    done = subprocess.run(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    sys.stdout.write(done.stdout)
    if done.returncode == 0:
        PICTURE.write_text(draw(done.stdout.splitlines()), encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
