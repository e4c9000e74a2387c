"""Whether the repositories of `ci` sign the subjects that the roles' trust policies name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol

from gitops_stack.account.checks import Check
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.settings import StackSettings

_ID = re.compile(r"@[0-9]+")


class Signed(Protocol):
    """What a repository's subjects begin with, and whether in GitHub's own form."""

    @property
    def repository(self) -> str:
        """`acme/web`, or with ids `acme@12/web@34`."""

    @property
    def is_default(self) -> bool:
        """False when the repository or its organization has made a form of its own."""


def check_subjects(settings: StackSettings, load: Callable[[str], Signed | None]) -> Iterator[Check]:
    """Check each GitHub repository of `ci.publishers` and `ci.previewers` against what ``load`` says of it.

    ``load`` takes `OWNER/NAME` and returns None when it has nobody to ask with.
    """
    ci = settings.ci
    if ci is None or (ci.github_provider_arn or "").endswith("/_services/token"):  # Enterprise Server signs names
        return
    jobs = [("publishers", name, jobs.github) for name, jobs in ci.publishers.items()]
    jobs += [("previewers", name, jobs.github) for name, jobs in ci.previewers.items()]
    for kind, name, written in jobs:
        if written is not None:
            yield _check(f"ci.{kind}.{name}", written, load)


def _check(path: str, written: str, load: Callable[[str], Signed | None]) -> Check:
    label, needs = f"subject: {path}", f"tokens of {written}, as ci names it"
    by_hand = f"compare with Settings, Actions, OIDC of https://github.com/{_ID.sub('', written)}"
    try:
        signed = load(_ID.sub("", written))
    except EnvironmentProblem as problem:
        return Check(label, "skipped", str(problem), needs, by_hand)
    if signed is None:
        found = "was not asked: GITHUB_TOKEN is not set"
        return Check(label, "skipped", found, needs, f"set it to a token that may read the repository, or {by_hand}")
    if not signed.is_default:
        found = f"repo:{signed.repository}: its tokens have a customized subject"
        return Check(label, "failed", found, needs, "go back to GitHub's default subject: no trust policy matches it")
    found = f"repo:{signed.repository}:…"
    if signed.repository != written:  # letter by letter: IAM's conditions know small from large
        remedy = f"set {path}.github to {signed.repository}, then run `pulumi up`"
        return Check(label, "failed", f"{found}, so no job gets the role", needs, remedy)
    return Check(label, "ok", found, needs)
