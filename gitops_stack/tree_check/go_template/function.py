"""What a function of a template takes, and the one list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.tree_check.go_template.errors import TemplateError
from gitops_stack.tree_check.go_template.values import MISSING, Int64, StringMap, name_type

_NAMES = {"map": "map[string]interface {}", "float": "float64"}


@dataclass(frozen=True)
class Function:
    """A function with the kinds of its parameters; the last stands for any number of them if ``variadic``.

    Kinds: `any`, `value` (Go's reflect.Value: may be missing), `string`, `int`, `float`, `bool`, `map`.
    """

    name: str
    kinds: tuple[str, ...]
    variadic: bool
    body: Callable[..., Any]

    def kind(self, place: int) -> str:
        """Return the kind of the parameter at ``place``."""
        return self.kinds[min(place, len(self.kinds) - 1)]

    def check_count(self, given: int) -> None:
        """Raise :class:`TemplateError` for a wrong number of arguments."""
        wanted = len(self.kinds)
        if given < wanted - 1 if self.variadic else given != wanted:
            raise TemplateError(f"wrong number of args for {self.name}: want {wanted} got {given}")

    def call(self, arguments: Sequence[Any]) -> Any:
        """Call it; what Go panics about is a :class:`TemplateError`."""
        try:
            return self.body(*arguments)
        except (ValueError, TypeError, IndexError, ArithmeticError, RecursionError) as error:
            raise TemplateError(f"error calling {self.name}: {error}") from None


FUNCTIONS: dict[str, Function] = {}


def function(
    *names: str, takes: str = "", variadic: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function under ``names``; ``takes`` are the kinds of its parameters."""

    def entered(body: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            FUNCTIONS[name] = Function(name, tuple(takes.split()), variadic, body)
        return body

    return entered


def check_argument(value: Any, kind: str, name: str) -> Any:
    """Return ``value`` as an argument of ``kind``. Raises :class:`TemplateError` where Go would (validateType)."""
    if kind in ("any", "value"):
        return None if value is MISSING and kind == "any" else value
    if value is MISSING:
        if kind == "map":
            return {}
        raise TemplateError(f"{name}: invalid value; expected {kind}")
    fits = {
        "string": isinstance(value, str),
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, (bool, Int64)),
        "float": isinstance(value, float),
        "map": isinstance(value, dict) and not isinstance(value, StringMap),
    }
    if not fits[kind]:
        raise TemplateError(f"{name}: wrong type for value; expected {_NAMES.get(kind, kind)}; got {name_type(value)}")
    return value
