"""What `gitops-stack lab bootstrap` prints at its end."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from gitops_stack.cli.console import out
from gitops_stack.cli.status import print_status
from gitops_stack.lab.commands import build_command
from gitops_stack.lab.lab_run import LabRun
from gitops_stack.lab.workspace import Workspace


def print_report(report: LabRun, name: str, page: Path | None, shown: Sequence[str]) -> None:
    """Print what was installed, the applications, the certificate, the phases, and what to try next.

    ``page`` shows all of it, if it could be drawn; ``shown`` says what the stack's roles and notifications do.
    """
    lock, workspace = report.lock, report.workspace
    if lock is not None:
        out.print(f"Argo CD {lock.version} ({lock.variant}, {lock.object_count} objects)")
        out.print(f"  commit {lock.commit}\n  digest {lock.digest}\n  revision {report.revision}\n", markup=False)
    changes = ", ".join(f"{count} {operation}" for operation, count in report.changes.items())
    out.print(f"pulumi up: {changes}\n")
    print_status(report.applications, report.certificate, [])
    for line in shown:
        out.print(line, markup=False)
    out.print()
    table = Table("phase", "seconds", box=None, pad_edge=False)
    for phase, seconds in report.seconds.items():
        table.add_row(phase, f"{seconds:.1f}")
    table.add_row("in all", f"{sum(report.seconds.values()):.1f}")
    out.print(table)
    own = (name, workspace.stack) == ("local", "local")
    down = "make local-down" if own else build_command("down --destroy", name, workspace.stack)
    env = build_command("env", name, workspace.stack)
    if shutil.which("gitops-stack") is None:  # as `make local` calls it; after `eval` it is on PATH
        env = env.replace("gitops-stack", shlex.quote(str(Path(sys.executable).with_name("gitops-stack"))), 1)
    glance = f"  {page.resolve().as_uri()}      # everything at a glance, in a browser\n" if page else ""
    out.print(
        f"\nTry next:\n"
        f'  eval "$({env})"      # kubectl, pulumi and kustomize use the lab\n'
        f"  cd {workspace.directory}\n"
        f"  gitops-stack status --stack {workspace.stack}\n"
        f"{glance}"
        f"  {propose_change(workspace)} && git commit -am Try && git push    # Argo CD follows\n"
        f"  pulumi preview --stack {workspace.stack} --refresh --expect-no-changes        # Pulumi stays silent\n"
        f"  {down}      # back in the project: destroy, then stop every process",
        markup=False,
    )


def propose_change(workspace: Workspace) -> str:
    """Return a command that changes the first workload visibly, whatever its objects are called."""
    folder = next((workload.path for workload in workspace.settings().workloads.values()), "gitops")
    if (workspace.directory / folder / "kustomization.yaml").is_file():
        return f"(cd {shlex.quote(folder)} && kustomize edit set annotation tried:$(date +%s))"
    return f"$EDITOR {shlex.quote(folder)}"
