"""What the documents' commands need before they run, how they end; and which are not run here, and why.

Everything else is in the documents: a command that is in neither table runs where the one before it has run, and has
to leave with 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gitops_stack.lab.drills.catalogue import DRILLS
from gitops_stack.lab.drills.drill import DOCUMENTED, PROOF
from tests.docs.world import URL, World
from tests.stacks import ROOT


@dataclass(frozen=True)
class Step:
    """One command: what happens ``before`` it, how it leaves, a text it ``says``.

    ``kustomize``: it renders what is not kept, or locks; it runs in tests/e2e only.
    """

    before: Callable[[World], None] | None = None
    code: int = 0
    says: str = ""
    kustomize: bool = False


@dataclass(frozen=True)
class Left:
    """One command that is not run: why, and the tests that show what it does (`file::test`)."""

    why: str
    tests: tuple[str, ...] = ()


def committed(world: World) -> None:
    world.committed()


def laid_out(world: World) -> None:
    world.laid_out()


def empty(world: World) -> None:
    world.empty()


def merged(world: World) -> None:
    world.merge_pull_requests()


def reviewing(world: World) -> None:
    """Look at the branch of the pull request, as its reviewer."""
    (one,) = world.forge.open
    world.git("fetch", "--quiet", "origin", one.branch)
    world.git("switch", "--quiet", "--detach", "FETCH_HEAD")


def pushed(world: World) -> None:
    world.push()


def answers(world: World) -> None:
    world.empty()
    world.write("answers.yaml", "stacks: [dev]\nteam: shop\n")


def other_files(world: World) -> None:
    world.empty()
    world.write("README.md", "ours\n")


def earlier_release(world: World) -> None:
    """Lay out a repository as an earlier release of the library would have."""
    world.laid_out()
    for name in (".copier-answers.yml", "requirements.txt"):
        text = (world.here / name).read_text(encoding="utf-8")
        assert "0.1.0" in text
        world.write(name, text.replace("0.1.0", "0.0.9"))
    world.push()


def with_sets(world: World) -> None:
    """Have the samples' ApplicationSets, and one whose template uses a second key."""
    world.committed("environments", "folders")
    text = (world.here / "gitops/local/apps/environments.yaml").read_text(encoding="utf-8")
    regions = text.replace("name: environments", "name: regions").replace("name: environment-", "name: region-")
    regions = regions.replace("- name: ana\n          - name: bo\n", "- {name: us, zone: us-east-1}\n")
    world.write(
        "gitops/local/apps/regions.yaml", regions.replace("namespace: dev-{{.name}}", "namespace: dev-{{.zone}}")
    )


def with_cart(world: World) -> None:
    """Have the application cart, and nothing else in its project."""
    world.laid_out()
    assert world.run("gitops-stack app remove guestbook") == 0
    assert world.run("gitops-stack app add cart --project storefront --namespace storefront") == 0


def with_shop(world: World) -> None:
    """Have an application of plain manifests in every stack, and a folder that no application reads."""
    world.committed()
    settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: green}\n"
    world.write("gitops/workloads/shop/settings.yaml", settings)
    world.write("drafts/settings.yaml", settings)
    for stack in ("local", "dev", "prd"):
        file = world.here / f"Pulumi.{stack}.yaml"
        entry = "    shop: {project: storefront, path: gitops/workloads/shop, namespace: storefront}\n"
        before = "  gitops-stack:workloads:\n"
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, before + entry), encoding="utf-8")
        assert world.run(f"gitops-stack render --stack {stack}") == 0
    world.push()


def changed_shop(world: World) -> None:
    """Change it on a branch."""
    world.git("switch", "--quiet", "--create", "blue")
    file = world.here / "gitops/workloads/shop/settings.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("green", "blue"), encoding="utf-8")
    world.git("commit", "--quiet", "--all", "--message", "Blue")


def branch_of_a_developer(world: World) -> None:
    world.git("push", "--quiet", "origin", "origin/main:refs/heads/dev/ada")


