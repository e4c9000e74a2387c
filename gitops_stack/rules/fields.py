"""Read fields of a manifest nobody has validated yet: what is not there, or of another type, is empty."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_stack import conventions


def mapping(value: object) -> Mapping[str, Any]:
    """Return ``value`` when it is a mapping, else an empty one."""
    # A dict first: to ask an abstract class takes five times as long, and rules ask hundreds of times an object.
    return value if isinstance(value, (dict, Mapping)) else {}


def sequence(value: object) -> Sequence[Any]:
    """Return ``value`` when it is a list, else an empty one."""
    return value if isinstance(value, (list, tuple)) else ()


def text(value: object) -> str:
    """Return ``value`` when it is text, else none."""
    return value if isinstance(value, str) else ""


def dig(value: object, *keys: str) -> Any:  # noqa: ANN401 - any YAML value
    """Follow ``keys`` through mappings; none when one of them is missing."""
    for key in keys:
        value = (value if isinstance(value, dict) else mapping(value)).get(key)
    return value


def read_wave(manifest: object) -> int:
    """Read the sync wave of a manifest. What is not a number is 0, as to Argo CD (gitops-engine, syncwaves)."""
    written = text(dig(manifest, "metadata", "annotations", conventions.SYNC_WAVE))
    return int(written) if re.fullmatch(r"[+-]?[0-9]{1,18}", written) else 0
