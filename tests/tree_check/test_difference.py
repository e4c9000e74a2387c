"""What a difference shows: objects by application, Secrets' values never, comments that fit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.difference import TreeDifference, compare_trees
from gitops_stack.tree_check.difference_report import build_json, render_markdown, render_text
from tests.cases import build_object
from tests.tree_check.test_risks import build_tree

SETTINGS: dict[str, Any] = {"base": "configmap"}


def compare(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> TreeDifference:
    return compare_trees("dev", build_tree(True, web=before), build_tree(True, web=after))


def lines(difference: TreeDifference) -> list[str]:
    return [line for one in difference.applications for found in one.objects for line in found.lines]


def test_a_change_is_a_unified_difference() -> None:
    difference = compare([SETTINGS], [{**SETTINGS, "data": {"color": "red"}}])
    assert list(render_text([difference])) == [
        "stack dev: 1 application, 1 object",
        "application web",
        "  ~ ConfigMap shop/settings",
        "      @@ -1,6 +1,6 @@",
        "       apiVersion: v1",
        "       data:",
        "      -  color: green",
        "      +  color: red",
        "       kind: ConfigMap",
        "       metadata:",
        "         name: settings",
    ]
    assert not difference.high


def test_the_same_objects_are_no_difference() -> None:
    difference = compare([SETTINGS], [SETTINGS])
    assert list(render_text([difference])) == ["stack dev: no difference"]
    assert "no difference" in render_markdown("a", "b", [difference])
    assert "no risk" in render_markdown("a", "b", [difference])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [{"base": "secret", "data": {"password": "Z2VoZWlt"}}]),
        ([{"base": "secret", "stringData": {"password": "geheim"}}], []),
        (
            [{"base": "secret", "data": {"password": "Z2VoZWlt", "user": "cm9vdA=="}}],
            [{"base": "secret", "data": {"password": "Z2VoZWltIQ==", "user": "cm9vdA=="}}],
        ),
        (
            [],
            [
                {
                    "base": "secret",
                    "metadata": {
                        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "geheim Z2VoZWlt"}
                    },
                }
            ],
        ),
    ],
)
def test_values_of_secrets_are_never_shown(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    difference = compare(before, after)
    shown = "\n".join(
        [
            *render_text([difference]),
            render_markdown("a", "b", [difference]),
            json.dumps(build_json("a", "b", [difference])),
        ]
    )
    assert "(secret" in shown
    assert "geheim" not in shown
    assert "Z2VoZWlt" not in shown
    assert "cm9vdA" not in shown


def test_a_changed_value_of_a_secret_is_told_from_an_unchanged_one() -> None:
    difference = compare(
        [{"base": "secret", "data": {"a": "MQ==", "b": "MQ=="}}],
        [{"base": "secret", "data": {"a": "MQ==", "b": "Mg=="}}],
    )
    assert [line for line in lines(difference) if line[0] in "+-"] == [
        "-  b: (secret, before)",
        "+  b: (secret, after)",
    ]


def with_environment(*variables: dict[str, str]) -> dict[str, Any]:
    container = {"name": "web", "env": list(variables)}
    return {"base": "deployment", "spec": {"template": {"spec": {"containers": [container]}}}}


PASSWORD, URL = (
    {"name": "DB_PASSWORD", "value": "s3cret-a"},
    {"name": "DB_URL", "value": "postgres://web:s3cret-a@db/x"},
)


def test_credentials_outside_of_secrets_are_masked_and_their_changes_shown() -> None:
    after = [{**one, "value": one["value"].replace("s3cret-a", "s3cret-b")} for one in (PASSWORD, URL)]
    difference = compare([with_environment(PASSWORD, URL)], [with_environment(*after)])
    assert [line.strip() for line in lines(difference)[1:] if "value" in line] == [
        "-          value: (secret, before)",
        "+          value: (secret, after)",
        "-          value: postgres://(secret, before)@db/x",
        "+          value: postgres://(secret, after)@db/x",
    ]
    assert "s3cret" not in render_markdown("a", "b", [difference])
    assert "s3cret" not in json.dumps(build_json("a", "b", [difference]))


def test_a_credential_that_moves_down_a_list_has_not_changed() -> None:
    debug = {"name": "DEBUG", "value": "1"}
    difference = compare([with_environment(PASSWORD)], [with_environment(debug, PASSWORD)])
    assert [line for line in lines(difference) if line[0] in "+-"] == [
        "+        - name: DEBUG",
        "+          value: '1'",
    ]


def test_a_repository_that_could_not_be_rendered_is_named_without_its_password() -> None:
    base, head = build_tree(True, web=[SETTINGS]), build_tree(True, web=[SETTINGS])
    said = "found a of https://me:s3cret@git.example.com/x, which is not here"
    head.findings.append(head.applications[0].spec.object.finding("spec.source", said, "", rule="not-rendered"))
    assert compare_trees("dev", base, head).unseen == (
        "apps.yaml: found a of https://(secret)@git.example.com/x, which is not here",
    )


def test_of_huge_objects_only_the_places_are_named() -> None:
    long = {f"key{number}": "x" * 2000 for number in range(60)}
    difference = compare([{**SETTINGS, "data": long}], [{**SETTINGS, "data": {**long, "key7": "y", "key8": "z"}}])
    assert lines(difference) == ["  data.key7 differs", "  data.key8 differs"]


def test_markdown_shows_risks_first_and_folds_the_rest() -> None:
    text = render_markdown("aaa", "bbb", [compare([SETTINGS, {"base": "service"}], [SETTINGS])])
    assert text.startswith("### Rendered difference `aaa` → `bbb`: high risk\n")
    assert "| dev | `web` | high | prune | `Service shop/web` | `is deleted by the next sync` |" in text
    assert "<details><summary><code>web</code>: 1 removed</summary>" in text
    assert "\n**removed** `Service shop/web`\n" in text, "a sign would be a list's marker"
    assert text.count("```") == 2


def test_markdown_fits_a_comment_and_cannot_be_broken_out_of() -> None:
    many = [{**SETTINGS, "metadata": {"name": f"n{number}"}, "data": {"a": "x" * 900}} for number in range(90)]
    text = render_markdown("a", "b", [compare([], many)])
    assert len(text) < 65_536
    assert "`web`: 90 added (left out: too long for a comment)" in text
    fenced = render_markdown("a", "b", [compare([], [{**SETTINGS, "data": {"a": "```\n</details>"}}])])
    assert fenced.count("````") == 2


def test_markdown_counts_the_risks_and_applications_it_has_no_room_for() -> None:
    many = [{**SETTINGS, "metadata": {"name": f"{'n' * 190}{number}"}} for number in range(400)]
    text = render_markdown("a", "b", [compare(many, [])])
    assert len(text) < 65_536
    assert text.count("| high | prune |") == 50
    assert "\n\nand 350 more risks\n" in text
    applications = {f"{'a' * 190}{number}": [one] for number, one in enumerate(many)}
    text = render_markdown("a", "b", [compare_trees("dev", Tree(), build_tree(True, **applications))])
    assert len(text) < 65_536
    told = text.count("<details>") + text.count("left out: ")
    assert 0 < told < 400
    assert text.endswith(f"\n- and {400 - told} more applications\n")


def test_names_in_markdown_stay_names() -> None:
    name = "a` | @acme/all </summary>\n\n/close"
    base, head = (build_tree(True, **{name: objects}) for objects in ([{**SETTINGS, "metadata": {"name": name}}], []))
    head.findings.append(head.applications[0].spec.object.finding("spec", f"found {name}", "", rule="not-rendered"))
    text = render_markdown("a", "b", [compare_trees("dev", base, head)])
    shown = "a` | @acme/all </summary> /close"
    cell = shown.replace("|", "\\|")
    assert f"\n| dev | ``{cell}`` | high | prune | ``ConfigMap shop/{cell}`` |" in text
    assert f": found {shown}``\n" in text
    assert "\n<details><summary><code>a` | @acme/all &lt;/summary&gt; /close</code>: 1 removed</summary>\n" in text
    assert f"\n**removed** ``ConfigMap shop/{shown}``\n" in text


def test_a_text_of_many_backticks_stays_in_its_fence() -> None:
    difference = compare([], [{**SETTINGS, "kept": "`````\nout\n"}])
    assert "\n``````diff\n" in render_markdown("a", "b", [difference])


def test_what_could_not_be_rendered_is_said() -> None:
    base, head = build_tree(True, web=[SETTINGS]), build_tree(True, web=[SETTINGS])
    finding = head.applications[0].spec.object.finding("spec.source", "is not here", "", rule="not-rendered")
    head.findings.append(finding)
    difference = compare_trees("dev", base, head)
    assert difference.unseen == ("apps.yaml: is not here",)
    assert "- not seen: `apps.yaml: is not here`" in render_markdown("a", "b", [difference])


def test_a_new_application_risks_nothing() -> None:
    difference = compare_trees("dev", Tree(), build_tree(True, web=[SETTINGS]))
    assert [len(one.objects) for one in difference.applications] == [1]
    assert [one.risks for one in difference.applications] == [()]


def test_json_has_the_verdict() -> None:
    document = build_json("a", "b", [compare([SETTINGS], [])])
    assert json.loads(json.dumps(document))["verdict"] == "high"
    assert build_json("a", "b", [compare([SETTINGS], [SETTINGS])])["verdict"] == "no"


def build_application(name: str, namespace: str, server: str, *objects: dict[str, Any]) -> RenderedApplication:
    made = build_object({"base": "application", "metadata": {"name": name, "namespace": namespace}})
    made["spec"]["destination"] = {"server": server, "namespace": "shop"}
    made["spec"]["syncPolicy"] = {"automated": {"prune": True}}
    spec = read_application_spec(RenderedObject(made, namespace, "apps.yaml"))
    return RenderedApplication(
        spec, [RenderedObject(one, "shop", "web.yaml", name) for one in map(build_object, objects)]
    )


def test_applications_of_one_name_in_two_namespaces_are_two() -> None:
    def tree(color: str) -> Tree:
        shown = {**SETTINGS, "data": {"color": color}}
        return Tree([build_application("web", "a", "x", SETTINGS), build_application("web", "b", "y", shown)])

    (found,) = compare_trees("dev", tree("green"), tree("red")).applications
    assert (found.application, found.namespace) == ("b/web", "b")
    assert [str(one.name) for one in found.objects] == ["ConfigMap shop/settings"]


@pytest.mark.parametrize(("server", "verdict"), [("x", "ownership-change"), ("y", "prune")])
def test_an_object_of_another_cluster_is_another_object(server: str, verdict: str) -> None:
    before = Tree([build_application("web", "argocd", "x", SETTINGS), build_application("shop", "argocd", server)])
    after = Tree([build_application("web", "argocd", "x"), build_application("shop", "argocd", server, SETTINGS)])
    risks = [risk for one in compare_trees("dev", before, after).applications for risk in one.risks]
    assert [risk.verdict for risk in risks] == [verdict]


@pytest.mark.parametrize("kind", ["configmap", "secret"])
def test_what_a_generator_makes_anew_is_no_prune(kind: str) -> None:
    def made(digits: str, color: str) -> dict[str, Any]:
        return {"base": kind, "metadata": {"name": f"settings-{digits}"}, "data": {"color": color}}

    difference = compare([made("4t2kd9m7fh", "green")], [made("c8hb9g5kdf", "red")])
    (one,) = difference.applications
    assert one.risks == ()
    assert [(found.name.name, found.change) for found in one.objects] == [("settings-c8hb9g5kdf", "changed")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["settings-4t2kd9m7fh"], ["other-c8hb9g5kdf"]),
        (["settings-4t2kd9m7fh"], ["settings"]),
        (["settings-0123456789"], ["settings-1234567890"]),
        (["settings-4t2kd9m7fh", "settings-5t2kd9m7fh"], ["settings-c8hb9g5kdf"]),
    ],
)
def test_what_is_no_successor_is_pruned(before: list[str], after: list[str]) -> None:
    sides = ([{**SETTINGS, "metadata": {"name": name}} for name in names] for names in (before, after))
    (one,) = compare(*sides).applications
    assert {risk.verdict for risk in one.risks} == {"prune"}
    assert len(one.risks) == len(before)


def build_child(name: str, parent: str, *objects: dict[str, Any]) -> RenderedApplication:
    child = build_application(name, "argocd", "x", *objects)
    return replace(child, spec=read_application_spec(replace(child.spec.object, application=parent)))


@pytest.mark.parametrize("rule", ["dangling-path", "render-failed"])
def test_an_application_under_one_that_no_longer_renders_is_unknown_and_not_gone(rule: str) -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    top = build_child("top", "")
    base = Tree([top, build_child("middle", "top"), build_child("data", "middle", claim)])
    head = Tree([replace(top, unread={"spec.source"})])
    found = top.spec.object.finding("spec.source.path", "is broken", "", rule=rule)
    head.findings.append(replace(found, application="top") if rule == "render-failed" else found)
    difference = compare_trees("dev", base, head)
    assert (difference.applications, len(difference.broken)) == ((), 1)
    head.findings.clear()
    assert compare_trees("dev", base, head).high
