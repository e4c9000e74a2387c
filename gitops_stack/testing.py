"""Run a Pulumi program without engine, cluster or cloud, and see every resource with its options. For us and for users.

Pulumi's own mocks do not show options (parent, depends_on, ignore_changes, …); the monitor here records whole requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, settings


@dataclass(frozen=True)
class RegisteredResource:
    """One resource as the program registered it; inputs are camelCase, numbers are floats, as the engine sees them."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    provider: str
    depends_on: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    deleted_with: str
    delete_timeout: str
    secret_inputs: tuple[str, ...]


class ProgramMocks(pulumi.runtime.Mocks):
    """Answer like a provider that accepts everything; ``calls`` maps a function's token to its result."""

    def __init__(self, calls: Mapping[str, dict[str, Any]] | None = None) -> None:
        self._calls = calls or {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Give the resource an id and its own inputs as outputs."""
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Return the prepared result. Raises ``KeyError`` for a function nobody prepared."""
        return self._calls[args.token], None


class _Recorder(mocks.MockMonitor):
    """Keep every registration request."""

    def __init__(self, program_mocks: pulumi.runtime.Mocks) -> None:
        super().__init__(program_mocks)
        self.registered: list[RegisteredResource] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - the SDK's generated types and names
        inputs = json_format.MessageToDict(request.object)
        secret = tuple(sorted(key for key, value in inputs.items() if _is_secret(value)))
        self.registered.append(
            RegisteredResource(
                type=request.type,
                name=request.name,
                inputs={key: _plain(value) for key, value in inputs.items()},
                parent=request.parent.rpartition("::")[2],
                provider=request.provider or ",".join(sorted(request.providers.values())),
                depends_on=tuple(sorted(urn.rpartition("::")[2] for urn in request.dependencies)),
                ignore_changes=tuple(request.ignoreChanges),
                deleted_with=request.deletedWith.rpartition("::")[2],
                delete_timeout=request.customTimeouts.delete,
                secret_inputs=secret,
            )
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def record_program(
    program: Callable[[], None],
    *,
    stack: str,
    project: str = "gitops-stack",
    config: Mapping[str, Any] | None = None,
    secret_keys: tuple[str, ...] = (),
    calls: Mapping[str, dict[str, Any]] | None = None,
    preview: bool = False,
) -> list[RegisteredResource]:
    """Run ``program`` under mocks and return its resources in the order of registration.

    ``config`` maps whole keys (`gitops-stack:argocd`) to values; objects are passed on as the engine does, as JSON.
    """
    program_mocks = ProgramMocks(calls)
    recorder = _Recorder(program_mocks)
    pulumi.runtime.set_mocks(program_mocks, project=project, stack=stack, preview=preview, monitor=recorder)
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (config or {}).items()}
    pulumi.runtime.set_all_config(values, list(secret_keys))
    try:
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    finally:
        pulumi.runtime.set_all_config({}, [])
        settings.reset_options()
    return recorder.registered


_SIGNATURE = "4dabf18193072939515e22adb298388d"  # Pulumi's marker of special values on the wire
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the marker of a secret, not one


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value["value"] if _is_secret(value) else value
