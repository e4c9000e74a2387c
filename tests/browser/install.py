"""Chromium from the npm package that holds it, pinned by the integrity in package-lock.json."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from gitops_stack.gitops_tree.cache_folder import load_cache_folder

HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json")
# Node's own Brotli: Python has none.
_UNPACK = """
const { readFileSync, writeFileSync } = require("node:fs");
const { brotliDecompressSync } = require("node:zlib");
const files = { "chromium.br": "chromium", "fonts.tar.br": "fonts.tar", "al2023.tar.br": "lib.tar" };
for (const [packed, plain] of Object.entries(files))
  writeFileSync(plain, brotliDecompressSync(readFileSync(`node_modules/@sparticuz/chromium/bin/${packed}`)));
"""


def install_chromium() -> Path:
    """Return the folder of the browser, `chromium` in it; installed once per lock file, in some ten seconds."""
    key = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in (*_FILES, "install.py"))).hexdigest()[:16]
    folder = load_cache_folder() / "chromium" / key
    if not (folder / "chromium").is_file():
        if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
            raise RuntimeError(f"{' and '.join(missing)}: not on PATH; install Node.js 20 or newer for these tests")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            for name in _FILES:
                shutil.copy(HERE / name, made)
            _run(Path(made), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            _run(Path(made), "node", "--eval", _UNPACK)
            for archive in ("fonts.tar", "lib.tar"):
                shutil.unpack_archive(Path(made, archive), made, filter="data")
            shutil.rmtree(Path(made, "node_modules"))
            Path(made, "chromium").chmod(0o755)
            if not folder.exists():
                os.rename(made, folder)  # noqa: PTH104 - whole or not at all; another run may be at it
                Path(made).mkdir()  # which the context manager removes
    return folder


def _run(folder: Path, *command: str) -> None:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if ended.returncode:
        raise RuntimeError(f"{command[0]} {command[1]} failed: {ended.stderr.strip() or ended.stdout.strip()}")
