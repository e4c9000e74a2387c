"""Between the engine's property values and plain Python.

A value the engine does not know yet is :data:`UNKNOWN`; secrets are kept as the set of top-level property names that
carry one, the granularity at which the provider marks its outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.runtime import rpc

Plain = dict[str, Any]


class Unknown:
    """Stand for a value that only the deployment will produce."""

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN: Final = Unknown()


def load_values(properties: Mapping[str, PropertyValue]) -> Plain:
    """Return ``properties`` as plain values; null properties are left out, as Pulumi treats them as absent."""
    return {name: value for name, value in ((n, load_value(v)) for n, v in properties.items()) if value is not None}


def load_value(property_value: PropertyValue) -> Any:  # noqa: ANN401 - JSON
    """Return one value: None, bool, int, float, str, list, dict or :data:`UNKNOWN`."""
    value = property_value.value
    if isinstance(value, Computed) or (isinstance(value, str) and value == rpc.UNKNOWN):
        return UNKNOWN
    if isinstance(value, float) and not isinstance(value, bool):
        return int(value) if value.is_integer() else value  # protobuf has one number type, AWS has two
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return load_values(value)
    if isinstance(value, (list, tuple)):
        return [load_value(item) for item in value]
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent to AWS")


def find_secrets(properties: Mapping[str, PropertyValue]) -> frozenset[str]:
    """Return the names of the properties that are a secret or hold one."""
    return frozenset(name for name, value in properties.items() if _holds_secret(value))


def build_values(plain: Mapping[str, Any], secrets: Collection[str] = ()) -> dict[str, PropertyValue]:
    """Return ``plain`` as property values, those named in ``secrets`` marked secret."""
    return {name: PropertyValue(build_value(value).value, name in secrets) for name, value in plain.items()}


def build_value(value: Any) -> PropertyValue:  # noqa: ANN401 - JSON
    """Return one plain value as a property value."""
    if isinstance(value, Unknown):
        return PropertyValue(rpc.UNKNOWN)  # what the engine calls it; the SDK cannot marshal its own Computed
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    if isinstance(value, Mapping):
        return PropertyValue({name: build_value(item) for name, item in value.items()})
    if isinstance(value, (list, tuple)):
        return PropertyValue([build_value(item) for item in value])
    return PropertyValue(value)


def is_unknown(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether ``value`` is unknown, or holds something unknown."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_unknown(item) for item in value)
    return isinstance(value, Unknown)


def _holds_secret(property_value: PropertyValue) -> bool:
    if property_value.is_secret:
        return True
    value = property_value.value
    if isinstance(value, Mapping):
        return any(_holds_secret(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(_holds_secret(item) for item in value)
