"""What a stack's roles and notifications do in the cluster, asked of Argo CD's own program after a bootstrap.

The program reads the live configuration, not the stack file. Nothing here stops a bootstrap: what cannot be shown is a
line that says why.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

import yaml

from gitops_stack.errors import EnvironmentProblem, Problem, last_line
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.ports import LOOPBACK
from gitops_stack.lab.receiver import receive
from gitops_stack.manifests.argocd.notifications import build_notification_data
from gitops_stack.settings import StackSettings

_LIMIT_SECONDS = 20.0
_ASKED = ("get", "sync")
_PARALLEL = 4  # the program takes 90 MB
_RESULT = re.compile(r" {2,}(true|false)$", re.MULTILINE)
"""The second column of `trigger run`: a condition may have lines, and words such as these, of its own."""


def show_settings(lab: Lab, settings: StackSettings) -> list[str]:
    """Return a line per local account and per notification that can be shown, none for a stack without them.

    The lab runs, with Argo CD's controllers. About two seconds, all questions at once.
    """
    questions = [*_Access.list_for(lab, settings), *_Announcement.list_for(lab, settings)]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(_answer, questions))


def _answer(question: _Access | _Announcement) -> str:
    try:
        return f"{question.subject}: {question.ask()}"
    except (EnvironmentProblem, OSError, ValueError) as problem:
        return f"{question.subject}: not shown: {problem}"


@dataclass(frozen=True)
class _Access:
    """Ask whether a local account may see and sync an application."""

    lab: Lab
    namespace: str
    account: str
    application: str
    """`PROJECT/NAME`, as a policy names it."""

    @classmethod
    def list_for(cls, lab: Lab, settings: StackSettings) -> Iterator[_Access]:
        for name, workload in list(settings.workloads.items())[:1]:
            for account, said in settings.argocd.accounts.items():
                if said.enabled:
                    yield cls(lab, settings.argocd.namespace, account, f"{workload.project}/{name}")

    @property
    def subject(self) -> str:
        return f"account {self.account}"

    def ask(self) -> str:
        answers = {action: self._may(action) for action in _ASKED}
        said = ", ".join(f"{'may' if allowed else 'may not'} {action}" for action, allowed in answers.items())
        return f"{said} {self.application}, says `argocd admin settings rbac can`"

    def _may(self, action: str) -> bool:
        words = ("settings", "rbac", "can", self.account, action, "applications", self.application)
        done = _run(self.lab, self.namespace, *words)
        said = done.stdout.strip()
        if said not in ("Yes", "No"):
            raise EnvironmentProblem(Problem(last_line(done.stderr or said), place="argocd admin settings rbac can"))
        return said == "Yes"


@dataclass(frozen=True)
class _Announcement:
    """Ask whether a trigger that a project subscribed to holds, and have its notification sent."""

    lab: Lab
    namespace: str
    application: str
    trigger: str
    template: str
    service: str
    url: str
    shows_body: bool
    """Whether the template is the library's; one that people wrote may hold a secret."""

    @classmethod
    def list_for(cls, lab: Lab, settings: StackSettings) -> Iterator[_Announcement]:
        """List the first trigger of each subscription to a webhook that the lab plays; nothing is sent elsewhere."""
        argocd = settings.argocd
        configuration = build_notification_data(argocd)
        for project, subscriptions in argocd.notifications.subscriptions.items():
            own = [name for name, workload in settings.workloads.items() if workload.project == project]
            for one in subscriptions:
                webhook = argocd.notifications.services.webhooks.get(one.service)
                if own and webhook is not None and is_played(webhook.url):
                    trigger = one.triggers[0]
                    template = yaml.safe_load(configuration[f"trigger.{trigger}"])[0]["send"][0]
                    ours = template not in argocd.notifications.templates
                    yield cls(lab, argocd.namespace, own[0], trigger, template, one.service, webhook.url, ours)

    @property
    def subject(self) -> str:
        return f"notification {self.trigger}"

    def ask(self) -> str:
        server = f"--argocd-repo-server={LOOPBACK}:{self.lab.state.load_ports()['repo-server']}"

        def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
            return _run(self.lab, self.namespace, "notifications", *words, server, variables=variables)

        done = run("trigger", "run", self.trigger, self.application)
        results = _RESULT.findall(done.stdout)
        if not results:
            raise EnvironmentProblem(Problem(last_line(done.stderr), place="argocd admin notifications trigger run"))
        if "true" not in results:
            return f"does not hold for {self.application}"
        with receive() as receiver:
            sent = ("template", "notify", self.template, self.application, "--recipient", self.service)
            done = run(*sent, **receiver.proxy)
        if not receiver.received:
            raise EnvironmentProblem(
                Problem(last_line(done.stderr), place="argocd admin notifications template notify")
            )
        body = receiver.received[-1].body
        shown = body if self.shows_body else f"{len(body)} characters"
        return f"holds for {self.application}; {self.url}, played by the lab, received {shown}"


def is_played(url: str) -> bool:
    """Tell whether the lab takes the place of a receiver: a Service of the cluster, by plain HTTP."""
    split = urlsplit(url)
    return split.scheme == "http" and (split.hostname or "").endswith(".svc")


def _run(
    lab: Lab, namespace: str, *words: str, variables: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    command = [str(lab.tools.bin / "argocd"), "admin", *words, "--namespace", namespace]
    environment = {**lab.process_environment(), "KUBECONFIG": str(lab.state.kubeconfig), **variables}
    try:
        return subprocess.run(
            command,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(Problem(str(error), place=f"argocd admin {words[0]}")) from None
