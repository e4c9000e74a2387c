"""An export of the lab's tools: what it holds is what is taken, and anything else is refused with one sentence."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.artifacts import Artifact
from gitops_stack.lab.tool_cache import ToolCache, load_tool_cache
from gitops_stack.lab.tool_digests import load_platform
from gitops_stack.lab.tool_exchange import export_tools, import_tools

ONE = Artifact("one", "first", "example.org/one", 1)
TWO = Artifact("two", "second", "example.org/two", 1)
KINDS = pytest.mark.parametrize("name", ["folder", "tools.tar", "tools.tar.gz", "tools.tgz"])


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    for folder in ("first", "second"):
        (tmp_path / "pins" / folder).mkdir(parents=True)
        (tmp_path / "pins" / folder / "go.mod").write_text(f"module {folder}\n", encoding="utf-8")
        (tmp_path / "pins" / folder / "go.sum").touch()
    return tmp_path / "pins"


@pytest.fixture
def full(tmp_path: Path, pins: Path) -> ToolCache:
    places = load_tool_cache(tmp_path / "cache", (ONE, TWO), pins)
    for artifact, path in places.paths.items():
        path.parent.mkdir(parents=True)
        path.write_bytes(artifact.name.encode() * 1000)
    return places


def empty(tmp_path: Path, pins: Path) -> ToolCache:
    return load_tool_cache(tmp_path / "other", (ONE, TWO), pins)


def ignore(_: str) -> None:
    pass


def repack(source: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a tar file like ``source`` with its files changed; returns it."""
    with tarfile.open(source) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    change(files)
    folder = source.parent / "unpacked"
    target = source.with_name("changed.tar")
    with tarfile.open(target, "w") as archive:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            archive.add(folder / name, name)
    return target


def edit_manifest(files: dict[str, bytes], edit: Callable[[dict[str, object]], None]) -> None:
    document = json.loads(files["manifest.json"])
    edit(document)
    files["manifest.json"] = json.dumps(document).encode()


@KINDS
def test_another_machine_takes_the_same_executables(name: str, tmp_path: Path, pins: Path, full: ToolCache) -> None:
    written = export_tools(full, tmp_path / name, ignore)
    assert (written.tools, written.committed) == (("one", "two"), ())
    other = empty(tmp_path, pins)
    assert import_tools(other, tmp_path / name, ignore).tools == ("one", "two")
    assert other.missing() == []
    for artifact, path in other.paths.items():
        assert path.read_bytes() == full.paths[artifact].read_bytes()
        assert path.stat().st_mode & 0o111
    assert [path for path in other.root.iterdir() if path.name.startswith(".import")] == []


def test_the_same_executables_are_the_same_file(tmp_path: Path, full: ToolCache) -> None:
    for name in ("a.tar", "b.tar"):
        export_tools(full, tmp_path / name, ignore)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_what_is_not_built_is_not_exported(tmp_path: Path, full: ToolCache) -> None:
    full.paths[TWO].unlink()
    with pytest.raises(EnvironmentProblem, match=r"two not built yet; run `gitops-stack lab tools` first"):
        export_tools(full, tmp_path / "folder", ignore)
    assert not (tmp_path / "folder").exists()


def test_tools_of_other_pins_are_left_out_and_named(tmp_path: Path, pins: Path, full: ToolCache) -> None:
    export_tools(full, tmp_path / "folder", ignore)
    (pins / "second" / "go.mod").write_text("module changed\n", encoding="utf-8")
    other = empty(tmp_path, pins)
    taken = import_tools(other, tmp_path / "folder", ignore)
    assert (taken.tools, taken.skipped) == (("one",), ("two",))
    assert [artifact.name for artifact in other.missing()] == ["two"]


def _flip(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.endswith("/two"))
    files[name] = b"x" + files[name][1:]


def _drop(files: dict[str, bytes]) -> None:
    del files[next(name for name in files if name.endswith("/two"))]


def _platform(files: dict[str, bytes]) -> None:
    edit_manifest(files, lambda document: document.update(platform="plan9-mips"))


def _foreign(files: dict[str, bytes]) -> None:
    tools = {"one": {"key": "first-0000000000000000", "sha256": "0" * 64}}
    edit_manifest(files, lambda document: document.update(tools=tools))


def _garbage(files: dict[str, bytes]) -> None:
    files["manifest.json"] = b"[]"


def _headless(files: dict[str, bytes]) -> None:
    files["zzz"] = files.pop("manifest.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_flip, r"the bytes of second-[0-9a-f]{16}/two are not those of its manifest; export it again\."),
        (_drop, r"its manifest names second-[0-9a-f]{16}/two, which it lacks; export it again\."),
        (_platform, rf"holds tools for plan9-mips, and this machine is {load_platform()}; export them on"),
        (_foreign, r"holds no tool of the pins of this version of gitops-stack; export it again with this version\."),
        (_garbage, r"manifest\.json is not one of `--export`; export it again\."),
        (_headless, r"does not begin with manifest\.json; name a folder or file of `--export`\."),
    ],
)
def test_an_export_that_does_not_hold_what_it_says_is_refused_whole(
    change: Callable[[dict[str, bytes]], None], said: str, tmp_path: Path, pins: Path, full: ToolCache
) -> None:
    export_tools(full, tmp_path / "tools.tar", ignore)
    other = empty(tmp_path, pins)
    with pytest.raises(EnvironmentProblem, match=said):
        import_tools(other, repack(tmp_path / "tools.tar", change), ignore)
    assert [artifact.name for artifact in other.missing()] == ["one", "two"]


@pytest.mark.parametrize("name", ["tools.tar", "tools.tar.gz"])
def test_a_file_that_is_cut_short_is_refused(name: str, tmp_path: Path, pins: Path, full: ToolCache) -> None:
    export_tools(full, tmp_path / name, ignore)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 2 // 5])
    with pytest.raises(EnvironmentProblem, match="export it again"):
        import_tools(empty(tmp_path, pins), tmp_path / name, ignore)


def test_no_such_export_and_a_folder_without_a_manifest_are_named(tmp_path: Path, pins: Path) -> None:
    places = empty(tmp_path, pins)
    with pytest.raises(EnvironmentProblem, match=r"gone: No such file or directory; name a folder or file"):
        import_tools(places, tmp_path / "gone", ignore)
    with pytest.raises(EnvironmentProblem, match=r"pins: has no manifest\.json"):
        import_tools(places, pins, ignore)
    (tmp_path / "text").write_text("no tar", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match="text: is cut short or damaged"):
        import_tools(places, tmp_path / "text", ignore)
