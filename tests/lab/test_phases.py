"""The name of a phase before what stops it, and once."""

from __future__ import annotations

import pytest

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.phases import Phases


def test_a_phase_names_itself_before_each_finding_but_not_twice() -> None:
    phases, said = Phases(), list[str]()
    with pytest.raises(EnvironmentProblem) as stopped, phases.phase("pulumi up", said.append):
        raise EnvironmentProblem(Problem("was killed by SIGKILL", place="pulumi up"), "argocd-server: is FATAL")
    assert stopped.value.findings == ("pulumi up: was killed by SIGKILL", "pulumi up: argocd-server: is FATAL")
    assert list(phases.seconds) == ["pulumi up"]
