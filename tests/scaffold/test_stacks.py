"""`stack add`: one command copies a stack, changes what its name decides, and names what has to differ."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.files import check_tree
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.scaffold.plan import ProjectPlan
from gitops_stack.scaffold.promotion import insert_stack, load_promotion_order, render_promotion
from gitops_stack.scaffold.stack_values import free_network, rename_path, rename_word
from gitops_stack.scaffold.stacks import plan_stack, propose_values
from tests.scaffold.conftest import snapshot
from tests.stacks import ROOT


def add(project: Path, stack: str = "staging", source: str = "prd", **changes: Any) -> ProjectPlan:
    return plan_stack(project, stack, source=source, values=changes.pop("values", {}), **changes)


def edit(project: Path, stack: str, old: str, new: str) -> None:
    file = project / f"Pulumi.{stack}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_one_command_makes_a_stack_between_two(laid_out: Path) -> None:
    before = snapshot(laid_out)
    plan = add(laid_out, values={"account.id": "111122223333"})
    announced = set(plan.paths(laid_out))
    plan.write(laid_out)
    after = snapshot(laid_out)
    assert {path for path in after if after[path] != before.get(path)} == announced
    assert {path for path in announced if path in before} == {
        "gitops/promotion.yaml", ".github/workflows/check.yml", ".github/workflows/up.yml",
    }  # fmt: skip
    settings, origin = (load_stack_file(laid_out, stack) for stack in ("staging", "prd"))
    assert check_tree(settings, laid_out / settings.tree_path) == []
    assert load_promotion_order(laid_out) == ["dev", "staging", "prd"]
    assert settings.cluster_name == "gitops-stack-staging"
    assert settings.account is not None
    assert settings.account.id == "111122223333"
    assert "210987654321" not in (laid_out / "Pulumi.staging.yaml").read_text(), "ARNs follow the account"
    assert settings.network is not None
    assert settings.network.cidr == "10.31.0.0/16"
    assert settings.workloads["guestbook"].path == "gitops/workloads/guestbook/overlays/staging"
    assert settings.workloads["guestbook"].auto_sync is False
    assert settings.argocd == origin.argocd
    for name in ("check", "up"):
        workflow = load_documents((laid_out / f".github/workflows/{name}.yml").read_text())[0]
        stacks = workflow["jobs"][name]["strategy"]["matrix"]["stack"]
        assert [stack for stack in stacks if stack != "local"] == ["dev", "staging", "prd"]


def test_comments_and_order_are_copied(laid_out: Path) -> None:
    add(laid_out).write(laid_out)
    old, new = ((laid_out / f"Pulumi.{stack}.yaml").read_text().splitlines() for stack in ("prd", "staging"))
    differing = [pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]]
    assert [pair[1].strip().split(":")[0] for pair in differing] == ["cidr", "guestbook"]


def test_a_copy_of_dev_follows_dev(laid_out: Path) -> None:
    plan = add(laid_out, "qa", "dev")
    plan.write(laid_out)
    assert load_promotion_order(laid_out) == ["dev", "qa", "prd"]
    assert "network.cidr: 10.31.0.0/16, the next free one" in "\n".join(plan.notes)


def test_the_place_can_be_named(laid_out: Path) -> None:
    add(laid_out, "late", "dev", after="prd").write(laid_out)
    assert load_promotion_order(laid_out) == ["dev", "prd", "late"]
    with pytest.raises(GitOpsStackError, match=r"--after: found nowhere; gitops/promotion\.yaml has dev, prd, late"):
        add(laid_out, "qa", "dev", after="nowhere")


def test_the_gitlab_pipeline_is_extended_too(laid_out: Path) -> None:
    shutil.rmtree(laid_out / ".github")
    (laid_out / ".gitlab-ci.yml").write_text("up:\n  parallel:\n    matrix:\n      - STACK: [dev, prd]\n")
    add(laid_out).write(laid_out)
    assert "- STACK: [dev, staging, prd]\n" in (laid_out / ".gitlab-ci.yml").read_text()


def test_a_pipeline_without_a_list_is_named(laid_out: Path) -> None:
    (laid_out / ".github/workflows/up.yml").write_text("on: push\n")
    notes = add(laid_out).notes
    assert (
        ".github/workflows/up.yml: found no list `stack: […]` with prd; add staging where its stacks are named" in notes
    )


def test_the_lock_is_copied_when_the_installation_is_the_same(laid_out: Path) -> None:
    (laid_out / "gitops/dev/argocd/lock.yaml").write_text("digest: x\n")
    (laid_out / "gitops/dev/argocd/patches/exec.yaml").write_text("kind: ConfigMap\n")
    plan = add(laid_out, "qa", "dev")
    assert plan.writes["gitops/qa/argocd/lock.yaml"] == "digest: x\n"
    assert plan.writes["gitops/qa/argocd/patches/exec.yaml"] == "kind: ConfigMap\n"
    assert "next: review, commit, pulumi stack init qa" in plan.notes
    plan = add(laid_out, "qa", "dev", values={"argocd.highAvailability": "true", "argocd.adminEnabled": "true"})
    assert "gitops/qa/argocd/lock.yaml" not in plan.writes
    assert "next: gitops-stack lock --stack qa, commit, pulumi stack init qa" in plan.notes


def test_the_lock_of_a_stack_with_caches_is_not_copied(laid_out: Path) -> None:
    """The images of the installation come through caches that carry the stack's name."""
    (laid_out / "gitops/prd/argocd/lock.yaml").write_text("digest: x\n")
    plan = add(laid_out)
    assert "gitops/staging/argocd/lock.yaml" not in plan.writes
    assert "next: gitops-stack lock --stack staging, commit, pulumi stack init staging" in plan.notes


