"""`gitops-stack lab tools`: take or build the lab's executables, and share them between machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.console import out, progress
from gitops_stack.lab.artifacts import ARTIFACTS, OPTIONAL
from gitops_stack.lab.tool_cache import load_tool_cache
from gitops_stack.lab.tool_digests import build_digests_document
from gitops_stack.lab.tool_exchange import Exchanged, export_tools, import_tools
from gitops_stack.lab.tool_release import write_wheels
from gitops_stack.lab.tools import build_tools


def tools(
    export: Annotated[
        Path | None, typer.Option("--export", help="Write the built tools to a folder or .tar.gz.", metavar="PATH")
    ] = None,
    import_: Annotated[
        Path | None,
        typer.Option("--import", help="First take tools from what --export wrote.", metavar="PATH"),
    ] = None,
    find_links: Annotated[
        Path | None, typer.Option("--find-links", help="First take tools from the wheels in a folder.", metavar="DIR")
    ] = None,
    wheels: Annotated[
        Path | None, typer.Option("--wheels", help="Write one wheel per tool, of the committed bytes.", metavar="DIR")
    ] = None,
    digests: Annotated[
        bool, typer.Option("--digests", help="Print the digests document with this machine's bytes in it.")
    ] = False,
    key: Annotated[bool, typer.Option("--key", help="Only print the cache key of these pins, for CI.")] = False,
) -> None:
    """Take or build the executables of the lab, and share them: about 25 minutes the first time, then seconds."""
    # What is published and committed to is every tool; what a machine keeps for its labs, those of a lab.
    artifacts = (*ARTIFACTS, *OPTIONAL) if digests or wheels is not None else ARTIFACTS
    places = load_tool_cache(artifacts=artifacts)
    if key:
        out.print(places.binaries.name, markup=False)
        return
    with progress("tools") as step:
        if import_ is not None:
            _tell("taken from", import_, import_tools(places, import_, step))
        build_tools(step, artifacts=artifacts, find_links=find_links)
        if export is not None:
            _tell("written to", export, export_tools(places, export, step))
        if wheels is not None:
            made = write_wheels(places, wheels, step)
            out.print(f"{len(made)} wheels written to {wheels}", markup=False)
    if digests:
        out.print(build_digests_document(places), markup=False, end="")
    elif export is None and wheels is None:
        out.print(f"{len(places.paths)} tools are in {places.binaries}", markup=False)


def _tell(verb: str, place: Path, exchanged: Exchanged) -> None:
    line = f"{len(exchanged.tools)} tools {verb} {place}, {len(exchanged.committed)} of them with the committed bytes"
    out.print(line, markup=False)
    if exchanged.skipped:
        out.print(f"not there with these pins: {', '.join(exchanged.skipped)}", markup=False)
