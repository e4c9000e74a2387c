"""What is wrong with a setting: the place as the operator typed it, what was found, what is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from gitops_stack import conventions
from gitops_stack.config.credentials import is_credential, leads_to_credential
from gitops_stack.errors import Problem
from gitops_stack.schema import resolve
from gitops_stack.settings import FROM_ELSEWHERE, StackSettings
from gitops_stack.settings.types import SettingError

PREFIX = f"{conventions.PULUMI_PROJECT}:"
REGION_KEY = "aws:region"
HIDDEN = "a value that is not shown"  # of a credential, in whatever form it was written
_PROVIDERS = ("existing", "eks")
_SHOWN = 60
_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")  # of a model, of a dataclass
_PASSWORD = re.compile(r"(?<=://)[^/\s]*@")


def build_path(path: str) -> str:
    """Return the whole key of a setting as a stack file has it."""
    return path if path == REGION_KEY else f"{PREFIX}{path}"


def build_problems(error: ValidationError, written: Mapping[tuple[str, ...], str]) -> Iterator[Problem]:
    """Yield a problem, without the file, for each thing pydantic found.

    ``written``: what stands in the file for a number that does not look like its value, by its path.
    """
    for found in error.errors():
        if found["type"] == "too_short" and found["input"]:
            continue  # its entries were refused one by one, and that is said already
        loc = [str(part) for part in found["loc"]]
        if loc[-1:] == ["[key]"]:
            loc.pop()
        path = [part for index, part in enumerate(loc) if (index, loc[0]) != (1, "cluster") or part not in _PROVIDERS]
        if found["type"].startswith("union_tag"):
            path.append("provider")
        broken = (found.get("ctx") or {}).get("error")
        if isinstance(broken, SettingError):
            yield Problem(build_found(broken.found), str(broken), f"{PREFIX}{'.'.join([*path, broken.setting])}")
            continue
        shown = _shown_of(found["type"], found["input"], loc)
        if (own := written.get(tuple(path))) is not None:
            shown = f"{own}, which YAML reads as the number {shown}"
        where = REGION_KEY if path == ["region"] else f"{PREFIX}{'.'.join(path)}"
        if found["type"] in _UNKNOWN_KEY:
            yield build_unknown(where, loc[:-1])
            continue
        said, needs = _needs(found["type"], found.get("ctx") or {}, shown, found["msg"])
        yield Problem(said, needs, where)


def build_unknown(path: str, loc: list[str]) -> Problem:
    """Return the problem of a setting that does not exist at ``loc``."""
    return Problem("is not a known setting", f"known here: {', '.join(known_keys(loc))}", path)


def build_found(value: object) -> str:
    """Say what was found."""
    return "is missing" if value is None else f"found {build_shown(value)}"


def _needs(kind: str, context: Mapping[str, Any], shown: str, message: str) -> tuple[str, str]:
    """Return what was found and what is needed."""
    if kind == "missing":
        return "is missing", "it has no default"
    if kind == "union_tag_not_found":
        return "is missing", "needs existing or eks"
    needs = {
        "value_error": str(context.get("error", "")),
        "union_tag_invalid": "needs existing or eks",
        "invalid_key": "needs text as its name; put quotes around it",
        "int_from_float": "needs a whole number",
        "int_parsing_size": "needs a smaller number",
        "literal_error": f"needs one of {context.get('expected', '')}".replace("'", "").replace(" or ", ", "),
        "string_type": "needs text, in quotes" if shown[:1] in "+-.0123456789" else "needs text",
        "bool_type": "needs true or false",
        "int_type": "needs a whole number",
        "greater_than_equal": f"needs {context.get('ge')} or more",
        "less_than_equal": f"needs {context.get('le')} or less",
        "too_short": "needs at least one entry",
        "too_long": f"needs at most {context.get('max_length')} entries",
        "string_too_short": "needs text that is not empty",
        "string_too_long": f"needs at most {context.get('max_length')} characters",
        "dict_type": "needs a map of names to settings",
        "dataclass_type": _map_for(shown),
        "model_type": _map_for(shown),
        "model_attributes_type": _map_for(shown),
        "tuple_type": "needs a list",
    }.get(kind, f"needs: {message}")
    return f"found {shown}", needs


def _map_for(shown: str) -> str:
    return "needs a map of settings; {} takes its defaults" if shown == "true" else "needs a map of settings"


def _shown_of(kind: str, value: Any, loc: list[str]) -> str:  # noqa: ANN401 - whatever the operator wrote
    holds_credentials = loc in (["gitops", "credentials"], ["argocd", "sso"]) or loc[-1:] == ["clientSecret"]
    if holds_credentials and isinstance(value, dict):
        return ", ".join(map(str, value)) or "none of them"
    of_certificate = loc[-1:] == ["caData"]  # which somebody takes a private key for
    if of_certificate or is_credential(loc) or (leads_to_credential(loc) and isinstance(value, (str, list))):
        return HIDDEN
    if kind == "union_tag_invalid":
        return build_shown(value["provider"])
    quoted = isinstance(value, str) and kind in ("int_type", "bool_type")
    return json.dumps(value) if quoted else build_shown(value)


def known_keys(loc: list[str]) -> list[str]:
    """Return the names of the settings at ``loc``, sorted."""
    schema: dict[str, Any] = StackSettings.model_json_schema()
    definitions = schema["$defs"]
    node: dict[str, Any] = schema
    for part in loc:
        node = _child(node, part, definitions)
    known = [node, *(resolve(option, definitions) for option in node.get("oneOf", ()))]
    keys = {key for option in known for key in option.get("properties", ())}
    return sorted(keys if loc else keys.difference(FROM_ELSEWHERE)) or ["none"]


def _child(node: dict[str, Any], part: str, definitions: dict[str, Any]) -> dict[str, Any]:
    child = node.get("properties", {}).get(part) or node.get("additionalProperties") or node.get("items") or {}
    for option in child.get("anyOf", ()):
        if "$ref" in option or "discriminator" in option:
            child = option
    if not child and part in _PROVIDERS:
        child = {"$ref": node["discriminator"]["mapping"][part]}
    return resolve(child, definitions)


def build_shown(value: object) -> str:
    """Return a value as it can be shown: short, and without a password in a URL."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except (TypeError, ValueError):  # a key that JSON does not have
        text = repr(value)
    text = _PASSWORD.sub("…@", text) or "empty text"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
