"""Strict schema validation: objects a second, ours in one and two processes, and kubeconform's on the same files.

Run with `python -m bench.schemas [OBJECTS] [KUBECONFORM]`; without the path of a kubeconform only ours is measured.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from gitops_stack.gitops_tree.yaml_text import load_documents, render_document
from gitops_stack.policies.finding import RenderedObject
from gitops_stack.tree_check.schemas import SchemaSet

VERSION = "1.35"
BASES = Path(__file__).resolve().parent.parent / "tests/fixtures/checks/bases.yaml"
KINDS = ("deployment", "service", "budget", "cronjob", "configmap", "claim")
_REFERENCE = re.compile(r'"\$ref": "[^"]*#/\$defs/([^"]+)"')


def build_files(folder: Path, count: int) -> list[Path]:
    """Write ``count`` objects of six kinds, one file each as kubeconform is usually given them."""
    bases = load_documents(BASES.read_text(encoding="utf-8"))[0]
    files = []
    for number in range(count):
        found = bases[KINDS[number % len(KINDS)]]
        found["metadata"]["name"] = f"n{number}"
        file = folder / f"{number:05}.yaml"
        file.write_text(render_document(found), encoding="utf-8")
        files.append(file)
    return files


def load(files: Iterable[Path]) -> list[RenderedObject]:
    return [RenderedObject(one, "", str(file)) for file in files for one in load_documents(file.read_bytes())]


def check_files(files: list[Path]) -> int:
    return len(list(SchemaSet(VERSION).check(load(files))))


def check_in_processes(files: list[Path]) -> int:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return sum(pool.map(check_files, (files[::2], files[1::2])))


def write_bundles(folder: Path) -> str:
    """Write the same schemas as kubeconform reads them, one file a kind with its definitions; returns its option."""
    own = resources.files("kubernetes_validate") / f"kubernetes-json-schema/v{VERSION}.0-local-strict"
    definitions = json.loads((own / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    for name in (
        "deployment-apps-v1",
        "service-v1",
        "poddisruptionbudget-policy-v1",
        "cronjob-batch-v1",
        "configmap-v1",
    ):
        write_bundle(folder, name, json.loads((own / f"{name}.json").read_text(encoding="utf-8")), definitions)
    claim = json.loads((own / "persistentvolumeclaim-v1.json").read_text(encoding="utf-8"))
    write_bundle(folder, "persistentvolumeclaim-v1", claim, definitions)
    return f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"


def write_bundle(folder: Path, name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    used: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for found in _REFERENCE.findall(json.dumps(waiting.pop())):
            if found not in used:
                used[found] = definitions[found]
                waiting.append(definitions[found])
    plain = {name: {key: value for key, value in one.items() if key != "$id"} for name, one in used.items()}
    text = json.dumps({**{key: value for key, value in schema.items() if key != "$id"}, "$defs": plain})
    (folder / f"{name}.json").write_text(_REFERENCE.sub(r'"$ref": "#/$defs/\1"', text), encoding="utf-8")


def measure(name: str, count: int, work: Callable[[], object]) -> None:
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    print(f"{name:44} {count / seconds:10,.0f} objects/s  {seconds:6.2f} s  {result}")


def last_line(command: list[str]) -> str:
    """Return the last line a program prints: kubeconform's summary."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().splitlines()[-1]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "files").mkdir()
        files = build_files(Path(made) / "files", count)
        objects = load(files)
        schemas = SchemaSet(VERSION)
        measure("ours, schema alone, first time", count, lambda: len(list(schemas.check(objects))))
        measure("ours, schema alone, compiled", count, lambda: len(list(schemas.check(objects))))
        measure("ours, reading YAML, one process", count, lambda: check_files(files))
        measure("ours, reading YAML, two processes", count, lambda: check_in_processes(files))
        if len(sys.argv) == len(("bench", "OBJECTS", "KUBECONFORM")):
            bundles = Path(made) / "schemas"
            bundles.mkdir()
            option = write_bundles(bundles)
            for workers in (1, 2):
                command = [
                    sys.argv[2],
                    "-strict",
                    "-summary",
                    "-n",
                    str(workers),
                    "-schema-location",
                    option,
                    str(files[0].parent),
                ]
                measure(f"kubeconform, reading YAML, -n {workers}", count, partial(last_line, command))


if __name__ == "__main__":
    main()
