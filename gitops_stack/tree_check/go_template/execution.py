"""Execute a parsed template (text/template, exec.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_stack.tree_check.go_template import nodes
from gitops_stack.tree_check.go_template.errors import TemplateError, UnknownFieldError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.functions import FUNCTIONS, Function, check_argument
from gitops_stack.tree_check.go_template.parser import parse_template
from gitops_stack.tree_check.go_template.values import MISSING, Missing, format_value, is_true, name_type

_DEEPEST = 100
_OPTIONS = {"missingkey=default": "", "missingkey=invalid": "", "missingkey=zero": "zero", "missingkey=error": "error"}
Value = Any


class _JumpError(Exception):
    def __init__(self, kind: str) -> None:
        self.kind = kind


def render_template(source: str, data: Mapping[str, Any], options: Sequence[str] = ()) -> str:
    """Render ``source`` with ``data``; ``options`` are those of `goTemplateOptions`.

    Raises :class:`TemplateError` and :class:`UnsupportedTemplateError`.
    """
    template = parse_template(source)
    missing_key = ""
    for option in options:
        if option not in _OPTIONS:
            raise TemplateError(f"unrecognized option: {option}")
        missing_key = _OPTIONS[option]
    run = _Execution(template, missing_key)
    run.variables = [("$", data)]
    try:
        run.walk(data, template.body)
    except RecursionError:  # a map that was set into itself, which ends Go's process
        raise UnsupportedTemplateError("it does not come to an end") from None
    return "".join(run.output)


class _Execution:
    def __init__(self, template: nodes.Template, missing_key: str) -> None:
        self.template = template
        self.missing_key = missing_key
        self.variables: list[tuple[str, Value]] = []
        self.output: list[str] = []
        self.depth = 0

    def walk(self, dot: Value, body: nodes.Nodes) -> None:
        for node in body:
            if isinstance(node, nodes.Text):
                self.output.append(node.text)
            elif isinstance(node, nodes.Action):
                value = self.pipeline(dot, node.pipeline)
                if not node.pipeline.declared:
                    self.output.append("<no value>" if value is MISSING else format_value(value))
            elif isinstance(node, nodes.Branch):
                self._branch(dot, node)
            elif isinstance(node, nodes.Call):
                self._call_template(dot, node)
            else:
                raise _JumpError(node.kind)

    def _branch(self, dot: Value, node: nodes.Branch) -> None:
        kept = len(self.variables)
        try:
            if node.kind == "range":
                self._range(dot, node)
                return
            value = self.pipeline(dot, node.pipeline)
            if is_true(value):
                self.walk(value if node.kind == "with" else dot, node.body)
            else:
                self.walk(dot, node.otherwise)
        finally:
            del self.variables[kept:]

    def _range(self, dot: Value, node: nodes.Branch) -> None:
        value = self.pipeline(dot, node.pipeline)
        names, mark = node.pipeline.declared, len(self.variables)
        entries = list(_entries(value, len(names)))
        for index, element in entries:
            # The first of two variables is the index, and one alone is the element.
            for place, given in enumerate((index, element)[2 - len(names) :]):
                if node.pipeline.assigns:
                    self._assign(names[place], given)
                else:
                    self.variables[mark - len(names) + place] = (names[place], given)
            try:
                self.walk(element, node.body)
            except _JumpError as jump:
                if jump.kind == "break":
                    break
            finally:
                del self.variables[mark:]
        if not entries:
            self.walk(dot, node.otherwise)

    def _assign(self, name: str, value: Value) -> None:
        for place in range(len(self.variables) - 1, -1, -1):
            if self.variables[place][0] == name:
                self.variables[place] = (name, value)
                return
        raise TemplateError(f"undefined variable: {name}")

    def _call_template(self, dot: Value, node: nodes.Call) -> None:
        if node.name not in self.template.defined:
            raise TemplateError(f'template "{node.name}" not defined')
        if self.depth >= _DEEPEST:
            raise TemplateError("exceeded maximum template depth")
        given = self.pipeline(dot, node.pipeline) if node.pipeline else MISSING
        outer, self.variables = self.variables, [("$", given)]
        self.depth += 1
        self.walk(given, self.template.defined[node.name])
        self.depth -= 1
        self.variables = outer

    def pipeline(self, dot: Value, pipeline: nodes.Pipeline) -> Value:
        value: Value = None
        for number, command in enumerate(pipeline.commands):
            final = (value,) if number else ()
            value = self._command(dot, command, final)
            value = MISSING if value is None else value
        for name in pipeline.declared:
            if pipeline.assigns:
                self._assign(name, value)
            else:
                self.variables.append((name, value))
        return value

    def _command(self, dot: Value, command: nodes.Command, final: tuple[Value, ...]) -> Value:
        first, rest = command.arguments[0], command.arguments[1:]
        if isinstance(first, nodes.Function):
            return self._call(dot, FUNCTIONS[first.name], rest, final)
        if rest or final:
            raise TemplateError("can't give argument to non-function")
        if isinstance(first, nodes.Nil):
            raise TemplateError("nil is not a command")
        return self._operand(dot, first)

    def _operand(self, dot: Value, operand: nodes.Operand) -> Value:  # noqa: PLR0911 - one for each kind
        if isinstance(operand, (nodes.Constant, nodes.Number)):
            return operand.value
        if isinstance(operand, nodes.Dot):
            return dot
        if isinstance(operand, nodes.Field):
            return self._fields(dot, operand.names)
        if isinstance(operand, nodes.Variable):
            for name, value in reversed(self.variables):
                if name == operand.name:
                    return self._fields(value, operand.names)
            raise TemplateError(f"undefined variable: {operand.name}")
        if isinstance(operand, nodes.Chain):
            return self._fields(self._operand(dot, operand.inner), operand.names)
        if isinstance(operand, nodes.Function):
            return self._call(dot, FUNCTIONS[operand.name], (), ())
        return None if isinstance(operand, nodes.Nil) else self.pipeline(dot, operand)

    def _fields(self, value: Value, names: Iterable[str]) -> Value:
        for name in names:
            if value is MISSING:
                if self.missing_key == "error":
                    raise TemplateError(f'nil data; no entry for key "{name}"')
            elif value is None:
                raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
            elif not isinstance(value, dict):
                raise UnknownFieldError(f"can't evaluate field {name} in type {name_type(value)}")
            elif name in value:
                value = value[name]
            elif self.missing_key == "error":
                raise UnknownFieldError(f'map has no entry for key "{name}"')
            else:
                zero = "" if name_type(value) == "map[string]string" else None
                value = zero if self.missing_key == "zero" else MISSING
        return value

    def _call(
        self, dot: Value, function: Function, operands: Sequence[nodes.Operand], final: tuple[Value, ...]
    ) -> Value:
        function.check_count(len(operands) + len(final))
        if function.name in ("and", "or"):
            return self._short_circuit(dot, function.name, operands, final)
        arguments = [
            self._argument(dot, operand, function.kind(place), function.name) for place, operand in enumerate(operands)
        ]
        arguments += [check_argument(value, function.kind(len(operands)), function.name) for value in final]
        return function.call(arguments)

    def _argument(self, dot: Value, operand: nodes.Operand, kind: str, name: str) -> Value:
        if isinstance(operand, nodes.Number):
            if kind == "int" and float(operand.value).is_integer():
                return int(operand.value)
            if kind == "float":
                return float(operand.value)
        value = self._operand(dot, operand)
        return check_argument(value, kind, name)

    def _short_circuit(
        self, dot: Value, name: str, operands: Sequence[nodes.Operand], final: tuple[Value, ...]
    ) -> Value:
        value: Value = None
        for operand in operands:
            value = self._operand(dot, operand)
            if is_true(value) == (name == "or"):
                return value
        return final[0] if final else value


def _entries(value: Value, names: int) -> Iterable[tuple[Value, Value]]:
    if isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from ((key, value[key]) for key in sorted(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        if names > 1:
            raise TemplateError(f"can't use {value} to iterate over more than one variable")
        yield from ((MISSING, number) for number in range(value))
    elif not (value is None or isinstance(value, Missing)):
        raise TemplateError(f"range can't iterate over {format_value(value)}")
