"""The parts of a parsed template, as text/template/parse names them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """Text outside of actions."""

    text: str


@dataclass(frozen=True)
class Constant:
    """A text or a truth value."""

    value: str | bool


@dataclass(frozen=True)
class Number:
    """A number; ``written_as_float`` tells `1.0` from `1`, which fit different parameters."""

    value: int | float
    written_as_float: bool = False


@dataclass(frozen=True)
class Nil:
    """The word `nil`."""


@dataclass(frozen=True)
class Dot:
    """The current value."""


@dataclass(frozen=True)
class Field:
    """`.a.b` of the current value."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """`$x.a.b`."""

    name: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """The name of a function."""

    name: str


@dataclass(frozen=True)
class Chain:
    """`(…).a.b`."""

    inner: Operand
    names: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A function or a value with arguments."""

    arguments: tuple[Operand, ...]


@dataclass(frozen=True)
class Pipeline:
    """Commands joined by `|`, whose value may be given to variables."""

    commands: tuple[Command, ...]
    declared: tuple[str, ...] = ()
    assigns: bool = False


@dataclass(frozen=True)
class Action:
    """A pipeline whose value is printed."""

    pipeline: Pipeline


@dataclass(frozen=True)
class Branch:
    """`if`, `with` or `range`."""

    kind: str
    pipeline: Pipeline
    body: Nodes
    otherwise: Nodes = ()


@dataclass(frozen=True)
class Jump:
    """`break` or `continue`."""

    kind: str


@dataclass(frozen=True)
class Call:
    """`template "name" pipeline`."""

    name: str
    pipeline: Pipeline | None


@dataclass
class Template:
    """A parsed template and those it defines."""

    body: Nodes = ()
    defined: dict[str, Nodes] = field(default_factory=dict)


Operand = Constant | Number | Nil | Dot | Field | Variable | Function | Chain | Pipeline
Node = Text | Action | Branch | Jump | Call
Nodes = tuple[Node, ...]