def repository_of_manifests(world: World) -> None:
    """Have the project's checkout and another one, in which its application lies, side by side."""
    world.committed()
    manifests = world.here
    world.empty()
    manifests.rename(world.here / "manifests")
    world.count -= 1  # the remote is the first one's
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    assert URL in text
    assert "namespace: storefront, wave" in text
    text = text.replace(URL, "https://github.com/acme/stacks.git")
    own = f"namespace: storefront, repoUrl: {URL}, revision: main, wave"
    text = text.replace("namespace: storefront, wave", own)
    text = text.replace("    storefront:\n", f"    storefront:\n      sourceRepos: [{URL}]\n")
    world.write("platform/Pulumi.dev.yaml", text)


def a_change_to_revert(world: World) -> None:
    world.committed()
    world.write("gitops/dev/apps/note.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}\n")
    world.push()
    world.names["COMMIT"] = world.git("rev-parse", "HEAD")


def branch_that_changes_dev(world: World) -> None:
    world.committed()
    world.git("switch", "--quiet", "--create", "topic")
    world.write("gitops/dev/apps/note.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}\n")
    world.git("add", "--all")
    world.git("commit", "--quiet", "--message", "Note")


def with_events(world: World) -> None:
    world.write("events.jsonl", (ROOT / "tests/fixtures/engine-events/create.jsonl").read_text(encoding="utf-8"))


def edited(world: World) -> None:
    """Have changed the stack files, as a reader does in an editor."""
    world.committed()
    for stack in ("local", "dev"):
        file = world.here / f"Pulumi.{stack}.yaml"
        text = file.read_text(encoding="utf-8")
        commit = "    commit: 109ca7ca71139e514114499d294a492e7910a965\n"
        assert commit in text
        changed = "{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm}, data: {exec.enabled: 'true'}}"
        patch = f"    patches: {{exec: {changed}}}\n"
        file.write_text(text.replace(commit, commit + patch), encoding="utf-8")


_IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/guestbook"
KUSTOMIZE = Step(kustomize=True)
STEPS: dict[str, dict[str, Step]] = {
    "README.md": {
        "gitops-stack lock --check --stack local": KUSTOMIZE,
        "gitops-stack lock --stack local": KUSTOMIZE,
        "gitops-stack stack add staging --from prd --defaults --set account.id=111122223333": Step(committed),
        "gitops-stack lock --stack staging": KUSTOMIZE,
        "gitops-stack check": Step(says=" fine, ", kustomize=True),
        "gitops-stack image set cart=:v1.3 --stack dev": Step(pushed, says="pull request opened: "),
        "gitops-stack diff origin/main..HEAD": Step(reviewing, says="~ apps/Deployment shop/cart", kustomize=True),
        "gitops-stack promote cart --to staging": Step(merged, says="pull request opened: "),
    },
    "docs/existing-cluster.md": {
        "gitops-stack lock --version v3.5.1 --stack local": Step(edited, kustomize=True),
        'git add --all && git commit -m "Stack local" && git push': KUSTOMIZE,
    },
    "docs/first-up.md": {
        "gitops-stack lock --version v3.5.1 --stack dev": Step(edited, kustomize=True),
        'git add --all && git commit -m "Stack dev" && git push': KUSTOMIZE,
    },
    "docs/add-ons.md": {"gitops-stack outdated -s prd": Step(committed, code=1, says="cluster.version")},
    "docs/checks.md": {
        "gitops-stack check gitops/workloads/shop": Step(with_shop, says="fine"),
        "gitops-stack check drafts/": Step(says="fine, 1 object"),
        "gitops-stack diff main..HEAD --stack prd": Step(changed_shop, says="+  color: blue"),
    },
    "docs/delivery.md": {
        f"gitops-stack image set guestbook={_IMAGE}@sha256:DIGEST --stack dev": Step(says="pull request opened: "),
        "gitops-stack promote guestbook --to prd": Step(merged, says="pull request opened: "),
        "gitops-stack promote guestbook --from dev --to prd --dry-run": Step(says="dry run: nothing is committed"),
        "git revert --mainline 1 MERGE_COMMIT": Step(merged),
        "gitops-stack image set guestbook=:v1.3 --stack dev --push": Step(says="pushed "),
        "gitops-stack image set guestbook=:v1.3 --stack dev --push --base dev/ada": Step(branch_of_a_developer),
        "gitops-stack image set guestbook=:v1.3 --stack dev --no-pull-request": Step(
            committed, says="pushed branch gitops-stack/dev/guestbook-v1.3"
        ),
        "gitops-stack image set guestbook=:v1.3 --stack dev --project platform --repository manifests": Step(
            repository_of_manifests, says="pull request opened: "
        ),
    },
    "docs/previews.md": {
        "gitops-stack changed-stacks origin/main": Step(branch_that_changes_dev, says="dev\n"),
        "gitops-stack manifests -s dev -o head": Step(
            says="objects from root, argocd, guestbook, projects", kustomize=True
        ),
        "gitops-stack preview-comment -s dev --events events.jsonl --output -": Step(
            with_events, says="### Preview of `dev`: "
        ),
    },
    "docs/recover.md": {"git revert HEAD && git push": Step(a_change_to_revert)},
    "docs/samples/README.md": {"git revert COMMIT && git push": Step(a_change_to_revert)},
    "docs/samples/environments/README.md": {
        "gitops-stack app add cy --application-set environments": Step(lambda world: world.committed("environments")),
    },
    "docs/samples/folders/README.md": {
        "gitops-stack app add faq --application-set folders": Step(lambda world: world.committed("folders")),
    },
    "docs/samples/migration/README.md": {
        "gitops-stack app add ledger --project storefront --namespace storefront --stacks local": Step(
            lambda world: world.committed("migration"), says="is there already and kept"
        ),
    },
    "docs/scaffold.md": {
        "gitops-stack init platform --defaults": Step(empty),
        "gitops-stack init platform --data repository=acme/platform --data stacks=dev,prd --defaults": Step(empty),
        "gitops-stack init platform --answers-file answers.yaml --defaults": Step(answers),
        "gitops-stack init . --only-missing --defaults": Step(other_files, says="README.md: is there already and kept"),
        "gitops-stack lock --stack dev": KUSTOMIZE,
        "git switch -c template && gitops-stack update": Step(earlier_release, says="review and commit"),
        "gitops-stack update --ask": Step(pushed),
        **{
            f"gitops-stack app add cart --project storefront --namespace storefront {options}": Step(laid_out)
            for options in (
                "--image 123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/cart:v1.0.0",
                "--stacks dev,prd --port 9000 --health-path /ready",
                "--manual-sync prd",
                "--helm",
                "--dry-run",
            )
        },
        "gitops-stack app add cy --application-set environments": Step(with_sets),
        "gitops-stack app remove faq --application-set folders --dry-run": Step(says="dry run: nothing was written"),
        "gitops-stack app remove cart": Step(with_cart),
        "gitops-stack app remove cart --stacks prd --dry-run": Step(with_cart),
        "gitops-stack stack add staging --from prd --set account.id=111122223333 --defaults": Step(laid_out),
        "gitops-stack stack add qa --from dev --dry-run --defaults": Step(laid_out),
    },
    "docs/upgrade.md": {
        'git switch -c "argocd-$release"': KUSTOMIZE,
        'gitops-stack lock --version "$release" --stack dev': KUSTOMIZE,
        "git add --all && git diff --cached": KUSTOMIZE,
        'git commit -m "Argo CD $release on dev" && git push -u origin HEAD': KUSTOMIZE,
        "gitops-stack render --stack dev && gitops-stack lock --stack dev": Step(edited, kustomize=True),
        "git add --all && git commit && git push": KUSTOMIZE,
    },
}

