"""`gitops-stack lab …`: a real cluster and a real Argo CD as plain processes, and the whole bootstrap in it."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gitops_stack.cli.console import Output, out, print_json, progress
from gitops_stack.cli.graph import write_live_page
from gitops_stack.cli.lab_tools import tools as take_tools
from gitops_stack.cli.report import print_report
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.commands import build_command, build_lab_folder, find_project
from gitops_stack.lab.joining import join as join_lab
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.lab_run import open_report
from gitops_stack.lab.settings_shown import show_settings
from gitops_stack.lab.tools import Tools, build_tools

app = typer.Typer(
    help="A real cluster and a real Argo CD on this machine, without AWS or Docker.", no_args_is_help=True
)

app.command("tools")(take_tools)

Name = Annotated[str, typer.Option("--name", "-n", help="Lab to use; several can run side by side.", metavar="NAME")]
Stack = Annotated[str, typer.Option("--stack", "-s", help="Stack to bootstrap.", metavar="NAME")]
Project = Annotated[
    Path,
    typer.Option(
        "--project", "-C", help="Folder of Pulumi.yaml.", file_okay=False, exists=True, metavar="DIR",
        callback=find_project,
    ),
]  # fmt: skip


@app.command()
def up(name: Name = "local", project: Project = Path()) -> None:
    """Build the tools if need be and start the control plane, without bootstrapping anything."""
    with progress("lab up") as step:
        _open(name, project, step).up(step)
    out.print(f'the lab is up; use it with: eval "$({build_command("env", name)})"', markup=False)


@app.command()
def bootstrap(name: Name = "local", stack: Stack = "local", project: Project = Path()) -> None:
    """Bootstrap a stack in the lab until Argo CD manages itself, and check that it does. Safe to run again."""
    with progress("bootstrap") as step:
        lab = _open(name, project, step)
        report = road.bootstrap(lab, project, stack, step)
        step("drawing the page, and asking Argo CD what the stack's roles and notifications do")
        with ThreadPoolExecutor(max_workers=1) as beside:
            shown = beside.submit(show_settings, lab, report.workspace.settings())
            page = _draw(lab, report.workspace.directory, stack, step)
    print_report(report, name, page, shown.result())


def _draw(lab: Lab, project: Path, stack: str, step: Progress) -> Path | None:
    """Draw the page of what the bootstrap made; what keeps it from that is said, and the bootstrap itself went well."""
    page = lab.state.directory / "graph.html"
    try:
        page.unlink(missing_ok=True)
        write_live_page(project, stack, page, lab.state.kubeconfig)
    except GitOpsStackError as error:
        step(f"{page}: not drawn: {error}")
        return None
    return page


@app.command()
def down(
    name: Name = "local",
    stack: Stack = "local",
    project: Project = Path(),
    destroy: Annotated[bool, typer.Option("--destroy", help="Run `pulumi destroy` first, 120 s at most.")] = False,
) -> None:
    """Stop every process of the lab; its folder stays until `make clean`."""
    if not _directory(name, project).exists():
        out.print(f"{_directory(name, project)}: no such lab, nothing to do", markup=False)
        return
    with progress("lab down") as step:
        if destroy:
            road.destroy(_open(name, project, step), stack, step)
        else:
            _existing(name, project).down(step)


@app.command()
def join(
    spoke: Annotated[str, typer.Argument(help="Lab that becomes a spoke; it has to be up.", metavar="LAB")],
    name: Name = "local",
    stack: Stack = "local",
    project: Project = Path(),
    known_as: Annotated[
        str, typer.Option("--as", help="Name of the cluster; default: the lab's.", metavar="NAME")
    ] = "",
) -> None:
    """Let the Argo CD of a bootstrapped lab deploy to another lab, whose stack file says `clusters.NAME.external`."""
    hub, other = _existing(name, project), _existing(spoke, project)
    namespace = open_report(hub, stack).workspace.settings().argocd.namespace
    join_lab(hub.state, other.state, known_as or spoke, namespace)
    out.print(f"cluster {known_as or spoke} is registered with the Argo CD of lab {name}", markup=False)


@app.command()
def status(
    name: Name = "local",
    project: Project = Path(),
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """List the lab's processes with their memory and logs. Exits with 1 when one of them does not run."""
    found = _existing(name, project).processes()
    if output is Output.JSON:
        print_json([{**vars(process), "log": str(process.log)} for process in found])
    else:
        table = Table("process", "state", "pid", "MiB", "log", box=None, pad_edge=False)
        for process in found:
            table.add_row(
                process.name, process.state, str(process.pid), f"{(process.rss or 0) >> 20}", str(process.log)
            )
        out.print(table if found else "the lab is down")
    if not found or any(process.state != "RUNNING" for process in found):
        raise typer.Exit(1)


@app.command()
def logs(
    process: Annotated[
        str, typer.Argument(help="Name from `lab status`, or `pulumi` for the engine.", metavar="PROCESS")
    ],
    name: Name = "local",
    project: Project = Path(),
    lines: Annotated[int, typer.Option("--lines", help="How many lines from the end.", min=1, metavar="NUMBER")] = 50,
) -> None:
    """Print the end of a process's log."""
    folder = _existing(name, project).state.logs
    file = folder / f"{process}.log"
    if not file.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.log")))
        raise EnvironmentProblem(Problem("is missing", f"logs found here: {known or 'none'}", str(file)))
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]:
        out.print(line, markup=False)


@app.command()
def env(
    name: Name = "local",
    stack: Stack = "local",
    project: Project = Path(),
    tools: Annotated[bool, typer.Option("--tools", help="Only PATH with the lab's tools; needs no lab.")] = False,
) -> None:
    """Print shell commands that point kubectl, pulumi, kustomize and git at the lab."""
    state = None if tools else _existing(name, project).state  # before 25 minutes of building
    with progress("tools") as step:
        built = build_tools(step)
    if state is None:
        out.print(f"export PATH={shlex.quote(str(built.bin))}:$PATH", markup=False)
        return
    lab = Lab(state, built)
    variables = {**open_report(lab, stack).engine.variables(), "KUBECONFIG": str(lab.state.kubeconfig)}
    for key, value in variables.items():
        out.print(f"export {key}={shlex.quote(value)}", markup=False)


def _directory(name: str, project: Path) -> Path:
    return build_lab_folder(project.absolute(), name)


def _existing(name: str, project: Path) -> Lab:
    directory = _directory(name, project)
    if not directory.exists():
        raise EnvironmentProblem(Problem("no such lab", f"start it with `{build_command('up', name)}`", str(directory)))
    # To stop and to look at processes takes no tools: nobody should wait 25 minutes for a status.
    return Lab.open(directory, Tools(directory / "bin"))


def _open(name: str, project: Path, step: Progress) -> Lab:
    return Lab.open(_directory(name, project), build_tools(step))
