"""Own policies: plain functions `check_…(objects) -> findings`, from `policies/*.py` or installed packages.

An installed package names a function, or a module of them, in the entry point group `gitops_stack.policies`.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, ModuleType

from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.known_rules import BY_ID

ENTRY_POINTS = "gitops_stack.policies"
FOLDER = "policies"
_PREFIX = "check_"
Check = Callable[[Sequence[RenderedObject]], Iterable[Finding]]


class _FromSource(SourceFileLoader):
    """Load a module from its source alone.

    Python's own cache takes a source of the same size and second for the same one, and is a new file in the tree.
    """

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader's signature
        """Compile the source as it is now."""
        return self.source_to_code(self.get_data(self.path), self.path)


@dataclass(frozen=True)
class OwnPolicy:
    """One own policy; its rule is the function's name without `check_`, with dashes."""

    rule: str
    file: str
    check: Check

    @property
    def name(self) -> str:
        """The name of the function."""
        return _PREFIX + self.rule.replace("-", "_")


@dataclass
class Plugins:
    """What was found: the policies, and a finding for each file that cannot be loaded."""

    policies: list[OwnPolicy] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    installed: bool = False


def load_plugins(project: Path) -> Plugins:
    """Load the own policies of a project and of installed packages."""
    plugins = Plugins()
    for file in sorted((project / FOLDER).glob("*.py")):
        place = file.relative_to(project).as_posix()
        try:
            _add(plugins, _policies(_load_module(file), place))
        except (Exception, SystemExit) as error:
            plugins.findings.append(_failed(place, error))
    for point in entry_points(group=ENTRY_POINTS):
        plugins.installed = True
        place = f"{point.name} ({point.value})"
        try:
            _add(plugins, _policies(point.load(), place))
        except (Exception, SystemExit) as error:
            plugins.findings.append(_failed(place, error))
    return plugins


def run_plugins(plugins: Plugins, objects: Sequence[RenderedObject]) -> Iterator[Finding]:
    """Run every own policy on ``objects``; one that raises becomes a finding."""
    yield from plugins.findings
    for policy in plugins.policies:
        try:
            made = policy.check(objects)
            found = list(made) if isinstance(made, Iterable) else [made]
        except (Exception, SystemExit) as error:
            yield _failed(policy.file, error)
            continue
        if all(isinstance(one, Finding) for one in found):
            yield from (replace(one, rule=one.rule or policy.rule) for one in found)
        else:
            said = f"{policy.name} gave something else than findings"
            yield _refused(policy, said, "yield what RenderedObject.finding() returns")


def _add(plugins: Plugins, policies: Iterable[OwnPolicy]) -> None:
    for policy in policies:
        if policy.rule in BY_ID:  # one switch for both would switch off more than is meant
            said = f"{policy.name} is named as the built-in rule {policy.rule}"
            plugins.findings.append(_refused(policy, said, "give it another name"))
        else:
            plugins.policies.append(policy)


def _load_module(file: Path) -> ModuleType:
    name = f"gitops_stack_policies_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file, loader=_FromSource(name, str(file)))
    if spec is None or spec.loader is None:  # pragma: no cover - a .py file always has a loader
        raise ImportError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _policies(loaded: object, place: str) -> Iterator[OwnPolicy]:
    functions = [loaded] if not isinstance(loaded, ModuleType) else list(vars(loaded).values())
    for function in functions:
        name = getattr(function, "__name__", "")
        if callable(function) and name.startswith(_PREFIX):
            yield OwnPolicy(name.removeprefix(_PREFIX).replace("_", "-"), place, function)


def _failed(place: str, error: BaseException) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).as_posix().endswith(place)]
    said = str(error)
    if isinstance(error, SyntaxError) and Path(error.filename or "").as_posix().endswith(place):
        lines, said = [error.lineno], error.msg
    line = f"line {lines[-1]}" if lines else ""  # of the policy; those of its libraries and of this one say little
    said = f"raised {type(error).__name__}: {' '.join(said.split())[:200]}"
    return Finding("policy-failed", "error", place, None, line, said, "correct the policy")


def _refused(policy: OwnPolicy, said: str, needs: str) -> Finding:
    code = getattr(policy.check, "__code__", None)
    line = f"line {code.co_firstlineno}" if code is not None else ""
    return Finding("policy-failed", "error", policy.file, None, line, said, needs)
