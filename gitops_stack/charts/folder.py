"""The folder of a chart in the repository: found without following a link, and read."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from gitops_stack.errors import GitOpsStackError, Problem

_OWN = "replace it with what it points at: charts are neither read nor written through links"


def check_path(root: Path, path: str) -> Path:
    """Return where ``path``, from the repository's root, is. It need not be there.

    Raises :class:`GitOpsStackError` when a part of it is a link or leads out of ``root``: nothing is read, written or
    deleted elsewhere.
    """
    at = root
    for part in PurePosixPath(path).parts:
        at /= part
        if part in ("..", "/"):
            raise GitOpsStackError(Problem("is a path out of the repository", "needs one inside of it", path))
        if at.is_symlink():
            link = at.relative_to(root).as_posix()
            raise GitOpsStackError(Problem(f"is a link to {at.readlink()}", _OWN, link))
    return at


def load_files(root: Path, folder: str) -> dict[str, bytes]:
    """Read the files of a chart's folder: path below it -> content; of a link in it, what it points at.

    Raises :class:`GitOpsStackError` as :func:`check_path` does.
    """
    base = check_path(root, folder)
    found = {}
    for path in sorted(base.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(base).as_posix()] = f"link to {path.readlink()}".encode()
        elif path.is_file():
            found[path.relative_to(base).as_posix()] = path.read_bytes()
    return found
