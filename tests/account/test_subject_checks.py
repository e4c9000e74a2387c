"""Roles of pipelines trust what the repositories sign, by names or with ids."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gitops_stack.account.checks import Check
from gitops_stack.account.subject_checks import check_subjects
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.forge.oidc_subjects import SignedSubject
from tests.account.stacks import eks_settings

SERVER = "arn:aws:iam::123456789012:oidc-provider/git.acme.example/_services/token"


def check(written: str, load: Callable[[str], SignedSubject | None], **ci: object) -> list[Check]:
    settings = eks_settings(ci={"previewers": {"platform": {"github": written}}, **ci})
    return list(check_subjects(settings, load))


@pytest.mark.parametrize("written", ["acme/web", "acme@12/web@34"])
def test_the_form_that_is_written_is_the_form_that_is_signed(written: str) -> None:
    [found] = check(written, lambda _: SignedSubject(written))
    assert (found.name, found.status, found.found) == ("subject: ci.previewers.platform", "ok", f"repo:{written}:…")


@pytest.mark.parametrize(
    ("written", "signed"),
    [("acme/web", "acme@12/web@34"), ("acme@12/web@34", "acme/web"), ("Acme/web", "acme/web")],
)
def test_another_form_gets_no_role(written: str, signed: str) -> None:
    asked: list[str] = []

    def load(repository: str) -> SignedSubject:
        asked.append(repository)
        return SignedSubject(signed)

    [found] = check(written, load)
    assert (found.status, found.found) == ("failed", f"repo:{signed}:…, so no job gets the role")
    assert found.remedy == f"set ci.previewers.platform.github to {signed}, then run `pulumi up`"
    assert asked == [written.replace("@12", "").replace("@34", "")]


def test_a_form_of_its_own_gets_no_role() -> None:
    [found] = check("acme/web", lambda _: SignedSubject("acme/web", is_default=False))
    assert (found.status, found.found) == ("failed", "repo:acme/web: its tokens have a customized subject")


def test_what_cannot_be_asked_is_skipped_with_a_way_to_look() -> None:
    [found] = check("acme@12/web@34", lambda _: None)
    assert (found.status, found.found) == ("skipped", "was not asked: GITHUB_TOKEN is not set")
    assert found.remedy.endswith("compare with Settings, Actions, OIDC of https://github.com/acme/web")

    def refuse(_repository: str) -> None:
        raise EnvironmentProblem("acme/web: GET was answered with 404")

    [found] = check("acme/web", refuse)
    assert (found.status, found.found) == ("skipped", "acme/web: GET was answered with 404")


def test_an_enterprise_server_and_gitlab_have_no_ids() -> None:
    assert check("acme/web", lambda _: None, githubProviderArn=SERVER) == []
    settings = eks_settings(ci={"previewers": {"platform": {"gitlab": "acme/web"}}})
    assert list(check_subjects(settings, lambda _: None)) == []
    assert list(check_subjects(eks_settings(), lambda _: None)) == []
