"""The part of results.md about installing: figures to text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.run import Sizes
from bench.section import Section, Target, render_table

_MIB = 1 << 20


@dataclass(frozen=True)
class Figures:
    """What one candidate took: seconds (medians where repeated), bytes of state, peak bytes of memory."""

    fresh: float
    fresh_cpu: float
    no_op: float
    no_op_cpu: float
    preview: float
    state: int | None
    peak: int


def build_targets(naive: Figures, project: Figures, checks: float, bootstrap: Mapping[str, float]) -> list[Target]:
    """Build the list of targets with what was measured."""
    return [
        Target("fresh up, seeds included, against (b)", 0.5, project.fresh / naive.fresh, "x"),
        Target("no-op up against (b)", 0.15, project.no_op / naive.no_op, "x"),
        Target("state file against (b)", 0.25, (project.state or 0) / (naive.state or 1), "x"),
        Target("`render --check` and `check` of a tree", 3, checks, " s"),
        Target("bootstrap of stack local, tools built", 40, bootstrap["bootstrap"], " s"),
        Target("the same again", 45, bootstrap["again"], " s"),
    ]


def build_section(
    candidates: Mapping[str, Figures | str],
    targets: Sequence[Target],
    bootstrap: Mapping[str, float],
    circumstances: Mapping[str, str],
    sizes: Sizes,
) -> Section:
    """Build the part about installing. A candidate that was left out is a sentence that says why."""
    measured = {name: found for name, found in candidates.items() if isinstance(found, Figures)}
    naive, project = candidates["b"], candidates["c"]
    lines = [
        f"Argo CD's {'HA' if sizes.high_availability else 'standard'} manifests, one overlay (stack `local` with these"
        " manifests), three ways to install it:",
        "",
        "- (a) `kubectl apply --server-side -k`. It does not wait until anything is ready; preview is `kubectl diff`.",
        "- (b) `bench/naive`: a Pulumi program with one `kustomize.v2.Directory`, with `--parallel 128`: of itself the",
        "  engine registers eight objects at a time on this machine, and workloads may wait in all eight places for",
        "  ServiceAccounts that come behind them.",
        "- (c) this project, AppProjects and root application included. Its fresh run renders the remote base; later",
        "  runs use the kept render, as they do for everyone.",
        "",
        *(f"({name}) was left out: {found}." for name, found in candidates.items() if isinstance(found, str)),
        *render_table(
            ["", *(f"({name})" for name in measured), "(c) : (b)"],
            [
                [label, *(show(found) for found in measured.values()), _ratio(naive, project, key)]
                for label, key, show in _ROWS
            ],
        ),
        "",
        f"Each on a new cluster; no-op and preview are medians of {sizes.repeats}. CPU and memory: all processes of a",
        "run together (engine, language host, program, provider), sampled five times a second; memory is the highest",
        "sum of resident sets over all runs. The API server is not among them.",
        "",
        f"Destroying the bootstrapped stack, controllers alive: {bootstrap['destroy']:.1f} s.",
    ]
    return Section("Installing Argo CD", lines, targets, circumstances)


_ROWS: tuple[tuple[str, str, Callable[[Figures], str]], ...] = (
    ("fresh up", "fresh", lambda f: f"{f.fresh:.1f} s"),
    ("fresh up, CPU", "fresh_cpu", lambda f: f"{f.fresh_cpu:.1f} s"),
    ("no-op up", "no_op", lambda f: f"{f.no_op:.1f} s"),
    ("no-op up, CPU", "no_op_cpu", lambda f: f"{f.no_op_cpu:.1f} s"),
    ("preview", "preview", lambda f: f"{f.preview:.1f} s"),
    ("state file", "state", lambda f: "-" if f.state is None else f"{f.state / 1e6:.2f} MB"),
    ("peak memory", "peak", lambda f: f"{f.peak / _MIB:.0f} MiB"),
)


def _ratio(naive: Figures | str, project: Figures | str, key: str) -> str:
    return f"{getattr(project, key) / getattr(naive, key):.2f}"