_STATUS = (
    "tests/e2e/test_standard.py::test_status_says_the_same_to_a_person_in_the_workspace",
    "tests/account/test_status.py::test_an_eks_cluster_is_asked_with_a_token_of_its_own",
)
STATUS = Left("asks a cluster with Argo CD", _STATUS)
GRAPH_LIVE = Left(
    "asks a cluster with Argo CD", ("tests/cli/test_graph.py::test_the_state_of_each_application_is_the_clusters",)
)
DOCTOR = Left("asks an AWS account", ("tests/account/test_doctor.py::test_an_account_and_a_machine_that_are_ready",))
ACCOUNT_INIT = Left(
    "asks an AWS account", ("tests/account/base/test_command.py::test_init_makes_the_base_and_writes_the_stack_file",)
)
KUBECONFIG = Left("asks an AWS account", ("tests/account/test_kubeconfig.py::test_update_keeps_what_others_wrote",))
SWEEP = Left("asks an AWS account", ("tests/account/test_sweep.py::test_listing_deletes_nothing_and_leaves_with_1",))
SWEEP_DELETES = Left(
    "asks an AWS account",
    (
        "tests/account/test_sweep.py::test_delete_asks_first",
        "tests/e2e/test_rehearsal.py::test_destroy_leaves_what_pulumi_never_knew_and_sweep_finds_exactly_that",
    ),
)
REACH = Left(
    "asks an AWS account",
    ("tests/account/test_public_access.py::test_the_command_runs_in_between_and_its_exit_code_is_kept",),
)
_DRILLED = ("tests/e2e/test_drills.py::test_a_drill_is_noticed_recovered_and_proven",)
DRILL = Left("starts a lab", _DRILLED)
# Each is typed by its drill, from the same source as the page; `make soak` runs all.
DRILLED = {
    **{
        command.text.format_map(DOCUMENTED): Left("a drill types it in a lab", _DRILLED)
        for drill in DRILLS
        for command in (*drill.commands, *PROOF)
        if command.text.startswith(("git ", "gitops-stack "))
    },
    **{f"gitops-stack drill {drill.name}": DRILL for drill in DRILLS},
    "gitops-stack drill --list": Left(
        "lists what the page is made of", ("tests/cli/test_drill.py::test_the_list_says_what_happens_in_each",)
    ),
}
REHEARSE = Left(
    "starts a lab",
    (
        "tests/e2e/test_rehearsal.py::test_the_unchanged_stack_file_is_previewed_and_made",
        "tests/cli/test_rehearsal.py::test_nothing_can_be_kept_of_a_preview_alone",
    ),
)
LAB = Left(
    "needs a running lab",
    (
        "tests/lab/test_lab_e2e.py::test_up_down_twice_keeps_the_cluster_and_leaves_no_process",
        "tests/lab/test_lab_e2e.py::test_two_labs_run_side_by_side",
    ),
)
TOOLS = Left("builds the lab's tools", ("tests/lab/test_prebuilt.py::test_a_wheel_with_the_committed_bytes_is_taken",))
UPGRADE = Left(
    "renders two releases",
    ("tests/e2e/test_upgrade_with_kustomize.py::test_three_releases_with_trouble_in_the_tree_and_the_way_back",),
)
CLUSTER = Left(
    "asks an AWS account",
    ("tests/e2e/test_cluster_upgrade_with_kustomize.py::test_the_next_kubernetes_version_meets_what_is_rendered",),
)
EXCHANGE = Left(
    "builds the lab's tools", ("tests/lab/test_tool_exchange.py::test_another_machine_takes_the_same_executables",)
)
BOOTSTRAP = Left(
    "starts a lab",
    ("tests/e2e/test_standard.py::test_bootstrap_ends_synced_at_the_pushed_revision_with_a_complete_certificate",),
)
DOWN = Left(
    "takes a lab down",
    ("tests/e2e/test_standard.py::test_destroy_ends_in_time_and_leaves_no_process_port_or_object",),
)
_TRY = "tests/e2e/test_try.py::"
TRY = Left("starts a lab", (f"{_TRY}test_changed_applications_of_an_eks_stack_become_synced_and_healthy",))
TRY_WATCH = Left("starts a lab", (f"{_TRY}test_a_saved_file_is_in_the_lab_within_five_seconds",))
_SIGN_IN = "tests/e2e/test_sign_in.py::"
PASSWORD = Left("asks a cluster with Argo CD", (f"{_SIGN_IN}test_the_initial_password_signs_in_until_it_is_rotated",))
OWN_PASSWORD = Left(
    "asks a cluster with Argo CD",
    (f"{_SIGN_IN}test_a_password_of_ones_own_signs_in_and_ends_earlier_sessions",),
)
DISABLE_ADMIN = Left(
    "asks a cluster with Argo CD",
    (
        f"{_SIGN_IN}test_admin_stays_on_where_nobody_else_could_sign_in",
        "tests/cli/test_password.py::test_admin_is_switched_off_in_the_stack_file_and_the_tree",
    ),
)
UI = Left("asks a cluster with Argo CD", (f"{_SIGN_IN}test_the_page_is_reached_through_the_api_server",))
DEPLOY = Left(
    "asks Argo CD",
    ("tests/e2e/test_environments.py::test_its_owner_sets_an_image_without_a_commit_and_takes_it_back",),
)
TRY_KEEP = Left("starts a lab", (f"{_TRY}test_a_second_try_goes_on_in_the_same_cluster_from_a_failed_one",))
_ADOPT = "tests/e2e/test_adoption.py::test_client_side_apply_of_an_older_release"
ADOPT = Left(
    "asks a cluster with Argo CD",
    (_ADOPT, "tests/cli/test_adopt.py::test_a_loss_leaves_with_one_and_writes_nothing"),
)
ADOPT_YES = Left("asks a cluster with Argo CD", (_ADOPT,))
REMOVE_MANAGERS = Left(
    "asks a cluster with Argo CD", (_ADOPT, "tests/cli/test_adopt.py::test_managers_are_listed_or_removed")
)
_GUARD = "tests/e2e/test_guard.py::"
DETACH = Left(
    "asks a cluster with Argo CD", (f"{_GUARD}test_argo_cd_moves_to_another_namespace_and_workloads_keep_running",)
)
_LOGIN = "tests/account/test_registry_login.py::"
_CHARTS = "tests/e2e/test_charts_with_helm.py::"
VENDOR = Left(
    "asks a chart's repository",
    (f"{_CHARTS}test_a_chart_of_a_repository_is_vendored_and_renders_with_the_repository_down",),
)
VENDOR_OCI = Left("asks a registry", (f"{_CHARTS}test_a_chart_of_an_oci_registry_has_the_digest_it_was_pushed_with",))
CHART_SET = Left(
    "asks a chart's repository",
    ("tests/cli/test_chart_delivery.py::test_a_version_goes_to_dev_and_is_promoted_to_prd_with_the_same_bytes",),
)
VENDOR_STACK = Left(
    "asks a chart's repository",
    ("tests/cli/test_charts.py::test_an_application_takes_the_chart_from_here_and_nothing_else_of_it_changes",),
)

