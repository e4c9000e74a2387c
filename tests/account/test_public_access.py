"""A runner's address in the public endpoint, for as long as a command runs, and nothing of anybody else's touched."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from typer.testing import CliRunner, Result

from gitops_stack.account import public_access
from gitops_stack.account.public_access import PublicAccess, build_network
from gitops_stack.account.session import Account, AwsError
from gitops_stack.cli.main import app
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from tests.account.stacks import CLUSTER, REGION, eks_config

OWN, OTHER, THIRD = "198.51.100.23/32", "203.0.113.0/24", "192.0.2.7/32"
HINT = "close it: gitops-stack reach --stack dev --address 198.51.100.23 --close"
MODEL = botocore.session.get_session().get_service_model("eks")


@dataclass
class Eks:
    """EKS with one cluster: an update ends at the third question after it; until then its networks are not shown."""

    public: tuple[str, ...] = ()
    exists: bool = True
    failing: bool = False
    meanwhile: list[tuple[str, ...]] = field(default_factory=list)
    """Networks that others set while this machine's update is refused: one refusal for each."""
    undone: tuple[str, ...] | None = None
    """Networks that another sets right after this machine's update, once."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    stops: bool = False
    """The next question about an update is interrupted by Ctrl-C."""
    left: int = 0
    asked: tuple[str, ...] = ()

    def find(self, _service: str, method: str, **_asked: Any) -> dict[str, Any] | None:
        assert method == "describe_cluster"
        self._go_on()
        config = {"endpointPublicAccess": bool(self.public), "publicAccessCidrs": [*self.public] or ["0.0.0.0/0"]}
        status = "UPDATING" if self.left else "ACTIVE"
        return {"cluster": {"status": status, "resourcesVpcConfig": config}} if self.exists else None

    def ask(self, service: str, method: str, **asked: Any) -> dict[str, Any]:
        if service == "sts":
            return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:role/platform"}
        operation = {"update_cluster_config": "UpdateClusterConfig", "describe_update": "DescribeUpdate"}[method]
        report = ParamValidator().validate(asked, MODEL.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
        if method == "describe_update":
            if self.stops:
                self.stops = False
                raise KeyboardInterrupt
            self._go_on()
            status = "InProgress" if self.left else "Failed" if self.failing else "Successful"
            return {"update": {"status": status, "errors": [{"errorMessage": "no addresses left"}]}}
        if self.meanwhile:
            self.public = self.meanwhile.pop(0)
            raise AwsError(
                "eks:UpdateClusterConfig was refused: an update is in progress", code="ResourceInUseException"
            )
        assert not self.left, "one update at a time"
        change = asked["resourcesVpcConfig"]
        self.changes.append(change)
        self.asked, self.left = tuple(change.get("publicAccessCidrs", ())), 3
        return {"update": {"id": "11111111-2222"}}

    def _go_on(self) -> None:
        if self.left:
            self.left -= 1
            if not self.left and not self.failing:
                self.public = self.asked if self.undone is None else self.undone
                self.undone = None


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
    door(said).open()
    assert eks.changes == [{"endpointPublicAccess": True, "publicAccessCidrs": [OWN]}]
    assert door().is_open()
    assert door(said).close() is True
    assert eks.changes[1:] == [{"endpointPublicAccess": False, "endpointPrivateAccess": True}]
    assert said == [
        f"{CLUSTER}: the public endpoint answers {OWN}",
        f"{CLUSTER}: the public endpoint is closed",
    ]


def test_what_others_open_and_close_while_eks_is_busy_holds(eks: Eks) -> None:
    eks.public, eks.meanwhile = (OTHER,), [(OTHER, THIRD), (THIRD,)]
    door().open()
    assert list(eks.public) == [THIRD, OWN], f"{OTHER} was closed meanwhile"
    eks.meanwhile = [(THIRD, OWN, OTHER)]
    assert door().close() is True
    assert list(eks.public) == [THIRD, OTHER], f"{OTHER} was opened meanwhile"
    assert door().close() is False
    assert len(eks.changes) == 2, "what is not there is not taken away"


def test_an_address_that_another_s_update_took_away_is_added_again(eks: Eks) -> None:
    eks.undone = (THIRD,)
    door().open()
    assert list(eks.public) == [THIRD, OWN]
    eks.undone = (THIRD, OWN, OTHER)
    door().close()
    assert list(eks.public) == [THIRD, OTHER]


def test_an_address_that_another_closes_meanwhile_is_not_closed_again(eks: Eks) -> None:
    eks.public, eks.meanwhile = (OTHER, OWN), [(OTHER,)]
    assert door().close() is False
    assert eks.changes == []


def test_an_address_that_is_let_in_already_is_not_added(eks: Eks) -> None:
    eks.public = ("198.51.100.0/24",)
    assert door().is_open()
    door().open()
    assert eks.changes == []


def test_an_opening_that_was_interrupted_is_waited_for_and_closed(eks: Eks) -> None:
    one = door()
    eks.public, eks.stops = (OTHER,), True
    with pytest.raises(KeyboardInterrupt):
        one.open()
    assert list(eks.public) == [OTHER], "EKS does not show it yet"
    assert one.close() is True
    assert [change["publicAccessCidrs"] for change in eks.changes] == [[OTHER, OWN], [OTHER]]
    assert list(eks.public) == [OTHER]


def test_without_a_cluster_there_is_nothing_to_open(eks: Eks) -> None:
    eks.exists = False
    with pytest.raises(GitOpsStackError, match=f"nothing was opened or run; make it with {OWN} in"):
        door().open()


def test_an_update_that_fails_is_said_with_eks_s_words(eks: Eks) -> None:
    eks.failing = True
    with pytest.raises(EnvironmentProblem, match="the endpoint was not changed: no addresses left; run again"):
        door().open()


def test_before_the_first_cluster_the_command_is_not_run(eks: Eks, eks_project: Path) -> None:
    eks.exists = False
    done = run(eks_project, "--", "touch", str(eks_project / "ran"))
    assert str(done.exception).startswith("EKS cluster acme-dev: is not there yet, so nothing was opened or run; ")
    assert not (eks_project / "ran").exists()
    assert eks.changes == []


@pytest.mark.parametrize(("address", "network"), [("198.51.100.23", OWN), ("2001:db8::7", "2001:db8::7/128")])
def test_an_address_is_a_network_of_its_own(address: str, network: str) -> None:
    assert build_network(address) == network
    with pytest.raises(GitOpsStackError, match="--address: found here; needs this machine's public address"):
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


def test_the_endpoint_stays_open_until_all_that_the_command_started_has_ended(eks: Eks, eks_project: Path) -> None:
    ended = eks_project / "ended"
    found: list[bool] = []
    original = eks.ask

    def look(service: str, method: str, **asked: Any) -> dict[str, Any]:
        if method == "update_cluster_config":
            found.append(ended.exists())
        return original(service, method, **asked)

    eks.ask = look  # type: ignore[method-assign]
    done = run(eks_project, "--", "sh", "-c", f"(sleep 0.5; touch {ended}) & exit 3")
    assert done.exit_code == 3, done.output
    assert found == [False, True]


def test_a_signal_ends_the_command_and_then_the_endpoint_is_closed(eks: Eks, eks_project: Path) -> None:
    done = run(eks_project, "--", "sh", "-c", f"kill -TERM {os.getpid()}; sleep 60 && true")
    assert done.exit_code == 128 + signal.SIGINT, done.output
    assert eks.public == ()


def test_an_opening_that_is_interrupted_is_closed_before_it_ends(eks: Eks, eks_project: Path) -> None:
    eks.stops = True
    assert run(eks_project, "--", "touch", str(eks_project / "ran")).exit_code != 0
    assert not (eks_project / "ran").exists()
    assert [change["endpointPublicAccess"] for change in eks.changes] == [True, False]
    assert eks.public == ()


def fail_once_run(eks: Eks, ran: Path, monkeypatch: pytest.MonkeyPatch, **change: bool) -> None:
    original = eks.ask

    def ask(service: str, method: str, **asked: Any) -> dict[str, Any]:
        if ran.exists():
            for name, value in change.items():
                setattr(eks, name, value)
        return original(service, method, **asked)

    monkeypatch.setattr(eks, "ask", ask)


@pytest.mark.parametrize(("own", "code"), [(0, 1), (3, 3)])
def test_an_endpoint_that_stays_open_is_said_with_the_command_that_closes_it_and_never_ends_green(
    own: int, code: int, eks: Eks, eks_project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fail_once_run(eks, eks_project / "ran", monkeypatch, failing=True)
    done = run(eks_project, "--", "sh", "-c", f"touch {eks_project / 'ran'}; exit {own}")
    said = done.output + capfd.readouterr().err
    assert f"error: {OWN} is still open: EKS cluster {CLUSTER}: the endpoint was not changed" in said
    assert HINT in said
    assert done.exit_code == code


def test_a_closing_that_is_interrupted_says_how_to_close(
    eks: Eks, eks_project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fail_once_run(eks, eks_project / "ran", monkeypatch, stops=True)
    done = run(eks_project, "--", "touch", str(eks_project / "ran"))
    assert HINT in done.output + capfd.readouterr().err
    assert done.exit_code != 0


def test_close_alone_takes_the_address_away(eks: Eks, eks_project: Path) -> None:
    eks.public = (OTHER, OWN)
    assert run(eks_project, "--close").exit_code == 0
    assert list(eks.public) == [OTHER]


@pytest.mark.parametrize(
    ("public", "answers"), [((OTHER, THIRD), f"open are {OTHER}, {THIRD}"), ((), "the public endpoint is closed")]
)
def test_close_alone_of_an_address_that_is_not_open_says_what_is(
    public: tuple[str, ...], answers: str, eks: Eks, eks_project: Path
) -> None:
    eks.public = public
    done = run(eks_project, "--close")
    assert str(done.exception) == f"{CLUSTER}: {OWN} is not open; {answers}"
    assert type(done.exception) is GitOpsStackError, "leaves with 1"


@pytest.fixture
def listing_project(eks_project: Path) -> Path:
    """Have the stack file list this machine's own address."""
    file = eks_project / "Pulumi.dev.yaml"
    config = eks_config(cluster={"endpoint": {"publicAccessCidrs": [OTHER, OWN]}})
    file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    return eks_project


def test_what_the_stack_file_lists_is_not_closed_alone(eks: Eks, listing_project: Path) -> None:
    eks.public = (OTHER, OWN)
    done = run(listing_project, "--close")
    assert str(done.exception) == (
        f"Pulumi.dev.yaml: gitops-stack:cluster.endpoint.publicAccessCidrs lists {OWN}, so it stays open; remove it "
        "there, then run `pulumi up`"
    )
    assert eks.changes == []


def test_what_the_stack_file_lists_is_not_closed_after_a_command(
    eks: Eks, listing_project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done = run(listing_project, "--", "true")
    assert done.exit_code == 0, done.output
    assert list(eks.public) == [OWN]
    said = done.output + capfd.readouterr().err
    assert f"{CLUSTER}: {OWN} stays open: Pulumi.dev.yaml lists it" in said


@pytest.mark.parametrize("arguments", [(), ("--close", "--", "true")])
def test_a_command_or_close(arguments: tuple[str, ...], eks_project: Path) -> None:
    done = run(eks_project, *arguments)
    assert type(done.exception) is EnvironmentProblem
    assert str(done.exception).startswith("reach: needs a command behind --, such as `-- pulumi up --yes`, or --close")
