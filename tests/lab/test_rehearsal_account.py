"""The edge to the AWS double: places, catalogue, processes and errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.account.addon_versions import load_recorded
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.rehearsal_account import as_our_errors, build_programs, build_variables, check_place
from gitops_stack.lab.state import LabState
from gitops_stack.settings.eks_versions import load_eks_versions
from pulumi_aws_double import errors as double
from pulumi_aws_double.catalogue import CATALOGUE, load_catalogue


@pytest.mark.parametrize("place", ["203.0.113.7", "2001:db8::7", "vpc"])
def test_a_place_is_an_address_or_inside_of_the_vpc(place: str) -> None:
    assert check_place(place) == place


@pytest.mark.parametrize("place", ["office", "203.0.113.0/24"])
def test_anything_else_is_refused_with_what_it_needs(place: str) -> None:
    with pytest.raises(GitOpsStackError, match=f"--from: found {place}; needs an address such as 203.0.113.7, or vpc"):
        check_place(place)


def test_the_double_offers_what_our_tables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = LabState.open(tmp_path / "lab")
    account, gate = build_programs(state, "123456789012", "eu-west-1", "vpc", {"HOME": "/home"})
    variables = build_variables(state, "eu-west-1")
    assert {**variables, "HOME": "/home"}.items() <= gate.environment.items()
    assert (account.name, gate.name) == ("aws-account", "eks-endpoint")
    assert str(state.load_ports()["aws-account"]) in account.probe.condition
    monkeypatch.setenv(CATALOGUE, variables[CATALOGUE])
    found, table = load_catalogue(), load_eks_versions()
    assert found.default_version == [*table.versions][-1]
    for version in table.versions:
        assert found.may_be_made(version) == (version in table.supported(table.judged_on))
        assert {addon: found.find_addon_versions(addon, version) for addon in load_recorded(version)} == load_recorded(
            version
        )


@pytest.mark.parametrize(
    ("theirs", "ours"), [(double.DoubleError, GitOpsStackError), (double.EnvironmentProblem, EnvironmentProblem)]
)
def test_what_the_double_refuses_is_our_error_in_the_same_words(
    theirs: type[double.DoubleError], ours: type[GitOpsStackError]
) -> None:
    with pytest.raises(GitOpsStackError) as raised, as_our_errors():
        raise theirs("one", "two")
    assert type(raised.value) is ours
    assert raised.value.findings == ("one", "two")
