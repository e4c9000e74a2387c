"""Find a kustomization, run kustomize once and read what it renders; its failures become one sentence."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from gitops_stack.conventions import GENERATED_HEADER
from gitops_stack.errors import COMMAND, EnvironmentProblem, GitOpsStackError, Problem, last_line, shorten
from gitops_stack.gitops_tree.git_environment import build_caller_environment, load_git_environment
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")  # in the order of kustomize's api/konfig
_LIMIT_SECONDS = 600.0  # five git commands at their own 120 s; a backstop, not a tuning knob
_NO_GIT = Problem("no git found, which kustomize fetches the remote base with", "install git", "PATH")


class BuildOptionNeededError(GitOpsStackError):
    """A kustomization that builds only with ``option``, which Argo CD takes from `kustomize.buildOptions`."""

    def __init__(self, directory: Path, option: str) -> None:
        """Name the folder and the option."""
        self.option = option
        needs = "set argocd.kustomize.buildOptions, or --kustomize-build-options for a folder without a stack"
        super().__init__(Problem(f"needs {option}", needs, str(directory)))


def kustomization_file(folder: Path) -> Path | None:
    """Return the kustomization in ``folder``, if there is one."""
    return next(_find_kustomizations(folder), None)


def list_kustomizations(folder: Path) -> list[Path]:
    """List the kustomizations in ``folder``; two are one too many for kustomize."""
    return list(_find_kustomizations(folder))


def _find_kustomizations(folder: Path) -> Iterator[Path]:
    return (file for name in KUSTOMIZATIONS if (file := folder / name).is_file())


def render_kustomization(
    directory: Path, options: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> list[Manifest]:
    """Render ``directory`` with `kustomize build`, or `kubectl kustomize`, in kustomize's order.

    ``options`` are those of the build, ``variables`` are added to the environment. Raises :class:`GitOpsStackError`
    for what is wrong in the tree, :class:`EnvironmentProblem` for a missing program or an unreachable remote.
    """
    command = [*find_kustomize(), str(directory), *options]
    environment = {**build_caller_environment(), **load_git_environment(), **(variables or {})}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        said = f"kustomize did not end in {_LIMIT_SECONDS:.0f} s"
        raise EnvironmentProblem(Problem(said, "check the network", str(directory))) from None
    if done.returncode:
        raise explain_failure(done.stderr, directory)
    return [document for document in load_documents(done.stdout) if isinstance(document, dict)]


def find_kustomize() -> list[str]:
    """Return the words of the command that renders. Raises :class:`EnvironmentProblem` when there is none."""
    if shutil.which("git") is None:
        raise EnvironmentProblem(_NO_GIT)
    if kustomize := shutil.which("kustomize"):
        return [kustomize, "build"]
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    needs = f"install one of them, or build kustomize with {COMMAND}"
    command = 'eval "$(gitops-stack lab env --tools)"'
    raise EnvironmentProblem(Problem("found neither kustomize nor kubectl", needs, "PATH", command=command))


def explain_failure(stderr: str, directory: Path) -> GitOpsStackError:
    """Turn kustomize's chain of wrapped errors into the one sentence that matters."""
    for pattern, explain in _CAUSES:
        if found := re.search(pattern, stderr):
            return explain(found, directory)
    said = f"kustomize failed: {shorten(last_line(stderr))}"
    return GitOpsStackError(Problem(said, "correct the kustomization", str(directory)))


def _patch_without_target(found: re.Match[str], directory: Path) -> GitOpsStackError:
    kind, name = found["kind"], found["name"]
    hint = "; the application controller is a StatefulSet" if name == "argocd-application-controller" else ""
    said = f"found a patch for {kind} {name}, which its resources do not have"
    needs = f"correct kind and name, or remove the patch{hint}"
    return GitOpsStackError(Problem(said, needs, str(_patch_file(directory, kind, name))))


def _patch_file(directory: Path, kind: str, name: str) -> Path:
    for file in sorted((directory / "patches").glob("*.yaml")):
        try:
            documents = load_documents(file.read_text(encoding="utf-8"))
        except yaml.YAMLError:
            continue
        for document in documents:
            found = document if isinstance(document, dict) else {}
            if found.get("kind") == kind and (found.get("metadata") or {}).get("name") == name:
                return file
    return directory / "kustomization.yaml"


def _unreadable_patch(found: re.Match[str], directory: Path) -> GitOpsStackError:
    said = "is not a patch that kustomize can read"
    return GitOpsStackError(Problem(said, "correct its YAML", f"{directory}/{found['path']}"))


