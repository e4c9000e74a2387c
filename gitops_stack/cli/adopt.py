"""`gitops-stack adopt`: take over an Argo CD that is in the cluster already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import Context, Kubeconfig, open_cluster
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.files import check_tree
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig

if TYPE_CHECKING:
    from lightkube import Client

    from gitops_stack.adoption import AdoptionReport
    from gitops_stack.adoption.hand_over import HandOver
    from gitops_stack.settings import StackSettings

_APPLICATIONS = ("Application", "ApplicationSet")


def adopt(
    stack: Stack,
    project: Project = Path(),
    yes: Annotated[
        bool, typer.Option("--yes", help="Write what would be lost into the tree and the stack file, and lock.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; the default.")] = False,
    remove_managers: Annotated[
        bool,
        typer.Option(
            "--remove-managers",
            help="List the objects with fields of other managers; with --yes make Argo CD their owner.",
        ),
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """Show what `pulumi up` would refuse or lose when it takes over the Argo CD in a cluster.

    Read-only unless --yes is given. Exits with 1 when something would be refused or lost, or is not handed over.
    """
    if yes and dry_run:
        raise EnvironmentProblem(Problem("--yes writes and --dry-run does not", "give one of them", "adopt"))
    settings = load_stack_file(project, stack)
    root = project / settings.tree_path
    GitOpsStackError.raise_for(check_tree(settings, root))
    client = open_cluster(
        "adopt", settings, project, kubeconfig=kubeconfig, context=context, role_arn=role_arn, writes=yes
    )
    with client:
        with progress("reading the tree and the cluster"):
            manifests = load_manifests(root / "argocd")
            report = _look(client, project, settings, manifests)
        if remove_managers:
            _remove_managers(client, settings, manifests, report, yes=yes, output=output)
            return
    written = _write(project, settings, report) if yes and report.writable else []
    if output is Output.JSON:
        print_json(_build_document(report, written))
    else:
        _print_report(report, written, stack, yes=yes)
    if not report.clear:
        raise typer.Exit(1)


def _look(client: Client, project: Path, settings: StackSettings, manifests: Sequence[Manifest]) -> AdoptionReport:
    from gitops_stack.adoption import look  # noqa: PLC0415
    from gitops_stack.scaffold.application_sets import load_authored  # noqa: PLC0415

    authored = [one for _, _, one in load_authored(project, settings) if _is_application(one)]
    return look(client, settings, manifests, authored)


def _is_application(document: object) -> bool:
    return (
        isinstance(document, dict) and document.get("kind") in _APPLICATIONS and bool(dig(document, "metadata", "name"))
    )


def _write(project: Path, settings: StackSettings, report: AdoptionReport) -> list[str]:
    from gitops_stack.cli.tree import write_lock  # noqa: PLC0415
    from gitops_stack.scaffold.adopted import plan_adoption  # noqa: PLC0415

    plan = plan_adoption(project, settings, report)
    paths = plan.paths(project)
    plan.write(project)
    after = load_stack_file(project, settings.stack)
    with progress("locking the tree"):
        write_lock(after, project / after.tree_path)
    return [*paths, f"{after.tree_path}/{LOCK}"]


def _remove_managers(
    client: Client,
    settings: StackSettings,
    manifests: Sequence[Manifest],
    report: AdoptionReport,
    *,
    yes: bool,
    output: Output,
) -> None:
    from gitops_stack.adoption.hand_over import find_hand_overs, hand_over_fields  # noqa: PLC0415
    from gitops_stack.live.reading import find_handed_over, load_applications  # noqa: PLC0415
    from gitops_stack.manifests.app_projects import build_app_projects  # noqa: PLC0415

    # Once Argo CD owns a field, the next apply takes it away unless Git has it.
    GitOpsStackError.raise_for([*report.refusals, *report.losses])
    with progress("reading field managers"):
        applications = load_applications(client, settings.argocd.namespace)
        references = sorted(find_handed_over(applications, [*manifests, *build_app_projects(settings)]))
        found = hand_over_fields(client, references) if yes else find_hand_overs(client, references)
    if output is Output.JSON:
        print_json({"handedOver": yes, "objects": [asdict(one) for one in found]})
    else:
        _print_hand_overs(found, yes=yes)
    if found and not yes:
        raise typer.Exit(1)


def _print_hand_overs(found: Sequence[HandOver], *, yes: bool) -> None:
    for one in found:
        out.print(one.sentence, markup=False)
    if not found:
        out.print("no other field manager; nothing to hand over")
    elif yes:
        out.print(f"{len(found)} objects handed to Argo CD; its next sync, or `pulumi up`, removes what Git lacks")
    else:
        err.print(f"{len(found)} objects have fields that are not Argo CD's; add --yes to hand them over")


def _build_document(report: AdoptionReport, written: Sequence[str]) -> dict[str, Any]:
    """Build the JSON document of `adopt`; its keys are part of the interface."""
    return {
        "clear": report.clear,
        "installations": [asdict(one) for one in report.installations],
        "findings": [{**asdict(one), "sentence": one.sentence} for one in report.findings],
        "written": list(written),
    }


def _print_report(report: AdoptionReport, written: Sequence[str], stack: str, *, yes: bool) -> None:
    for installation in report.installations:
        out.print(installation.sentence, markup=False)
    for finding in report.findings:
        (out if finding.level == "note" else err).print(f"{finding.level}: {finding.sentence}", markup=False)
    for path in written:
        out.print(f"{path}: written", markup=False)
    if written:
        err.print(f"next: review, commit and push; then `gitops-stack adopt --stack {stack}` again", markup=False)
    elif not report.installations and report.clear:
        out.print("no Argo CD that this stack would take over")
    elif report.clear:
        out.print("nothing is refused and nothing would be lost")
    else:
        refused, lost = len(report.refusals), len(report.losses)
        hint = "; --yes writes what Git can keep" if report.writable and not yes else ""
        err.print(f"{refused} refused, {lost} would be lost{hint}", markup=False)