LEFT: dict[str, dict[str, Left]] = {
    "docs/charts.md": {
        'eval "$(gitops-stack lab env --tools)"': LAB,
        "gitops-stack chart add https://charts.jetstack.io/cert-manager --version v1.21.1": VENDOR,
        "gitops-stack chart add oci://public.ecr.aws/karpenter/karpenter --version 1.14.1": VENDOR_OCI,
        "gitops-stack chart add https://charts.jetstack.io/cert-manager --version v1.21.1 --stack dev": VENDOR_STACK,
        "gitops-stack chart set cert-manager=v1.21.2 --stack dev": CHART_SET,
        "gitops-stack promote cert-manager --to prd": CHART_SET,
    },
    "docs/checks.md": {'eval "$(gitops-stack lab env --tools)"': LAB},
    "docs/settings.md": {"gitops-stack lock --version": Left("names the option, without its value")},
    "docs/graph.md": {
        "gitops-stack graph -s dev --output html --live --write dev.html": GRAPH_LIVE,
        "gitops-stack graph -s dev --output html --live --watch --write dev.html": GRAPH_LIVE,
    },
    "docs/move.md": {
        "gitops-stack detach --stack dev": DETACH,
        "gitops-stack detach --stack dev --yes": DETACH,
        "gitops-stack render --stack dev && gitops-stack lock --stack dev": DETACH,
        'git commit -am "Move Argo CD" && git push': DETACH,
        "gitops-stack render --stack renamed && gitops-stack lock --stack renamed": DETACH,
        'git add --all && git commit -m "Move the tree" && git push': DETACH,
        'git add --all && git commit -m "Rename the stack" && git push': DETACH,
    },
    "docs/adr/0005-lab-tools.md": {"gitops-stack lab env --tools": LAB},
    "docs/adopt.md": {
        "gitops-stack adopt --stack dev": ADOPT,
        "gitops-stack adopt --stack dev --yes": ADOPT_YES,
        'git add -A && git commit -m "Take over Argo CD" && git push': ADOPT_YES,
        "gitops-stack adopt --stack dev --remove-managers --yes": REMOVE_MANAGERS,
        "gitops-stack lock --stack dev --version v3.2.11": Left(
            "asks the remote for a tag",
            (
                "tests/e2e/test_standard.py"
                "::test_bootstrap_ends_synced_at_the_pushed_revision_with_a_complete_certificate",
            ),
        ),
        "gitops-stack status --stack dev": STATUS,
    },
    "README.md": {
        'eval "$(.venv/bin/gitops-stack lab env)" && cd .lab/local/workspace': LAB,
        "gitops-stack status --stack local": STATUS,
    },
    "docs/library.md": {"gitops-stack lab up --name own": LAB, 'eval "$(gitops-stack lab env --name own)"': LAB},
    "docs/existing-cluster.md": {
        'eval "$(.venv/bin/gitops-stack lab env --tools)"': LAB,
        "gitops-stack doctor --stack local": Left(
            "asks a cluster", ("tests/account/test_doctor.py::test_a_cluster_that_answers_is_ok",)
        ),
        "gitops-stack status --stack local": STATUS,
    },
    "docs/first-up.md": {
        "gitops-stack account init --stack dev": ACCOUNT_INIT,
        "gitops-stack doctor --stack dev": DOCTOR,
        "gitops-stack kubeconfig --stack dev --update": KUBECONFIG,
    },
    "docs/previews.md": {"gitops-stack account init --stack dev": ACCOUNT_INIT},
    "docs/aws-account.md": {
        "gitops-stack account init --stack dev": ACCOUNT_INIT,
        "gitops-stack reach --stack prd -- pulumi up --stack prd --yes": REACH,
        "gitops-stack addons --stack prd": Left(
            "asks an AWS account",
            (
                "tests/account/test_addon_pins.py"
                "::test_what_eks_does_not_offer_is_replaced_by_its_default_and_every_comment_stays",
            ),
        ),
        "gitops-stack doctor --stack dev": DOCTOR,
        "gitops-stack kubeconfig --stack dev --update": KUBECONFIG,
        "gitops-stack eks-token --cluster gitops-stack-dev --region ap-northeast-1": Left(
            "signs with credentials of an account",
            ("tests/account/test_eks_token.py::test_the_command_prints_an_exec_credential",),
        ),
        "gitops-stack registry login --stack dev --tool docker": Left(
            "asks an AWS account", (f"{_LOGIN}test_the_password_goes_to_the_tool_by_standard_input",)
        ),
        "gitops-stack registry login --stack dev --tool print | crane auth login -u AWS --password-stdin HOST": Left(
            "asks an AWS account, and needs crane", (f"{_LOGIN}test_print_gives_the_password_alone",)
        ),
        "gitops-stack registry login --stack dev --write-config": Left(
            "asks an AWS account", (f"{_LOGIN}test_write_config_keeps_the_rest_of_the_file",)
        ),
        "gitops-stack sweep --stack dev": SWEEP,
        "gitops-stack sweep --stack dev --delete": SWEEP_DELETES,
    },
    "docs/aws.md": {
        "gitops-stack reach --stack prd -- pulumi up --stack prd --yes": REACH,
        "gitops-stack account init --stack prd": ACCOUNT_INIT,
        "gitops-stack rehearse prd": REHEARSE,
        "gitops-stack rehearse prd --from 203.0.113.7": REHEARSE,
        "gitops-stack status --stack dev --wait 20m": STATUS,
        "gitops-stack kubeconfig --stack dev --update": KUBECONFIG,
    },
    "docs/clusters.md": {
        "gitops-stack lab up --name edge": LAB,
        "gitops-stack lab bootstrap": BOOTSTRAP,
        "gitops-stack lab join edge": Left(
            "asks two labs",
            ("tests/e2e/test_spokes.py::test_a_workload_of_the_stack_file_is_synced_and_healthy_on_the_spoke",),
        ),
    },
    "docs/destroy.md": {
        "gitops-stack sweep --stack dev": SWEEP,
        "gitops-stack sweep --stack dev --delete": SWEEP_DELETES,
        "gitops-stack sweep --stack prd --delete --repository prd/quay/argoproj/argocd": Left(
            "asks an AWS account", ("tests/account/test_sweep.py::test_a_repository_goes_only_when_it_is_named",)
        ),
    },
    "docs/lab.md": {
        "gitops-stack drill": DRILL,
        'eval "$(.venv/bin/gitops-stack lab env)"': LAB,
        "gitops-stack lab logs argocd-repo-server": LAB,
        "gitops-stack lab bootstrap --name second --stack local": BOOTSTRAP,
        "gitops-stack lab status --name second": LAB,
        "gitops-stack lab down --name second --stack local --destroy": DOWN,
        "gitops-stack lab tools --export tools.tar.gz": EXCHANGE,
        "gitops-stack lab tools --import tools.tar.gz": EXCHANGE,
        "gitops-stack lab tools --find-links dist/tools": TOOLS,
        "gitops-stack lab tools --key": Left(
            "asks for the lab's pins", ("tests/cli/test_lab_tools.py::test_the_key_names_the_folder_of_these_pins",)
        ),
    },
    "docs/recover.md": {
        **DRILLED,
        "gitops-stack adopt --stack dev --remove-managers": REMOVE_MANAGERS,
        "gitops-stack adopt --stack dev --remove-managers --yes": REMOVE_MANAGERS,
        "gitops-stack recover --stack dev": Left(
            "asks an AWS account, and Pulumi's state",
            (
                "tests/e2e/test_recover.py::test_a_killed_up_goes_on_where_it_was",
                "tests/account/test_recover.py::test_the_command_recovers_and_tells",
            ),
        ),
        "gitops-stack status --stack dev": STATUS,
    },
    "docs/rehearsal.md": {
        "gitops-stack doctor --stack dev": DOCTOR,
        "gitops-stack status --stack dev": STATUS,
        "gitops-stack status --stack dev --wait 20m": STATUS,
        "gitops-stack sweep --stack dev": SWEEP,
        "gitops-stack rehearse dev": REHEARSE,
        "gitops-stack rehearse dev --keep": REHEARSE,
        'eval "$(gitops-stack lab env --name rehearse-dev --stack dev)"': LAB,
        "gitops-stack lab status --name rehearse-dev": LAB,
        "gitops-stack lab logs aws-account --name rehearse-dev": LAB,
        "gitops-stack lab down --name rehearse-dev": DOWN,
    },
    "docs/samples/README.md": {"gitops-stack status --stack prd": STATUS},
    "docs/samples/migration/README.md": {"gitops-stack status --stack local": STATUS},
    "docs/samples/window/README.md": {"gitops-stack status --stack prd": STATUS},
    "docs/scaffold.md": {
        "gitops-stack init platform": Left(
            "asks on a terminal",
            ("tests/scaffold/test_init.py::test_questions_without_a_terminal_end_in_a_sentence",),
        ),
    },
    "docs/sign-in.md": {
        "gitops-stack password -s dev": PASSWORD,
        "gitops-stack password -s dev --rotate": PASSWORD,
        "gitops-stack password -s dev --rotate --stdin": OWN_PASSWORD,
        "gitops-stack password -s dev --disable-admin": DISABLE_ADMIN,
        "gitops-stack ui -s dev": UI,
    },
    "docs/environments.md": {
        "gitops-stack env deploy ana guestbook=registry.example.com/guestbook:pr-17-4 -s dev": DEPLOY,
        "gitops-stack env reset ana -s dev": DEPLOY,
    },
    "docs/try.md": {
        "gitops-stack try cart --watch -s dev": TRY_WATCH,
        "gitops-stack try cart guestbook -s dev": TRY,
        "gitops-stack try --all -s dev": TRY,
        "gitops-stack try --keep -s dev": TRY_KEEP,
        'eval "$(gitops-stack lab env --name try)" && kubectl -n argocd get applications': LAB,
        "gitops-stack lab logs argocd-repo-server --name try": LAB,
        "gitops-stack lab down --name try": DOWN,
        "gitops-stack lab tools": TOOLS,
    },
    "docs/upgrade.md": {
        "gitops-stack status --stack dev": STATUS,
        "gitops-stack upgrade argocd --to v3.5.1 --stack dev --dry-run": UPGRADE,
        "gitops-stack upgrade argocd --to v3.5.1 --stack dev": UPGRADE,
        "gitops-stack upgrade argocd --stack prd": Left(
            "renders two releases",
            ("tests/e2e/test_upgrade_with_kustomize.py::test_a_release_travels_in_the_order_of_promotion",),
        ),
        "gitops-stack upgrade cluster --to 1.36 --stack prd --dry-run": CLUSTER,
        "gitops-stack upgrade cluster --to 1.36 --stack prd": CLUSTER,
    },
}
