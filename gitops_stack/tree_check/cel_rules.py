"""The rules that CRDs write in CEL (`x-kubernetes-validations`), evaluated as when an object is created.

Google's own runtime evaluates them (package cel-expr-python, extra `cel`), held against kube-apiserver by
tests/e2e/test_cel_rules.py. Rules with functions that only Kubernetes has are counted and not judged; those about the
object before (`oldSelf`) do not apply.
Typing of values and escaping of names: k8s.io/apiserver/pkg/cel/common and pkg/cel/escaping.go of v1.36.
"""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

from gitops_stack.rules.api.parts import Violation
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject, count_noun

try:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_optional, ext_strings
except ImportError:  # an extra, which not every platform has
    cel = None

Judgement = tuple[str, bool]
"""What is wrong, and whether it could be judged at all."""

RULES = "x-kubernetes-validations"
_OF_SCHEMAS = "apiextensions.k8s.io"
_EXPRESSIONS = {
    _OF_SCHEMAS: ("rule",),
    "admissionregistration.k8s.io": ("expression", "messageExpression", "valueExpression"),
}
_OLD = re.compile(r"\boldSelf\b")
_TEXTS = re.compile(r"""r?"(?:\\.|[^"\\])*"|r?'(?:\\.|[^'\\])*'""")
_KEYWORDS = {
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
}  # fmt: skip
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_EQUALS_OR_ADDS = re.compile(r"[=!]=|\bin\b|\+")
_ORDERS = re.compile(r"[<>]")
_NAMES = re.compile(r"\w+")
_WHOLE = re.compile(r"\bself\b(?!\s*[.\[])")
_OWN_FORMATS = {"duration", "date", "date-time", "byte"}
_NO_OVERLOAD = "No matching overload"
_NEEDS = "the CRD's own rule has to hold"


_TOP = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}},
}


def is_available() -> bool:
    """Tell whether rules can be evaluated on this machine."""
    return cel is not None


