"""Start-up tests of a working tree one after the other, in one lab that stays up between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack

from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.lab import Progress
from gitops_stack.lab.trial import Trial

OnTried = Callable[[Trial, GitOpsStackError | None], None]


def run_trials(
    trials: Iterable[Trial], progress: Progress, report: OnTried, *, limit_seconds: float, keep: bool = False
) -> None:
    """Run tests as they come and ``report`` each, with what stopped it.

    All are of one lab, which is nobody else's meanwhile, and is taken down after the last unless it is kept.
    """
    with ExitStack() as opened:
        before: Trial | None = None
        is_alone = False
        for trial in trials:
            if not is_alone:
                opened.enter_context(trial.lab.state.alone())
                if not keep:
                    opened.callback(trial.lab.down, progress)
                is_alone = True
            try:
                is_up = trial.open_lab(progress) and before is not None and trial.plays_host == before.plays_host
                trial.run_in_lab(progress, limit_seconds, is_up=is_up)
            except GitOpsStackError as error:  # what the API server refuses is there to be corrected and saved again
                report(trial, error)
                continue
            report(trial, None)
            before = trial
