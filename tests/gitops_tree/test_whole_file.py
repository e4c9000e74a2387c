"""Files are written whole or not at all, several of them together, through links and with their mode kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_stack.gitops_tree.whole_file import write_whole_file, write_whole_files

KILLED = """
import os, signal, sys
from pathlib import Path
from gitops_stack.gitops_tree import whole_file

stage, left = whole_file._stage, [int(sys.argv[1])]

def kill(part, content, *rest):
    if not left[0]:
        part.write_bytes(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    stage(part, content, *rest)

whole_file._stage = kill
whole_file.write_whole_files({Path(name): "new " * 1000 for name in sys.argv[2:]})
"""


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_run_that_is_killed_while_it_writes_leaves_every_file_as_it_was(after: int, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file in files:
        file.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(after), *map(str, files)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [file.read_text() for file in files] == ["old"] * 3


def test_when_one_file_cannot_be_written_no_other_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as refused:
        write_whole_files({tmp_path / "a": "new", tmp_path / "b": "new", tmp_path / "folder": "new"})
    assert refused.value.filename == str(tmp_path / "folder")
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "folder"]


def test_a_read_only_file_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)  # root may write any
    with pytest.raises(PermissionError) as refused:
        write_whole_file(tmp_path / "a", "new")
    assert refused.value.filename == str(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "old"


def test_a_link_stays_a_link_and_a_mode_stays_the_mode(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o750)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("made")
    write_whole_files({tmp_path / "link": b"\xffnew", tmp_path / "dangling": "x", tmp_path / "deep/er/file": "y\r\n"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"\xffnew"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "made").read_text() == "x"
    assert (tmp_path / "deep/er/file").read_bytes() == b"y\r\n"
    assert not list(tmp_path.rglob("*.part"))


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole_file(tmp_path / "pipe", "shown")
    assert os.read(reader, 100) == b"shown"
    assert (tmp_path / "pipe").is_fifo()
    os.close(reader)


def test_one_file_in_a_folder_that_is_missing_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        write_whole_file(tmp_path / "no/x", "new")
    assert refused.value.filename == str(tmp_path / "no/x")
    assert not list(tmp_path.iterdir())
