"""From a commit in an application's repository to production: generated pipelines, one forge, two clusters.

The forge's API is a fake, its Git a bare repository which both clusters' Argo CD read at the URL the stack files name.
The steps of the pipelines that `gitops-stack init` writes are run as they stand in the files, by somebody whom git does
not know and on a fresh clone, as on a runner; building the image is the one thing left out.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube.resources.core_v1 import Pod

from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.lab import handover
from gitops_stack.lab.control_plane import CONTEXT
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.git_host import build_git_variables, build_host_program, build_host_variables
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.lab_run import LabRun
from gitops_stack.lab.tools import build_tools
from gitops_stack.lab.workspace import Workspace
from tests.e2e.scenario import Scenario, edit_stack, say, wait_for
from tests.forge.fake_pull_requests import TOKEN, FakePullRequests, serve

pytestmark = pytest.mark.e2e

URL = "https://github.com/acme/platform.git"
REPOSITORY = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/cart"
FIRST = f"{REPOSITORY}:v1.0.0"
STACKS = ("dev", "prd")


@dataclass
class Delivery:
    """The platform's repository, the application's, the forge, and a lab for each stack."""

    folder: Path
    forge: FakePullRequests
    labs: Mapping[str, Scenario]

    @property
    def bare(self) -> Path:
        return self.folder / "platform.git"

    def environment(self, home: Path) -> dict[str, str]:
        """Return what a runner's job has; ``home`` holds no settings of git."""
        tools = self.labs["dev"].lab.tools.bin
        own = load_git_environment()
        return {
            **os.environ,
            **own,
            **build_git_variables(URL, self.bare, own),
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(tools), os.environ["PATH"]]),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_TOKEN": TOKEN,
        }

    def run_step(self, workflow: Path, name: str, job: Path, **variables: str) -> str:
        """Run a step of a generated workflow in a fresh clone of the platform's repository; returns what it prints."""
        clone = job / "platform"
        environment = {**self.environment(job), **variables}
        git(job, "clone", "--quiet", URL, str(clone), environment=environment)
        steps = [step for found in load(workflow)["jobs"].values() for step in found["steps"]]
        (step,) = [step for step in steps if step.get("name") == name]
        command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def check(self, branch: str, stack: str, job: Path) -> subprocess.CompletedProcess[str]:
        """Check a proposed branch as the generated pipeline does before a merge."""
        clone, environment = job / "platform", self.environment(job)
        git(job, "clone", "--quiet", "--branch", branch, URL, str(clone), environment=environment)
        command = ["gitops-stack", "check", "--stack", stack, "--output", "github"]
        return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)

    def merge(self) -> str:
        """Press the button of the one open pull request; returns the commit."""
        (request,) = self.forge.open
        workspace = self.labs["dev"].workspace
        git(workspace, "pull", "--quiet", "--ff-only")
        git(workspace, "fetch", "--quiet", "origin", request.branch)
        git(workspace, "merge", "--quiet", "--no-ff", "-m", f"Merge pull request #{request.number}", "FETCH_HEAD")
        request.state = "closed"
        return self.push(workspace)

    def push(self, workspace: Path) -> str:
        """Push, and tell both clusters as the forge's webhook does; returns the commit."""
        git(workspace, "push", "--quiet", "origin", "HEAD")
        for scenario in self.labs.values():
            scenario.notify()
        return git(workspace, "rev-parse", "HEAD")

    def running(self, stack: str) -> set[str]:
        """Return the images of the application's pods, empty while one is on its way in or out."""
        pods = list(
            self.labs[stack].client.list(Pod, namespace="storefront", labels={"app.kubernetes.io/name": "cart"})
        )
        settled = all(
            pod.status and pod.status.phase == "Running" and pod.metadata and not pod.metadata.deletionTimestamp
            for pod in pods
        )
        return {one.image or "" for pod in pods if pod.spec for one in pod.spec.containers} if settled else set()

    def wait_until_running(self, stack: str, image: str) -> None:
        """Wait until every pod of the application runs ``image``."""
        wait_for(f"{stack} runs {image}", lambda: self.running(stack) == {image})

    def wait_for_a_person(self, revision: str) -> None:
        """Wait until prd has seen ``revision`` and waits for a sync by hand."""

        def waiting() -> bool:
            sync = ((self.labs["prd"].application("cart") or {}).get("status") or {}).get("sync") or {}
            return sync.get("revision") == revision and sync.get("status") == "OutOfSync"

        wait_for("prd's Argo CD has compared the merge", waiting)

    def sync_by_hand(self) -> None:
        """Sync prd's application as a person does: Argo CD's own client, logged in to Argo CD's server."""
        scenario = self.labs["prd"]
        secret = scenario.get("v1", "Secret", "argocd-initial-admin-secret", "argocd")
        assert secret is not None
        password = b64decode(secret["data"]["password"]).decode()
        server = f"127.0.0.1:{scenario.lab.state.load_ports()['argocd-server']}"
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        for arguments in (
            ("login", server, "--plaintext", "--username", "admin", "--password", password),
            ("app", "sync", "cart", "--timeout", "90"),
        ):
            command = [str(scenario.lab.tools.bin / "argocd"), *arguments]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def load(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def git(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def gitops_stack(folder: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).parent / "gitops-stack"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def lay_out(folder: Path) -> Path:
    """Lay out both repositories as people would, and give the platform the application."""
    answers = ["--data", "stacks=[dev, prd]", "--data", "provider=existing"]
    gitops_stack(folder, "init", "platform", *answers, "--data", "repository=acme/platform", "--defaults")
    gitops_stack(folder, "init", "cart", "--data", "layout=application", "--data", "repository=acme/cart", "--defaults")
    platform = folder / "platform"
    for stack in STACKS:
        cluster = {"kubeconfig": str(folder / stack / "kubeconfig"), "context": CONTEXT}
        # The standard manifests, for HA takes the lab a minute longer; and SSO needs somebody to sign in with.
        argocd = {"highAvailability": False, "adminEnabled": True}
        edit_stack(platform, {"cluster": cluster, "argocd": argocd}, stack)
    place = ("--project", "storefront", "--namespace", "storefront")
    gitops_stack(platform, "app", "add", "cart", *place, "--image", FIRST)
    return platform


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    folder = tmp_path_factory.mktemp("dlv")
    tools = build_tools(say)
    platform, bare = lay_out(folder), folder / "platform.git"
    with serve("github") as forge:
        scenarios = {}
        for stack in STACKS:
            lab = Lab.open(folder / stack, tools)
            engine = Engine(lab.state.directory, platform, stack, tools.bin, load_git_environment())
            scenarios[stack] = Scenario(platform, lab, LabRun(lab, Workspace(bare, platform, stack), engine))
        made = Delivery(folder, forge, scenarios)
        try:
            push_first(made, platform)
            with ThreadPoolExecutor() as pool:  # two clusters on two cores
                list(pool.map(lambda scenario: start(scenario, bare), scenarios.values()))
            yield made
        finally:
            for scenario in scenarios.values():
                scenario.close()


def push_first(delivery: Delivery, platform: Path) -> None:
    for stack, scenario in delivery.labs.items():
        scenario.cli("render", "--stack", stack)
        scenario.cli("lock", "--stack", stack)
        scenario.report.engine.select_stack()  # notes the encryption salt in the stack file
    for folder, bare in ((platform, delivery.bare), (delivery.folder / "cart", delivery.folder / "cart.git")):
        git(delivery.folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "config", "user.name", "Ada")
        git(folder, "config", "user.email", "ada@example.org")
        git(folder, "remote", "add", "origin", f"file://{bare}")
        commit(folder, "Begin")


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", message)
    git(folder, "push", "--quiet", "--set-upstream", "origin", "main")
    return git(folder, "rev-parse", "HEAD")


def start(scenario: Scenario, bare: Path) -> None:
    """Bootstrap one cluster. Its Argo CD finds the repository at the URL the stack file names."""
    lab, report = scenario.lab, scenario.report
    environment = lab.process_environment()
    lab.start_outside(lambda ports: [build_host_program(lab.state, ports["git-host"], URL, bare, environment)], say)
    report.repo_server = {
        **build_git_variables(URL, bare, report.engine.git_environment),
        **build_host_variables(lab.state, lab.state.load_ports()["git-host"]),
    }
    lab.up(say)
    report.engine.up()
    handover.start_controllers(report, say)
    handover.wait_until_synced(report, limit_seconds=240)
    handover.wait_until_handed_over(report, limit_seconds=90)


def digest_of(revision: str) -> str:
    return f"{REPOSITORY}@sha256:{hashlib.sha256(revision.encode()).hexdigest()}"


@pytest.fixture(scope="module")
def released(delivery: Delivery) -> tuple[str, str]:
    """Commit in the application's repository; returns the commit and the image its pipeline would have pushed."""
    delivery.sync_by_hand()
    delivery.wait_until_running("prd", FIRST)
    delivery.wait_until_running("dev", FIRST)
    (delivery.folder / "cart/Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    revision = commit(delivery.folder / "cart", "Sell apples")
    return revision, digest_of(revision)


def propose(delivery: Delivery, released: tuple[str, str], job: Path) -> str:
    revision, image = released
    workflow = delivery.folder / "cart/.github/workflows/image.yml"
    return delivery.run_step(workflow, "Propose the digest for dev", job, DIGEST=image, GITHUB_SHA=revision)


def test_a_commit_of_the_application_becomes_a_pull_request_for_dev(
    delivery: Delivery, released: tuple[str, str], tmp_path: Path
) -> None:
    revision, image = released
    printed = propose(delivery, released, tmp_path)
    assert "pull request opened: https://github.com/acme/platform/pull/1" in printed
    (request,) = delivery.forge.open
    assert (request.branch, request.base) == (f"gitops-stack/dev/cart-{image.partition('sha256:')[2][:12]}", "main")
    rendered = re.findall(r"^\+ +(?:- )?image: (.*)$", request.body, re.MULTILINE)
    assert set(rendered) == {image}
    message = git(delivery.bare, "log", "-1", "--format=%B", request.branch)
    assert f"Gitops-Stack-Source-Revision: {revision}" in message
    assert delivery.running("dev") == {FIRST}


def test_the_proposal_passes_the_checks_before_a_merge(delivery: Delivery, tmp_path: Path) -> None:
    done = delivery.check(delivery.forge.open[0].branch, "dev", tmp_path)
    assert (done.returncode, "::error" in done.stdout) == (0, False), done.stdout + done.stderr


def test_argo_cd_brings_the_merged_digest_to_dev_alone(delivery: Delivery, released: tuple[str, str]) -> None:
    delivery.merge()
    delivery.labs["dev"].wait_until_well()
    delivery.wait_until_running("dev", released[1])
    assert delivery.running("prd") == {FIRST}


def test_the_pipeline_run_again_has_nothing_to_do(
    delivery: Delivery, released: tuple[str, str], tmp_path: Path
) -> None:
    assert "nothing to do" in propose(delivery, released, tmp_path)
    assert delivery.forge.open == []


def test_a_promotion_is_a_pull_request_with_exactly_devs_digest(
    delivery: Delivery, released: tuple[str, str], tmp_path: Path
) -> None:
    workflow = delivery.folder / "platform/.github/workflows/promote.yml"
    delivery.run_step(workflow, "Propose the promotion", tmp_path, APPLICATION="cart", STACK="prd")
    (request,) = delivery.forge.open
    assert request.title.startswith("Promote cart from dev to ")
    assert released[1] in request.body
    changed = git(delivery.bare, "diff", "--name-only", f"main...{request.branch}")
    assert changed == "gitops/workloads/cart/overlays/prd/kustomization.yaml"


def test_production_waits_for_a_person_and_status_says_so(delivery: Delivery) -> None:
    delivery.wait_for_a_person(delivery.merge())
    done = delivery.labs["prd"].cli("status", "--stack", "prd", "--output", "json", check=False)
    (cart,) = [one for one in yaml.safe_load(done.stdout)["applications"] if one["name"] == "cart"]
    assert cart["sync"] == "OutOfSync"
    assert "waits for a manual sync" in cart["reason"]
    assert delivery.running("prd") == {FIRST}


def test_after_the_manual_sync_production_runs_the_promoted_digest(
    delivery: Delivery, released: tuple[str, str]
) -> None:
    delivery.sync_by_hand()
    delivery.wait_until_running("prd", released[1])
    assert delivery.running("prd") == delivery.running("dev")
    wait_for("prd's application is well", lambda: delivery.labs["prd"].well("cart"))


def test_a_revert_of_the_promotion_brings_production_back(delivery: Delivery, released: tuple[str, str]) -> None:
    workspace = delivery.labs["prd"].workspace
    git(workspace, "revert", "--no-edit", "--mainline", "1", "HEAD")
    delivery.wait_for_a_person(delivery.push(workspace))
    delivery.sync_by_hand()
    delivery.wait_until_running("prd", FIRST)
    assert delivery.running("dev") == {released[1]}
