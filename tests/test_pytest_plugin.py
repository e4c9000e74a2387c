"""The plugin as a team uses it: fixtures in a pytest run of its own, and nothing imported before one is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stacks import ROOT

TESTS = '''
def test_the_tree(gitops_tree, check_tree):
    tree = gitops_tree("dev")
    assert {"root", "argocd", "projects", "guestbook"} == {one.spec.name for one in tree.applications}
    assert gitops_tree("dev") is tree
    assert [finding.rule for finding in check_tree("dev").findings] == []
    assert check_tree("dev", kubernetes_version="1.34").kubernetes_version == "1.34"


def test_a_policy(gitops_objects):
    from own.labels import check_team_label

    labelled, bare, wide = gitops_objects(
        """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {team: web}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
---
apiVersion: v1
kind: Namespace
metadata: {name: c, labels: {team: web}}
""",
        namespace="shop",
    )
    assert [found.namespace for found in (labelled, bare, wide)] == ["shop", "shop", ""]
    assert [str(finding.object) for finding in check_team_label([labelled, bare, wide])] == ["ConfigMap shop/b"]
'''
POLICY = """
def check_team_label(objects):
    for found in objects:
        if "team" not in found.labels:
            yield found.finding("metadata.labels.team", "is missing", "name the team that is called at night")
"""


def test_a_team_s_tests_of_its_tree_and_policies(project: Path) -> None:
    (project / "own").mkdir()  # not `policies`, where the check of the tree would find it as well
    (project / "own/labels.py").write_text(POLICY)
    (project / "test_gitops.py").write_text(TESTS)
    (project / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "gitops_stack.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project, check=False)
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("heavy", ["yaml", "pydantic", "jsonschema_rs", "pulumi"])
def test_the_plugin_costs_nothing_until_it_is_used(heavy: str) -> None:
    code = f"import sys, gitops_stack.pytest_plugin; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
