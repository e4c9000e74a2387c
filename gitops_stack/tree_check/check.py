"""Check one stack, or one folder: render, validate, judge, and apply the switches."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_stack.conventions import SELF_MANAGEMENT_APPLICATION
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.installation import load_stack_installation
from gitops_stack.policies.finding import Finding
from gitops_stack.preview.masking import mask_text
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree, load_tree
from gitops_stack.tree_check.folder import load_folder
from gitops_stack.tree_check.inputs import Inputs
from gitops_stack.tree_check.judge import judge
from gitops_stack.tree_check.origins import locate_object
from gitops_stack.tree_check.plugins import FOLDER, load_plugins, run_plugins
from gitops_stack.tree_check.policies_file import POLICIES_FILE, apply_policies, load_policies
from gitops_stack.tree_check.result import Report, load_report, report_key, write_report
from gitops_stack.tree_check.schemas import SchemaSet, choose_version
from gitops_stack.tree_check.source import SourceTools
from gitops_stack.tree_check.source_roots import relative_path

CATALOGUE = "schemas"


def check_stack(
    project: Path, settings: StackSettings, *, kubernetes_version: str | None = None, paths: Sequence[Path] = ()
) -> Report:
    """Check a stack's tree and all that its applications render; with ``paths``, report what lies in them alone.

    The report's counts are then those of the applications that read these paths.

    A result whose inputs are as they were is read and not made again.

    Raises :class:`EnvironmentProblem` for a missing program or an unreachable remote, :class:`GitOpsStackError` for
    `gitops/policies.yaml`.
    """
    started = time.time()
    own = settings.cluster.version if isinstance(settings.cluster, EksClusterSettings) else None
    version = choose_version(kubernetes_version or own)
    plugins = load_plugins(project)
    key = report_key(project, settings.model_dump_json(), version, paths)
    kept = None if plugins.installed else load_report(key)
    if kept is not None:
        return kept
    entries = load_policies(project, (policy.rule for policy in plugins.policies))
    problems = _check_installation(project, settings)
    tree = load_tree(project, settings, kubernetes_version=version)
    found = [*problems, *tree.findings]
    catalogue = project / CATALOGUE
    schemas = SchemaSet(version, tree.definitions, catalogue if catalogue.is_dir() else None)
    found += [one for one in schemas.check(tree.objects) if not (problems and one.rule == "schema-missing")]
    found += judge(tree, settings.stack, settings.argocd.namespace)
    # What the installation renders is generated: nobody may edit it, so there is nothing a policy could ask for.
    found += run_plugins(plugins, [one for one in tree.objects if one.application != SELF_MANAGEMENT_APPLICATION])
    placed = [_place(finding, tree, project) for finding in apply_policies(found, entries)]
    chosen = _within(placed, tree, paths, project) if paths else placed
    covered = tuple(str(path) for path in paths if _covers(path, tree, project / settings.tree_path, project))
    reading = _reading(tree, paths, project) if paths else tree.applications
    counts = (len(reading), sum(len(one.objects) for one in reading))
    lacking = tuple(mask_text(sentence) for sentence in tree.lacking)
    report = Report(settings.tree_path, settings.stack, version, *counts, _sorted(chosen), covered, lacking)
    if not plugins.installed and not plugins.findings and not lacking:
        write_report(key, _inputs(project, settings, tree.inputs), started, report)
    return report


def check_folder(
    project: Path, folder: Path, *, kubernetes_version: str | None = None, build_options: str | None = None
) -> Report:
    """Check a folder of manifests, a kustomization or a chart, without a stack.

    ``build_options`` are those that Argo CD gives to `kustomize build`; none when nobody said.
    """
    version = choose_version(kubernetes_version)
    plugins = load_plugins(project)
    entries = load_policies(project, (policy.rule for policy in plugins.policies))
    tree = load_folder(project, folder, SourceTools(build_options, kubernetes_version=version))
    catalogue = project / CATALOGUE
    schemas = SchemaSet(version, tree.definitions, catalogue if catalogue.is_dir() else None)
    found = [*tree.findings, *schemas.check(tree.objects), *judge(tree, "", "argocd")]
    found += run_plugins(plugins, tree.objects)
    placed = [_place(finding, tree, project) for finding in apply_policies(found, entries)]
    place = relative_path(folder, project)
    lacking = tuple(mask_text(sentence) for sentence in tree.lacking)
    counts = (len(tree.applications), len(tree.objects))
    return Report(place, "", version, *counts, _sorted(placed), lacking=lacking)


def build_settings_report(stack: str, sentences: Iterable[str]) -> Report:
    """Build the report of a stack whose settings cannot be used; nothing else of it was checked."""
    place = f"Pulumi.{stack}.yaml"
    findings = [
        Finding("installation", "error", place, None, "", *_halves(sentence.removeprefix(f"{place}: ")))
        for sentence in sentences
    ]
    return Report(place, stack, "", 0, 0, _sorted(findings))


def _check_installation(project: Path, settings: StackSettings) -> list[Finding]:
    """Turn what `pulumi up` would refuse into findings; what the machine lacks stops the check."""
    try:
        load_stack_installation(settings, project / settings.tree_path)
    except EnvironmentProblem:
        raise
    except GitOpsStackError as error:
        return [_installation_finding(sentence, project, settings) for sentence in error.findings]
    return []


def _installation_finding(sentence: str, project: Path, settings: StackSettings) -> Finding:
    sentence = re.sub(r"`gitops-stack (lock|render)`", rf"`gitops-stack \1 --stack {settings.stack}`", sentence)
    place, _, rest = sentence.partition(": ")
    inside = Path(place).is_relative_to(project) and "/" in place
    file = Path(place).relative_to(project).as_posix() if inside else f"Pulumi.{settings.stack}.yaml"
    return Finding("installation", "error", file, None, "", *_halves(rest if inside else sentence))


def _halves(sentence: str) -> tuple[str, str]:
    found, _, needs = sentence.rpartition("; ")
    return (found, needs) if found else (needs, "")


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


def _inputs(project: Path, settings: StackSettings, inputs: Inputs) -> Inputs:
    inputs.add_folder(project / settings.tree_path)
    inputs.add_files([project / POLICIES_FILE])
    for name in (FOLDER, CATALOGUE):
        inputs.add_folder(project / name)
    return inputs
