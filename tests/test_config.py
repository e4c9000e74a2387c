"""The reader of configuration: a table of wrong stack files, and files that are no stack file at all."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic import BaseModel

from gitops_stack.config import (
    check_kubeconfig,
    find_stacks,
    kubeconfig_path,
    load_settings,
    load_stack_file,
    setting_problems,
)
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_documents, render_document
from gitops_stack.settings import ExistingClusterSettings, StackSettings
from gitops_stack.testing import record_program
from tests.stacks import ROOT, STACKS, minimal, stack_config, stack_settings

TABLE = load_documents((ROOT / "tests" / "fixtures" / "bad_settings.yaml").read_text(encoding="utf-8"))[0]
AWS_TABLE = load_documents((ROOT / "tests" / "fixtures" / "bad_aws_settings.yaml").read_text(encoding="utf-8"))[0]
PLACE = "Pulumi.test.yaml: gitops-stack:"
DROPPED = "<dropped>"
SECURE = {"secure": "v1:abc"}


def build_config(changes: dict[str, Any], table: dict[str, Any] = TABLE) -> dict[str, Any]:
    values = copy.deepcopy(table["good"])
    for path, value in changes.items():
        *head, last = path.split(".")
        node = values
        for part in head:
            node = node.setdefault(part, {})
        if value == DROPPED:
            del node[last]
        else:
            node[last] = value
    return {key if ":" in key else f"gitops-stack:{key}": value for key, value in values.items()}


class Placed(BaseModel):
    """A nested setting that has the name of one Pulumi gives."""

    region: str = ""
    zone: str = ""


class Nested(BaseModel):
    stack: str = ""
    region: str = ""
    backup: Placed = Placed()


def test_known_keys_leave_out_what_pulumi_gives_at_the_top_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting_problems, "StackSettings", Nested)
    assert setting_problems.known_keys([]) == ["backup"]
    assert setting_problems.known_keys(["backup"]) == ["region", "zone"]


def load_text(folder: Path, text: str | bytes) -> StackSettings:
    (folder / "Pulumi.test.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_stack_file(folder, "test")


def load_from_engine(config: dict[str, Any], *secret_keys: str) -> StackSettings:
    loaded: list[StackSettings] = []

    def program() -> None:
        try:
            loaded.append(load_settings())
        except GitOpsStackError as error:
            raise pulumi.RunError(str(error)) from None

    record_program(program, stack="test", config=config, secret_keys=secret_keys)
    return loaded[0]


def test_the_good_stack_of_the_table_is_good(tmp_path: Path) -> None:
    assert load_text(tmp_path, render_document({"config": build_config({})})).stack == "test"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in TABLE["bad"]])
def test_a_wrong_setting_is_refused_with_all_its_findings(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, render_document({"config": build_config(case["changes"])}))
    assert [finding.removeprefix(PLACE) for finding in refused.value.findings] == case["findings"]
    assert all(finding.startswith(PLACE) for finding in refused.value.findings)
    assert refused.value.exit_code == 1


@pytest.mark.parametrize("pattern", ["team", "te*", "*-prd", "*-*-*", "t*a*d", "team-*-prd"])
def test_a_sync_window_may_be_for_part_of_a_project_s_namespaces(pattern: str, tmp_path: Path) -> None:
    window = {"kind": "deny", "schedule": "0 9 * * *", "duration": "8h", "namespaces": [pattern]}
    changes = {"projects.team.namespaces": ["team", "team-*"], "projects.team.syncWindows": [window]}
    settings = load_text(tmp_path, render_document({"config": build_config(changes)}))
    assert settings.projects["team"].sync_windows[0].namespaces == (pattern,)


def test_the_good_eks_stack_of_the_table_is_good(tmp_path: Path) -> None:
    assert load_text(tmp_path, render_document({"config": build_config({}, AWS_TABLE)})).eks is not None


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in AWS_TABLE["fine"]])
def test_an_unusual_stack_of_aws_is_good(case: dict[str, Any], tmp_path: Path) -> None:
    assert load_text(tmp_path, render_document({"config": build_config(case["changes"], AWS_TABLE)})).eks is not None


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in AWS_TABLE["bad"]])
def test_a_wrong_setting_of_aws_is_refused_with_all_its_findings(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, render_document({"config": build_config(case["changes"], AWS_TABLE)}))
    found = [finding.removeprefix("Pulumi.test.yaml: ") for finding in refused.value.findings]
    assert [finding.removeprefix("gitops-stack:") for finding in found] == case["findings"]


def accounts(count: int) -> list[str]:
    return [str(100000000000 + number) for number in range(count)]


@pytest.mark.parametrize(
    ("path", "build", "most", "finding"),
    [
        (
            "cluster.endpoint.publicAccessCidrs",
            lambda count: [f"203.0.{n}.0/24" for n in range(count)],
            40,
            "EKS's limit",
        ),
        ("account.tags", lambda count: {f"t{n}": "x" for n in range(count)}, 38, "needs at most 38 entries"),
        (
            "cluster.compute.nodeGroups.general.instanceTypes",
            lambda count: [f"m{n}g.large" for n in range(6, 6 + count)],
            20,
            "needs at most 20 entries",
        ),
        (
            "registry.repositories.guestbook.prefixes",
            lambda count: [f"v{n}" for n in range(count)],
            49,
            "needs at most 49 entries",
        ),
        ("registry.pullAccess.accounts", accounts, 200, "needs at most 200 entries"),
        ("registry.replicateTo.accounts", accounts, 25, "needs 25 at most, ECR's limit"),
        (
            "registry.repositories",
            lambda count: {"guestbook": {}, **{f"r{n}": {} for n in range(count - 1)}},
            100,
            "needs 100 repositories at most beside replicateTo",
        ),
    ],
)
def test_lists_end_where_aws_refuses_them(path: str, build: Any, most: int, finding: str, tmp_path: Path) -> None:
    owner = {"registry.ownsAccountRegistry": True, "registry.replicateTo.regions": ["eu-west-1"]}
    changes = owner if path in {"registry.repositories"} else {"registry.ownsAccountRegistry": True}
    for count in (most, most + 1):
        text = render_document({"config": build_config({**changes, path: build(count)}, AWS_TABLE)})
        if count == most:
            assert load_text(tmp_path, text).eks is not None
            continue
        with pytest.raises(GitOpsStackError) as refused:
            load_text(tmp_path, text)
        assert finding in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        pytest.param(
            {"registry": {"ownsAccountRegistry": True}},
            "registry.ownsAccountRegistry: found true; needs one owner: Pulumi.other.yaml owns the registry of this "
            "account and region",
            id="two owners of the registry",
        ),
        pytest.param(
            {"cluster.name": "gitops-stack-other"},
            "cluster.name: found gitops-stack-other; needs another name: Pulumi.other.yaml has a cluster of that name",
            id="two clusters of one name",
        ),
    ],
)
def test_what_an_account_has_once_has_one_stack(changes: dict[str, Any], finding: str, tmp_path: Path) -> None:
    other = build_config({"registry": {"ownsAccountRegistry": True}, "network.cidr": "10.40.0.0/16"}, AWS_TABLE)
    (tmp_path / "Pulumi.other.yaml").write_text(render_document({"config": other}), encoding="utf-8")
    own = build_config({**changes, "ci": {}}, AWS_TABLE)
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, render_document({"config": own}))
    assert refused.value.findings == (f"{PLACE}{finding}",)
    for key, value in (("aws:region", "eu-west-1"), ("gitops-stack:account", {"id": "210987654321"})):
        elsewhere = render_document({"config": {**other, key: value}})
        (tmp_path / "Pulumi.other.yaml").write_text(elsewhere, encoding="utf-8")
        assert load_text(tmp_path, render_document({"config": own})).eks is not None


@pytest.mark.parametrize(
    ("other", "refused"),
    [("gitops/test", True), ("gitops/test/", True), ("./gitops/test", True), ("gitops/tests", False), (5, False)],
)
def test_two_stacks_do_not_write_over_each_other_s_tree(other: object, refused: bool, tmp_path: Path) -> None:
    config = {"config": build_config({"gitops.path": other})}
    (tmp_path / "Pulumi.other.yaml").write_text(render_document(config), encoding="utf-8")
    own = render_document({"config": build_config({})})
    if not refused:
        assert load_text(tmp_path, own).tree_path == "gitops/test"
        return
    with pytest.raises(GitOpsStackError) as said:
        load_text(tmp_path, own)
    assert said.value.findings == (
        f"{PLACE}gitops.path: found gitops/test; needs a folder of its own: Pulumi.other.yaml has its tree there",
    )


NO_CONFIG = "Pulumi.test.yaml: found no `config:`; write the stack's settings under it"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param("", NO_CONFIG, id="empty"),
        pytest.param("# only a comment\n", NO_CONFIG, id="comment"),
        pytest.param("config:\n", NO_CONFIG, id="nothing under config"),
        pytest.param("config: [a]\n", NO_CONFIG, id="config is a list"),
        pytest.param("- config\n", NO_CONFIG, id="file is a list"),
        pytest.param("just text", NO_CONFIG, id="file is text"),
        pytest.param(
            "config: {a: b\n",
            'Pulumi.test.yaml: is not YAML: while parsing a flow mapping in "<unicode string>", line 1, '
            "column 9 did not find expected ',' or '}' in \"<unicode string>\", line 2, column 1; correct it",
            id="bad YAML",
        ),
        pytest.param(
            "config: {a: !!int b}\n",
            "Pulumi.test.yaml: line 1: cannot be read as !!int",
            id="a value that does not fit its tag",
        ),
        pytest.param(
            "config:\n  gitops-stack:argocd: &a [*a]\n",
            "Pulumi.test.yaml: is not YAML: alias *a has no anchor, or contains itself; correct it",
            id="an alias that contains itself",
        ),
        pytest.param(
            b"config: \xff\n",
            "Pulumi.test.yaml: line 1: is not UTF-8 text; save the file as UTF-8",
            id="not UTF-8",
        ),
    ],
)
def test_a_file_that_is_no_stack_file_is_refused(text: str | bytes, finding: str, tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, text)
    assert refused.value.findings == (finding,)


def test_a_key_that_is_no_text_is_refused_as_pulumi_does(tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError, match="found a key that is not text, which Pulumi refuses"):
        load_text(tmp_path, render_document({"config": {1: "x", "aws:region": "y", **build_config({})}}))


def test_a_name_that_is_a_number_is_a_text_as_for_the_engine(tmp_path: Path) -> None:
    config = build_config({"projects": {1: {"namespaces": ["team"]}}, "workloads": {}})
    assert list(load_text(tmp_path, render_document({"config": config})).projects) == ["1"]


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        (
            "  gitops-stack:workloads: {}\n",
            "Pulumi.test.yaml: line {last}: gitops-stack:workloads stands in line {first} already; Pulumi refuses a "
            "key that stands twice, so leave one",
        ),
        (
            "  workloads: {}\n",
            "Pulumi.test.yaml: gitops-stack:workloads: stands there as gitops-stack:workloads and as workloads, of "
            "which Pulumi takes either; leave one",
        ),
        (
            "  a:b:c: {}\n",
            "Pulumi.test.yaml: a:b:c: is not a key of Pulumi's; write NAMESPACE:NAME, as in gitops-stack:gitops",
        ),
    ],
)
def test_keys_that_pulumi_refuses_are_refused(lines: str, finding: str, tmp_path: Path) -> None:
    text = render_document({"config": build_config({})})
    places = {
        "first": text[: text.index("gitops-stack:workloads")].count("\n") + 1, "last": text.count("\n") + 1
    }  # fmt: skip
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, text + lines)
    assert refused.value.findings == (finding.format(**places),)


@pytest.mark.parametrize("namespace", ["gitopsstack", "gitops_stack", "Gitops-Stack", "gitop-stack", "gitops-satck"])
def test_a_slip_in_the_namespace_is_named(namespace: str, tmp_path: Path) -> None:
    text = render_document({"config": build_config({})}).replace("gitops-stack:workloads", f"{namespace}:workloads")
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, text)
    said = f"Pulumi.test.yaml: {namespace}:workloads: is read by nobody; did you mean gitops-stack:workloads?"
    assert refused.value.findings == (said,)


@pytest.mark.parametrize("key", ["gitops:a", "my-gitops-stack:a", "stack:a", "aws:profile", "other:a"])
def test_other_namespaces_are_nobody_s_business(key: str, tmp_path: Path) -> None:
    text = render_document({"config": {**build_config({}), key: "x"}})
    assert list(load_text(tmp_path, text).workloads) == ["app"]


def test_a_namespace_that_is_the_project_s_own_name_is_no_slip(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: gitopsstack\n")
    text = render_document({"config": {**build_config({}), "gitopsstack:a": "x"}})
    assert list(load_text(tmp_path, text).workloads) == ["app"]


def test_a_key_without_a_namespace_is_the_project_s(tmp_path: Path) -> None:
    text = render_document({"config": build_config({})}).replace("gitops-stack:workloads", "workloads")
    assert list(load_text(tmp_path, text).workloads) == ["app"]
    (tmp_path / "Pulumi.yaml").write_text("name: other\n")
    assert not load_text(tmp_path, text).workloads


def test_the_name_of_the_pulumi_project_is_pulumi_yaml_s(tmp_path: Path) -> None:
    assert load_text(tmp_path, render_document({"config": build_config({})})).pulumi_project == "gitops-stack"
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    assert load_text(tmp_path, render_document({"config": build_config({})})).pulumi_project == "shop"
    own = {"pulumiProject": "other"}
    text = render_document({"config": {**build_config({}), **{f"gitops-stack:{key}": one for key, one in own.items()}}})
    with pytest.raises(GitOpsStackError, match=r"gitops-stack:pulumiProject: is not a known setting"):
        load_text(tmp_path, text)


def test_what_pulumi_yaml_gives_counts_where_the_stack_file_gives_nothing(tmp_path: Path) -> None:
    text = render_document({"config": build_config({})})
    config = {"gitops-stack:registry": {"default": {"repositories": {"abc": {}}}}, "workloads": {"default": {}}}
    (tmp_path / "Pulumi.yaml").write_text(
        render_document({"name": "gitops-stack", "config": {**config, "aws:region": "eu-west-1"}})
    )
    with pytest.raises(GitOpsStackError, match=r"account\.id: is missing"):
        load_text(tmp_path, text)
    assert list(load_text(tmp_path, text.replace("config:", "config:\n  registry: {}")).workloads) == ["app"]


@pytest.mark.parametrize(("key", "value"), [("stackConfigDir", "stacks"), ("config", "stacks"), ("stackConfigDir", 1)])
def test_stack_files_elsewhere_are_refused(key: str, value: object, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(render_document({"name": "gitops-stack", key: value}))
    said = re.escape(
        f"Pulumi.yaml: {key}: found {value}, a folder for stack files; gitops-stack reads those beside Pulumi.yaml "
        "alone, so move them there and remove this key"
    )
    with pytest.raises(GitOpsStackError, match=said):
        load_text(tmp_path, render_document({"config": build_config({})}))
    with pytest.raises(GitOpsStackError, match=said):
        load_stack_file(tmp_path, "elsewhere")


@pytest.mark.parametrize(
    "lines", ["stackConfigDir: .", "stackConfigDir: ''", "stackConfigDir:", "config: {}", "config:"]
)
def test_stack_files_beside_pulumi_yaml_are_read(lines: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: gitops-stack\n{lines}\n")
    assert load_text(tmp_path, render_document({"config": build_config({})})).stack == "test"


def test_an_account_without_quotes_is_shown_as_it_is_written(tmp_path: Path) -> None:
    text = render_document({"config": build_config({}, AWS_TABLE)})
    wrong = re.sub(r"id: '\d{12}'", "id: 012345670123", text)
    assert wrong != text
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, wrong)
    assert refused.value.findings[0] == (
        f"{PLACE}account.id: found 012345670123, which YAML reads as the number 1402433619; needs text, in quotes"
    )


FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))


@pytest.mark.parametrize("stack", ["dev", "prd"])
def test_digits_of_other_scripts_are_refused(stack: str, tmp_path: Path) -> None:
    (data,) = load_documents((Path(__file__).parents[1] / f"Pulumi.{stack}.yaml").read_text())
    tried = 0
    for path, value in leaves(data["config"]):
        if not isinstance(value, str) or not any(letter.isdigit() for letter in value):
            continue
        changed = copy.deepcopy(data)
        place(changed["config"], path, value.translate(FULL_WIDTH))
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(render_document(changed))
        with pytest.raises(GitOpsStackError):
            load_stack_file(tmp_path, stack)
        tried += 1
    assert tried > 5


def leaves(value: Any, *path: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if not isinstance(value, (dict, list)):
        yield path, value
    for key, held in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from leaves(held, *path, key)


def place(top: Any, path: tuple[Any, ...], value: str) -> None:
    for step in path[:-1]:
        top = top[step]
    top[path[-1]] = value


def test_a_missing_stack_names_those_that_are_there(project: Path) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        load_stack_file(project, "stage")
    assert refused.value.findings == (
        f"{project / 'Pulumi.stage.yaml'}: is missing; stacks found here: dev, local, prd",
    )


def test_a_stack_is_named_by_all_between_pulumi_and_yaml(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.prd.yaml", "Pulumi.a.b.yaml", "Pulumi.old.yaml.bak", "Pulumi.dev.json"):
        (tmp_path / name).touch()
    assert find_stacks(tmp_path) == ["a.b", "prd"]


@pytest.mark.parametrize(
    "credentials",
    [
        {"token": SECURE},
        {"sshKey": SECURE},
        {"githubApp": {"appId": "1", "privateKey": SECURE}},
        {"secretsManager": "acme/gitops-repo"},
    ],
)
def test_an_encrypted_or_referenced_credential_is_accepted_without_the_engine(
    credentials: dict[str, Any], tmp_path: Path
) -> None:
    config = build_config({"gitops.credentials": credentials})
    assert load_text(tmp_path, render_document({"config": config})).gitops.credentials


def test_the_engine_hands_over_a_credential_only_as_a_secret() -> None:
    config = build_config({"gitops.credentials": {"token": "hunter2"}})
    loaded = load_from_engine(config, "gitops-stack:gitops").gitops.credentials
    assert loaded is not None
    assert loaded.token is not None
    assert loaded.token.get_secret_value() == "hunter2"
    with pytest.raises(pulumi.RunError) as refused:
        load_from_engine(config)
    assert str(refused.value) == (
        f"{PLACE}gitops.credentials: found a credential in plain text; set it with `pulumi config set --secret --path`"
    )


@pytest.mark.parametrize("stack", STACKS)
def test_the_engine_and_the_file_give_the_same_settings(stack: str) -> None:
    loaded: list[StackSettings] = []
    record_program(lambda: loaded.append(load_settings()), stack=stack, config=stack_config(stack))
    assert loaded == [stack_settings(stack)]


@pytest.mark.parametrize("case", [case for case in TABLE["bad"] if "argocd.version" in case["changes"]])
def test_the_engine_s_values_are_refused_with_the_same_findings(case: dict[str, Any]) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        load_from_engine(build_config(case["changes"]))
    assert str(refused.value).splitlines() == [f"{PLACE}{finding}" for finding in case["findings"]]


@pytest.mark.parametrize(
    ("key", "shown"), [("argocd", "v3.5.1"), ("gitops", "a value that is not shown"), ("network", "v3.5.1")]
)
def test_text_instead_of_an_object_is_refused(key: str, shown: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        load_from_engine({**build_config({}), f"gitops-stack:{key}": "v3.5.1"})
    assert str(refused.value) == f"{PLACE}{key}: found {shown}; needs a map of settings"


CLUSTER = f"{PLACE}cluster"
CUT_OFF = (
    'while parsing a flow mapping in "<unicode string>", line 1, column 1 did not find expected '
    "',' or '}' in \"<unicode string>\", line 2, column 1"
)
NO_CONTEXT = f"{CLUSTER}.context: found a, which FILE does not have; it has"


@pytest.mark.parametrize(
    ("content", "context", "finding"),
    [
        (None, "a", f"{CLUSTER}.kubeconfig: found no file FILE; name the kubeconfig of the cluster"),
        (b"{a", "a", f"{CLUSTER}.kubeconfig: FILE cannot be read: {CUT_OFF}; repair it or name another"),
        (b"", "a", f"{NO_CONTEXT}: none"),
        (b"[]", "a", f"{NO_CONTEXT}: none"),
        (b"contexts: {name: a}", "a", f"{NO_CONTEXT}: none"),
        (b"contexts: [a, {name: b}, {name: c}]", "a", f"{NO_CONTEXT}: b, c"),
        (b"contexts: [{name: a}]", None, f"{CLUSTER}.context: is missing, and FILE has no current context; name one"),
        (b"{contexts: [{name: a}], current-context: b}", None,
         f"{CLUSTER}.context: found b, which FILE does not have; it has: a"),
    ],
)  # fmt: skip
def test_a_kubeconfig_that_cannot_be_used_is_refused(
    content: bytes | None, context: str | None, finding: str, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_bytes(content)
    settings = minimal(cluster={"provider": "existing", "kubeconfig": str(file), "context": context})
    with pytest.raises(EnvironmentProblem) as refused:
        check_kubeconfig(settings)
    assert refused.value.findings == (finding.replace("FILE", str(file)),)


@pytest.mark.parametrize("context", ["a", None])
def test_a_kubeconfig_with_the_context_passes(context: str | None, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({"contexts": [{"name": "a"}], "current-context": "a"}))
    check_kubeconfig(minimal(cluster={"provider": "existing", "kubeconfig": str(file), "context": context}))


def test_of_several_kubeconfigs_the_one_with_the_context_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).write_text(f"contexts: [{{name: {name}}}]\n", encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}")
    cluster = ExistingClusterSettings(provider="existing", kubeconfig=None, context="second")
    assert kubeconfig_path(cluster) == tmp_path / "second"


@pytest.mark.parametrize(
    ("named", "ambient", "wanted"),
    [("/a", "/b", "/a"), (None, "/b:/c", "/b"), (None, "", "/home/me/.kube/config"), ("~/a", "/b", "/home/me/a")],
)
def test_the_kubeconfig_is_found_as_kubectl_finds_it(
    named: str | None, ambient: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", ambient)
    monkeypatch.setenv("HOME", "/home/me")
    cluster = ExistingClusterSettings(provider="existing", kubeconfig=named, context=None)
    assert kubeconfig_path(cluster) == Path(wanted)


def test_more_settings_than_the_engine_can_hand_over_are_refused(tmp_path: Path) -> None:
    def write(count: int) -> None:
        base = (ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8").partition("  gitops-stack:projects:")[0]
        named = [f"w{number:04}" for number in range(count)]
        entries = [
            f"    {name}: {{project: storefront, path: gitops/workloads/{name}, namespace: storefront}}\n"
            for name in named
        ]
        project = "  gitops-stack:projects: {storefront: {namespaces: [storefront]}}\n"
        text = f"{base}{project}  gitops-stack:workloads:\n{''.join(entries)}"
        (tmp_path / "Pulumi.local.yaml").write_text(text, encoding="utf-8")

    write(1200)
    assert len(load_stack_file(tmp_path, "local").workloads) == 1200
    write(1700)
    with pytest.raises(GitOpsStackError) as raised:
        load_stack_file(tmp_path, "local")
    assert raised.value.findings == (
        "Pulumi.local.yaml: gitops-stack:workloads: is most of 173 KiB of settings; Pulumi hands all of them over in "
        "one variable of 128 KiB, so write applications as files under apps/ of the tree instead",
    )


@pytest.mark.parametrize("account", [{}, {"gitops-stack:account": {}}])
def test_a_stack_without_an_account_has_no_provider_of_its_own(account: dict[str, Any], tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path / "Pulumi.yaml")  # which declares `account` with a default
    text = render_document({"config": {"aws:profile": "acme", **account, **build_config({})}})
    assert list(load_text(tmp_path, text).workloads) == ["app"]


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("aws:profile", "acme", "set AWS_PROFILE instead, which every command and the kubeconfig follow"),
        ("aws:assumeRole", {"roleArn": "arn:aws:iam::123456789012:role/up"}, "assume the role before, by a profile"),
        ("aws:assumeRoles", [{"roleArn": "arn:aws:iam::123456789012:role/up"}], "assume the role before"),
        ("aws:accessKey", "AKIAEXAMPLE", "credentials come from the environment"),
        ("aws:defaultTags", {"tags": {"team": "a"}}, "write account.tags"),
        ("aws:allowedAccountIds", ["123456789012"], "account.id is the only account allowed"),
    ],
)
def test_settings_that_the_stack_s_own_provider_would_ignore_are_refused(
    key: str, value: object, sentence: str, tmp_path: Path
) -> None:
    account = {"gitops-stack:account": {"id": "123456789012"}}
    with pytest.raises(GitOpsStackError) as refused:
        load_text(tmp_path, render_document({"config": {key: value, **account, **build_config({})}}))
    [finding] = refused.value.findings
    assert finding.startswith(
        f"Pulumi.test.yaml: {key}: is not read, as the stack has an AWS provider of its own; needs"
    )
    assert sentence in finding
    assert "AKIAEXAMPLE" not in finding
    load_text(tmp_path, render_document({"config": {"aws:skipMetadataApiCheck": True, **build_config({})}}))
