"""The comment as people see it: golden files from recorded events, and what must never be in it."""

from __future__ import annotations

import pytest

from gitops_stack.preview.comment import COMMENT_LIMIT, PreviewReport, build_comment, comment_marker
from gitops_stack.preview.engine_events import Diagnostic, EnginePreview, Step, parse_events
from gitops_stack.preview.manifest_files import build_differences
from gitops_stack.preview.property_diff import PropertyChange
from tests.preview.samples import RECORDED, manifest, recorded
from tests.stacks import GOLDEN, ROOT, compare_golden

COMMIT = "0123456789abcdef0123456789abcdef01234567"
RUN = "https://github.com/acme/platform/actions/runs/1"


def headline(report: PreviewReport) -> str:
    return next(line for line in build_comment(report).splitlines() if line.startswith("### "))


@pytest.mark.parametrize("name", RECORDED)
def test_the_comment_of_a_recorded_preview(name: str) -> None:
    report = PreviewReport("dev", recorded(name), commit=COMMIT, run_url=RUN)
    compare_golden(f"preview-{name}.md", build_comment(report))


def test_the_comment_with_everything() -> None:
    base = {"apps": [manifest("ConfigMap", "kept", data={"a": "1"})], "argocd": [manifest("ConfigMap", "gone")]}
    head = {
        "apps": [manifest("ConfigMap", "kept", data={"a": "2"}), manifest("Secret", "login", data={"p": "bGVhaw=="})]
    }
    report = PreviewReport(
        "dev", recorded("delete"), "", build_differences(base, head), ["gitops/dev/apps/argocd.yaml: is missing"],
        COMMIT, RUN, rehearsed=True,
    )  # fmt: skip
    compare_golden("preview-with-everything.md", build_comment(report))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-change", "no changes"),
        ("create", "creates 15"),
        ("update", "updates 3"),
        ("replace", "**REPLACES 3**"),
        ("delete", "**DELETES 1**"),
        ("failing-program", "**FAILED**"),
        ("failing-provider", "**FAILED**"),
        ("warning", "no changes"),
    ],
)
def test_the_headline_is_the_verdict(name: str, said: str) -> None:
    assert headline(PreviewReport("dev", recorded(name))) == f"### Preview of `dev`: {said}"


def test_what_destroys_is_named_first() -> None:
    steps = [Step(operation, "a:b:C", operation) for operation in ("create", "update", "delete", "replace", "delete")]
    report = PreviewReport("dev", EnginePreview(steps, finished=True), findings=["x"])
    said = "**REPLACES 1**, **DELETES 2**, creates 1, updates 1; 1 finding"
    assert headline(report) == f"### Preview of `dev`: {said}"


def test_an_engine_that_never_started_is_told_with_its_own_words() -> None:
    output = "error: getting stack configuration: get stack secrets manager: incorrect passphrase\n"
    text = build_comment(PreviewReport("dev", parse_events([], "events"), output))
    assert "### Preview of `dev`: **did not run**" in text
    assert f"```\n{output}```" in text


def test_an_engine_that_was_stopped_is_told() -> None:
    text = build_comment(PreviewReport("dev", EnginePreview([Step("create", "a:b:C", "x")])))
    assert "**FAILED**" in text
    assert "The engine left no summary and no error: it was stopped, or never started." in text
    assert "Planned until it failed:" in text


def test_a_report_without_a_preview_says_so() -> None:
    assert (
        headline(PreviewReport("dev", findings=["a", "b"])) == "### Preview of `dev`: no preview was made; 2 findings"
    )


def test_the_installation_is_one_line_only_while_its_objects_go_the_same_way() -> None:
    def step(operation: str, name: str) -> Step:
        return Step(operation, "kubernetes:apps/v1:Deployment", name, ("gitops-stack:index:ArgoCD",))

    same = PreviewReport("dev", EnginePreview([step("create", "a"), step("create", "b")], finished=True))
    mixed = PreviewReport("dev", EnginePreview([step("create", "a"), step("update", "b")], finished=True))
    line = "**create** 2 Kubernetes objects of the installation"
    assert line in build_comment(same)
    assert "`a`" not in build_comment(same)
    assert line not in build_comment(mixed)
    assert "**update** `kubernetes:apps/v1:Deployment` `b`" in build_comment(mixed)


