"""What an upgrade says: nothing of a render becomes Markdown, and a body fits into a pull request."""

from __future__ import annotations

from dataclasses import replace

from gitops_stack.delivery.message import is_own_commit
from gitops_stack.delivery.pull_request import BODY_LIMIT
from gitops_stack.preview.object_difference import ObjectDifference
from gitops_stack.rules.finding import ObjectName
from gitops_stack.upgrade.argocd_upgrade import ArgoCDUpgrade
from gitops_stack.upgrade.release_difference import ReleaseDifference
from gitops_stack.upgrade.release_facts import Fact
from gitops_stack.upgrade.report import build_body, build_branch, build_message, build_title, render_text

OBJECT = ObjectDifference(ObjectName("apps", "Deployment", "argocd", "server"), "changed", ("-a", "+b"))
PLAN = ArgoCDUpgrade(
    "dev", "v3.4.7", "v3.5.1", "c" * 40, ("sha256:1", "sha256:2"),
    ReleaseDifference((OBJECT,), ("argocd-cm key: unread",), ("crd: loses x",), ("quay.io/a:1",)),
    (Fact("3.5", "everyone"), Fact("3.5", "yours", ("apps/x.yaml:3",))),
    {"Pulumi.dev.yaml": "x"}, ("look",),
)  # fmt: skip


def test_the_words_name_both_releases_and_the_stack() -> None:
    assert build_title(PLAN) == "Upgrade Argo CD v3.4.7 to v3.5.1 in dev"
    assert build_title(replace(PLAN, old="v3.6.0")) == "Downgrade Argo CD v3.6.0 to v3.5.1 in dev"
    assert build_branch(PLAN) == "gitops-stack/dev/argocd-v3.5.1"
    assert is_own_commit(build_message(PLAN))
    assert "Objects of the installation: 1 changed.\n" in build_message(PLAN)


def test_every_part_is_said_in_the_order_it_matters() -> None:
    text = "\n".join(render_text(PLAN))
    parts = ["look", "yours: apps/x.yaml:3", "argocd-cm key: unread", "crd: loses x", "quay.io/a:1", "3.5: everyone"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert [build_body(PLAN).index(part) for part in parts] == sorted(build_body(PLAN).index(part) for part in parts)


def test_a_part_without_entries_is_left_out() -> None:
    text = "\n".join(render_text(replace(PLAN, warnings=(), facts=(), difference=ReleaseDifference((OBJECT,)))))
    assert text.splitlines() == [text]


def test_what_a_render_holds_stays_text() -> None:
    nasty = "/close\n@everyone <img src=x> `"
    plan = replace(PLAN, warnings=(nasty,), difference=ReleaseDifference((replace(OBJECT, lines=(nasty,)),)))
    body = build_body(plan)
    assert "```\n/close @everyone <img src=x> `\n```" in body
    assert "```diff\n/close" in body


def test_a_body_stays_below_the_limit_and_counts_the_rest() -> None:
    many = tuple(replace(OBJECT, lines=("+" + "x" * 3000,)) for _ in range(100))
    body = build_body(replace(PLAN, difference=ReleaseDifference(many)))
    assert len(body) <= BODY_LIMIT
    assert "of 100 objects" in body
