"""Check one stack, or one folder: render, validate, judge, and apply the switches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_stack.conventions import SELF_MANAGEMENT_APPLICATION
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.installation import load_stack_installation
from gitops_stack.preview.masking import mask_text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.settings.missing_cluster import describe_missing_cluster
from gitops_stack.stack_files import stack_file
from gitops_stack.tree_check.applications import RenderedApplication, Tree, load_tree
from gitops_stack.tree_check.authored_patches import check_installation_settings
from gitops_stack.tree_check.folder import load_folder
from gitops_stack.tree_check.folder_files import is_excluded
from gitops_stack.tree_check.inputs import Inputs
from gitops_stack.tree_check.json_form import settle_json
from gitops_stack.tree_check.judge import judge
from gitops_stack.tree_check.origins import locate_object
from gitops_stack.tree_check.plugins import FOLDER, load_plugins, run_plugins
from gitops_stack.tree_check.result import CheckOptions, CheckResult, load_report, report_key, write_report
from gitops_stack.tree_check.rule_switches import POLICIES_FILE, apply_switches, load_switches
from gitops_stack.tree_check.schemas import SchemaSet, choose_version
from gitops_stack.tree_check.source import SourceTools
from gitops_stack.tree_check.source_roots import relative_path
from gitops_stack.tree_check.uncertain import soften
from gitops_stack.tree_check.vendored_charts import check_vendored_charts

CATALOGUE = "schemas"
_DEFAULT = CheckOptions()
Ask = Callable[[Sequence[RenderedObject]], Iterable[Finding]]
"""Whoever has more to say about rendered objects, such as a real API server; its results are not kept."""


def check_stack(
    project: Path,
    settings: StackSettings,
    *,
    kubernetes_version: str | None = None,
    paths: Sequence[Path] = (),
    options: CheckOptions = _DEFAULT,
    ask: Ask | None = None,
) -> CheckResult:
    """Check a stack's tree and all that its applications render; with ``paths``, report what lies in them alone.

    The report's counts are then those of the applications that read these paths.

    Returns the kept report if no input changed.

    Raises :class:`EnvironmentProblem` for a missing program or an unreachable remote, :class:`GitOpsStackError` for
    `gitops/policies.yaml`.
    """
    started = time.time()
    own = settings.cluster.version if isinstance(settings.cluster, EksClusterSettings) else None
    version = choose_version(kubernetes_version or own)
    plugins = load_plugins(project)
    key = report_key(project, settings.model_dump_json(), version, paths, options)
    kept = None if plugins.installed or ask else load_report(key)
    if kept is not None:
        return kept
    entries = load_switches(project, (policy.rule for policy in plugins.policies))
    problems = _check_installation(project, settings)
    notes = list(_note_missing_cluster(settings))
    if notes and not (project / settings.tree_path).exists():
        return CheckResult(notes[0].file, settings.stack, version, 0, 0, tuple(notes))
    tree = load_tree(project, settings, kubernetes_version=version)
    settle_json(tree)
    found = [*problems, *notes, *tree.findings]
    schemas = SchemaSet(version, tree.definitions, _list_catalogues(project, options))
    found += [one for one in schemas.check(tree.objects) if not (problems and one.rule == "schema-missing")]
    found += judge(tree, settings.stack, settings.argocd.namespace)
    found += check_installation_settings(tree, project, settings)
    found += check_vendored_charts(tree, project)
    found += ask(tree.objects) if ask else []
    # What the installation renders is generated: nobody may edit it, so there is nothing a policy could ask for.
    found += run_plugins(plugins, [one for one in tree.objects if one.application != SELF_MANAGEMENT_APPLICATION])
    switched = apply_switches(found, entries, options.profile)
    placed = [_place(finding, tree, project) for finding in _without_excluded(switched, project, options)]
    chosen = _within(placed, tree, paths, project) if paths else placed
    covered = tuple(str(path) for path in paths if _covers(path, tree, project / settings.tree_path, project))
    reading = _reading(tree, paths, project) if paths else tree.applications
    counts = (len(reading), sum(len(one.objects) for one in reading))
    lacking = tuple(mask_text(sentence) for sentence in tree.lacking)
    report = CheckResult(settings.tree_path, settings.stack, version, *counts, _sorted(chosen), covered, lacking)
    if not plugins.installed and not plugins.findings and not ask:
        tree.inputs.add_folder(project / settings.tree_path)
        write_report(key, _add_inputs(project, tree.inputs, options), started, report)
    return report


def check_folder(
    project: Path,
    folder: Path,
    *,
    kubernetes_version: str | None = None,
    build_options: str | None = None,
    options: CheckOptions = _DEFAULT,
    ask: Ask | None = None,
) -> CheckResult:
    """Check a folder of manifests, a kustomization or a chart, without a stack.

    ``build_options`` are those that Argo CD gives to `kustomize build`; none when nobody said.
    Returns the kept report if no input changed.
    """
    started = time.time()
    version = choose_version(kubernetes_version)
    plugins = load_plugins(project)
    key = report_key(project, f"folder {build_options or ''}", version, [folder], options)
    kept = None if plugins.installed or ask else load_report(key)
    if kept is not None:
        return kept
    entries = load_switches(project, (policy.rule for policy in plugins.policies))
    tools = SourceTools(build_options, kubernetes_version=version)
    tree = load_folder(project, folder, tools, exclude=options.exclude)
    settle_json(tree)
    schemas = SchemaSet(version, tree.definitions, _list_catalogues(project, options), alternatives=True)
    found = [*tree.findings, *schemas.check(tree.objects), *judge(tree, "", "")]
    found += run_plugins(plugins, tree.objects)
    found += ask(tree.objects) if ask else []
    sure = soften(found, tree.objects, tree.guessed - tree.broken)
    switched = apply_switches(sure, entries, options.profile)
    placed = [_place(finding, tree, project) for finding in _without_excluded(switched, project, options)]
    place = relative_path(folder, project)
    lacking = tuple(mask_text(sentence) for sentence in tree.lacking)
    counts = (len(tree.applications), len(tree.objects))
    report = CheckResult(place, "", version, *counts, _sorted(placed), lacking=lacking)
    if not plugins.installed and not plugins.findings and not ask:
        write_report(key, _add_inputs(project, tree.inputs, options), started, report)
    return report


def _list_catalogues(project: Path, options: CheckOptions) -> list[Path]:
    return [*options.schemas, *(folder for folder in (project / CATALOGUE,) if folder.is_dir())]


def _without_excluded(findings: Iterable[Finding], project: Path, options: CheckOptions) -> Iterator[Finding]:
    for finding in findings:
        places = [project / place for place in (finding.file, finding.folder) if place]
        if not options.exclude or not any(is_excluded(place, project, options.exclude) for place in places):
            yield finding


def build_settings_report(project: Path, stack: str, problems: Iterable[Problem]) -> CheckResult:
    """Build the report of a stack whose settings cannot be used; nothing else of it was checked."""
    findings = [_installation_finding(problem, project, stack) for problem in problems]
    return CheckResult(stack_file(stack), stack, "", 0, 0, _sorted(findings))


def _note_missing_cluster(settings: StackSettings) -> Iterator[Finding]:
    if settings.cluster is None:
        problem = describe_missing_cluster(settings)
        yield Finding("installation", "note", problem.place, None, "", problem.found, "")


def _check_installation(project: Path, settings: StackSettings) -> list[Finding]:
    """Turn what `pulumi up` would refuse into findings; what the machine lacks stops the check."""
    try:
        load_stack_installation(settings, project / settings.tree_path)
    except EnvironmentProblem:
        raise
    except GitOpsStackError as error:
        return [_installation_finding(problem, project, settings.stack) for problem in error.problems]
    return []


def _installation_finding(problem: Problem, project: Path, stack: str) -> Finding:
    """Build the finding of a problem, which is at a file of the tree or at a setting; its command is for this stack."""
    problem = problem.for_stack(stack)
    file, place = stack_file(stack), problem.place
    if "/" in place and Path(place).is_relative_to(project):
        file = Path(place).relative_to(project).as_posix()
    elif place != file:
        problem = problem.at(file)
    return Finding("installation", "error", file, None, problem.field, problem.found, problem.remedy)


def _place(finding: Finding, tree: Tree, project: Path) -> Finding:
    if finding.object is None or finding.line:
        return finding
    files: Iterable[Path] = [project / finding.file]
    if Path(finding.file).name.lower().startswith("kustomization"):
        made_by = finding.application, finding.folder
        sources = [one.files for one in tree.applications if {one.spec.name, *one.folders} & {*made_by}]
        sources += [found for place, found in tree.loose_files.items() if place == finding.folder]
        files = [file for source in sources for file in sorted(source)]
    found = locate_object(files, finding.object.kind, finding.object.name)
    if found is None:
        return finding
    file, line = found
    return replace(finding, file=tree.show(file, project), line=line)


def _within(findings: Iterable[Finding], tree: Tree, paths: Sequence[Path], project: Path) -> Iterator[Finding]:
    wanted = [path.resolve() for path in paths]
    chosen = {one.spec.name for one in _reading(tree, paths, project)}
    for found in findings:
        places = [(project / place).resolve() for place in (found.file, found.folder) if place]
        inside = any(place.is_relative_to(path) for place in places for path in wanted)
        if found.rule == "not-rendered":  # its folder was not looked into: it is about all that lies there
            inside = inside or any(path.is_relative_to(places[-1]) for path in wanted)
        if found.application in chosen or inside:
            yield found


def _reading(tree: Tree, paths: Sequence[Path], project: Path) -> list[RenderedApplication]:
    wanted = [path.resolve() for path in paths]
    return [one for one in tree.applications if any(_reads(one, path, project) for path in wanted)]


def _reads(one: RenderedApplication, path: Path, project: Path) -> bool:
    files = [*one.files, *(project / folder for folder in one.folders)]
    if any(file.resolve().is_relative_to(path) for file in files):
        return True  # and of a chart that was not rendered no file is known
    return not one.files and any(path.is_relative_to((project / folder).resolve()) for folder in one.folders)


def _covers(path: Path, tree: Tree, folder: Path, project: Path) -> bool:
    wanted = path.resolve()
    inside = wanted.is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(wanted)
    return inside or any(_reads(one, wanted, project) for one in tree.applications)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    order = {"error": 0, "warning": 1, "note": 2}
    shown = {replace(found, found=mask_text(found.found), needs=mask_text(found.needs)) for found in findings}
    return tuple(sorted(shown, key=lambda finding: (order[finding.severity], finding.sort_key())))


def _add_inputs(project: Path, inputs: Inputs, options: CheckOptions) -> Inputs:
    inputs.add_files([project / POLICIES_FILE])
    for folder in (project / FOLDER, project / CATALOGUE, *options.schemas):
        inputs.add_folder(folder)
    return inputs
