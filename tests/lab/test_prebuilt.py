"""Wheels of the lab's tools: taken when their bytes are the committed ones, and passed over otherwise."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab import prebuilt, tool_release
from gitops_stack.lab.artifacts import ARTIFACTS, OPTIONAL, Artifact, build_key, load_sources
from gitops_stack.lab.prebuilt import VARIABLE, take_prebuilt
from gitops_stack.lab.tool_cache import ToolCache, load_tool_cache
from gitops_stack.lab.tool_digests import Digest, Digests, build_digests_document, load_digests
from gitops_stack.lab.tool_release import write_wheels
from gitops_stack.lab.tool_wheels import build_wheel_name, open_installed, write_wheel
from gitops_stack.lab.tools import build_tools

PLATFORM = "linux-amd64"
TOOL = Artifact("kube-tool", "pins", "example.org/tool", 1)
BYTES = b"\x7fELF" * 1000


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToolCache:
    folder = tmp_path / "source" / "pins"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module pins\n", encoding="utf-8")
    (folder / "go.sum").touch()
    made = load_tool_cache(tmp_path / "cache", (TOOL,), tmp_path / "source")
    digest = Digest(made.keys["pins"], hashlib.sha256(BYTES).hexdigest())
    for module in (prebuilt, tool_release):
        monkeypatch.setattr(module, "load_platform", lambda: PLATFORM)
        monkeypatch.setattr(module, "load_digests", lambda _platform: Digests("go1", {"kube-tool": digest}))
    monkeypatch.delenv(VARIABLE, raising=False)
    return made


def ignore(_: str) -> None:
    pass


def make_wheel(tmp_path: Path, content: bytes = BYTES) -> Path:
    executable = tmp_path / "executable"
    executable.write_bytes(content)
    return write_wheel("kube-tool", executable, tmp_path / "wheels", PLATFORM)


def test_every_committed_digest_is_of_the_present_pins() -> None:
    found = {name: digest.key for name, digest in load_digests(PLATFORM).tools.items()}
    every = (*ARTIFACTS, *OPTIONAL)
    assert found == {a.name: build_key(a.folder, load_sources(a.folder), every) for a in every}, "run make tool-digests"


def test_a_platform_nobody_built_for_has_no_digests() -> None:
    assert load_digests("plan9-mips").tools == {}


@pytest.mark.parametrize("named", ["option", "variable"])
def test_a_wheel_with_the_committed_bytes_is_taken(
    named: str, places: ToolCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_wheel(tmp_path).parent
    if named == "variable":
        monkeypatch.setenv(VARIABLE, str(folder))
    said: list[str] = []
    take_prebuilt(places, said.append, folder if named == "option" else None)
    assert said == ["1 of 1 tools taken from wheels, byte for byte the committed ones"]
    assert places.paths[TOOL].read_bytes() == BYTES
    assert places.paths[TOOL].stat().st_mode & 0o111


def test_other_bytes_are_named_and_not_used(places: ToolCache, tmp_path: Path) -> None:
    folder = make_wheel(tmp_path, b"something else").parent
    said: list[str] = []
    take_prebuilt(places, said.append, folder)
    assert said == [f"kube-tool: the bytes in the wheel in {folder} are not the committed ones; they are not used"]
    assert list(places.root.rglob("*tool*")) == []


@pytest.mark.parametrize("cut", [10, 200, 4000])
def test_a_damaged_wheel_is_not_used(cut: int, places: ToolCache, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    content = bytearray(wheel.read_bytes())
    content[60 : 60 + 4] = b"\xff" * 4
    wheel.write_bytes(bytes(content) if cut == 10 else bytes(content[:cut]))  # damaged inside, or cut short
    take_prebuilt(places, ignore, wheel.parent)
    assert places.missing() == [TOOL]


CENTRAL = b"PK\x01\x02"


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [(CENTRAL, 8, b"\x01"), (CENTRAL, 10, b"\x63"), (b"PK\x03\x04", 0, b"XX")],
    ids=["encrypted", "packed in an unknown way", "without its header"],
)
def test_a_wheel_whose_executable_cannot_be_opened_is_not_used(
    record: bytes, field: int, value: bytes, places: ToolCache, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path)
    content = wheel.read_bytes()
    at = content.index(record) + field
    wheel.write_bytes(content[:at] + value + content[at + len(value) :])
    take_prebuilt(places, ignore, wheel.parent)
    assert places.missing() == [TOOL]


@pytest.mark.usefixtures("places")
def test_pins_without_a_committed_digest_take_no_wheel(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    (tmp_path / "source" / "pins" / "go.mod").write_text("module changed\n", encoding="utf-8")
    changed = load_tool_cache(tmp_path / "cache", (TOOL,), tmp_path / "source")
    said: list[str] = []
    take_prebuilt(changed, said.append, wheel.parent)
    assert said == [
        f"kube-tool: no digest is committed for {PLATFORM} and these pins; the wheel in {wheel.parent} is not used"
    ]
    assert changed.missing() == [TOOL]


def test_a_folder_that_is_not_there_is_named(
    places: ToolCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EnvironmentProblem, match=r"--find-links: .*gone is not a folder"):
        take_prebuilt(places, ignore, tmp_path / "gone")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(EnvironmentProblem, match=r"\$GITOPS_STACK_FIND_LINKS: .*gone is not a folder"):
        take_prebuilt(places, ignore)


def test_tools_from_wheels_need_no_go(places: ToolCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    folder = make_wheel(tmp_path).parent
    tools = build_tools(ignore, cache=places.folder, artifacts=(TOOL,), pins=tmp_path / "source", find_links=folder)
    assert (tools.bin / "kube-tool").read_bytes() == BYTES


def test_pip_installs_the_wheel_and_it_is_found(
    places: ToolCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path)
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", str(site), str(wheel)], check=True)
    with open_installed("kube-tool") as file:
        assert file is None
    monkeypatch.syspath_prepend(str(site))
    assert (site / "gitops_stack_tools" / "kube-tool").stat().st_mode & 0o111
    take_prebuilt(places, ignore)
    assert places.paths[TOOL].read_bytes() == BYTES


def test_a_wheel_depends_on_its_executable_alone(tmp_path: Path) -> None:
    first = make_wheel(tmp_path).read_bytes()
    assert make_wheel(tmp_path).read_bytes() == first
    assert build_wheel_name("kube-tool", PLATFORM).endswith("-py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl")


def test_wheels_are_written_of_committed_bytes_only(places: ToolCache, tmp_path: Path) -> None:
    path = places.paths[TOOL]
    path.parent.mkdir(parents=True)
    path.write_bytes(BYTES)
    assert [wheel.name for wheel in write_wheels(places, tmp_path / "out", ignore)] == [
        build_wheel_name("kube-tool", PLATFORM)
    ]
    path.write_bytes(b"other")
    with pytest.raises(EnvironmentProblem, match="kube-tool differ from the committed digests for linux-amd64"):
        write_wheels(places, tmp_path / "out", ignore)


def test_the_digests_document_names_the_bytes_that_lie_there(places: ToolCache, tmp_path: Path) -> None:
    path = places.paths[TOOL]
    path.parent.mkdir(parents=True)
    path.write_bytes(BYTES)
    file = tmp_path / "digests.json"
    file.write_text('{"go": "go1", "platforms": {"other": {}}}', encoding="utf-8")
    file.write_text(build_digests_document(places, file), encoding="utf-8")
    assert load_digests("other", file).tools == {}
    found = [load_digests(name, file).tools for name in ("linux-amd64", "linux-arm64")]
    assert {"kube-tool": Digest(places.keys["pins"], hashlib.sha256(BYTES).hexdigest())} in found
