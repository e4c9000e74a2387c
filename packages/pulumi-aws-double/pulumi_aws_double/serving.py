"""Serve a provider to the engine, with two things Pulumi's own server leaves out.

A refusal that people can cause reaches them as its one sentence, without a traceback; and a diff gets the inputs of
then, not only the state.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_aws_double.errors import DoubleError

_LARGEST = 400 * 1024 * 1024  # bytes, the engine's own limit
_OPTIONS = (("grpc.max_receive_message_length", _LARGEST), ("grpc.max_send_message_length", _LARGEST))


class InputDiffRequest(protocol.DiffRequest):
    """A diff request that also knows what the program said last time."""

    old_inputs: dict[str, PropertyValue]


class InputServicer(ProviderServicer):
    """Pulumi's servicer, but a diff carries the old inputs."""

    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC's name and types
        """Ask the provider for a diff."""
        load = PropertyValue.unmarshal_map
        asked = InputDiffRequest(
            request.urn, request.id, load(request.olds), load(request.news), list(request.ignoreChanges)
        )
        asked.old_inputs = load(request.old_inputs)
        found = await self._provider.diff(asked)
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            replaces=found.replaces,
            deleteBeforeReplace=found.delete_before_replace,
            changes=some if found.changes else none,
            diffs=found.diffs,
            detailedDiff={
                name: provider_pb2.PropertyDiff(kind=_load_kind(diff.kind), inputDiff=diff.input_diff)
                for name, diff in found.detailed_diff.items()
            },
            hasDetailedDiff=True,
        )


class RefusalInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc is untyped
    """Answer with the sentence of a :class:`DoubleError`; Pulumi's servicer adds its traceback to it."""

    async def intercept_service(
        self,
        continuation: Callable[[Any], Awaitable[Any]],
        handler_call_details: Any,  # noqa: ANN401 - grpc is untyped
    ) -> Any:  # noqa: ANN401 - grpc is untyped
        """Wrap the handler of one call."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def answer(request: Any, context: Any) -> Any:  # noqa: ANN401 - grpc is untyped
            try:
                return await handler.unary_unary(request, context)
            except Exception as raised:
                # The servicer raises a new exception with the traceback in its text, in the context of the first.
                refusal = raised if isinstance(raised, DoubleError) else raised.__context__
                if not isinstance(refusal, DoubleError):
                    raise
            return await context.abort(grpc.StatusCode.UNKNOWN, " ".join(refusal.findings))

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def serve(arguments: list[str], version: str, provider: protocol.Provider) -> None:
    """Serve ``provider`` on a free port of loopback and print the port, as the engine expects of a plugin.

    ``arguments`` are the plugin's own; the first that is not an option is the engine's address.
    """
    engine = next((argument for argument in arguments if not argument.startswith("-")), "")

    async def run() -> None:
        server = grpc.aio.server(options=_OPTIONS, interceptors=[RefusalInterceptor()])
        servicer = InputServicer(arguments, version, provider, engine_address=engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await server.wait_for_termination()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return


def _load_kind(kind: protocol.PropertyDiffKind) -> Any:  # noqa: ANN401 - generated
    return provider_pb2.PropertyDiff.Kind.Value(kind.name)
