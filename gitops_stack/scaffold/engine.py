"""The template engine: copier, imported when a command needs it, its errors told as sentences."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem, last_line
from gitops_stack.scaffold.answers import LIBRARY_VERSION, check_asked
from gitops_stack.scaffold.template_versions import VERSIONS, load_versions, template_repository

ANSWERS = ".copier-answers.yml"


def render_template(
    target: Path, answers: Mapping[str, Any], *, defaults: bool, versions: Path = VERSIONS
) -> dict[str, Any]:
    """Render the newest template into the empty folder ``target`` and return all answers.

    Questions without an answer are asked on the terminal, or take their default with ``defaults``. Raises
    :class:`GitOpsStackError` for an answer to a question that the others leave unasked.
    """
    newest = load_versions(versions)[-1]
    with _running({}) as copier:
        worker = copier.run_copy(
            str(newest), target, data=_data(answers), defaults=defaults, quiet=True, settings=copier.Settings()
        )
    GitOpsStackError.raise_for(check_asked(answers, worker.answers.hidden, versions))
    return dict(worker.answers.combined)


def merge_template(project: Path, answers: Mapping[str, Any], *, defaults: bool, versions: Path = VERSIONS) -> None:
    """Bring the newest template into ``project`` by copier's three-way merge; conflicts are left between markers."""
    with template_repository(versions) as variables, _running(variables) as copier:
        copier.run_update(
            project,
            data=_data(answers),
            defaults=defaults,
            skip_answered=True,
            overwrite=True,
            quiet=True,
            settings=copier.Settings(),
        )


def _data(answers: Mapping[str, Any]) -> dict[str, Any]:
    return {**answers, LIBRARY_VERSION: installed_version("gitops-stack")}


@contextmanager
def _running(variables: Mapping[str, str]) -> Iterator[Any]:
    import copier  # noqa: PLC0415 - a third of a second that no other command should pay
    from copier.errors import CopierAnswersInterrupt, CopierError, InteractiveSessionError  # noqa: PLC0415
    from plumbum import ProcessExecutionError, local  # noqa: PLC0415 - copier's; it keeps an environment of its own

    before = dict(os.environ)
    os.environ.update(variables)
    try:
        with local.env(**os.environ):
            yield copier
    except CopierAnswersInterrupt:
        raise KeyboardInterrupt from None
    except InteractiveSessionError:
        raise EnvironmentProblem(
            Problem(
                "there is no terminal to ask on", "give --defaults, --data NAME=VALUE or --answers-file FILE", "init"
            )
        ) from None
    except (CopierError, ValueError) as error:
        raise GitOpsStackError(Problem(f"{' '.join(str(error).split())}", "correct the answer", "template")) from None
    except ProcessExecutionError as error:
        raise EnvironmentProblem(
            Problem(f"git failed: {last_line(str(error.stderr))}", "repair it and run the command again", "template")
        ) from None
    finally:
        os.environ.clear()
        os.environ.update(before)
