"""What a reviewer reads: the change, the rendered difference, and no secrets."""

from __future__ import annotations

import re

from gitops_stack.delivery.plan import ImageChange, ImagePlan
from gitops_stack.delivery.pull_request import BODY_LIMIT, build_body, build_merge_advice
from tests.delivery.trees import A

PLAN = ImagePlan(
    "prd",
    (ImageChange("web", "web", "web/prd", ("web:v1",), f"acme/web@{A}"),),
    {"web/prd/kustomization.yaml": ""},
    ("web: dev runs it by its tag",),
    "dev",
)


def test_a_body_says_what_changes_and_how_to_go_back() -> None:
    body = build_body(PLAN, {"web/prd: apps/Deployment web": "-old\n+new"}, "**Risk:** none")
    assert body == (
        "Promotes from dev to prd:\n\n| application | now | then |\n| --- | --- | --- |\n"
        f"| web | `web:v1` | `acme/web@{A}` |\n\n- `web: dev runs it by its tag`\n\n**Risk:** none\n\n"
        "<details><summary>Rendered difference</summary>\n\n```diff\n-old\n+new\n```\n\n</details>\n\n"
        "To go back, revert the merge commit.\n"
    )


def test_a_body_fits_and_stays_in_its_fence() -> None:
    body = build_body(PLAN, {"x": "````\n" + "+line\n" * BODY_LIMIT})
    assert BODY_LIMIT - 300 < len(body) <= BODY_LIMIT
    assert "\n`````diff\n````\n" in body
    assert re.search(r"\n… \d+ more lines\n`````\n\n</details>\n", body)


def test_without_a_forge_merging_is_explained() -> None:
    assert build_merge_advice("gitops-stack/prd/web-1", "main", "origin") == (
        "to merge: git fetch origin && git switch main && git pull --ff-only origin main && "
        "git merge --no-ff origin/gitops-stack/prd/web-1 && git push"
    )


def test_what_files_say_stays_in_its_cell() -> None:
    change = ImageChange("web", "web", "web/prd", ("a|b`c",), "acme/web:v1")
    assert "| web | ``a\\|b`c`` | `acme/web:v1` |\n" in build_body(ImagePlan("prd", (change,)), {})


def test_green_gates_are_listed_as_text() -> None:
    body = build_body(PLAN, {}, gates=["check: green, 2 s", "`make smoke`: green, 40 s"])
    assert "\nGates:\n\n- `check: green, 2 s`\n- `` `make smoke`: green, 40 s ``\n" in body
