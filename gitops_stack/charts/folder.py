"""The folder of a chart in the repository: found without following a link, read, and replaced whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem, shorten


def check_path(root: Path, path: str) -> Path:
    """Return where ``path``, from the repository's root, is. It need not be there.

    Raises :class:`GitOpsStackError` when a part of it is a link or leads out of ``root``, so that nothing is read,
    written or deleted elsewhere, and when a part above it is not a folder.
    """
    at = root
    parts = PurePosixPath(path).parts
    with explain_failure(path, "read"):
        for number, part in enumerate(parts, 1):
            at /= part
            place = "/".join(parts[:number])
            if part in ("..", "/"):
                raise GitOpsStackError(Problem("is a path out of the repository", "needs one inside of it", path))
            if at.is_symlink():
                needs = "replace it with what it points at: charts are neither read nor written through links"
                raise GitOpsStackError(Problem(f"is a link to {at.readlink()}", needs, place))
            if number < len(parts) and at.exists() and not at.is_dir():
                raise GitOpsStackError(Problem("is not a folder", "move it away: charts are kept below it", place))
    return at


def load_files(root: Path, folder: str) -> dict[str, bytes]:
    """Read the files of a chart's folder: path below it -> content; of a link in it, what it points at.

    Raises as :func:`check_path` does, and :class:`EnvironmentProblem` for what cannot be read.
    """
    base = check_path(root, folder)
    found = {}
    with explain_failure(folder, "read"):
        if base.exists() and not base.is_dir():
            raise GitOpsStackError(Problem("is not a folder", "move it away: a chart's files are kept in it", folder))
        for path in sorted(base.rglob("*")):
            place = path.relative_to(base).as_posix()
            if path.is_symlink():
                found[place] = f"link to {path.readlink()}".encode()
            elif path.is_file():
                found[place] = path.read_bytes()
            elif not path.is_dir():  # such as a pipe, which would never end
                found[place] = b"neither a file nor a folder"
    return found


def write_files(root: Path, folder: str, files: Mapping[str, bytes], replaced: Collection[str]) -> None:
    """Write ``files`` whole or not at all. All paths are from the repository's root, most are in ``folder``.

    ``replaced`` are files, and folders in the place of files, that go. Raises as :func:`check_path` does, and
    :class:`EnvironmentProblem` with everything as it was.
    """
    target = check_path(root, folder)
    others = [check_path(root, path) for path in files if not path.startswith(f"{folder}/")]
    gone = {root / path for path in replaced}
    with explain_failure(folder, "written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that it needs no copy to be put there.
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent, ignore_cleanup_errors=True) as scratch:
            made = Path(scratch) / "made"
            if target.exists():
                _copy(target, made / folder, gone)
            for path, content in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_bytes(content)
            _swap(target, made / folder, Path(scratch) / "old", {one: made / one.relative_to(root) for one in others})


def _copy(source: Path, target: Path, left_out: Collection[Path]) -> None:
    def ignore(place: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(place, name) in left_out]

    shutil.copytree(source, target, symlinks=True, ignore=ignore)


def _swap(target: Path, new: Path, old: Path, others: Mapping[Path, Path]) -> None:
    """Put ``new`` in its place, and each of ``others`` (place -> new file); take the folder back when that fails."""
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
        for place, made in others.items():
            made.replace(place)
    except OSError:
        if target.exists():
            target.rename(new)
        if old.exists():
            old.rename(target)
        raise


@contextmanager
def explain_failure(place: str, what: str) -> Iterator[None]:
    """Raise :class:`EnvironmentProblem` in the place of an `OSError`; ``what`` was to be done: `read`, `written`."""
    try:
        yield
    except OSError as error:
        said = error.strerror or shorten(str(error))
        raise EnvironmentProblem(Problem(f"cannot be {what}: {said}", "repair it, then run again", place)) from None
