"""The report of a campaign, as Markdown."""

from __future__ import annotations

from collections import Counter
from statistics import median

from soak.campaign import Campaign


def build_report(campaign: Campaign, seconds: float) -> str:
    """Say what was killed how often, how long recovery took, and each fault."""
    hits = Counter((hit.kill.phase, hit.kill.victim) for hit in campaign.hits)
    failed = Counter((hit.kill.phase, hit.kill.victim) for hit in campaign.hits if hit.ending.code)
    lines = [
        f"# {len(campaign.hits)} kills, seed {campaign.seed}: {len(campaign.faults)} faults",
        "",
        f"{seconds / 60:.0f} minutes; {len(campaign.recoveries)} recoveries"
        + (f", {median(campaign.recoveries):.0f} s in the middle, {max(campaign.recoveries):.0f} s at most."
           if campaign.recoveries else "."),
        "",
        "| phase | process | kills | the command failed | its longest, s |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for phase, victim in sorted(hits):
        longest = max(
            hit.ending.seconds for hit in campaign.hits if (hit.kill.phase, hit.kill.victim) == (phase, victim)
        )
        lines.append(f"| {phase} | {victim} | {hits[phase, victim]} | {failed[phase, victim]} | {longest:.0f} |")
    lines += ["", *(f"- {fault}" for fault in campaign.faults)]
    return "\n".join(lines).rstrip() + "\n"
