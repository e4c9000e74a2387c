"""What the generated pipelines and stack files say to AWS: hosts and ARNs of the region, and logins AWS takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import botocore.session
import jinja2
import pytest
import yaml

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.oidc import GITLAB
from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.scaffold.answers import load_questions
from gitops_stack.scaffold.init import init_project
from gitops_stack.scaffold.template_versions import load_versions
from gitops_stack.settings.partitions import dns_suffix, find_partition

pytestmark = pytest.mark.usefixtures("real_git")

COPIER = load_documents((load_versions()[-1] / "copier.yml").read_text())[0]
LAYOUTS = ["platform", "monorepo", "application", "chart"]
EUSC = "eusc-de-east-1"


def render(question: str, field: str, **answers: str) -> str:
    """Render a field of a question as copier does; jinja2_ansible_filters' `regex_search` is Python's."""
    environment = jinja2.Environment(
        **{key: value for key, value in COPIER["_envops"].items() if key != "keep_trailing_newline"}
    )
    environment.filters["regex_search"] = lambda value, pattern: re.search(pattern, value)
    return environment.from_string(COPIER[question][field]).render(answers)


def regions() -> list[str]:
    data = botocore.session.get_session().get_component("data_loader").load_data("partitions")
    return [one for partition in data["partitions"] for one in partition["regions"] if not one.endswith("-global")]


@pytest.mark.parametrize("region", regions())
def test_every_region_of_aws_may_be_answered_and_has_its_partition(region: str) -> None:
    assert render("region", "validator", region=region) == ""
    partition = render("aws_partition", "default", region=region)
    assert partition == find_partition(region)
    assert render("aws_hosts", "default", aws_partition=partition) == dns_suffix(partition)


def test_what_is_worked_out_is_no_question() -> None:
    assert not {"aws_partition", "aws_hosts"} & load_questions().keys()
    assert render("aws_partition", "default") == "aws", "no region is asked for where no stack is in AWS"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_hosts_and_arns_are_of_the_region(forge: str, layout: str, tmp_path: Path) -> None:
    made = init_project(tmp_path, {"layout": layout, "forge": forge, "region": EUSC}, defaults=True)
    texts = {name: (tmp_path / name).read_text() for name in made.written}
    hosts = {host for text in texts.values() for host in re.findall(r"\d{12}\.dkr\.ecr\.[a-z0-9.-]*[a-z0-9]", text)}
    assert hosts
    assert hosts <= {AccountRegion(account, EUSC).registry_host for account in ("123456789012", "210987654321")}
    assert {one for text in texts.values() for one in re.findall(r"\barn:([a-z-]+):", text)} <= {"aws-eusc"}
    for stack in made.stacks:
        load_stack_file(tmp_path, stack)


def load_jobs(folder: Path) -> dict[str, Any]:
    found = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())
    return {name: job for name, job in found.items() if isinstance(job, dict)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gitlab_signs_tokens_for_the_audience_the_roles_ask_for(layout: str, tmp_path: Path) -> None:
    """STS answers any other one with `Incorrect token audience`."""
    init_project(tmp_path, {"layout": layout, "forge": "gitlab"}, defaults=True)
    asked = [token["aud"] for job in load_jobs(tmp_path).values() for token in job.get("id_tokens", {}).values()]
    assert asked, "some job logs in"
    instance = "https://gitlab.com"  # GitLab's own value of CI_SERVER_URL, which `aud` may name (GitLab 16.1)
    assert {one.replace("$CI_SERVER_URL", instance) for one in asked} == {GITLAB.audience}


def test_github_s_token_is_traded_before_it_ends_and_the_session_lasts_as_said(made: Path) -> None:
    """The token is valid for five minutes (actions/toolkit#2048); `aws eks get-token` is first run after ten."""
    (job,) = load_documents((made / ".github/workflows/up.yml").read_text())[0]["jobs"].values()
    names = [step.get("uses", step.get("run", "")).partition("@")[0] for step in job["steps"]]
    login = names.index("aws-actions/configure-aws-credentials")
    assert job["steps"][login]["with"] == {
        "role-to-assume": "${{ vars.AWS_ROLE_ARN }}",
        "role-duration-seconds": "${{ vars.UP_SECONDS || 3600 }}",
        "aws-region": "ap-northeast-1",
    }
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in str(job), "no later process has to trade it again"
    assert job["runs-on"] == "${{ vars[format('RUNNER_{0}', matrix.stack)] || 'ubuntu-24.04' }}"
    script = job["steps"][-1]["run"]
    assert "gitops-stack reach --stack" in script
    assert "pulumi up" in script
    assert 'gitops-stack status --stack "$STACK" --wait 20m' in script


def test_gitlab_s_update_has_the_aws_cli_that_pulumi_eks_calls(tmp_path: Path) -> None:
    init_project(tmp_path, {"forge": "gitlab"}, defaults=True)
    script = "\n".join(load_jobs(tmp_path)["up"]["script"])
    assert script.index("apt-get install --quiet=2 awscli") < script.index("pulumi up")
    assert 'gitops-stack status --stack "$STACK" --wait 20m' in script
