"""Stack files read by this library and by the real engine: equal, or both refuse."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config.stack_config import engine_text, load_stack_config
from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say
from tests.e2e.stack_file_notations import NOTATIONS

pytestmark = pytest.mark.e2e

PROJECT = """\
name: gitops-stack
runtime: python
config:
  gitops-stack:network: {type: object, default: {cidr: 10.0.0.0/16}}
  declared: {value: 0x1F}
  aws:region: eu-west-1
"""
SCALARS = r"""
012345670123 0123 0o17 0O17 08 019 0x1F 0X1f 0b101 0b102 1_000 _1 1_ 1__0 +5 -5 +0x1F -0b1 -0o7 1.10 1. .5 +.5 -.5e3
1e3 1E3 1e400 12e4567 706798e8 1.0 100.0 12345678901234567890 18446744073709551615 18446744073709551616 0.1 1e21 1e20
-9223372036854775808 -9223372036854775809 123456789012345678901234567890 1.5e-7 12:30 12:30:45 190:20:30 true True
TRUE tRUE yes Yes no on off y n Y N ~ null Null NULL nULL << = .5. 1.2.3 0. 00 -0 -0.0 2001-01-01 2001-1-1 2001-13-01
2001-12-14T21:59:43Z 2001-12-14t21:59:43.10+09:00 2001-12-14T21:59:43 v1.10 v3.5.1 0x 0b + - . -. '0123' "1.10"
'it''s' "a\tb" "\u00e9" caf\u00e9 !!str 5 !!int 5 !!int 0x1F !!float 5 !!float 5.5 !!bool true !!null ~ !!str ~
!!str 2001-01-01 !custom 5 !!binary aGVsbG8= &a 5 10.0.0.0/16 a#b a:b * ._5 -._5
"""
FULL_WIDTH = "".join(chr(0xFF10 + digit) for digit in (1, 2, 3))
TEXTS: dict[str, str | bytes] = {
    "two sections": "config:\n  gitops-stack:a: {b: 1}\n  gitops-stack:a: {c: 1}\n",
    "two nested keys": "config:\n  gitops-stack:a: {b: 1, b: 2}\n",
    "two keys in other quotes": "config:\n  gitops-stack:a: {b: 1, 'b': 2}\n",
    "two configs": "config:\n  gitops-stack:a: 1\nconfig:\n  gitops-stack:b: 1\n",
    "two numbers of one value": "config:\n  gitops-stack:a: {1: 1, 0x1: 2}\n",
    "no namespace": "config:\n  workloads: {a: 1}\n",
    "no namespace, in quotes": "config:\n  'workloads': {a: 1}\n",
    "another namespace": "config:\n  other:workloads: {a: 1}\n",
    "an old key": "config:\n  gitops-stack:config:workloads: {a: 1}\n",
    "three words": "config:\n  a:b:c: 1\n",
    "four words": "config:\n  a:config:b:c: 1\n",
    "an empty namespace": "config:\n  ':a': 1\n",
    "an empty key": "config:\n  '': 1\n",
    "a number as key": "config:\n  404: 1\n",
    "a namespaced key beside a number": "config:\n  gitops-stack:a: 1\n  404: 1\n",
    "a number as key of the file": "config:\n  gitops-stack:a: 1\n404: 1\n",
    "numbers as nested keys": "config:\n  gitops-stack:a: {404: 1, 0123: 2, true: 3, x: 4}\n",
    "null as nested key": "config:\n  gitops-stack:a: {~: 1}\n",
    "a date as nested key": "config:\n  gitops-stack:a: {2001-01-01: 1}\n",
    "anchors": "config:\n  gitops-stack:a: &x {b: 1}\n  gitops-stack:c: *x\n",
    "an anchor twice": "config:\n  gitops-stack:a: &x {b: 1}\n  gitops-stack:b: &x {c: 1}\n  gitops-stack:c: *x\n",
    "an alias as key": "config:\n  gitops-stack:a: &x b\n  gitops-stack:c: {*x : 1}\n",
    "an alias without anchor": "config:\n  gitops-stack:a: *x\n",
    "an alias of itself": "config:\n  gitops-stack:a: &x [*x]\n",
    "a merge": "x: &x {b: 1, c: 2}\nconfig:\n  gitops-stack:a: {<<: *x, c: 3}\n",
    "a merge behind its keys": "x: &x {b: 1, c: 2}\nconfig:\n  gitops-stack:a: {c: 3, <<: *x}\n",
    "a merge of a list": "x: &x {b: 1}\ny: &y {b: 2, c: 3}\nconfig:\n  gitops-stack:a: {<<: [*x, *y]}\n",
    "a merge of a merge": "x: &x {b: 1}\ny: &y {<<: *x, c: 3}\nconfig:\n  gitops-stack:a: {<<: *y, d: 4}\n",
    "a merge of a map in place": "config:\n  gitops-stack:a: {<<: {b: 1}, c: 2}\n",
    "a merge of a text": "config:\n  gitops-stack:a: {<<: x}\n",
    "a merge of a list of texts": "config:\n  gitops-stack:a: {<<: [x]}\n",
    "a merge in quotes": "config:\n  gitops-stack:a: {'<<': {b: 1}}\n",
    "two merges": "x: &x {b: 1}\nconfig:\n  gitops-stack:a:\n    <<: *x\n    <<: *x\n",
    "a merge over null": "x: &x {b: 1}\nconfig:\n  gitops-stack:a: {<<: *x, b: ~}\n",
    "a merge of sections": "x: &x {gitops-stack:b: 1}\nconfig:\n  <<: *x\n  gitops-stack:a: 2\n",
    "a section of nothing": "config:\n  gitops-stack:a:\n",
    "a text as JSON": "config:\n  gitops-stack:a: '{\"b\": 1}'\n",
    "a list": "config:\n  gitops-stack:a: [1, x, {b: ~}]\n",
    "a block text": "config:\n  gitops-stack:a: {b: x}\n  gitops-stack:c: |\n    one\n    two\n",
    "a folded text": "config:\n  gitops-stack:c: >-\n    one\n    two\n\n    three\n",
    "a secret": "config:\n  gitops-stack:a: {secure: v1:abc:def}\n",
    "a second document": "config:\n  gitops-stack:a: 1\n---\nconfig: {a: b}\n",
    "a broken second document": "config:\n  gitops-stack:a: 1\n---\n{\n",
    "an empty first document": "---\n---\nconfig:\n  gitops-stack:a: 1\n",
    "an empty file": "",
    "a comment alone": "# nothing\n",
    "config is null": "config:\n",
    "config is a list": "config: []\n",
    "config is a text": "config: x\n",
    "the file is a list": "- config\n",
    "no config": "other: 1\n",
    "Windows breaks": "config:\r\n  gitops-stack:a: {b: 1}\r\n  gitops-stack:t: |\r\n    x\r\n    y\r\n",
    "old breaks": "config:\r  gitops-stack:a: 1\r",
    "a mark": b"\xef\xbb\xbfconfig:\n  gitops-stack:a: 1\n",
    "a mark and a comment": b"\xef\xbb\xbf# c\nconfig:\n  gitops-stack:a: 1\n",
    "no UTF-8": b"config:\n  gitops-stack:a: \xff\n",
    "Latin-1": "config:\n  gitops-stack:a: é\n".encode("latin-1"),
    "a NUL": "config:\n  gitops-stack:a: a\0b\n",
    "a tab before a comment": "config:\n  gitops-stack:a: v1\t# c\n",
    "a tab behind a colon": "config:\n  gitops-stack:a:\tv1\n",
    "a tab as indent": "config:\n\tgitops-stack:a: 1\n",
    "a tab in braces": "config:\n  gitops-stack:a: {\tb: 1,\tc: 2\t}\n",
    "a line of a tab": "config:\n  gitops-stack:a: 1\n\t\n  gitops-stack:b: 2\n",
    "a directive": "%YAML 1.1\n---\nconfig:\n  gitops-stack:a: 1\n",
    "a later directive": "%YAML 1.2\n---\nconfig:\n  gitops-stack:a: 1\n",
    "a document's end": "config:\n  gitops-stack:a: 1\n...\n",
    "no space behind the colon": "config:\n  gitops-stack:a: {b:1}\n",
    "quotes before a colon": 'config:\n  gitops-stack:a: {"b":1}\n',
    "a complex key": "config:\n  gitops-stack:a:\n    ? [x]\n    : 1\n",
    "a question mark": "config:\n  ? gitops-stack:a\n  : 1\n",
    "an unfinished brace": "config:\n  gitops-stack:a: {b: 1\n",
    "two values": "config:\n  gitops-stack:a: b: c\n",
    "other indents": "config:\n      gitops-stack:a:\n       b: 1\n       c:\n       - 1\n",
    "an unknown tag on a map": "config:\n  gitops-stack:a: !custom {b: 1}\n",
    "a tag that does not fit": "config:\n  gitops-stack:a: !!int b\n",
    "no number": "config:\n  gitops-stack:a: {b: .nan}\n",
    "endless": "config:\n  gitops-stack:a: {b: .inf}\n",
    "a default": "config:\n  gitops-stack:network: {}\n",
    "a value of the project": "config:\n  declared: 5\n",
    "a dot in a key": "config:\n  gitops-stack:a.b: 1\n",
    "percent": "config:\n  gitops-stack:a: {b: 50%}\n",
    **NOTATIONS,
}


@pytest.fixture(scope="module")
def pulumi(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("engine")
    bin_folder = build_tools(say).bin
    environment = {
        **os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": "lab", "PULUMI_HOME": str(folder / "home"), "PULUMI_SKIP_UPDATE_CHECK": "1",
    }  # fmt: skip
    (folder / "Pulumi.yaml").write_text(PROJECT)
    command = ["pulumi", "stack", "init", "test", "--non-interactive"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder, environment


def read_by_engine(pulumi: tuple[Path, dict[str, str]], text: str | bytes) -> dict[str, Any] | str:
    folder, environment = pulumi
    (folder / "Pulumi.test.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = subprocess.run(
        ["pulumi", "config", "--json", "--stack", "test", "--non-interactive"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return done.stderr
    found = json.loads(done.stdout)
    return {
        key: "secret" if one["secret"] else json.loads(one["value"]) if "objectValue" in one else one.get("value")
        for key, one in found.items()
    }


def read_here(folder: Path) -> dict[str, Any] | str:
    try:
        values = load_stack_config(folder, "test").values
    except GitOpsStackError as error:
        return str(error)
    return {
        key: "secret" if isinstance(value, dict) and value.keys() == {"secure"}
        else value if isinstance(value, (dict, list)) or value is None else engine_text(value)
        for key, value in values.items()
    }  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_stack_file_is_read_as_pulumi_reads_it(name: str, pulumi: tuple[Path, dict[str, str]]) -> None:
    theirs = read_by_engine(pulumi, TEXTS[name])
    ours = read_here(pulumi[0])
    if isinstance(ours, str) and "found no `config:`" in ours:  # without settings there is nothing to build
        assert isinstance(theirs, str) or not {key for key in theirs if key.startswith("gitops-stack:")} - {
            "gitops-stack:network", "gitops-stack:declared"
        }  # fmt: skip
        return
    assert isinstance(ours, str) == isinstance(theirs, str), (ours, theirs)
    if not isinstance(ours, str):
        assert ours == theirs


def test_every_scalar_is_read_as_pulumi_reads_it(pulumi: tuple[Path, dict[str, str]]) -> None:
    spaced = iter([*SCALARS.split(), FULL_WIDTH])
    values = [f"{word} {next(spaced)}" if word.startswith(("!", "&")) else word for word in spaced]
    lines = [f"    k{index}: {value}\n" for index, value in enumerate(values)]
    good = [line for line in lines if not isinstance(read_line(pulumi[0], line), str)]
    bad = [line for line in lines if line not in good]
    assert read_here_of(pulumi[0], good) == read_by_engine(pulumi, "config:\n  gitops-stack:a:\n" + "".join(good))
    for line in bad:
        assert isinstance(read_by_engine(pulumi, f"config:\n  gitops-stack:a:\n{line}"), str), line


def read_line(folder: Path, line: str) -> dict[str, Any] | str:
    return read_here_of(folder, [line])


def read_here_of(folder: Path, lines: list[str]) -> dict[str, Any] | str:
    (folder / "Pulumi.test.yaml").write_bytes(("config:\n  gitops-stack:a:\n" + "".join(lines)).encode())
    return read_here(folder)
