"""Rules in CEL: what is said of an object is what kube-apiserver says."""

from __future__ import annotations

import pytest

from gitops_stack.lab.api_dry_run import DryRun, open_client
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import build_tools
from gitops_stack.rules.finding import RenderedObject
from tests.cel_corpus import build_rule_definition, load_rule_cases
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e


def test_kube_apiserver_judges_rules_as_the_corpus_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    cases = list(load_rule_cases())
    definitions = [build_rule_definition(*pair) for pair in {one.number: one.schema for one in cases}.items()]
    lab = Lab.open(tmp_path_factory.mktemp("cel") / "lab", build_tools(say))
    try:
        lab.up(say, nodes=False)
        with open_client(lab.state.kubeconfig) as client:
            dry_run = DryRun(client)
            assert dry_run.ask([RenderedObject(one, "", "a.yaml") for one in definitions]) == []
            answers = {str(case): dry_run.apply(RenderedObject(case.manifest, "", "a.yaml")) for case in cases}
    finally:
        lab.down(say)
    different = {name: found and found.found for name, found in answers.items()}
    expected = {str(case): case.refused for case in cases}
    assert {name: said for name, said in different.items() if (said is not None) != expected[name]} == {}
    assert len(definitions) >= 20
