"""What a bootstrap says of the stack's roles and notifications; Argo CD's program is played by a script here.

tests/e2e/test_standard.py asks the real one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gitops_stack.lab.lab import Lab
from gitops_stack.lab.receiver import receive
from gitops_stack.lab.settings_shown import is_played, show_settings
from gitops_stack.lab.tools import Tools
from gitops_stack.settings import StackSettings
from tests.stacks import COMMIT, minimal

VIEWER: dict[str, Any] = {"accounts": {"viewer": {}}, "rbac": {"viewer": "readonly"}}
TOLD: dict[str, Any] = {
    "notifications": {
        "services": {"webhooks": {"receiver": {"url": "http://receiver.shop.svc/argo-cd"}}},
        "subscriptions": {"shop": [{"service": "receiver"}]},
    }
}
# Answers as the real one does (v3.2.11); what it is asked stands in the file `asked`.
ARGOCD = """\
#!{python}
import os, sys, urllib.request
words = sys.argv[1:]
with open({asked!r}, "a") as asked:
    asked.write(" ".join(words) + "\\n")
if "can" in words:
    print({may!r}.get(words[5], "") or sys.exit("rpc error"))
elif "trigger" in words:
    print("CONDITION        RESULT")
    print("{condition}  {result}")
elif {sends!r}:
    urllib.request.urlopen("http://receiver.shop.svc/argo-cd", data=b'{{"application": "web"}}')
else:
    sys.exit("failed to notify 'receiver': no such host")
"""


def settings(**argocd: Any) -> StackSettings:
    workloads = {"web": {"project": "shop", "path": "web", "namespace": "shop"}}
    projects = {"shop": {"namespaces": ["shop"]}}
    return minimal(argocd={"version": "v3.5.1", "commit": COMMIT, **argocd}, projects=projects, workloads=workloads)


def show(
    folder: Path,
    stack: StackSettings,
    *,
    may: dict[str, str] | None = None,
    result: str = "true",
    condition: str = "app.status == 'x'",
    sends: bool = True,
) -> list[str]:
    program = folder / "bin" / "argocd"
    program.parent.mkdir(exist_ok=True)
    answers = {"get": "Yes", "sync": "No"} if may is None else may
    text = ARGOCD.format(
        python=sys.executable,
        asked=str(folder / "asked"),
        may=answers,
        result=result,
        sends=sends,
        condition=condition.replace("\n", "\\n"),
    )
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return show_settings(Lab.open(folder / "lab", Tools(program.parent)), stack)


def test_a_stack_without_accounts_and_receivers_has_nothing_to_show(tmp_path: Path) -> None:
    assert show(tmp_path, settings()) == []
    assert not (tmp_path / "asked").exists()


def test_an_account_is_shown_with_what_it_may_do_to_the_first_workload(tmp_path: Path) -> None:
    line = "account viewer: may get, may not sync shop/web, says `argocd admin settings rbac can`"
    assert show(tmp_path, settings(**VIEWER)) == [line]
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    words = "admin settings rbac can viewer"
    assert asked == [f"{words} {action} applications shop/web --namespace argocd" for action in ("get", "sync")]


def test_an_account_that_is_switched_off_is_not_asked_about(tmp_path: Path) -> None:
    assert show(tmp_path, settings(accounts={"viewer": {"enabled": False}})) == []


def test_a_notification_is_shown_as_it_was_received(tmp_path: Path) -> None:
    received = 'http://receiver.shop.svc/argo-cd, played by the lab, received {"application": "web"}'
    assert show(tmp_path, settings(**TOLD)) == [f"notification on-deployed: holds for web; {received}"]
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[0].startswith("admin notifications trigger run on-deployed web ")
    assert asked[1].startswith("admin notifications template notify app-deployed web --recipient receiver ")


def test_nothing_is_sent_while_the_trigger_does_not_hold(tmp_path: Path) -> None:
    line = "notification on-deployed: does not hold for web"
    assert show(tmp_path, settings(**TOLD), result="false", sends=False) == [line]


@pytest.mark.parametrize("result", ["true", "false"])
def test_a_condition_of_several_lines_is_read_by_its_result(tmp_path: Path, result: str) -> None:
    condition = "(a == b) == true\n\nand c == 'Healthy'"
    (line,) = show(tmp_path, settings(**TOLD), result=result, condition=condition)
    assert ("does not hold" in line) == (result == "false")


def test_what_a_template_of_people_says_is_not_shown(tmp_path: Path) -> None:
    notifications = {**TOLD["notifications"], "templates": {"app-deployed": {"message": "deployed"}}}
    (line,) = show(tmp_path, settings(notifications=notifications))
    assert line.endswith("received 22 characters")


@pytest.mark.parametrize(
    ("stack", "line"),
    [
        (VIEWER, "account viewer: not shown: argocd admin settings rbac can: rpc error"),
        (
            TOLD,
            "notification on-deployed: not shown: argocd admin notifications template notify: "
            "failed to notify 'receiver': no such host",
        ),
    ],
    ids=["account", "notification"],
)
def test_what_cannot_be_shown_says_why_and_stops_nothing(tmp_path: Path, stack: dict[str, Any], line: str) -> None:
    assert show(tmp_path, settings(**stack), may={}, sends=False) == [line]


def test_a_lab_without_argo_cd_s_program_says_so(tmp_path: Path) -> None:
    lab = Lab.open(tmp_path / "lab", Tools(tmp_path))
    (line,) = show_settings(lab, settings(**VIEWER))
    assert line.startswith("account viewer: not shown: argocd admin settings: ")
    assert str(tmp_path / "argocd") in line


@pytest.mark.parametrize(
    ("url", "played"),
    [
        ("http://receiver.shop.svc/argo-cd", True),
        ("http://receiver.shop.svc:8080", True),
        ("http://127.0.0.1:9/x", False),  # Go's proxies leave loopback alone: it would be sent
        ("http://localhost/x", False),
        ("https://hooks.example.com/x", False),
        ("https://receiver.shop.svc/x", False),
    ],
)
def test_only_a_service_of_the_cluster_is_played(url: str, played: bool) -> None:
    assert is_played(url) is played


def test_a_receiver_keeps_the_whole_url_that_it_is_the_proxy_of() -> None:
    with receive() as receiver:
        httpx2.post("http://receiver.shop.svc/argo-cd", content=b"1", proxy=receiver.address).raise_for_status()
        httpx2.request("GET", f"{receiver.address}/direct", content=b"2", trust_env=False).raise_for_status()
    assert [(one.url, one.body) for one in receiver.received] == [
        ("http://receiver.shop.svc/argo-cd", "1"),
        ("/direct", "2"),
    ]