def _missing_patch(found: re.Match[str], directory: Path) -> GitOpsStackError:
    said = "is named in the kustomization but missing"
    return GitOpsStackError(Problem(said, "add or unlist it", f"{directory}/{found['path']}"))


def _no_git(_found: re.Match[str], _directory: Path) -> GitOpsStackError:
    return EnvironmentProblem(_NO_GIT)


def _unknown_commit(found: re.Match[str], directory: Path) -> GitOpsStackError:
    needs = "correct argocd.commit or argocd.source" if _is_installation(directory) else "correct the base's ref"
    return GitOpsStackError(Problem(f"the remote has no {found['ref']}", needs, _shown(directory)))


def _unreachable(found: re.Match[str], directory: Path) -> GitOpsStackError:
    mirror = ", or name a mirror in argocd.source" if _is_installation(directory) else " and the base's address"
    said = f"the remote base cannot be reached: {found[0][:200].strip()}"
    return EnvironmentProblem(Problem(said, f"check the network{mirror}", _shown(directory)))


def _missing_folder(found: re.Match[str], directory: Path) -> GitOpsStackError:
    if not _is_installation(directory):
        return GitOpsStackError(Problem(f"a base is missing: {found[0][:200]}", "correct its path", _shown(directory)))
    needs = "argocd.source must have the content of argoproj/argo-cd"
    return GitOpsStackError(Problem("the remote has no such folder of manifests", needs, _shown(directory)))


def _is_installation(directory: Path) -> bool:
    """Tell whether the library wrote the kustomization: its remote base is then what the settings name."""
    file = kustomization_file(directory)
    return file is not None and file.read_text(encoding="utf-8", errors="replace").startswith(GENERATED_HEADER)


def _shown(directory: Path) -> str:
    return str(kustomization_file(directory) or directory)


def _needs_helm(_: re.Match[str], directory: Path) -> GitOpsStackError:
    return BuildOptionNeededError(directory, "--enable-helm")


def _needs_plugins(_: re.Match[str], directory: Path) -> GitOpsStackError:
    return BuildOptionNeededError(directory, "--enable-alpha-plugins")


def _needs_files_outside(_: re.Match[str], directory: Path) -> GitOpsStackError:
    return BuildOptionNeededError(directory, "--load-restrictor LoadRestrictionsNone")


def _not_yaml(found: re.Match[str], directory: Path) -> GitOpsStackError:
    said = f"found text that is not YAML: {found[0][:200]}"
    return GitOpsStackError(Problem(said, "correct the file", str(directory)))


_CAUSES: tuple[tuple[str, Callable[[re.Match[str], Path], GitOpsStackError]], ...] = (
    (r"must specify --enable-helm", _needs_helm),
    (r"external plugins disabled|unable to load (external )?plugin|--enable-alpha-plugins", _needs_plugins),
    (r"security; file '[^']*' is not in or below", _needs_files_outside),
    (r'matches strategic merge patch "(?P<kind>\w+)\.[^/"]*/(?P<name>[^"]+)\.[^."]+"', _patch_without_target),
    (r"no matches for Id (?P<kind>\w+)\.[^/]*/(?P<name>[^\s;]+)\.[^.\s;]+", _patch_without_target),
    (r'unable to parse SM or JSON patch from \[path: "(?P<path>[^"]+)"', _unreadable_patch),
    (r"failed to get the patch file from path\((?P<path>[^)]+)\)", _missing_patch),
    (r"no 'git' program on path", _no_git),
    (r"couldn't find remote ref (?P<ref>\S+)", _unknown_commit),
    (r"not our ref (?P<ref>\S+)", _unknown_commit),
    (r"fatal: unable to access [^\n]*|Could not resolve host[^\n]*|hit \S+ timeout[^\n]*", _unreachable),
    (r"Connection refused[^\n]*|repository '[^']*' not found[^\n]*|Repository not found", _unreachable),
    (r"fatal: '[^']*' does not appear to be a git repository|ssh: [^\n]*|fatal: could not read [^\n]*", _unreachable),
    (r"fatal: Authentication failed[^\n]*|dial tcp[^\n']*(no such host|refused|timeout)", _unreachable),
    (r"evalsymlink failure on '[^']*kustomize-\d+|unable to find one of 'kustomization\.yaml'", _missing_folder),
    (r"(?<![\w.])yaml: [^\n]*|MalformedYAMLError[^\n]*", _not_yaml),
)