def test_a_huge_preview_stays_below_the_forge_s_limit_and_says_what_is_missing() -> None:
    changes = tuple(PropertyChange(f"tags.{number}", "", '"value"') for number in range(40))
    steps = [
        Step("replace", "aws:ec2/subnet:Subnet", f"private-{number}", (), changes, ("vpcId",)) for number in range(900)
    ]
    noise = [Diagnostic("error", "", "x" * 9000) for _ in range(50)]
    preview = EnginePreview(steps, diagnostics=noise, finished=True, failed=True)
    text = build_comment(PreviewReport("dev", preview, findings=["f" * 5000] * 100, run_url=RUN))
    assert COMMENT_LIMIT - 6000 < len(text) <= COMMENT_LIMIT
    assert "> - … and 880 more" in text
    assert "… and 45 more errors" in text
    shown = text.count("\n**replace** `aws:ec2:Subnet`")
    assert (
        f"**Left out** to stay below 65,536 characters: {100 - text.count('… 1 more line')} of 100 findings, " in text
    )
    assert f"{900 - shown} of 900 entries of changes. [The run]({RUN}) has them." in text


HOSTILE = "x`--> </details> @everyone ![i](https://evil.example/i.png)\n/close\n### no changes"


def test_nothing_a_fork_writes_leaves_its_code() -> None:
    step = Step("delete", HOSTILE, HOSTILE, (), (PropertyChange(HOSTILE, HOSTILE, HOSTILE),), (HOSTILE,))
    preview = EnginePreview(
        [step], diagnostics=[Diagnostic("error", HOSTILE, HOSTILE), Diagnostic("warning", "", HOSTILE)]
    )
    differences = build_differences({}, {HOSTILE: [manifest("ConfigMap", HOSTILE, data={"a": HOSTILE})]})
    text = build_comment(PreviewReport("dev", preview, HOSTILE, differences, [HOSTILE], HOSTILE, f"{RUN}) [x]("))
    outside = "\n".join(_outside_of_code(text))
    for sign in ("@everyone", "![", "evil", "/close", "### no changes"):
        assert sign in text
        assert sign not in outside
    assert outside.count("<details>") == outside.count("</details>") == 4
    assert "[x](" not in text


def _outside_of_code(text: str) -> list[str]:
    """Return what is outside of fences and code spans, by the rule of CommonMark: a fence ends with one as long."""
    lines, closing = [], ""
    for line in text.splitlines():
        marks = line[: len(line) - len(line.lstrip("`"))]
        if closing:
            closing = "" if line == closing else closing
        elif len(marks) >= 3 and "`" not in line[len(marks) :]:
            closing = marks
        else:
            lines.append(_without_spans(line))
    assert not closing
    return lines


def _without_spans(line: str) -> str:
    kept, rest = "", line
    while "`" in rest:
        before, _, after = rest.partition("`")
        marks = "`" + after[: len(after) - len(after.lstrip("`"))]
        content = after[len(marks) - 1 :]
        parts = [part for part in _runs(content) if part[1] == len(marks)]
        if not parts:
            return kept + before + marks + content
        kept, rest = kept + before, content[parts[0][0] + len(marks) :]
    return kept + rest


def _runs(text: str) -> list[tuple[int, int]]:
    found, at = [], 0
    while at < len(text):
        if text[at] == "`":
            end = at
            while end < len(text) and text[end] == "`":
                end += 1
            found.append((at, end - at))
            at = end
        else:
            at += 1
    return found


def test_the_marker_is_the_first_line() -> None:
    assert build_comment(PreviewReport("dev", recorded("no-change"))).startswith(comment_marker("dev") + "\n")


def test_the_documentation_shows_a_comment_as_it_is() -> None:
    golden = (GOLDEN / "preview-replace.md").read_text(encoding="utf-8")
    assert golden in (ROOT / "docs" / "previews.md").read_text(encoding="utf-8")


def test_a_custom_resource_definition_is_counted_and_not_shown() -> None:
    made = [
        manifest("CustomResourceDefinition", "a", "apiextensions.k8s.io/v1", spec={"x": list(range(count))})
        for count in (3, 40)
    ]
    differences = build_differences(*({"argocd": [one]} for one in made))
    text = build_comment(PreviewReport("dev", differences=differences))
    assert "**changed** `apiextensions.k8s.io/CustomResourceDefinition argocd/a` in `argocd`, +37 -0 lines" in text
    assert "```diff" not in text