def test_secrets_and_encryption_are_not_copied(laid_out: Path) -> None:
    url = "repoUrl: https://github.com/acme/platform.git"
    edit(laid_out, "prd", url, f"{url}\n    credentials:\n      token: {{secure: AAAB}} # prd's")
    edit(laid_out, "prd", "config:\n", "encryptionsalt: v1:abc\nconfig:\n")
    plan = add(laid_out)
    text = plan.writes["Pulumi.staging.yaml"]
    assert "encryptionsalt" not in text
    assert "secure" not in text
    assert plan.stacks["staging"].gitops.credentials is None
    wanted = "pulumi config set --stack staging --secret --path 'gitops-stack:gitops.credentials.token'"
    assert any(wanted in note for note in plan.notes)


def test_what_an_account_has_once_is_named(laid_out: Path) -> None:
    edit(laid_out, "prd", "pullThroughCache: ", "ownsAccountRegistry: true\n    pullThroughCache: ")
    plan = add(laid_out)
    registry = plan.stacks["staging"].registry
    assert registry is not None
    assert registry.owns_account_registry is False
    said = "\n".join(plan.notes)
    assert "account.id: is 210987654321, as in prd; choose another with --set account.id=…" in said
    provider = "arn:aws:iam::210987654321:oidc-provider/token.actions.githubusercontent.com"
    assert f"one OIDC provider per forge and prd makes it; needs --set ci.githubProviderArn={provider}" in said
    assert "registry.ownsAccountRegistry: false; prd owns" in said


def test_every_stack_of_the_account_counts(laid_out: Path) -> None:
    dev, provider = "123456789012", "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    said = "\n".join(add(laid_out, values={"account.id": dev}).notes)
    assert f"and dev makes it; needs --set ci.githubProviderArn={provider}" in said
    assert "pullAccess" not in said, "an account pulls from its own registry"
    assert "OIDC" not in "\n".join(add(laid_out, values={"account.id": dev, "ci.githubProviderArn": provider}).notes)


def test_repositories_collide_in_one_account_and_region(laid_out: Path) -> None:
    said = "registry.repositories: dev makes guestbook in this account and region; take them out here"
    assert said in "\n".join(add(laid_out, "qa", "dev").notes)
    for elsewhere in ({"region": "eu-west-1"}, {"account.id": "111122223333"}):
        assert "registry.repositories" not in "\n".join(add(laid_out, "qa", "dev", values=elsewhere).notes)


def test_an_account_that_may_not_pull_yet_is_named(laid_out: Path) -> None:
    notes = add(laid_out, values={"account.id": "111122223333"}).notes
    assert any(note.startswith("Pulumi.dev.yaml: registry.pullAccess.accounts has prd's account") for note in notes)


def test_a_cluster_that_exists_gets_a_context_of_its_own(project: Path) -> None:
    for stack in ("dev", "prd"):
        (project / f"Pulumi.{stack}.yaml").write_text(
            (ROOT / "Pulumi.local.yaml")
            .read_text()
            .replace("kind-gitops-stack", f"acme-{stack}")
            .replace("overlays/local", f"overlays/{stack}")
        )
    assert add(project).stacks["staging"].cluster.context == "acme-staging"  # type: ignore[union-attr]
    edit(project, "prd", "acme-prd", "production")
    assert "cluster.context: is still production, prd's; name the cluster of staging" in add(project).notes


@pytest.mark.parametrize(
    ("path", "renamed"),
    [
        ("gitops/workloads/dev-portal/overlays/dev", "gitops/workloads/dev-portal/overlays/qa"),
        ("gitops/workloads/dev/overlays/dev", "gitops/workloads/dev/overlays/qa"),
        ("clusters/dev/dev-portal", "clusters/qa/dev-portal"),
        ("apps/portal/web-dev", "apps/portal/web-qa"),
        ("apps/dev-portal/base", "apps/dev-portal/base"),
        ("dev", "qa"),
    ],
)
def test_of_a_path_the_stack_s_folder_is_renamed(path: str, renamed: str) -> None:
    assert rename_path(path, "dev", "qa") == renamed


