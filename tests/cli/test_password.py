"""`gitops-stack password` on the command line. That Argo CD takes what it writes is in tests/e2e."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.cli import password
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.live import admin_account
from gitops_stack.live.reading import ObjectReference
from gitops_stack.manifests import Manifest
from tests.cli.test_main import run

INITIAL = "Secret argocd/argocd-initial-admin-secret"
KEPT = "Secret argocd/argocd-secret"


def encode(**data: str) -> Manifest:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, project: Path) -> dict[str, Any]:
    """Have a cluster answer with these objects; text of a reference -> object."""
    monkeypatch.chdir(project)
    living: dict[str, Any] = {INITIAL: encode(password="first"), KEPT: encode()}

    @contextmanager
    def opened(*_: object, **options: object) -> Iterator[None]:
        assert options["owned"]
        yield

    def load(_: object, wanted: list[ObjectReference], **__: object) -> dict[str, Any]:
        return {one.text: living.get(one.text) for one in wanted}

    def merge(_: object, found: ObjectReference, change: Manifest, __: str) -> None:
        living[found.text]["data"].update(change["data"])

    monkeypatch.setattr(password, "open_cluster", opened)
    monkeypatch.setattr(admin_account, "load_objects", load)
    monkeypatch.setattr(admin_account, "merge", merge)
    monkeypatch.setattr(admin_account, "delete", lambda _, found: living.pop(found.text, None))
    monkeypatch.setattr(admin_account, "_hash", lambda text: f"hash of {text}")
    return living


def test_the_initial_password_is_shown_once(
    cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("password", "-s", "local", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "first\n"
    assert cluster == {KEPT: {"data": {}}}
    assert run("password", "-s", "local", monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err == (
        "error: Secret argocd/argocd-initial-admin-secret: is not there: it was shown before, the password was "
        "changed, or admin is off; set a new one with --rotate\n"
    )


def test_a_rotation_prints_the_password_and_keeps_its_hash(
    cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("password", "-s", "local", "--rotate", monkeypatch=monkeypatch) == 0
    new = capsys.readouterr().out.strip()
    assert re.fullmatch(r"[\w-]{24}", new)
    kept = {key: base64.b64decode(value).decode() for key, value in cluster[KEPT]["data"].items()}
    assert kept["admin.password"] == f"hash of {new}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", kept["admin.passwordMtime"])
    assert INITIAL not in cluster


def test_a_password_of_ones_own_is_not_printed(
    cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    assert run("password", "-s", "local", "--rotate", "--stdin", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert "correct horse" not in said.out + said.err
    assert base64.b64decode(cluster[KEPT]["data"]["admin.password"]) == b"hash of correct horse battery"


@pytest.mark.parametrize("written", ["short", "x" * 33, ""])
def test_a_password_that_the_server_would_refuse_changes_nothing(
    written: str, cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(written))
    assert run("password", "-s", "local", "--rotate", "--stdin", monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err == (
        f"error: password: found {len(written)} characters; needs 8 to 32, as Argo CD's server does\n"
    )
    assert cluster[KEPT] == {"data": {}}
    assert INITIAL in cluster


def test_a_password_that_bcrypt_would_cut_changes_nothing(
    cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\N{EURO SIGN}" * 25))
    assert run("password", "-s", "local", "--rotate", "--stdin", monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err == ("error: password: found 75 bytes; needs 72 at most, which is all bcrypt reads\n")
    assert cluster[KEPT] == {"data": {}}
    monkeypatch.setattr(sys, "stdin", io.StringIO("\N{EURO SIGN}" * 24))
    assert run("password", "-s", "local", "--rotate", "--stdin", monkeypatch=monkeypatch) == 0


def test_without_argo_cd_nothing_is_written(
    cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del cluster[KEPT]
    assert run("password", "-s", "local", "--rotate", monkeypatch=monkeypatch) == 2
    said = capsys.readouterr()
    assert said.err == f"error: {KEPT}: is missing; is Argo CD installed in namespace argocd?\n"
    assert said.out == ""


def test_admin_stays_on_where_nobody_else_is_one(
    cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("Pulumi.local.yaml").read_bytes()
    cluster["ConfigMap argocd/argocd-cm"] = {"data": {"url": "https://argocd.example.com"}}
    assert run("password", "-s", "local", "--disable-admin", monkeypatch=monkeypatch) == 1
    assert "nobody else could administer this Argo CD" in capsys.readouterr().err
    assert Path("Pulumi.local.yaml").read_bytes() == before


def test_admin_is_switched_off_in_the_stack_file_and_the_tree(
    cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster["ConfigMap argocd/argocd-cm"] = {"data": {"url": "https://argocd.example.com", "oidc.config": "name: x"}}
    cluster["ConfigMap argocd/argocd-rbac-cm"] = {"data": {"policy.csv": "g, platform, role:admin\n"}}
    assert run("password", "-s", "local", "--disable-admin", monkeypatch=monkeypatch) == 0
    assert "group platform has role:admin" in capsys.readouterr().err
    assert "adminEnabled: false" in Path("Pulumi.local.yaml").read_text()
    patch = Path("gitops/local/argocd/patches/00-argocd-cm.yaml").read_text()
    assert "admin.enabled: 'false'" in patch


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rotate", "--disable-admin"], "password: found --rotate and --disable-admin; give one of them"),
        (["--stdin"], "--stdin: is for --rotate; add it, or leave it out"),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_wrong_usage_is_one_sentence(
    options: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("password", "-s", "local", *options, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


def test_without_bcrypt_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(
        EnvironmentProblem, match=r"^bcrypt: is not installed, .* run `pip install 'gitops-stack\[password\]'`$"
    ):
        admin_account._hash("12345678")
