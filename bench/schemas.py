"""Strict schema validation of rendered files, as a process of its own.

`python -m bench.schemas FOLDER CATALOGUE VERSION WORKERS` prints how many objects were read and how many findings they
have. Imports what validating needs and nothing else, as any program's start-up counts. Workers are forked, which a
process without threads may do, and after a first handful of files: schemas and validators are made once.
"""

from __future__ import annotations

import multiprocessing
import sys
from itertools import repeat
from pathlib import Path

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.schemas import SchemaSet

_FIRST = 10  # files, among them one of every kind


def check_files(files: list[Path], catalogue: Path, version: str) -> tuple[int, int]:
    """Return how many objects ``files`` hold, and how many findings those have."""
    objects = [RenderedObject(one, "", file.name) for file in files for one in load_documents(file.read_bytes())]
    return len(objects), len(list(SchemaSet(version, catalogues=[catalogue]).check(objects)))


def main() -> None:
    folder, catalogue, version, workers = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    files = sorted(folder.glob("*.yaml"), reverse=True)
    first, rest = files[:_FIRST], files[_FIRST:]
    shares = [rest[number::workers] for number in range(workers)]
    counts = [check_files(first, catalogue, version)]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        counts += pool.starmap(check_files, zip(shares, repeat(catalogue), repeat(version), strict=False))
    print(*map(sum, zip(*counts, strict=True)))


if __name__ == "__main__":
    main()
