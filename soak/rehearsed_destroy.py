"""The last step of a rehearsal as a process of its own: `python -m soak.rehearsed_destroy PROJECT STACK`."""

from __future__ import annotations

import sys
from pathlib import Path

from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal
from gitops_stack.lab.tools import build_tools


def main() -> int:
    """Run it; leave with 1 and the sentences when it fails, as the command line does."""
    project, stack = Path(sys.argv[1]), sys.argv[2]
    try:
        lab = Lab.open(project / ".lab" / f"rehearse-{stack}", build_tools(_say))
        rehearsal = Rehearsal.open(lab, project, stack)
        rehearsal.start(project, _say)
        rehearsal.recover(_say)
        if rehearsal.report.engine.has_resources():
            rehearsal.report.lab.start_argocd(
                namespace=rehearsal.settings.argocd.namespace,
                git_environment={**rehearsal.report.engine.git_environment, **rehearsal.report.repo_server},
                progress=_say,
            )
            rehearsal.destroy(_say)
    except GitOpsStackError as error:
        for finding in error.findings:
            _say(f"error: {finding}")
        return 1
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
