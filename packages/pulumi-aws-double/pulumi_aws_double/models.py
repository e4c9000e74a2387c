"""Check requests against botocore's service models, as the service's front end does.

boto3 itself checks names, types and minimum lengths; what it leaves to the service
(enums, patterns, maxima) is checked here, because moto does not check it either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from pulumi_aws_double.errors import DoubleError

# The models' patterns are written for Java; these are the classes Python names otherwise.
_UNICODE_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{Z}": r"\s",
    r"\p{N}": r"\d",
    r"\p{P}": r"!-/:-@\[-`{-~",
    r"\p{S}": "$+<=>^`|~",
}
_SHOWN = 120
_NO_QUEUE = ("NonExistentQueue", "QueueDoesNotExist")  # SQS's words, by protocol


class AwsError(DoubleError):
    """Carry a refusal of AWS, worded as its API words it.

    ``code`` is the API's error code, ``operation`` the API operation.
    """

    def __init__(self, service: str, operation: str, code: str, message: str) -> None:
        self.code = code
        self.operation = operation
        super().__init__(f"operation error {service}: {operation}, api error {code}: {message}")

    @property
    def is_missing(self) -> bool:
        """Tell whether AWS says that the thing does not exist."""
        return "NotFound" in self.code or "NoSuch" in self.code or self.code.endswith(_NO_QUEUE)


def check_request(operation: OperationModel, parameters: Mapping[str, Any]) -> None:
    """Raise :class:`AwsError` with every violation of the service's model; return for a request it accepts."""
    shape = operation.input_shape
    service = operation.service_model.service_id
    if shape is None:
        return
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise AwsError(service, operation.name, "ValidationException", report.generate_report().replace("\n", " "))
    violations = list(_check_shape(parameters, shape, ""))
    if violations:
        text = f"{len(violations)} validation error{'s'[: len(violations) > 1]} detected: {'; '.join(violations)}"
        code = "ValidationError" if service == "IAM" else "ValidationException"
        raise AwsError(service, operation.name, code, text)


def _check_shape(value: Any, shape: Shape, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            yield from _check_shape(item, shape.members[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape):
        yield from _check_size(len(value), shape, path, "length")
        for number, item in enumerate(value):
            yield from _check_shape(item, shape.member, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        yield from _check_size(len(value), shape, path, "length")
        for name, item in value.items():
            yield from _check_shape(name, shape.key, f"{path}.{name}")
            yield from _check_shape(item, shape.value, f"{path}.{name}")
    elif isinstance(shape, StringShape):
        yield from _check_string(value, shape, path)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        yield from _check_size(value, shape, path, "value")


def _check_string(value: str, shape: StringShape, path: str) -> Iterator[str]:
    shown = "<sensitive>" if shape.metadata.get("sensitive") else value[:_SHOWN]
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum[:40])
        yield _violation(shown, path, f"Member must satisfy enum value set: [{allowed}]")
    yield from _check_size(len(value), shape, path, "length", shown)
    pattern = _compile(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
    if pattern is not None and not pattern.fullmatch(value):
        yield _violation(shown, path, f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}")


def _check_size(size: float, shape: Shape, path: str, what: str, shown: str | None = None) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    value = str(size) if shown is None else shown
    if least is not None and size < least:
        yield _violation(value, path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _violation(value, path, f"Member must have {what} less than or equal to {most}")


def _violation(value: str, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    for java, python in _UNICODE_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None  # a construct Python lacks: the service would check it, this double cannot
