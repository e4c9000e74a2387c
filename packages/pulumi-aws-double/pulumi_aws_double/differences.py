"""What differs between the inputs of then and now, and what follows from it.

Knows nothing of AWS.
"""

from __future__ import annotations

from pulumi.provider.experimental import provider as protocol

from pulumi_aws_double.resource import ResourceType, is_same
from pulumi_aws_double.values import Plain, is_unknown


def find_changes(kind: ResourceType, old: Plain, new: Plain) -> set[str]:
    """Return the inputs that differ; one that AWS chooses and the program leaves out does not."""
    schema = kind.schema
    names = {name for name in (*schema.inputs, "region") if name in old or name in new}
    chosen = {*schema.names("computed"), "region"}
    return {
        name
        for name in names
        if not (name in chosen and name not in new) and not is_same(schema, name, old.get(name), new.get(name))
    }


def would_clash(kind: ResourceType, logical: str, old: Plain, new: Plain) -> bool:
    """Tell whether a replacement would meet its predecessor's name, and so has to wait for its end."""
    identity = kind.schema.names("identity")
    if not identity or any(is_unknown(new.get(name)) or old.get(name) != new.get(name) for name in identity):
        return False
    named = kind.auto_name  # a replacement of what named itself gets a new name
    return named is None or named.property not in identity or not named.made(new.get(named.property), logical)


def find_diff_kind(name: str, old: Plain, new: Plain, *, replace: bool) -> protocol.PropertyDiffKind:
    """Return the engine's word for the difference of one property."""
    kinds = protocol.PropertyDiffKind
    if name not in old and name != "tagsAll":
        return kinds.ADD_REPLACE if replace else kinds.ADD
    if name not in new and name != "tagsAll":
        return kinds.DELETE_REPLACE if replace else kinds.DELETE
    return kinds.UPDATE_REPLACE if replace else kinds.UPDATE
