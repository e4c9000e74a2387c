"""Run a campaign: `python -m soak --kills 110 --seed 7`; leaves with 1 when something did not hold."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from types import FrameType

from gitops_stack.lab.tools import build_tools
from soak.campaign import Campaign
from soak.kills import draw_rounds
from soak.report import build_report
from soak.roads import RehearsalRoad, Road

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Parse, run, report."""
    parser = argparse.ArgumentParser("python -m soak", description="Kill at random, recover, and look what holds.")
    parser.add_argument("--kills", type=int, default=20, help="how many kills have to hit")
    parser.add_argument("--seed", default="1", help="what the draws follow from")
    parser.add_argument("--round", type=int, default=1, help="the first round; earlier ones are left out")
    parser.add_argument("--rehearsal", action="store_true", help="stack dev with its account, in place of stack local")
    parser.add_argument("--report", type=Path, help="file for the report; default: standard output")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    tools = build_tools(_say)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        kind = RehearsalRoad if given.rehearsal else Road
        road = kind.create(ROOT, Path(folder), tools)
        campaign = Campaign(road, given.seed, _say)
        try:
            campaign.run(islice(draw_rounds(given.seed, road.kind), given.round - 1, None), given.kills)
        finally:
            road.lab.down(_say)
            text = build_report(campaign, time.monotonic() - started)
            if given.report:
                given.report.write_text(text, encoding="utf-8")
            else:
                print(text)
    return 1 if campaign.faults else 0


def _stop(number: int, _: FrameType | None) -> None:
    sys.exit(f"stopped by signal {number}")  # an exception, so that the lab goes down


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
