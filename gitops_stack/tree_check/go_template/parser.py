"""Parse a template (text/template/parse, parse.go)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from gitops_stack.tree_check.go_template import nodes
from gitops_stack.tree_check.go_template.errors import TemplateError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.functions import FUNCTIONS
from gitops_stack.tree_check.go_template.lexer import Token, split_template, unquote

_BRANCHES = ("if", "with", "range")
_WORDS = frozenset({*_BRANCHES, "else", "end", "define", "block", "template", "break", "continue"})


@lru_cache(maxsize=4096)
def parse_template(source: str) -> nodes.Template:
    """Parse a template. Raises :class:`TemplateError`."""
    parser = _Parser(source)
    body, ended_by = parser.parse_list(())
    if ended_by is not None:
        raise TemplateError(f"unexpected {{{{{ended_by[0].text}}}}}")
    parser.template.body = body
    return parser.template


class _Parser:
    def __init__(self, source: str) -> None:
        self.items = iter(split_template(source))
        self.template = nodes.Template()
        self.variables = ["$"]
        self.ranges = 0

    def parse_list(self, ends: tuple[str, ...]) -> tuple[nodes.Nodes, list[Token] | None]:
        """Parse up to an action that begins with one of ``ends``, or to the end of the template."""
        found: list[nodes.Node] = []
        for item in self.items:
            if isinstance(item, str):
                if item:
                    found.append(nodes.Text(item))
                continue
            word = item[0].text if item and item[0].kind == "word" else ""
            if word in ("end", "else"):
                if word not in ends:
                    raise TemplateError(f"unexpected {{{{{word}}}}}")
                return tuple(found), item
            parsed = self._parse_action(word, item)
            if parsed is not None:
                found.append(parsed)
        if ends:
            raise TemplateError("unexpected EOF")
        return tuple(found), None

    def _parse_action(self, word: str, tokens: list[Token]) -> nodes.Node | None:
        if word in _BRANCHES:
            return self._parse_branch(word, tokens[1:])
        if word in ("break", "continue"):
            if not self.ranges or tokens[1:]:
                raise TemplateError(f"{{{{{word}}}}} outside {{{{range}}}}")
            return nodes.Jump(word)
        if word in ("define", "block"):
            return self._parse_definition(word, tokens[1:])
        if word == "template":
            name, rest = self._name(word, tokens[1:])
            return nodes.Call(name, self._pipeline(rest) if rest else None)
        return nodes.Action(self._pipeline(tokens, declares=True))

    def _parse_branch(self, kind: str, tokens: list[Token]) -> nodes.Branch:
        kept = len(self.variables)
        pipeline = self._pipeline(tokens, declares=True, most=2 if kind == "range" else 1)
        self.ranges += kind == "range"
        body, ended_by = self.parse_list(("else", "end"))
        self.ranges -= kind == "range"
        otherwise: nodes.Nodes = ()
        if ended_by is not None and ended_by[0].text == "else":
            chained = ended_by[1].text if len(ended_by) > 1 else ""
            if chained and (chained != kind or kind == "range"):
                raise TemplateError(f"unexpected {chained} in else")
            if chained:
                otherwise = (self._parse_branch(kind, ended_by[2:]),)
            else:
                otherwise, _ = self.parse_list(("end",))
        del self.variables[kept:]
        return nodes.Branch(kind, pipeline, body, otherwise)

    def _parse_definition(self, word: str, tokens: list[Token]) -> nodes.Call | None:
        name, rest = self._name(word, tokens)
        pipeline = self._pipeline(rest) if rest else None
        if (word == "block") != (pipeline is not None):
            raise TemplateError(f"unexpected tokens in {word}")
        outer, self.variables = self.variables, ["$"]
        body, _ = self.parse_list(("end",))
        self.variables = outer
        self.template.defined[name] = body
        return nodes.Call(name, pipeline) if word == "block" else None

    def _name(self, word: str, tokens: list[Token]) -> tuple[str, list[Token]]:
        if not tokens or tokens[0].kind not in ("string", "raw"):
            raise TemplateError(f"missing name in {word}")
        return unquote(tokens[0]), tokens[1:]

    def _pipeline(self, tokens: list[Token], *, declares: bool = False, most: int = 1) -> nodes.Pipeline:
        declared, assigns, rest = self._declaration(tokens, most) if declares else ((), False, tokens)
        pipeline, left = self._commands(rest, closing=False)
        if left:
            raise TemplateError(f"unexpected {left[0].text!r} in command")
        if declared and not assigns:
            self.variables += declared
        return nodes.Pipeline(pipeline.commands, declared, assigns)

    def _declaration(self, tokens: list[Token], most: int) -> tuple[tuple[str, ...], bool, list[Token]]:
        names: list[str] = []
        at = 0
        while at < len(tokens) and tokens[at].kind == "variable" and len(names) < most:
            names.append(tokens[at].text)
            after = tokens[at + 1].text if at + 1 < len(tokens) else ""
            if after in (":=", "="):
                if after == "=" and not {*names} <= {*self.variables}:
                    raise TemplateError(f'undefined variable "{names[0]}"')
                return tuple(names), after == "=", tokens[at + 2 :]
            if after != ",":
                break
            at += 2
        return (), False, tokens

    def _commands(self, tokens: list[Token], *, closing: bool) -> tuple[nodes.Pipeline, list[Token]]:
        commands: list[nodes.Command] = []
        while True:
            arguments: list[nodes.Operand] = []
            while tokens and (tokens[0].kind != "sign" or tokens[0].text == "("):
                if arguments and not tokens[0].spaced and tokens[0].kind in ("field", "dot"):
                    raise TemplateError(f"unexpected {tokens[0].text!r} in operand")
                operand, tokens = self._operand(tokens)
                arguments.append(operand)
            if not arguments and (not commands or (tokens and tokens[0].text == "|")):
                raise TemplateError("missing value for command")
            if not arguments:  # Go takes a pipe that leads nowhere
                return self._ended(commands, tokens, closing=closing)
            if commands and isinstance(arguments[0], (nodes.Constant, nodes.Number, nodes.Nil, nodes.Dot)):
                raise TemplateError("non executable command in pipeline")
            commands.append(nodes.Command(tuple(arguments)))
            if not tokens or tokens[0].text == ")":
                return self._ended(commands, tokens, closing=closing)
            tokens = tokens[1:]

    def _ended(
        self, commands: list[nodes.Command], tokens: list[Token], *, closing: bool
    ) -> tuple[nodes.Pipeline, list[Token]]:
        if bool(tokens) != closing:
            raise TemplateError("unclosed left paren" if closing else "unexpected right paren")
        return nodes.Pipeline(tuple(commands)), tokens[1:]

    def _operand(self, tokens: list[Token]) -> tuple[nodes.Operand, list[Token]]:
        token, rest = tokens[0], tokens[1:]
        operand: nodes.Operand
        if token.text == "(" and token.kind == "sign":
            operand, rest = self._commands(rest, closing=True)
        else:
            operand = self._term(token)
        names: list[str] = []
        while rest and rest[0].kind == "field" and not rest[0].spaced:
            names.append(rest[0].text[1:])
            rest = rest[1:]
        if not names:
            return operand, rest
        if isinstance(operand, nodes.Field):
            return nodes.Field((*operand.names, *names)), rest
        if isinstance(operand, nodes.Variable):
            return nodes.Variable(operand.name, tuple(names)), rest
        if isinstance(operand, (nodes.Constant, nodes.Number, nodes.Nil, nodes.Dot)):
            raise TemplateError(f"unexpected .{names[0]} after term {token.text!r}")
        return nodes.Chain(operand, tuple(names)), rest

    def _term(self, token: Token) -> nodes.Operand:
        kind, text = token.kind, token.text
        if kind in _TERMS:
            return _TERMS[kind](token)
        if kind == "variable" and text in self.variables:
            return nodes.Variable(text)
        if kind == "variable":
            raise TemplateError(f'undefined variable "{text}"')
        if kind != "word" or text in _WORDS:
            raise TemplateError(f"unexpected {text!r} in operand")
        if text not in _CONSTANTS and text not in FUNCTIONS:
            raise TemplateError(f'function "{text}" not defined')
        return _CONSTANTS.get(text) or nodes.Function(text)


def _number(text: str) -> nodes.Number:
    digits = text.replace("_", "")
    if digits.endswith("i") or "p" in digits.lower():
        raise UnsupportedTemplateError(f"the number {text} is not read here")
    try:
        if any(sign in digits for sign in ".eE") and not digits.lower().lstrip("+-").startswith("0x"):
            return nodes.Number(float(digits), written_as_float=True)
        octal = digits.lstrip("+-")
        if len(octal) > 1 and octal.isdigit() and octal.startswith("0"):
            return nodes.Number(int(digits, 8))
        return nodes.Number(int(digits, 0))
    except ValueError:
        raise TemplateError(f"bad number syntax: {text!r}") from None


_CONSTANTS: dict[str, nodes.Operand] = {
    "true": nodes.Constant(True),
    "false": nodes.Constant(False),
    "nil": nodes.Nil(),
}
_TERMS: dict[str, Callable[[Token], nodes.Operand]] = {
    "string": lambda token: nodes.Constant(unquote(token)),
    "raw": lambda token: nodes.Constant(unquote(token)),
    "number": lambda token: _number(token.text),
    "character": lambda token: nodes.Number(ord(unquote(token))),
    "dot": lambda _: nodes.Dot(),
    "field": lambda token: nodes.Field((token.text[1:],)),
}
