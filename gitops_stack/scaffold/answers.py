"""Answers to the template's questions: read from what was typed, and refused where copier would guess or pass over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_documents, load_yaml_file
from gitops_stack.scaffold.template_versions import VERSIONS, load_versions

LIBRARY_VERSION = "library_version"
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def load_questions(versions: Path = VERSIONS) -> dict[str, dict[str, Any]]:
    """Read the newest template's questions (name -> what copier.yml says of it), in the order they are asked.

    Without those that nobody is asked (`when: false`): they are worked out of the others.
    """
    questions = load_documents((load_versions(versions)[-1] / "copier.yml").read_text(encoding="utf-8"))[0]
    return {name: one for name, one in questions.items() if _is_asked(name, one)}


def _is_asked(name: str, question: Mapping[str, Any]) -> bool:
    return not name.startswith("_") and name != LIBRARY_VERSION and question.get("when") is not False


def parse_answers(answers: Mapping[str, object], versions: Path = VERSIONS) -> dict[str, Any]:
    """Return ``answers`` in the types of their questions; a list may be typed as `a,b` or `[a, b]`.

    Raises :class:`GitOpsStackError` with one sentence per wrong type and per question nobody asks: copier would pass
    over the latter, and take any word for true.
    """
    questions = load_questions(versions)
    findings: list[str] = []
    parsed: dict[str, Any] = {}
    for name, answer in answers.items():
        if name not in questions:
            findings.append(f"answers: {name}: is not a known question; known here: {', '.join(questions)}")
            continue
        try:
            parsed[name] = _parse(questions[name], answer)
        except ValueError as needed:
            findings.append(f"answers: {name}: found {answer}; needs {needed}")
    GitOpsStackError.raise_for(findings)
    return parsed


def check_asked(answers: Mapping[str, object], hidden: set[str], versions: Path = VERSIONS) -> Iterator[str]:
    """Yield a sentence per answer to a question that the other answers leave unasked (``hidden``)."""
    questions = load_questions(versions)
    for name in answers:
        if name in hidden:
            when = str(questions[name]["when"]).removeprefix("[[").removesuffix("]]").strip()
            yield f"answers: {name}: is asked only where {when}; leave it out, or change that answer"


def load_answers(file: Path) -> dict[str, Any]:
    """Read answers from a YAML file of names and values; keys of copier's own, which begin with `_`, are left out."""
    try:
        documents = load_yaml_file(file)
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be read: {error.strerror}", "name a file of answers", str(file))
        ) from None
    answers = documents[0] if documents else {}
    if not isinstance(answers, dict):
        raise GitOpsStackError(Problem("found no map", "write `question: answer` lines", str(file)))
    return {str(name): value for name, value in answers.items() if str(name)[:1] != "_" and name != LIBRARY_VERSION}


def _parse(question: Mapping[str, Any], answer: object) -> object:
    if question.get("multiselect"):
        return _parse_list(answer, question["choices"])
    if question["type"] == "bool":
        truth = answer if isinstance(answer, bool) else _TRUTHS.get(str(answer).strip().lower())
        if truth is None:
            raise ValueError("true or false")
        return truth
    if answer is None or isinstance(answer, (list, dict)):
        raise ValueError("one value")
    return answer


def _parse_list(answer: object, choices: list[str]) -> list[str]:
    needed = f"a list of {', '.join(choices)}, as {','.join(choices)}"
    found = answer
    if isinstance(answer, str):
        text = answer.strip()
        try:
            found = yaml.safe_load(text) if text.startswith("[") else [one.strip() for one in text.split(",")]
        except yaml.YAMLError:
            raise ValueError(needed) from None
    if not isinstance(found, list) or not found or not all(one in choices for one in found):
        raise ValueError(needed)
    return [choice for choice in choices if choice in found]
