"""gitops/policies.yaml: switches with reasons, and sentences for what is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.rules.finding import Finding
from gitops_stack.tree_check.rule_switches import Entry, apply_switches, load_switches


def write(project: Path, text: str) -> Path:
    (project / "gitops").mkdir()
    (project / "gitops/policies.yaml").write_text(text)
    return project


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("rules: [{rule: nope, severity: error, reason: x}]", ["rules[0].rule: found nope, which is not a rule; docs/checks.md lists them"]),  # noqa: E501
        ("rules: [{severity: error, reason: x}]", ["rules[0].rule: found nothing, which is not a rule; docs/checks.md lists them"]),  # noqa: E501
        ("rules: [{rule: secret-in-git, severity: loud, reason: x}]", ["rules[0].severity: found loud; needs one of: error, warning, note, off"]),  # noqa: E501
        ("rules: [{rule: secret-in-git, reason: x}]", ["rules[0].severity: found nothing; needs one of: error, warning, note, off"]),  # noqa: E501
        ("rules: [{rule: secret-in-git, severity: error}]", ["rules[0].reason: is missing; say why the rule does not hold here as it does elsewhere"]),  # noqa: E501
        ("rules: [{rule: secret-in-git, severity: error, reason: ' '}]", ["rules[0].reason: is missing; say why the rule does not hold here as it does elsewhere"]),  # noqa: E501
        ("rules: [{rule: secret-in-git, severity: error, reason: x, paths: a}]", ["rules[0].paths: needs a list of globs such as gitops/workloads/guestbook/**"]),  # noqa: E501
        ("rules: [{rule: secret-in-git, severity: error, reason: x, paths: []}]", ["rules[0].paths: needs a list of globs such as gitops/workloads/guestbook/**"]),  # noqa: E501
        ("rules: [{rule: secret-in-git, severity: error, reason: x, path: a}]", ["rules[0].path: is not a known key; known here: paths, reason, rule, severity"]),  # noqa: E501
        ("rules: [a]", ["rules[0]: found no map; needs rule, severity and reason"]),
        ("rules: {}", ["rules: found no list; needs a list of rule, severity, paths and reason"]),
        ("{1: a, b: c}", ["1: is not a known key; known here: rules", "b: is not a known key; known here: rules"]),
        ("rules: [{rule: [a], severity: off, reason: x}]", ["rules[0].rule: found ['a'], which is not a rule; docs/checks.md lists them"]),  # noqa: E501
        ("rule: []", ["rule: is not a known key; known here: rules"]),
        ("rules: [{}, {rule: nope}]", [
            "rules[0].rule: found nothing, which is not a rule; docs/checks.md lists them",
            "rules[0].severity: found nothing; needs one of: error, warning, note, off",
            "rules[0].reason: is missing; say why the rule does not hold here as it does elsewhere",
            "rules[1].rule: found nope, which is not a rule; docs/checks.md lists them",
            "rules[1].severity: found nothing; needs one of: error, warning, note, off",
            "rules[1].reason: is missing; say why the rule does not hold here as it does elsewhere",
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, sentences: list[str], tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as raised:
        load_switches(write(tmp_path, text))
    assert list(raised.value.findings) == [f"gitops/policies.yaml: {sentence}" for sentence in sentences]


def test_text_that_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError, match=r"gitops/policies\.yaml: is not YAML"):
        load_switches(write(tmp_path, "a: b: c"))


@pytest.mark.parametrize("written", ["off", '"off"', "false"])
def test_off_may_be_written_with_or_without_quotes(written: str, tmp_path: Path) -> None:
    entries = load_switches(write(tmp_path, f"rules: [{{rule: secret-in-git, severity: {written}, reason: x}}]"))
    assert entries == (Entry("secret-in-git", "off", (), "x"),)


def test_no_file_and_an_empty_file_switch_nothing(tmp_path: Path) -> None:
    assert load_switches(tmp_path) == ()
    assert load_switches(write(tmp_path, "")) == ()


def test_own_policies_can_be_switched(tmp_path: Path) -> None:
    write(tmp_path, "rules: [{rule: team-label, severity: note, reason: x}]")
    assert load_switches(tmp_path, ["team-label"])[0].switch == "note"
    with pytest.raises(GitOpsStackError):
        load_switches(tmp_path)


FINDING = Finding("secret-in-git", "error", "apps/web/base/a.yaml", None, "", "", "", "web", "apps/web/overlays/dev")


@pytest.mark.parametrize(
    ("paths", "covered"),
    [
        ((), True),
        (("apps/**",), True),
        (("apps/web/base/*",), True),
        (("apps/*",), False),
        (("apps/web/overlays/dev",), True),
        (("apps/web/overlays/dev/**",), True),
        (("apps/web/overlays/prd/**",), False),
        (("other/**", "**/a.yaml"), True),
    ],
)
def test_a_path_names_the_file_or_the_folder_it_is_rendered_for(paths: tuple[str, ...], covered: bool) -> None:
    assert Entry("secret-in-git", "off", paths, "x").covers(FINDING) is covered


def test_the_last_entry_that_covers_wins() -> None:
    everywhere, here = Entry("secret-in-git", "off", (), "x"), Entry("secret-in-git", "warning", ("apps/web/**",), "y")
    assert [found.severity for found in apply_switches([FINDING], [everywhere, here])] == ["warning"]
    assert apply_switches([FINDING], [here, everywhere]) == []
    assert apply_switches([FINDING], [Entry("host-access", "off", (), "x")]) == [FINDING]
