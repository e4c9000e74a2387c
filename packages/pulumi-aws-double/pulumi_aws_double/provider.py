"""The Pulumi provider `aws` over moto.

Started as ``python -m
pulumi_aws_double.provider``, which an executable named ``pulumi-resource-aws`` on the engine's PATH does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import PropertyValue

from pulumi_aws_double.differences import find_changes, find_diff_kind, would_clash
from pulumi_aws_double.errors import DoubleError
from pulumi_aws_double.functions import FUNCTIONS
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.registry import RESOURCE_TYPES, find_resource_type
from pulumi_aws_double.resource import ResourceType, check_properties, echo, is_same
from pulumi_aws_double.serving import InputDiffRequest, serve
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import UNKNOWN, Plain, build_values, find_secrets, load_values

VERSION = "7.51.1"
LATENCY = "PULUMI_AWS_DOUBLE_LATENCY"

# What an explicit aws.Provider may carry. Those of no meaning to a double are accepted, because a stack file that names
# them has to run unchanged.
_CONFIGURED = frozenset({"region", "defaultTags", "allowedAccountIds", "forbiddenAccountIds"})
_WITHOUT_MEANING = frozenset(
    {
        "accessKey", "secretKey", "token", "profile", "assumeRoles", "assumeRole", "sharedConfigFiles",
        "sharedCredentialsFiles", "skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation",
        "skipRequestingAccountId", "maxRetries", "retryMode", "httpProxy", "httpsProxy", "noProxy", "insecure",
        "stsRegion", "useDualstackEndpoint", "useFipsEndpoint", "version", "pluginDownloadURL",
    }
)  # fmt: skip


class AwsDouble(protocol.Provider):
    """Answer the engine for every resource type and function the components use; anything else is an error."""

    def __init__(self) -> None:
        self._session: AwsSession | None = None
        self._latency = float(os.environ.get(LATENCY) or 0)

    async def get_schema(self, request: protocol.GetSchemaRequest) -> protocol.GetSchemaResponse:
        """Return the tokens alone; the SDK's own schema says the rest."""
        tokens: Plain = {
            "resources": {token: {} for token in RESOURCE_TYPES},
            "functions": {token: {} for token in FUNCTIONS},
        }
        return protocol.GetSchemaResponse(json.dumps({"name": "aws", "version": VERSION, **tokens}))

    async def check_config(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        """Refuse configuration that the double does not know."""
        unknown = [name for name in request.new_inputs if name not in _CONFIGURED | _WITHOUT_MEANING]
        failures = [
            protocol.CheckFailure(name, f"pulumi:providers:aws: the AWS double does not know the setting '{name}'")
            for name in unknown
        ]
        return protocol.CheckResponse(request.new_inputs, failures)

    async def diff_config(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        """Replace nothing, as upstream: another region or account is found out per resource."""
        changed = sorted(
            name
            for name in {*request.old_state, *request.new_inputs}
            if request.old_state.get(name) != request.new_inputs.get(name)
        )
        return protocol.DiffResponse(changes=bool(changed), diffs=changed)

    async def configure(self, request: protocol.ConfigureRequest) -> protocol.ConfigureResponse:
        """Take region, default tags and account ids; refuse an account the stack does not allow."""
        settings = _load_settings(request.args)
        region = settings.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise DoubleError("aws:region: not set; the AWS provider needs a region, such as eu-west-1")
        session = AwsSession(region, dict((settings.get("defaultTags") or {}).get("tags") or {}))
        allowed, forbidden = settings.get("allowedAccountIds") or [], settings.get("forbiddenAccountIds") or []
        if allowed and session.account_id not in allowed:
            raise DoubleError(f"AWS account ID not allowed: {session.account_id}; allowed: {', '.join(allowed)}")
        if session.account_id in forbidden:
            raise DoubleError(f"AWS account ID not allowed: {session.account_id}; it is forbidden")
        self._session = session
        # No output values: this version of Pulumi's server cannot read an unknown one.
        return protocol.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        """Name what is unnamed and refuse unknown, missing and malformed properties."""
        kind, inputs = find_resource_type(request.type), load_values(request.new_inputs)
        failures = [*check_properties(kind, inputs), *kind.check(inputs)]
        properties = {name: value for name, value in request.new_inputs.items() if value.value is not None}
        named = kind.auto_name
        if named is not None and named.property not in properties:
            properties[named.property] = PropertyValue(_choose_name(kind, request))
        return protocol.CheckResponse(properties, [protocol.CheckFailure(*failure) for failure in failures])

    async def diff(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        """Compare the inputs of then and now."""
        kind = find_resource_type(request.type)
        state = load_values(request.old_state)
        old = load_values(request.old_inputs) if isinstance(request, InputDiffRequest) else dict(state)
        if "region" in state:
            old.setdefault("region", state["region"])
        new = load_values(request.new_inputs)
        changed = find_changes(kind, old, new)
        replaced = sorted(kind.find_replacing(old, new, changed))
        if kind.taggable and not is_same(kind.schema, "", state.get("tagsAll"), self._merge_tags(new)):
            changed |= {"tagsAll"}
        details = {
            name: protocol.PropertyDiff(find_diff_kind(name, old, new, replace=name in replaced), name != "tagsAll")
            for name in sorted(changed)
        }
        return protocol.DiffResponse(
            changes=bool(changed),
            replaces=replaced,
            diffs=sorted(changed),
            detailed_diff=details,
            delete_before_replace=bool(replaced) and would_clash(kind, request.name, old, new),
        )

    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        """Make a resource; in a preview, say what will be known of it."""
        kind, inputs = find_resource_type(request.type), load_values(request.properties)
        secrets = find_secrets(request.properties) | {*kind.schema.names("secrets")}
        session = self._session_for(inputs)
        if kind.taggable:
            inputs["tagsAll"] = self._merge_tags(inputs)
        if request.preview:
            unknown = dict.fromkeys((*kind.schema.names("outputs"), *kind.schema.names("computed")), UNKNOWN)
            known = {**self._with_region(kind, inputs), **kind.preview(inputs, {})}
            return protocol.CreateResponse("", build_values({**unknown, **known}, secrets))
        await asyncio.sleep(self._latency)
        identity = kind.create(session, inputs)
        state = self._load_state(kind, identity, inputs)
        if state is None:
            raise DoubleError(f"{kind.token}: {identity} was created and is gone")
        return protocol.CreateResponse(identity, build_values(state, secrets))

    async def read(self, request: protocol.ReadRequest) -> protocol.ReadResponse:
        """Refresh a resource, or import one by its id; an empty id says that it is gone."""
        kind, known = find_resource_type(request.type), load_values(request.properties)
        typed = load_values(request.inputs)
        last = {**known, **typed}
        identity = kind.find_identity(self._session_for(last), request.resource_id)
        state = self._load_state(kind, identity, last)
        if state is None:
            return protocol.ReadResponse("")
        inputs = self._load_inputs(kind, typed, state)
        secrets = find_secrets(request.properties) | find_secrets(request.inputs) | {*kind.schema.names("secrets")}
        return protocol.ReadResponse(identity, build_values(state, secrets), build_values(inputs, secrets))

    async def update(self, request: protocol.UpdateRequest) -> protocol.UpdateResponse:
        """Change a resource in place."""
        kind, old, new = find_resource_type(request.type), load_values(request.olds), load_values(request.news)
        secrets = find_secrets(request.news) | {*kind.schema.names("secrets")}
        computed = {
            name: old[name] for name in (*kind.schema.names("outputs"), *kind.schema.names("computed")) if name in old
        }
        if kind.taggable:
            new["tagsAll"] = self._merge_tags(new)
        if request.preview:
            computed |= dict.fromkeys(kind.schema.names("volatile"), UNKNOWN)
            known = {**self._with_region(kind, new), **kind.preview(new, old)}
            return protocol.UpdateResponse(build_values({**computed, **known}, secrets))
        await asyncio.sleep(self._latency)
        session = self._session_for(old)
        if kind.taggable:
            _update_tags(kind, session, request.resource_id, old, new["tagsAll"])
        changed = find_changes(kind, old, new) - {"tags", "tagsAll"}
        if changed:
            kind.update(session, request.resource_id, old, new, frozenset(changed))
        state = self._load_state(kind, request.resource_id, {**computed, **new})
        if state is None:
            raise DoubleError(f"{kind.token}: {request.resource_id} is gone; run pulumi refresh")
        return protocol.UpdateResponse(build_values(state, secrets))

    async def delete(self, request: protocol.DeleteRequest) -> None:
        """Delete a resource; one that is gone already is not an error."""
        kind, state = find_resource_type(request.type), load_values(request.properties)
        await asyncio.sleep(self._latency)
        try:
            kind.delete(self._session_for(state), request.resource_id, state)
        except AwsError as refused:
            if not refused.is_missing:
                raise

    async def invoke(self, request: protocol.InvokeRequest) -> protocol.InvokeResponse:
        """Answer a function."""
        function = FUNCTIONS.get(request.tok)
        if function is None:
            raise DoubleError(f"{request.tok}: the AWS double does not know this function")
        arguments = load_values(request.args)
        unknown = [name for name in arguments if name not in function.arguments]
        DoubleError.raise_for(f"{request.tok}: the AWS double does not know the argument '{name}'" for name in unknown)
        answer = function.answer(self._session_for(arguments), arguments)
        return protocol.InvokeResponse(build_values(answer, find_secrets(request.args) | {*function.secrets}))

    def _session_for(self, properties: Plain) -> AwsSession:
        if self._session is None:
            raise DoubleError("pulumi:providers:aws: not configured")
        region = properties.get("region")
        if not isinstance(region, str) or region == self._session.region:
            return self._session
        return AwsSession(region, self._session.default_tags)

    def _merge_tags(self, inputs: Plain) -> Any:  # noqa: ANN401 - a map, or unknown
        tags, default = inputs.get("tags") or {}, self._session_for({}).default_tags
        return {**default, **tags} if isinstance(tags, Mapping) else UNKNOWN

    def _with_region(self, kind: ResourceType, inputs: Plain) -> Plain:
        return {"region": self._session_for({}).region, **inputs} if kind.regional else inputs

    def _load_state(self, kind: ResourceType, identity: str, known: Plain) -> Plain | None:
        """Return what is live over what is known, so that what moto forgets keeps the value it was given."""
        try:
            live = kind.read(self._session_for(known), identity, known)
        except AwsError as refused:
            if not refused.is_missing:
                raise
            return None
        if live is None:
            return None
        inputs = {*kind.schema.inputs, "region"}
        live = {
            name: echo(kind.schema, name, known[name], value)
            if name in inputs and name in known and _is_plain(value)
            else value
            for name, value in live.items()
            if value is not None
        }
        state = {**known, **live}
        if kind.taggable:
            state["tags"] = self._own_tags(known, state.get("tagsAll") or {})
        return self._with_region(kind, state)

    def _own_tags(self, known: Plain, live: Mapping[str, str]) -> dict[str, str]:
        typed, default = known.get("tags") or {}, self._session_for({}).default_tags
        return {key: value for key, value in live.items() if key in typed or default.get(key) != value}

    def _load_inputs(self, kind: ResourceType, typed: Plain, state: Plain) -> Plain:
        if typed:
            live = {name: state.get(name) for name in typed}
            inputs = {name: echo(kind.schema, name, typed[name], value) for name, value in live.items()}
            if kind.taggable and state["tags"] != (typed.get("tags") or {}):
                inputs["tags"] = state["tags"]
            return inputs
        required, chosen = kind.schema.names("required"), kind.schema.names("computed")
        names = [name for name in kind.schema.inputs if name in required or name not in chosen]
        return {name: state[name] for name in names if state.get(name) not in (None, "", [], {}, False)}


def _load_settings(arguments: Mapping[str, PropertyValue]) -> Plain:
    """Return provider settings; the engine hands all but strings over as JSON text."""
    settings = {}
    for name, value in load_values(arguments).items():
        structured = isinstance(value, str) and value[:1] in {"{", "["}
        settings[name] = json.loads(value) if structured else value
    return settings


def _choose_name(kind: ResourceType, request: protocol.CheckRequest) -> str:
    named = kind.auto_name
    if named is None:
        raise DoubleError(f"{kind.token}: has no name to choose")
    old = load_values(request.old_inputs).get(named.property)
    if named.made(old, request.name):
        return str(old)
    return named.build(request.name, request.random_seed or os.urandom(16))


def _update_tags(kind: ResourceType, session: AwsSession, identity: str, old: Plain, wanted: Mapping[str, str]) -> None:
    live = old.get("tagsAll") or {}
    removed = sorted(key for key in live if key not in wanted)
    added = {key: value for key, value in wanted.items() if live.get(key) != value}
    if added or removed:
        kind.tag(session, identity, old, added, removed)


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - JSON
    return not isinstance(value, Mapping)


def main() -> None:
    """Serve the provider until the engine ends it."""
    serve(sys.argv[1:], VERSION, AwsDouble())


if __name__ == "__main__":
    main()
