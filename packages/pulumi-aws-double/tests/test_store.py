from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pulumi_aws_double.store import Store

WRITER = """
import sys
from pathlib import Path
from pulumi_aws_double.store import Store
store = Store(Path(sys.argv[1]))
for number in range(40):
    store.put("addons", f"{sys.argv[2]}-{number}", {"number": number})
"""


def test_documents_are_put_found_listed_and_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "account" / "store.json")
    assert store.find("addons", "a") is None
    assert store.remove("addons", "a") is None
    store.put("addons", "a", {"version": "1"})
    store.put("entries", "a", {"version": "2"})
    assert store.list("addons") == {"a": {"version": "1"}}
    assert store.remove("addons", "a") == {"version": "1"}
    assert json.loads(store.file.read_text(encoding="utf-8")) == {"addons": {}, "entries": {"a": {"version": "2"}}}
    assert [file.suffix for file in sorted(store.file.parent.iterdir())] == [".json", ".lock"], "no draft is left"


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    file = tmp_path / "store.json"
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name], env=environment) for name in ("a", "b")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(Store(file).list("addons")) == 80
