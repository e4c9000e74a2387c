"""Read what the checks found, from what the commands printed: text, or JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gitops_stack.preview.masking import mask_text
from gitops_stack.rules.fields import mapping
from gitops_stack.rules.finding import Finding, ObjectName

_WELL = ("ok", "fine", "pass", "passed")
_SENTENCE_KEYS = ("finding", "message", "found", "needs", "needed", "remedy", "fix")


def parse_findings(text: str) -> list[str]:
    """List the findings in a command's output, one sentence each.

    Text: the lines that start with `error: `. JSON: what `check --output json` writes, of which errors alone; or a
    list, or an object with a list under `findings` or `checks`. Its entries are sentences, or objects whose sentence is
    put together and which are left out when they are well.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        lines = (line.strip() for line in text.splitlines())
        return [mask_text(line.removeprefix("error: ")) for line in lines if line.startswith("error: ")]
    return [mask_text(sentence) for entry in _entries(document) if (sentence := _sentence(entry))]


def _entries(document: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(document, dict):
        document = document.get("findings", document.get("checks"))
    for entry in document if isinstance(document, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("findings"), list):
            yield from entry["findings"]
        else:
            yield entry


def _read_finding(entry: dict[str, Any]) -> Finding:
    named = entry.get("object")
    parts = [str(mapping(named).get(key) or "") for key in ("group", "kind", "namespace", "name")]
    rule, file, field, found, needs = (str(entry.get(key) or "") for key in ("rule", "file", "field", "found", "needs"))
    return Finding(rule, "error", file, ObjectName(*parts) if isinstance(named, dict) else None, field, found, needs)


def _sentence(entry: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict):
        return ""
    if "rule" in entry and "severity" in entry:
        return _read_finding(entry).sentence if entry["severity"] == "error" else ""
    status = entry.get("status", entry.get("ok", entry.get("well")))
    if status is True or (isinstance(status, str) and status.lower() in _WELL):
        return ""
    said = "; ".join(str(entry[key]) for key in _SENTENCE_KEYS if entry.get(key))
    place = entry.get("place") or entry.get("name") or entry.get("check")
    return f"{place}: {said}" if place and said else said
