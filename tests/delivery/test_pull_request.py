"""What a reviewer reads: the change, the rendered difference, and no secrets."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gitops_stack.delivery.plan import ImageChange, Plan
from gitops_stack.delivery.pull_request import BODY_LIMIT, build_body, build_merge_advice
from gitops_stack.delivery.rendered_diff import build_diffs, load_snapshot
from tests.delivery.trees import A, stack, write

PLAN = Plan(
    "prd",
    (ImageChange("web", "web", "web/prd", ("web:v1",), f"acme/web@{A}"),),
    {"web/prd/kustomization.yaml": ""},
    ("web: dev runs it by its tag",),
    "dev",
)
SETTINGS = stack("prd", web="web/prd")
# Stands in for kustomize: renders a Secret, and a Deployment that has the last line of the kustomization.
KUSTOMIZE = """#!/bin/sh
[ -e "$2/broken" ] && exit 1
cat <<END
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {password: $(tail -n 1 "$2/kustomization.yaml" | base64 -w 0)}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {image: web-$(tail -n 1 "$2/kustomization.yaml")}
END
"""


@pytest.fixture
def kustomize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, script in {"kustomize": KUSTOMIZE, "git": "#!/bin/sh\n"}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


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


def test_objects_are_compared_one_by_one_without_secrets(tmp_path: Path, kustomize: None) -> None:
    del kustomize
    before = load_snapshot(write(tmp_path, {"web/prd/kustomization.yaml": "v1\n"}).root, PLAN, SETTINGS)
    after = load_snapshot(write(tmp_path, {"web/prd/kustomization.yaml": "v2\n"}).root, PLAN, SETTINGS)
    name = "web/prd: apps/Deployment web"
    diffs = build_diffs(before, after)
    assert diffs[name] == (
        f"--- {name}\n+++ {name}\n@@ -4,3 +4,3 @@\n   name: web\n spec:\n-  image: web-v1\n+  image: web-v2"
    )
    (secret,) = (diff for other, diff in diffs.items() if other != name)
    assert "djEK" not in secret  # what the tool puts into the Secret
    assert "before)" in secret


@pytest.mark.parametrize("broken", [True, False])
def test_files_stand_in_where_nothing_can_be_rendered(tmp_path: Path, kustomize: None, broken: bool) -> None:
    del kustomize
    path = "web/prd/kustomization.yaml" if broken else "web/values-prd.yaml"
    plan = Plan("prd", PLAN.changes, {path: ""})
    texts = {"web/prd/broken": "", path: "tag: v1\n"}
    before = load_snapshot(write(tmp_path, texts).root, plan, SETTINGS)
    after = load_snapshot(write(tmp_path, {path: "tag: v2\n"}).root, plan, SETTINGS)
    assert build_diffs(before, after) == {path: f"--- {path}\n+++ {path}\n@@ -1 +1 @@\n-tag: v1\n+tag: v2"}


def test_without_a_forge_merging_is_explained() -> None:
    assert build_merge_advice("gitops-stack/prd/web-1", "main", "origin") == (
        "to merge: git fetch origin && git switch main && git pull --ff-only origin main && "
        "git merge --no-ff origin/gitops-stack/prd/web-1 && git push"
    )


def test_what_files_say_stays_in_its_cell() -> None:
    change = ImageChange("web", "web", "web/prd", ("a|b`c",), "acme/web:v1")
    assert "| web | ``a\\|b`c`` | `acme/web:v1` |\n" in build_body(Plan("prd", (change,)), {})
