"""Read what the checks found, from what the commands printed: text, or JSON. Pure."""

from __future__ import annotations

import json
from typing import Any

from gitops_stack.preview.masking import mask_text

_WELL = ("ok", "fine", "pass", "passed")
_SENTENCE_KEYS = ("finding", "message", "found", "needs", "needed", "remedy", "fix")


def parse_findings(text: str) -> list[str]:
    """List the findings in a command's output, one sentence each.

    Text: the lines that start with `error: `. JSON: a list, or an object with a list under `findings` or `checks`; its
    entries are sentences, or objects whose sentence is put together and which are left out when they are well.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        lines = (line.strip() for line in text.splitlines())
        return [mask_text(line.removeprefix("error: ")) for line in lines if line.startswith("error: ")]
    if isinstance(document, dict):
        document = document.get("findings", document.get("checks"))
    entries = document if isinstance(document, list) else []
    return [mask_text(sentence) for entry in entries if (sentence := _sentence(entry))]


def _sentence(entry: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict):
        return ""
    status = entry.get("status", entry.get("ok", entry.get("well")))
    if status is True or (isinstance(status, str) and status.lower() in _WELL):
        return ""
    said = "; ".join(str(entry[key]) for key in _SENTENCE_KEYS if entry.get(key))
    place = entry.get("place") or entry.get("name") or entry.get("check")
    return f"{place}: {said}" if place and said else said
