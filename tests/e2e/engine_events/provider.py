"""A provider that keeps what it is given: enough for an engine to preview creates, updates, replacements, failures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from pulumi.provider.experimental import provider, server
from pulumi.provider.experimental.property_value import PropertyValue

Kind = provider.PropertyDiffKind
REPLACING = {"aws:ec2/vpc:Vpc": {"cidrBlock"}, "aws:ec2/subnet:Subnet": {"vpcId", "cidrBlock"}}
COMPUTED = {"aws:ec2/vpc:Vpc": "arn", "aws:ecr/repository:Repository": "repositoryUrl"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def type_of(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def plain(value: Any) -> Any:
    value = value.value if isinstance(value, PropertyValue) else value
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: plain(found) for key, found in value.items()}
    return [plain(found) for found in value] if isinstance(value, (list, tuple)) else value


def changed_paths(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            at = f'{path}["{key}"]' if "." in key else f"{path}.{key}" if path else key
            yield from changed_paths(old.get(key), new.get(key), at)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, sides in enumerate(zip(old, new, strict=True)):
            yield from changed_paths(*sides, f"{path}[{index}]")
    elif old != new:
        yield path


class Double(provider.Provider):
    async def check(self, request: provider.CheckRequest) -> provider.CheckResponse:
        wrong = [provider.CheckFailure("forbidden", "expected a value of 1 to 3, got 7")]
        return provider.CheckResponse(request.new_inputs, wrong if "forbidden" in request.new_inputs else [])

    async def check_config(self, request: provider.CheckRequest) -> provider.CheckResponse:
        return provider.CheckResponse(request.new_inputs, [])

    async def diff_config(self, request: provider.DiffRequest) -> provider.DiffResponse:  # noqa: ARG002 - the interface's
        return provider.DiffResponse(changes=False)

    async def configure(self, request: provider.ConfigureRequest) -> provider.ConfigureResponse:  # noqa: ARG002 - the interface's
        return provider.ConfigureResponse(accept_secrets=True, supports_preview=True, accept_outputs=True)

    async def diff(self, request: provider.DiffRequest) -> provider.DiffResponse:
        kind = type_of(request.urn)
        old, new = plain(request.old_state), plain(request.new_inputs)
        old.pop(COMPUTED.get(kind), None)
        detailed, replaces = {}, set()
        for path in changed_paths(old, new):
            key = path.split(".")[0].split("[")[0]
            replaces |= {key} & REPLACING.get(kind, set())
            detailed[path] = provider.PropertyDiff(Kind.UPDATE_REPLACE if key in replaces else Kind.UPDATE, True)
        keys = sorted({path.split(".")[0].split("[")[0] for path in detailed})
        return provider.DiffResponse(bool(detailed), sorted(replaces), diffs=keys, detailed_diff=detailed)

    async def create(self, request: provider.CreateRequest) -> provider.CreateResponse:
        outputs, kind, name = dict(request.properties), type_of(request.urn), request.urn.rpartition("::")[2]
        if kind in COMPUTED:
            outputs[COMPUTED[kind]] = PropertyValue(UNKNOWN if request.preview else f"{COMPUTED[kind]}-of-{name}")
        return provider.CreateResponse("" if request.preview else f"id-{name}", outputs)

    async def update(self, request: provider.UpdateRequest) -> provider.UpdateResponse:
        return provider.UpdateResponse({**request.olds, **request.news})

    async def delete(self, request: provider.DeleteRequest) -> None:
        pass

    async def invoke(self, request: provider.InvokeRequest) -> provider.InvokeResponse:
        if "unreachable" in request.tok:
            raise LookupError("no valid credential sources for AWS provider found; profile acme is missing")
        return provider.InvokeResponse(dict(request.args), [])


server.main(sys.argv[1:], "7.51.1", Double())
