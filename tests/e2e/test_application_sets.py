"""The kept answers for the corpus of ApplicationSets (tests/tree_check/test_application_sets.py) are Argo CD's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.lab.tools import build_tools
from tests.application_sets import ANSWERS, REPOSITORY, build_cases, build_secrets, compare_form, write_repository
from tests.e2e.scenario import say
from tests.stacks import is_golden_run

pytestmark = pytest.mark.e2e


def ask_argocd(folder: Path) -> dict[str, Any]:
    tool = build_tools(say).bin / "applicationsets"
    cases = build_cases()
    asked = json.dumps({"applicationSets": list(cases.values()), "clusters": build_secrets()})
    command = [str(tool), REPOSITORY, str(folder)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, timeout=600)
    answers = zip(cases, json.loads(done.stdout), strict=True)
    return {name: "refused" if one.get("error") else compare_form(one["applications"] or []) for name, one in answers}


def test_the_kept_answers_are_those_of_argo_cd(tmp_path: Path, git: Callable[..., str]) -> None:
    write_repository(tmp_path, git)
    answers = ask_argocd(tmp_path)
    if is_golden_run():
        ANSWERS.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
    assert json.loads(ANSWERS.read_text(encoding="utf-8")) == answers
