"""Measure, print, write results.md; `--only PART` measures one part and keeps what the file says of the others."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from bench.checkout import HERE, check_out
from bench.checks import run_checks
from bench.crowd import run_crowd
from bench.install import run_install
from bench.machine import circumstances
from bench.pairs import run_checks_pair, run_install_pair
from bench.run import FULL, SMALLEST, Run
from bench.section import Section, render_section, write_failure, write_sections
from bench.ups import run_ups
from gitops_stack.lab.tools import build_tools

RESULTS = HERE.root / "bench" / "results.md"

Part = Callable[[Run], Section]
PARTS: dict[str, Part] = {"install": run_install, "checks": run_checks, "ups": run_ups, "crowd": run_crowd}
PAIRS: dict[str, Part] = {"install": run_install_pair, "checks": run_checks_pair}
ORDER = [name for part in PARTS for name in (part, *([f"{part}_pair"] if part in PAIRS else []))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything, or one part; leave with 1 when a target was missed or a part failed."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    asked = _parse(arguments)
    tools = build_tools(_say)
    os.environ["PATH"] = os.pathsep.join([str(tools.bin), os.environ.get("PATH", os.defpath)])
    with tempfile.TemporaryDirectory(prefix="gsb-") as folder:
        against = check_out(asked.against, Path(folder) / "against") if asked.against else None
        run = Run(tools, Path(folder), SMALLEST if asked.smallest else FULL, _say, against)
        found = run_parts(choose_parts(asked.only, paired=against is not None), run, asked.results)
    print(asked.results.read_text(encoding="utf-8"))
    return 0 if all(isinstance(one, Section) and one.met for one in found.values()) else 1


def choose_parts(only: str | None, *, paired: bool) -> dict[str, Part]:
    """Return the parts by the names they have in results.md. One part with another revision is its pair alone."""
    pairs = {f"{name}_pair": part for name, part in PAIRS.items() if only in (None, name)} if paired else {}
    if only is None:
        return {name: {**PARTS, **pairs}[name] for name in ORDER if name in {**PARTS, **pairs}}
    return pairs or {only: PARTS[only]}


def run_parts(parts: Mapping[str, Part], run: Run, results: Path) -> dict[str, Section | Exception]:
    """Run each part and write what it found at once: one that fails takes nothing of the others with it.

    Returns what each measured, or why it failed.
    """
    found: dict[str, Section | Exception] = {}
    for name, part in parts.items():
        run.progress(f"part {name}")
        with tempfile.TemporaryDirectory(prefix="part-", dir=run.folder) as folder, circumstances() as known:
            # Renders are kept here, so that no run profits from what an earlier one or the user has kept.
            os.environ["GITOPS_STACK_CACHE_DIR"] = f"{folder}/cache"
            try:
                found[name] = section = part(replace(run, folder=Path(folder)))
            except Exception as error:  # whatever it is, the other parts go on
                run.progress(f"part {name} failed: {error}")
                write_failure(results, name, error, known["on"], ORDER)
                found[name] = error
                continue
        write_sections(results, {name: render_section(section, known)}, ORDER)
    return found


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description="Measure, and write bench/results.md.")
    parser.add_argument("--only", choices=list(PARTS), help="measure one part and keep the others' figures")
    parser.add_argument(
        "--against", metavar="REV", help="pair this revision with another, by turns; with --only, nothing else"
    )
    parser.add_argument("--smallest", action="store_true", help="the smallest sizes: shows that all parts still run")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="write there")
    asked = parser.parse_args(arguments)
    if asked.against and asked.only and asked.only not in PAIRS:
        parser.error(f"--against: part {asked.only} is not paired; these are: {', '.join(PAIRS)}")
    if asked.smallest and asked.results == RESULTS:
        parser.error("--smallest: its figures say nothing; name another file for them with --results")
    return asked


def _stop(number: int, _: FrameType | None) -> None:
    sys.exit(f"stopped by signal {number}")  # an exception, so that the lab goes down


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
