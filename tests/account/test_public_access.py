"""A runner's address in the public endpoint, for as long as a command runs, and nothing of anybody else's touched."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from typer.testing import CliRunner, Result

from gitops_stack.account import public_access
from gitops_stack.account.public_access import PublicAccess, build_network
from gitops_stack.account.session import Account, AwsError
from gitops_stack.cli.main import app
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from tests.account.stacks import CLUSTER, REGION

OWN, OTHER = "198.51.100.23/32", "203.0.113.0/24"
MODEL = botocore.session.get_session().get_service_model("eks")


@dataclass
class Eks:
    """EKS with one cluster: updates take two questions, and one at a time."""

    public: tuple[str, ...] = ()
    exists: bool = True
    busy: int = 0
    failing: bool = False
    changes: list[dict[str, Any]] = field(default_factory=list)
    left: int = 0

    def find(self, _service: str, method: str, **_asked: Any) -> dict[str, Any] | None:
        assert method == "describe_cluster"
        config = {"endpointPublicAccess": bool(self.public), "publicAccessCidrs": [*self.public] or ["0.0.0.0/0"]}
        return {"cluster": {"resourcesVpcConfig": config}} if self.exists else None

    def ask(self, service: str, method: str, **asked: Any) -> dict[str, Any]:
        if service == "sts":
            return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:role/platform"}
        operation = {"update_cluster_config": "UpdateClusterConfig", "describe_update": "DescribeUpdate"}[method]
        report = ParamValidator().validate(asked, MODEL.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
        if method == "describe_update":
            self.left -= 1
            status = "InProgress" if self.left > 0 else "Failed" if self.failing else "Successful"
            return {"update": {"status": status, "errors": [{"errorMessage": "no addresses left"}]}}
        if self.busy:
            self.busy -= 1
            raise AwsError(
                "AWS: eks:UpdateClusterConfig was refused: an update is in progress", "ResourceInUseException"
            )
        change = asked["resourcesVpcConfig"]
        self.changes.append(change)
        self.public, self.left = tuple(change.get("publicAccessCidrs", ())), 2
        return {"update": {"id": "11111111-2222"}}


@pytest.fixture
def eks(monkeypatch: pytest.MonkeyPatch) -> Eks:
    made = Eks()
    monkeypatch.setattr(Account, "find", lambda _self, *names, **asked: made.find(*names, **asked))
    monkeypatch.setattr(Account, "ask", lambda _self, *names, **asked: made.ask(*names, **asked))
    monkeypatch.setattr(public_access, "_INTERVAL_SECONDS", 0.001)
    return made


def door(said: list[str] | None = None) -> PublicAccess:
    report = (lambda _line: None) if said is None else said.append
    return PublicAccess(Account(REGION), CLUSTER, OWN, report, sleep=lambda _seconds: None)


def test_a_private_cluster_is_public_for_one_address_and_private_again(eks: Eks) -> None:
    said: list[str] = []
    assert door(said).open() is True
    assert eks.changes == [{"endpointPublicAccess": True, "publicAccessCidrs": [OWN]}]
    door(said).close()
    assert eks.changes[1:] == [{"endpointPublicAccess": False, "endpointPrivateAccess": True}]
    assert said == [
        f"{CLUSTER}: the public endpoint answers {OWN}",
        f"{CLUSTER}: the public endpoint is closed",
    ]


def test_what_others_have_opened_stays(eks: Eks) -> None:
    eks.public, eks.busy = (OTHER,), 2
    assert door().open() is True
    assert list(eks.public) == [OTHER, OWN]
    door().close()
    assert list(eks.public) == [OTHER]
    door().close()
    assert len(eks.changes) == 2, "what is not there is not taken away"


def test_an_address_that_is_let_in_already_is_not_added(eks: Eks) -> None:
    eks.public = ("198.51.100.0/24",)
    assert door().open() is False
    assert eks.changes == []


def test_without_a_cluster_there_is_nothing_to_open(eks: Eks) -> None:
    eks.exists = False
    with pytest.raises(GitOpsStackError, match="is not there yet, so nothing can be opened; make it with this machine"):
        door().open()


def test_an_update_that_fails_is_said_with_eks_s_words(eks: Eks) -> None:
    eks.failing = True
    with pytest.raises(EnvironmentProblem, match="the endpoint was not changed: no addresses left; run again"):
        door().open()


@pytest.mark.parametrize(("address", "network"), [("198.51.100.23", OWN), ("2001:db8::7", "2001:db8::7/128")])
def test_an_address_is_a_network_of_its_own(address: str, network: str) -> None:
    assert build_network(address) == network
    with pytest.raises(GitOpsStackError, match="--address: found here; needs the address this machine is seen under"):
        build_network("here")


def run(project: Path, *arguments: str) -> Result:
    options = ["--stack", "dev", "--project", str(project), "--address", "198.51.100.23"]
    return CliRunner().invoke(app, ["reach", *options, *arguments])


@pytest.mark.parametrize("code", [0, 3])
def test_the_command_runs_in_between_and_its_exit_code_is_kept(code: int, eks: Eks, eks_project: Path) -> None:
    done = run(eks_project, "--", sys.executable, "-c", f"raise SystemExit({code})")
    assert done.exit_code == code, done.output
    assert [change["endpointPublicAccess"] for change in eks.changes] == [True, False]


def test_a_command_that_cannot_be_run_closes_too(eks: Eks, eks_project: Path) -> None:
    done = run(eks_project, "--", "no-such-program")
    assert str(done.exception) == "reach: no-such-program: cannot be run: No such file or directory; is it on PATH?"
    assert eks.public == ()


@pytest.mark.usefixtures("eks")
def test_an_endpoint_that_stays_open_is_said_with_the_command_that_closes_it(
    eks_project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    close = f"import os; open({str(eks_project / 'ran')!r}, 'w').close()"
    original = Eks.ask

    def fail_after(self: Eks, service: str, method: str, **asked: Any) -> dict[str, Any]:
        self.failing = (eks_project / "ran").exists()
        return original(self, service, method, **asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Eks, "ask", fail_after)
        done = run(eks_project, "--", sys.executable, "-c", close)
    said = done.output + capfd.readouterr().err
    assert f"error: {OWN} is still open: EKS cluster {CLUSTER}: the endpoint was not changed" in said
    assert "close it: gitops-stack reach --stack dev --address 198.51.100.23 --close" in said
    assert done.exit_code == 0, "the command itself went well"


def test_close_alone_takes_the_address_away(eks: Eks, eks_project: Path) -> None:
    eks.public = (OTHER, OWN)
    assert run(eks_project, "--close").exit_code == 0
    assert list(eks.public) == [OTHER]


@pytest.mark.parametrize("arguments", [(), ("--close", "--", "true")])
def test_a_command_or_close(arguments: tuple[str, ...], eks_project: Path) -> None:
    done = run(eks_project, *arguments)
    assert type(done.exception) is EnvironmentProblem
    assert str(done.exception).startswith("reach: needs a command behind --, such as `-- pulumi up --yes`, or --close")
