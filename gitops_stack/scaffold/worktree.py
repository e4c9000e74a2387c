"""What git says about the repository a command works in, and the merge of files that differ in line breaks alone."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem, last_line
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.gitops_tree.whole_file import write_whole_file


def load_changes(folder: Path) -> list[str] | None:
    """List the paths in ``folder`` that differ from the last commit, new ones among them; ``None``: no git repository.

    Raises :class:`EnvironmentProblem` when git is missing.
    """
    lines = _git(folder, "status", "--porcelain", "--no-renames", "-z", "--", ".")
    if lines is None:
        return None
    prefix = "".join(_git(folder, "rev-parse", "--show-prefix") or ()).strip()  # git names paths from the top
    return sorted(line[3:].removeprefix(prefix) for line in lines if line)


def load_conflicts(folder: Path) -> list[str]:
    """List the paths in ``folder`` that git holds as unmerged."""
    return sorted(
        {
            path
            for path in _git(folder, "diff", "--name-only", "--diff-filter=U", "--relative", "-z", "--", ".") or ()
            if path
        }
    )


def settle_line_breaks(folder: Path) -> None:
    """Merge anew what conflicts as a whole because it has other line breaks than the template: CRLF stays CRLF."""
    conflicts = load_conflicts(folder)
    top = Path((_git(folder, "rev-parse", "--show-toplevel") or [""])[0].strip()) if conflicts else folder
    for path in conflicts:
        listed = (_git(folder, "checkout-index", "--stage=all", "--temp", "--", path) or [""])[0]
        base, ours, theirs = (top / name for name in listed.partition("\t")[0].split(" "))
        try:
            if all(side.is_file() for side in (base, ours, theirs)) and _has_windows_breaks(ours.read_bytes()):
                for side in (base, theirs):
                    side.write_bytes(side.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
                labels = ("-L", "before updating", "-L", "last update", "-L", "after updating")
                names = (ours.name, base.name, theirs.name)
                merged = start_git(top, "merge-file", *labels, *names, environment=build_caller_environment())
                write_whole_file(folder / path, ours.read_bytes())
                if merged.returncode == 0:
                    _git(folder, "reset", "--quiet", "--", path)
        finally:
            for side in (base, ours, theirs):
                side.unlink(missing_ok=True)


def _has_windows_breaks(content: bytes) -> bool:
    return b"\n" in content and content.count(b"\n") == content.count(b"\r\n")


def _git(folder: Path, *arguments: str) -> list[str] | None:
    done = start_git(folder, *arguments, environment=build_caller_environment())
    if "not a git repository" in done.stderr:
        return None
    if done.returncode:
        raise EnvironmentProblem(
            Problem(f"git {arguments[0]} failed: {last_line(done.stderr)}", "repair the repository", str(folder))
        )
    return done.stdout.split("\0")
