"""The lab's Git repository and the clone people work in.

The bare repository is what Argo CD follows. The clone beside it is a whole Pulumi project: program, stack file and
GitOps tree, with the lab's own repository and context filled in. It is seeded once; afterwards it belongs to people.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.config import load_stack_file
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, Problem, last_line
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.gitops_tree.git_environment import build_isolated_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file

_IDENTITY = {"user.name": "gitops-stack lab", "user.email": "lab@localhost"}


@dataclass(frozen=True)
class Workspace:
    """A bare repository, its clone, and the stack they serve."""

    repository: Path
    directory: Path
    stack: str

    @classmethod
    def under(cls, state: Path, stack: str) -> Workspace:
        """Return the workspace of the lab in the folder ``state``; nothing is made."""
        return cls(state / "gitops.git", state / "workspace", stack)

    @property
    def seeded(self) -> bool:
        """Tell whether the first commit has been pushed."""
        return self.repository.is_dir() and bool(self.git("for-each-ref", "refs/heads", cwd=self.repository))

    def settings(self) -> StackSettings:
        """Read the stack's settings as the clone has them."""
        return load_stack_file(self.directory, self.stack)

    def write(self, project: Path, cluster: tuple[Path, str] | None) -> None:
        """Copy program and trees of ``project`` into a new clone of a new repository; neither may be there.

        ``cluster`` is the kubeconfig and context its stack is pointed at; without it the stack file stays as it is.

        Raises :class:`GitOpsStackError` for what is wrong in the project's stack file.
        """
        settings = load_stack_file(project, self.stack)
        self.make_repository(settings.gitops.revision)
        self.git("clone", "--quiet", str(self.repository), str(self.directory))
        self.name_author()
        self.git("checkout", "--quiet", "-B", settings.gitops.revision)
        for name in ("Pulumi.yaml", "__main__.py", f"Pulumi.{self.stack}.yaml"):
            _copy(project / name, self.directory / name)
        for top in sorted({path.split("/")[0] for path in _own_paths(settings)}):
            _copy(project / top, self.directory / top)
        if cluster is not None:
            self._point_at_lab(*cluster)
        pointed = self.settings()
        write_tree(pointed, self.directory / pointed.tree_path)

    def commit_and_push(self, message: str) -> str:
        """Commit everything, push, and return the revision Argo CD should reach."""
        self.git("add", "--all")
        if self.git("status", "--porcelain"):
            self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD")
        return self.pushed_revision()

    def make_repository(self, branch: str) -> None:
        """Make an empty bare repository whose first branch is ``branch``."""
        self.git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(self.repository))

    def name_author(self) -> None:
        """Say in the clone's settings who commits there."""
        for name, value in _IDENTITY.items():
            self.git("config", name, value)

    def pushed_revision(self) -> str:
        """Return the commit the followed branch of the bare repository stands at."""
        return self.git("rev-parse", self.settings().gitops.revision, cwd=self.repository)

    def _point_at_lab(self, kubeconfig: Path, context: str) -> None:
        file = self.directory / stack_file(self.stack)
        text = StackText.load(file)
        cluster = {"provider": "existing", "kubeconfig": str(kubeconfig), "context": context}
        text.set((f"{PULUMI_PROJECT}:cluster",), cluster)
        gitops, projects = f"{PULUMI_PROJECT}:gitops", f"{PULUMI_PROJECT}:projects"
        original, own = text.value(gitops, "repoUrl"), self.repository.as_uri()
        text.set((gitops, "repoUrl"), own)
        text.remove((gitops, "credentials"))
        for name, project in (text.value(projects) or {}).items():
            urls = project.get("sourceRepos") or ()
            if original in urls:
                text.set((projects, name, "sourceRepos"), [own if url == original else url for url in urls])
        text.write(file)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git in the clone, or in ``cwd``, and return what it printed, stripped; raises with what git says."""
        folder = cwd or (self.directory if self.directory.is_dir() else self.repository.parent)
        done = start_git(folder, *arguments, environment=self.environment())
        if done.returncode:
            remedy = (
                "repair it, or move it away: the next run makes it again from the clone beside it"
                if folder == self.repository
                else "repair it"
            )
            raise EnvironmentProblem(
                Problem(f"git {arguments[0]} failed: {last_line(done.stderr)}", remedy, str(folder))
            )
        return done.stdout.strip()

    def environment(self) -> dict[str, str]:
        """Return git's environment: nothing of the caller's, and no repository around the lab's folder."""
        return {**build_isolated_environment(), "GIT_CEILING_DIRECTORIES": str(self.repository.parent)}


def _own_paths(settings: StackSettings) -> list[str]:
    own = (workload.path for workload in settings.workloads.values() if workload.repo_url is None)
    return [settings.tree_path, *own]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copy(source, target)
    else:
        raise EnvironmentProblem(Problem("is missing", "the lab runs the Pulumi project it is started in", str(source)))
