"""Settings, their schema, and what else states them: Pulumi.yaml, the stack files, the README."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from gitops_stack import schema, settings
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.settings import KEYS, CredentialsSettings, Settings, StackSettings
from gitops_stack.settings.node_groups import NodeGroupSettings, is_arm
from gitops_stack.settings.teams import TEAM_KINDS
from tests.stacks import COMMIT, ROOT, STACKS, is_golden_run, minimal, stack_config, stack_settings

CREDENTIALS: dict[str, dict[str, Any]] = {
    "secrets-manager": {"secretsManager": "acme/gitops-repo"},
    "github-app": {"githubApp": {"appId": "1", "installationId": "2", "privateKey": "KEY"}},
    "ssh": {"sshKey": "KEY"},
    "token": {"token": "KEY", "username": "robot"},
}
ARM = [
    *["a1.xlarge", "t4g.small", "m6g.large", "m7g.large", "m7gd.2xlarge", "m8g.metal-24xl", "c6gn.large", "c7gn.large"],
    *[
        "c8gd.large",
        "r8gd.large",
        "x2gd.medium",
        "im4gn.large",
        "is4gen.large",
        "i4g.large",
        "i8ge.large",
        "g5g.xlarge",
    ],
    *["hpc7g.4xlarge", "p6e-gb200.36xlarge"],
]
X86 = [
    *["m7i.large", "m7i-flex.large", "m7a.large", "m5zn.metal", "c6a.large", "t3a.small", "g4dn.xlarge", "g5.xlarge"],
    *["g6e.xlarge", "gr6.4xlarge", "p4d.24xlarge", "p6-b200.48xlarge", "inf2.xlarge", "trn1n.32xlarge", "i7ie.large"],
    *["d3en.xlarge", "u-6tb1.metal", "u7i-12tb.224xlarge", "x2iedn.xlarge", "z1d.large"],
]


def _all_settings() -> list[type[BaseModel]]:
    found = [value for value in vars(settings).values() if isinstance(value, type) and issubclass(value, Settings)]
    return [value for value in found if value is not Settings]


@pytest.mark.parametrize("stack", STACKS)
def test_every_committed_stack_loads(stack: str) -> None:
    loaded = stack_settings(stack)
    assert (loaded.stack, loaded.tree_path, loaded.argocd.version) == (stack, f"gitops/{stack}", "v3.5.1")


@pytest.mark.parametrize(
    ("stack", "high_availability", "admin", "auto_sync"),
    [("local", False, True, True), ("dev", False, True, True), ("prd", True, False, False)],
)
def test_stacks_differ_in_what_their_headers_say(
    stack: str, high_availability: bool, admin: bool, auto_sync: bool
) -> None:
    loaded = stack_settings(stack)
    assert loaded.argocd.high_availability is high_availability
    assert loaded.argocd.admin_enabled is admin
    assert loaded.workloads["guestbook"].auto_sync is auto_sync


def test_defaults_of_a_minimal_stack() -> None:
    assert minimal(
        projects={"team": {"namespaces": ["team"]}},
        workloads={"app": {"project": "team", "path": "app", "namespace": "team"}},
    ).model_dump() == {
        "stack": "test",
        "pulumi_project": "gitops-stack",
        "region": None,
        "account": None,
        "network": None,
        "registry": None,
        "ci": None,
        "add_ons": None,
        "pod_roles": {},
        "add_on_applications": {},
        "cluster": {"provider": "existing", "kubeconfig": None, "context": None},
        "gitops": {
            "repo_url": "https://example.com/platform.git",
            "revision": "main",
            "path": None,
            "credentials": None,
        },
        "argocd": {
            "version": "v3.5.1",
            "commit": COMMIT,
            "high_availability": False,
            "namespace": "argocd",
            "source": "github.com/argoproj/argo-cd",
            "take_over": None,
            "admin_enabled": True,
            "rbac": {},
            "url": None,
            "sso": None,
            "dex": None,
            "policy": {"csv": "", "default": None, "scopes": None},
            "accounts": {},
            "notifications": {
                "services": {"slack": None, "teams": None, "github": None, "email": None, "webhooks": {}},
                "triggers": {},
                "templates": {},
                "subscriptions": {},
            },
            "parameters": {},
            "resource_customizations": {},
            "resource_exclusions": (),
            "size": None,
            "shards": None,
            "exposure": None,
            "metrics": {"service_monitors": False, "alerts": False, "labels": {}},
            "kustomize": {"build_options": None},
            "resources": {},
            "patches": {},
            "spoke_role_arns": (),
        },
        "clusters": {},
        "projects": {
            "team": {
                "description": "",
                "source_repos": None,
                "namespaces": ("team",),
                "clusters": ("in-cluster",),
                "cluster_kinds": (),
                "kinds": TEAM_KINDS,
                "sync_windows": (),
                "roles": {},
            }
        },
        "workloads": {
            "app": {
                "project": "team",
                "path": "app",
                "namespace": "team",
                "cluster": "in-cluster",
                "repo_url": None,
                "revision": None,
                "wave": 0,
                "auto_sync": True,
            }
        },
    }


@pytest.mark.parametrize("model", _all_settings())
def test_settings_are_frozen_and_refuse_unknown_keys(model: type[BaseModel]) -> None:
    assert (model.model_config.get("frozen"), model.model_config.get("extra")) == (True, "forbid")


def test_a_setting_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        minimal().argocd.version = "v3.0.0"


@pytest.mark.parametrize("model", _all_settings())
def test_every_setting_is_described(model: type[BaseModel]) -> None:
    wanting = [name for name, field in model.model_fields.items() if not field.description and name != "stack"]
    assert wanting == []


@pytest.mark.parametrize("way", CREDENTIALS)
def test_each_way_to_log_in_is_accepted_and_kept_out_of_texts(way: str) -> None:
    loaded = CredentialsSettings.model_validate(CREDENTIALS[way])
    assert "KEY" not in f"{loaded!r} {loaded.model_dump_json()}"
    assert loaded.model_dump(by_alias=True, exclude_none=True).keys() == CREDENTIALS[way].keys()


@pytest.mark.parametrize(
    ("workload", "wanted"),
    [
        ({}, ("https://example.com/platform.git", "v1")),
        ({"revision": "v2"}, ("https://example.com/platform.git", "v2")),
        ({"repoUrl": "https://example.com/other.git"}, ("https://example.com/other.git", "HEAD")),
        ({"repoUrl": "https://example.com/other.git", "revision": "v3"}, ("https://example.com/other.git", "v3")),
    ],
)
def test_a_workload_follows_its_own_source_or_the_gitops_repository(
    workload: dict[str, str], wanted: tuple[str, str]
) -> None:
    loaded = minimal(
        gitops={"repoUrl": "https://example.com/platform.git", "revision": "v1"},
        workloads={"app": {"project": "team", "path": "app", "namespace": "team", **workload}},
    )
    assert loaded.workload_source("app") == wanted


@pytest.mark.parametrize(
    ("instance_type", "arm"),
    [(name, True) for name in ARM] + [(name, False) for name in X86],
)
def test_instance_types_are_accepted_and_told_apart_by_architecture(instance_type: str, arm: bool) -> None:
    values = {"instanceTypes": [instance_type], "minSize": 1, "maxSize": 1, "operatingSystem": "bottlerocket"}
    group = NodeGroupSettings.model_validate(values)
    assert is_arm(instance_type) is arm
    assert group.architecture == ("arm64" if arm else "amd64")


def test_the_shipped_schema_is_the_generated_one() -> None:
    shipped = (ROOT / "gitops_stack" / "stack.schema.json").read_text(encoding="utf-8")
    assert shipped == schema.render_schema()


@pytest.mark.parametrize("stack", STACKS)
def test_every_committed_stack_file_is_valid_by_the_schema(stack: str) -> None:
    document = {"config": stack_config(stack)}
    validator = jsonschema.Draft202012Validator(json.loads(schema.render_schema()))
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"gitops-stack:argocd": {"version": 3.5}},
        {"gitops-stack:unknown": {}},
        {"gitops-stack:projects": {"team": {"namespaces": []}}},
        {"gitops-stack:gitops": {"repoURL": "https://example.com/a.git"}},
    ],
)
def test_the_schema_refuses_what_the_settings_refuse(change: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema.render_schema()))
    assert not validator.is_valid({"config": {**stack_config("dev"), **change}})


def test_the_schema_lets_other_packages_be_configured() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema.render_schema()))
    assert validator.is_valid({"config": {**stack_config("dev"), "aws:region": "ap-northeast-1"}})


def test_pulumi_yaml_declares_exactly_the_settings() -> None:
    declared = load_documents((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))[0]["config"]
    fields = {field.alias or name: field for name, field in StackSettings.model_fields.items()}
    assert {key: value["description"] for key, value in declared.items()} == {
        f"gitops-stack:{key}": fields[key].description for key in KEYS
    }
    assert {key for key, value in declared.items() if "default" not in value} == {
        f"gitops-stack:{key}" for key in KEYS if fields[key].is_required()
    }


def _leaves(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def test_the_settings_table_has_one_row_per_setting() -> None:
    rows = schema.render_settings_table().splitlines()[2:]
    paths = [re.fullmatch(r"\| `([^`]+)` \| .* \| .+ \|", row) for row in rows]
    assert all(paths)
    found = [path[1] for path in paths if path]
    assert len(found) == len(set(found))
    wanted = {name for model in _all_settings() for name in _leaves(model)}
    wanted |= {field.name for field in dataclasses.fields(settings.ClusterMetadata)}
    wanted.discard("pulumiProject")  # of the whole alone, and not written in a stack file
    assert {path.rpartition(".")[2] for path in found} == wanted
    assert set(settings.FROM_ELSEWHERE).isdisjoint(found)  # Pulumi's own, and the AWS provider's


def test_the_page_of_settings_has_the_settings_table() -> None:
    page = ROOT / "docs" / "settings.md"
    before, begin, rest = page.read_text(encoding="utf-8").partition("<!-- settings -->\n")
    _, end, after = rest.partition("<!-- /settings -->")
    assert end, "docs/settings.md has no <!-- settings --> … <!-- /settings -->"
    written = f"{before}{begin}{schema.render_settings_table().strip()}\n{end}{after}"
    if is_golden_run():
        page.write_text(written, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == written