def check_rules(schema: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[list[Violation], set[str]]:
    """Evaluate the rules of a CRD's ``schema`` for an object that fits it.

    Returns what is violated, and the rules that were not judged.
    """
    violations: list[Violation] = []
    unjudged: set[str] = set()
    root = {**schema, "properties": {**_TOP, **mapping(schema.get("properties"))}}
    for place, rule, inner, value in _walk(root, _with_defaults(root, manifest), ""):
        said, judged = _evaluate(rule, inner, value)
        if not judged:
            unjudged.add(rule["rule"])
        elif said:
            field = text(rule.get("fieldPath"))
            violations.append((f"{place}{field}".lstrip("."), said, _NEEDS))
    return violations, unjudged


def build_unjudged(found: RenderedObject, rules: set[str]) -> Finding:
    """Build the note about the rules of a kind that were not judged; ``found`` is its first object."""
    why = "that use what only a cluster has" if is_available() else "as the package that evaluates them is missing"
    needs = "" if is_available() else "run `pip install 'gitops-stack[cel]'`"
    said = (
        f"{count_noun(len(rules), 'rule')} of its CRD in CEL {'was' if len(rules) == 1 else 'were'} not judged, {why}"
    )
    return found.finding("kind", said, needs, rule="crd-rule-unjudged")


def check_syntax(group: str, manifest: Mapping[str, Any]) -> Iterator[Violation]:
    """Check that the expressions in a CRD, a webhook's configuration or an admission policy are CEL at all."""
    if is_available() and group in _EXPRESSIONS:
        for place, expression in _list_expressions(_EXPRESSIONS[group], manifest, ""):
            stands = group != _OF_SCHEMAS or f".{RULES}[" in place
            if stands and (said := _find_syntax_error(expression)):
                yield place, f"is not CEL: {said}", "correct it"


def _list_expressions(names: tuple[str, ...], value: Any, place: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for key, one in value.items():
            inner = f"{place}.{key}".lstrip(".")
            if key in names and isinstance(one, str):
                yield inner, one
            else:
                yield from _list_expressions(names, one, inner)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _list_expressions(names, one, f"{place}[{index}]")


@lru_cache(maxsize=4096)
def _find_syntax_error(expression: str) -> str:
    if "`" in expression:  # names in quotes, which not every release of the language has
        return ""
    try:
        _environment().compile(expression)
    except (RuntimeError, ValueError) as error:
        _, found, said = str(error).splitlines()[0].partition("Syntax error: ")
        return said[:120] if found else ""
    return ""


def _walk(
    schema: Mapping[str, Any],
    value: Any,  # noqa: ANN401 - any JSON value
    place: str,
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any], Any]]:
    """Yield every rule with its place, the schema it stands in and the value it is about."""
    if value is None or not schema:
        return
    for rule in map(mapping, sequence(schema.get(RULES))):
        if isinstance(rule.get("rule"), str) and not _is_about_before(rule):
            yield place, rule, schema, value
    if isinstance(value, Mapping):
        properties, others = mapping(schema.get("properties")), mapping(schema.get("additionalProperties"))
        for key, one in value.items():
            yield from _walk(mapping(properties.get(key, others)), one, f"{place}.{key}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _walk(mapping(schema.get("items")), one, f"{place}[{index}]")


def _is_about_before(rule: Mapping[str, Any]) -> bool:
    """Tell whether a rule compares with the object before, which is not evaluated when there is none."""
    return rule.get("optionalOldSelf") is not True and _OLD.search(_TEXTS.sub("", rule["rule"])) is not None


def _evaluate(rule: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> Judgement:  # noqa: ANN401
    expression = _compile(rule["rule"]) if is_available() else None
    if expression is None or rule.get("optionalOldSelf") is True or _compares_otherwise(rule["rule"], schema):
        return "", False
    try:
        found = expression.eval(data={"self": _build_value(schema, value)})
        kind = found.type()
    except (RuntimeError, ValueError, TypeError, OverflowError):  # a value that has no type there, such as 2**64
        return "", False
    if kind == cel.Type.ERROR:
        said = str(found.value())
        return ("", False) if _NO_OVERLOAD in said else (f"the rule {_shorten(rule['rule'])} fails: {said}", True)
    if kind != cel.Type.BOOL:
        return "", False
    if found.plain_value():
        return "", True
    return " ".join(text(rule.get("message")).split()) or f"found what the rule {_shorten(rule['rule'])} excludes", True


def _compares_otherwise(rule: str, schema: Mapping[str, Any]) -> bool:
    """Tell whether Kubernetes may compare other than plain CEL does.

    Lists that are sets or maps are equal in any order and are added without what is there already, and some formats are
    times (pkg/cel/common/values.go). Fields that the rule does not name are not compared, unless all of `self` is.
    """
    if "[[:" in rule:  # classes of RE2, which Python does not have
        return True
    written = _TEXTS.sub("", rule)
    if _EQUALS_OR_ADDS.search(written):
        return _has_own_values(schema, _named(written), lists=True)
    return bool(_ORDERS.search(written)) and _has_own_values(schema, _named(written), lists=False)


def _named(rule: str) -> set[str] | None:
    """Return the names in a rule, or None when it is about all of `self`."""
    return None if _WHOLE.search(rule) else set(_NAMES.findall(rule))


def _has_own_values(schema: Mapping[str, Any], named: set[str] | None, *, lists: bool) -> bool:
    if schema.get("format") in _OWN_FORMATS or (lists and schema.get("x-kubernetes-list-type") in {"set", "map"}):
        return True
    properties = mapping(schema.get("properties"))
    # An object of which the rule names no field is compared as a whole.
    chosen = [one for name, one in properties.items() if named is not None and escape_name(name) in named]
    inner = [*(chosen or properties.values()), schema.get("additionalProperties"), schema.get("items")]
    return any(_has_own_values(mapping(one), named, lists=lists) for one in inner if isinstance(one, Mapping))


def _shorten(rule: str) -> str:
    line = " ".join(rule.split())
    return line if len(line) <= 120 else f"{line[:117]}..."  # noqa: PLR2004 - a line of a terminal


@lru_cache(maxsize=4096)
def _compile(rule: str) -> Any:  # noqa: ANN401 - the package has no type for it that is public
    try:
        return _environment().compile(rule)
    except (RuntimeError, ValueError):  # functions that only Kubernetes has
        return None


@cache
def _environment() -> Any:  # noqa: ANN401 - as above
    kinds = cel.Type
    overload = cel.Overload(
        id="string_find_string", return_type=kinds.STRING, parameters=[kinds.STRING, kinds.STRING], is_member=True,
        impl=_find,
    )  # fmt: skip
    own = cel.CelExtension("kubernetes", [cel.FunctionDecl("find", [overload])])
    known = [ext_strings.ExtStrings(2), ext_optional.ExtOptional(), own]
    return cel.NewEnv(variables={"self": kinds.DYN}, extensions=known)


def _find(value: str, pattern: str) -> str:
    """Find as Kubernetes does (pkg/cel/library/regex.go); of its patterns those that mean the same to Python."""
    found = re.search(pattern, value, re.ASCII)
    return found[0] if found else ""


def _with_defaults(schema: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Fill in defaults, which the API server does before it validates."""
    if isinstance(value, list):
        return [_with_defaults(mapping(schema.get("items")), one) for one in value]
    if not isinstance(value, Mapping):
        return value
    properties, others = mapping(schema.get("properties")), mapping(schema.get("additionalProperties"))
    made = {
        key: copy.deepcopy(inner["default"])
        for key, inner in properties.items()
        if isinstance(inner, Mapping) and "default" in inner and value.get(key) is None
    }
    filled = {**value, **made}
    return {key: _with_defaults(mapping(properties.get(key, others)), one) for key, one in filled.items()}


def _build_value(schema: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Build what a rule sees: numbers and texts of the schema's types, names of properties escaped."""
    if isinstance(value, list):
        return [_build_value(mapping(schema.get("items")), one) for one in value]
    if isinstance(value, Mapping):
        properties, others = mapping(schema.get("properties")), mapping(schema.get("additionalProperties"))
        return {
            escape_name(key) if key in properties else key: _build_value(mapping(properties.get(key, others)), one)
            for key, one in value.items()
        }
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.get("format") == "byte" and isinstance(value, str):
        with suppress(ValueError):
            return base64.b64decode(value, validate=True)
    return value  # times and durations stay texts, which the package does not take: a rule that reads them is unjudged


def escape_name(name: str) -> str:
    """Escape the name of a property as rules have to write it."""
    if name in _KEYWORDS:
        return f"__{name}__"
    for written, escaped in _ESCAPES:
        name = name.replace(written, escaped)
    return name
