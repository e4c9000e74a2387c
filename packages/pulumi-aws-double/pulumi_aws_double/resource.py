"""What every resource type of the double declares, and how inputs, live values and differences relate.

A type names its properties as the Pulumi SDK does and talks to AWS in four methods;
checking, naming, tagging, comparing and refreshing are the same for all.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pulumi_aws_double.errors import DoubleError
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain, is_unknown

_SUFFIX_DIGITS = 7


@dataclass(frozen=True)
class Schema:
    """List a type's properties, each as words in one string, in the SDK's camelCase.

    ``replaces`` are inputs whose change makes a new resource, ``updates`` those that change in place; ``required`` and
    ``computed`` (AWS chooses when they are absent) are subsets of the two. ``outputs`` are never inputs. ``documents``
    hold JSON, ``sets`` are lists without order, ``maps`` are open maps such as labels, ``volatile`` outputs change with
    every update. ``identity`` names what clashes when two exist, so that a replacement that keeps it deletes first.
    """

    replaces: str = ""
    updates: str = ""
    required: str = ""
    computed: str = ""
    outputs: str = ""
    documents: str = ""
    sets: str = ""
    maps: str = ""
    secrets: str = ""
    volatile: str = ""
    identity: str = ""

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the words of one of the fields."""
        words: str = getattr(self, kind)
        return tuple(words.split())

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every input."""
        return (*self.names("replaces"), *self.names("updates"))


@dataclass(frozen=True)
class AutoName:
    """Say which property gets ``<logical name>-<7 hex digits>`` when it is absent, and how long it may be."""

    property: str
    longest: int
    lower: bool = False

    def build(self, logical: str, seed: bytes) -> str:
        """Return a name; raise DoubleError when the logical name leaves no room for the digits."""
        base = logical.lower() if self.lower else logical
        if len(base) + 1 + _SUFFIX_DIGITS > self.longest:
            raise DoubleError(
                f"{self.property}: '{base}-' plus {_SUFFIX_DIGITS} random digits is longer than {self.longest} "
                "characters; choose a shorter logical name, or set it"
            )
        return f"{base}-{hashlib.sha256(seed).hexdigest()[:_SUFFIX_DIGITS]}"

    def made(self, name: Any, logical: str) -> bool:  # noqa: ANN401 - JSON
        """Tell whether ``name`` is one that :meth:`build` could have made."""
        base = logical.lower() if self.lower else logical
        return isinstance(name, str) and bool(re.fullmatch(f"{re.escape(base)}-[0-9a-f]{{{_SUFFIX_DIGITS}}}", name))


class ResourceType(ABC):
    """Make, read, change and delete the resources of one type.

    ``inputs`` hold plain values without anything unknown; a taggable type finds the tags to set in ``tagsAll``.
    """

    token: ClassVar[str]
    schema: ClassVar[Schema]
    auto_name: ClassVar[AutoName | None] = None
    regional: ClassVar[bool] = True

    @property
    def taggable(self) -> bool:
        """Whether the type has tags, and so takes the provider's default tags."""
        return "tags" in self.schema.inputs

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Yield (property, reason) for inputs the upstream provider refuses before it asks AWS; may hold unknowns."""
        return ()

    def preview(self, inputs: Plain, old: Plain) -> Plain:
        """Return inputs as they will be with what AWS adds to them; ``old`` is empty for a new resource."""
        return {}

    def find_replacing(self, old: Plain, new: Plain, changed: set[str]) -> set[str]:
        """Return those of the ``changed`` properties that need a new resource."""
        return changed & {*self.schema.names("replaces"), "region"}

    @abstractmethod
    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make one and return its id."""

    def find_identity(self, aws: AwsSession, identity: str) -> str:
        """Return the id of what an import names; most are imported by their id."""
        return identity

    @abstractmethod
    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the live properties, ``tagsAll`` among them, or None when it is gone.

        ``known`` are the last known properties, empty for an import.
        """

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change ``changed`` from the ``old`` properties to the ``new`` inputs; tags are changed by :meth:`tag`."""
        raise DoubleError(f"{self.token}: the AWS double cannot change {', '.join(sorted(changed))} in place")

    @abstractmethod
    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; something that is gone already may raise AWS's not-found error."""

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags in place."""
        raise DoubleError(f"{self.token}: the AWS double cannot change its tags")


def check_properties(kind: ResourceType, inputs: Plain) -> list[tuple[str, str]]:
    """Return (property, reason) for every unknown or missing property."""
    allowed = {*kind.schema.inputs, *(["region"] if kind.regional else [])}
    unknown = [
        (name, f"{kind.token}: the AWS double does not know the property '{name}'")
        for name in inputs
        if name not in allowed
    ]
    missing = [
        (name, f"{kind.token}: the property '{name}' is required")
        for name in kind.schema.names("required")
        if name not in inputs
    ]
    return unknown + missing


def is_same(schema: Schema, name: str, old: Any, new: Any) -> bool:  # noqa: ANN401 - JSON
    """Compare two values of one property as AWS does: documents by content, sets without order, absent as empty."""
    if is_unknown(old) or is_unknown(new):
        return False
    if name in schema.names("documents"):
        return bool(load_document(old) == load_document(new))
    # Scalars in a list inside an object (subnetIds, publicAccessCidrs, nodePools) are all sets to AWS.
    unordered: bool = name in schema.names("sets") or (not name and _is_scalars(old) and _is_scalars(new))
    if unordered and isinstance(old, list) and isinstance(new, list):
        return sorted(map(_sort_key, old)) == sorted(map(_sort_key, new))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(is_same(schema, "", old.get(key), new.get(key)) for key in {*old, *new})
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(is_same(schema, "", *pair) for pair in zip(old, new, strict=True))
    return bool(old == new) or (_is_empty(old) and _is_empty(new))


def echo(schema: Schema, name: str, typed: Any, live: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the ``live`` value of an input in the form and extent it was ``typed``, so that only drift differs."""
    if live is None or is_same(schema, name, typed, live):
        return typed
    if isinstance(typed, Mapping) and isinstance(live, Mapping) and name not in schema.names("maps"):
        return {key: echo(schema, "", value, live.get(key)) for key, value in typed.items()}
    if isinstance(typed, list) and isinstance(live, list) and len(typed) == len(live):
        return [echo(schema, "", *pair) for pair in zip(typed, live, strict=True)]
    return live


def load_document(text: Any) -> Any:  # noqa: ANN401 - JSON
    """Return parsed JSON, or what was given when it is none."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def rename(value: Any, change: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Return an API answer with camelCase keys all the way down; ``change`` names the irregular ones."""
    if isinstance(value, Mapping):
        return {(change or {}).get(key, key[:1].lower() + key[1:]): rename(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [rename(item, change) for item in value]
    return value


def build_parameters(value: Any, change: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Return inputs with PascalCase keys all the way down, for the APIs that want them."""
    if isinstance(value, Mapping):
        return {
            (change or {}).get(key, key[:1].upper() + key[1:]): build_parameters(item, change)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [build_parameters(item, change) for item in value]
    return value


def _sort_key(item: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(item, sort_keys=True)


def _is_scalars(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, list) and not any(isinstance(item, (Mapping, list)) for item in value)


def _is_empty(value: Any) -> bool:  # noqa: ANN401 - JSON
    # False and 0 are not empty: unset is another thing where AWS's default is true.
    return value is None or value == "" or (isinstance(value, (list, Mapping)) and not value)