def test_an_application_that_has_the_stack_s_name_keeps_its_base(laid_out: Path) -> None:
    old, new = (laid_out / f"gitops/workloads/{name}" for name in ("guestbook", "dev-portal"))
    shutil.copytree(old, new)
    edit(laid_out, "dev", "gitops/workloads/guestbook/overlays/dev", "gitops/workloads/dev-portal/overlays/dev")
    add(laid_out, "staging", "dev").write(laid_out)
    overlay = laid_out / load_stack_file(laid_out, "staging").workloads["guestbook"].path
    assert overlay == new / "overlays/staging"
    named = load_documents((overlay / "kustomization.yaml").read_text())[0]["resources"][0]
    assert (overlay / named / "kustomization.yaml").is_file()


def test_a_base_that_would_not_be_there_is_refused(laid_out: Path) -> None:
    shutil.copytree(laid_out / "gitops/workloads/guestbook/base", laid_out / "clusters/dev/base")
    (laid_out / "clusters/dev/web").mkdir()
    (laid_out / "clusters/dev/web/kustomization.yaml").write_text("resources: [../base]\n")
    edit(laid_out, "dev", "gitops/workloads/guestbook/overlays/dev", "clusters/dev/web")
    with pytest.raises(GitOpsStackError) as refused:
        add(laid_out, "staging", "dev")
    assert refused.value.findings == (
        "workloads.guestbook.path: clusters/staging/web would build on clusters/staging/base, which is not there "
        "(clusters/dev/web has clusters/dev/base); copy that first, or keep the folder with "
        "--set workloads.guestbook.path=clusters/dev/web",
    )


def test_what_still_names_the_old_region_is_said(laid_out: Path) -> None:
    shutil.copy(ROOT / "Pulumi.prd.yaml", laid_out)
    notes = add(laid_out, values={"region": "eu-north-1"}).notes
    said = [note for note in notes if "still names" in note]
    assert said == [
        "addOns.externalSecrets.secrets.0: still names ap-northeast-1, in "
        "arn:aws:secretsmanager:ap-northeast-1:210987654321:secret:storefront/*; name what staging has in eu-north-1"
    ]


def test_overlays_that_name_their_stack_are_pointed_out(laid_out: Path) -> None:
    overlay = laid_out / "gitops/workloads/guestbook/overlays/prd/kustomization.yaml"
    overlay.write_text(overlay.read_text() + "nameSuffix: -prd\n")
    (overlay.parent / "logo.png").write_bytes(b"\x89PNG\xff")
    line = len(overlay.read_text().splitlines())
    copied = "gitops/workloads/guestbook/overlays/staging/kustomization.yaml"
    plan = add(laid_out)
    assert plan.writes[copied] == overlay.read_text()
    assert f"{copied}: still says prd in line {line}; change what staging needs" in plan.notes
    assert f"{Path(copied).parent}/logo.png: is not text and was not copied" in plan.notes


def test_authored_applications_are_named_and_not_copied(laid_out: Path) -> None:
    (laid_out / "gitops/prd/apps/set.yaml").write_text("kind: ApplicationSet\n")
    plan = add(laid_out)
    assert "gitops/prd/apps/set.yaml: is authored and was not copied; copy what the new stack needs" in plan.notes
    assert "gitops/staging/apps/set.yaml" not in plan.writes


@pytest.mark.parametrize(
    ("stack", "values", "said"),
    [
        ("prd", {}, "Pulumi.prd.yaml: exists already; take another name or remove it first"),
        ("Staging", {}, "stack add: Staging: needs lower-case letters"),
        ("workloads", {}, "stack add: workloads: needs another name; gitops/workloads holds the workloads"),
        (
            "staging",
            {"network.cidr": "10.40.0.0/28"},
            "Pulumi.staging.yaml: gitops-stack:network.cidr: found 10.40.0.0/28",
        ),
        ("staging", {"colour": "red"}, "Pulumi.staging.yaml: gitops-stack:colour: is not a known setting"),
        ("staging", {"network.natGateways": "[1"}, "--set network.natGateways: found [1; needs a value"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    stack: str, values: dict[str, str], said: str, laid_out: Path
) -> None:
    before = snapshot(laid_out)
    with pytest.raises(GitOpsStackError) as raised:
        add(laid_out, stack, values=values)
    assert any(said in finding for finding in raised.value.findings), raised.value.findings
    assert snapshot(laid_out) == before


def test_two_stacks_never_share_a_tree(laid_out: Path) -> None:
    url = "repoUrl: https://github.com/acme/platform.git"
    edit(laid_out, "prd", url, f"{url}\n    path: clusters/live")
    with pytest.raises(
        GitOpsStackError, match=r"gitops\.path: found clusters/live; needs a folder of its own: Pulumi\.prd\.yaml has"
    ):
        add(laid_out)
    assert add(laid_out, values={"gitops.path": "clusters/staging"}).stacks["staging"].tree_path == "clusters/staging"
    (laid_out / "clusters/staging").mkdir(parents=True)
    with pytest.raises(GitOpsStackError, match="needs a folder that is not there yet"):
        add(laid_out, values={"gitops.path": "clusters/staging"})


def test_a_source_that_is_not_there(laid_out: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="stacks found here: dev, local, prd"):
        add(laid_out, source="production")


def test_values_worth_asking_for(laid_out: Path) -> None:
    asked = {"account.id": "210987654321", "region": "ap-northeast-1", "network.cidr": "10.31.0.0/16"}
    assert propose_values(laid_out, "prd", "staging") == asked
    assert propose_values(laid_out, "local", "staging") == {}
    plan = add(laid_out, values={**asked, "region": "eu-west-1"})
    assert plan.stacks["staging"].region == "eu-west-1"


@pytest.mark.parametrize(("name", "proposed"), [("acme-prd", "acme-staging"), ("acme", "acme-staging")])
def test_a_cluster_with_a_name_of_its_own_gets_another(name: str, proposed: str, laid_out: Path) -> None:
    edit(laid_out, "prd", "    provider: eks\n", f"    provider: eks\n    name: {name}\n")
    values = propose_values(laid_out, "prd", "staging")
    assert values["cluster.name"] == proposed
    assert add(laid_out, values=values).stacks["staging"].cluster_name == proposed


@pytest.mark.parametrize(
    ("taken", "wanted", "free"),
    [
        (["10.20.0.0/16", "10.30.0.0/16"], "10.20.0.0/16", "10.31.0.0/16"),
        (["10.20.0.0/20", "10.20.16.0/20"], "10.20.0.0/20", "10.20.32.0/20"),
        (["10.255.0.0/16", "10.0.0.0/16"], "10.0.0.0/16", "10.1.0.0/16"),
        (["192.168.0.0/16"], "192.168.0.0/16", None),
    ],
)
def test_the_next_network_overlaps_none(taken: list[str], wanted: str, free: str | None, tmp_path: Path) -> None:
    for index, cidr in enumerate(taken):
        (tmp_path / f"Pulumi.s{index}.yaml").write_text(f"config: {{'gitops-stack:network': {{cidr: {cidr}}}}}\n")
    assert free_network(tmp_path, wanted) == free


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("acme-prd", "acme-qa"),
        ("a/prd/b", "a/qa/b"),
        ("prd", "qa"),
        ("prdx", "prdx"),
        ("xprd", "xprd"),
        ("a.prd_1", "a.qa_1"),
    ],
)
def test_a_stack_s_name_is_replaced_as_a_word(text: str, renamed: str) -> None:
    assert rename_word(text, "prd", "qa") == renamed


@pytest.mark.parametrize(
    ("order", "source", "after", "wanted"),
    [
        (["dev", "prd"], "prd", None, ["dev", "x", "prd"]),
        (["dev", "prd"], "dev", None, ["dev", "x", "prd"]),
        (["dev", "prd"], "local", None, ["dev", "prd", "x"]),
        (["dev", "prd"], "dev", "prd", ["dev", "prd", "x"]),
        ([], "dev", None, ["x"]),
    ],
)
def test_the_promotion_order(order: list[str], source: str, after: str | None, wanted: list[str]) -> None:
    assert insert_stack(order, "x", source=source, after=after) == wanted


def test_the_promotion_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    assert load_promotion_order(tmp_path) == []
    (tmp_path / "gitops").mkdir()
    file = tmp_path / "gitops/promotion.yaml"
    file.write_text(render_promotion(["dev", "prd"], "# ours\norder: [dev]\n"))
    assert file.read_text() == "# ours\norder: [dev, prd]\n"
    assert load_promotion_order(tmp_path) == ["dev", "prd"]
    for wrong in ("order: dev\n", "order: [dev, dev]\n", "order: [1]\n", "- a\n", "", "{"):
        file.write_text(wrong)
        with pytest.raises(GitOpsStackError, match=r"promotion\.yaml: (found no `order:`|is not YAML)"):
            load_promotion_order(tmp_path)


def test_this_project_s_own_order_names_its_stacks() -> None:
    assert load_promotion_order(ROOT) == ["dev", "prd"]
