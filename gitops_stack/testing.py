"""Run a Pulumi program without engine, cluster or cloud, and see every resource with its options. For us and for users.

Pulumi's own mocks do not show options (parent, depends_on, ignore_changes, …); the monitor here records whole requests.
"""

from __future__ import annotations

import asyncio
import json
import threading
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
    retained: bool = False
    """Left where it is when the program no longer registers it."""


Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]
"""The result of a provider's function, or what makes one from the arguments; keys are camelCase in both."""


# An EKS cluster's: how to reach it and whom to ask for a token.
_KUBECONFIG = {
    "clusters": [
        {
            "name": "kubernetes",
            "cluster": {
                "server": "https://mock.gr7.eu-west-1.eks.amazonaws.com",
                "certificate-authority-data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
            },
        }
    ]
}
# What programs compute with once these are there, which no input says.
_OUTPUTS: dict[str, dict[str, Any]] = {
    "eks:index:Cluster": {
        "autoModeNodeRoleName": "auto-mode-nodes",
        "clusterSecurityGroupId": "sg-0123456789abcdef0",
        "kubeconfigJson": json.dumps(_KUBECONFIG),
        "oidcProviderUrl": "https://oidc.eks.mock.amazonaws.com/id/0",
    },
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:kms/key:Key": {"keyId": "00000000-0000-0000-0000-000000000000"},
}


# Who the AWS provider speaks for, and what is there; components ask when a program does not say.
_ANSWERS: dict[str, Answer] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012"},
    "aws:index/getRegion:getRegion": {"region": "eu-west-1"},
    "aws:eks/getClusters:getClusters": {"names": []},
    "aws:eks/getCluster:getCluster": {"vpcConfig": {"clusterSecurityGroupId": "sg-0fedcba9876543210"}},
}


class ProgramMocks(pulumi.runtime.Mocks):
    """Answer like a provider that accepts everything; ``calls`` maps a function's token to its answer.

    ``stacks`` are the outputs of other stacks, by their whole names. Unless told otherwise, AWS is account
    123456789012 in eu-west-1, without a cluster before the program makes one.
    """

    def __init__(
        self, calls: Mapping[str, Answer] | None = None, stacks: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self._calls, self._stacks = {**_ANSWERS, **(calls or {})}, stacks or {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Give the resource an id and its own inputs as outputs; in AWS a name and an ARN too."""
        if args.typ == "pulumi:pulumi:StackReference":
            whole = args.inputs["name"]
            return whole, {"name": whole, "outputs": dict(self._stacks[whole]), "secretOutputNames": []}
        named = {"name": args.name, "arn": f"arn:aws:mock:::{args.name}"} if args.typ.startswith("aws:") else {}
        return f"{args.name}-id", {**_OUTPUTS.get(args.typ, {}), **named, **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Return the prepared result. Raises ``KeyError`` for a function nobody prepared."""
        answer = self._calls[args.token]
        return answer(args.args) if callable(answer) else answer, []


class _Recorder(mocks.MockMonitor):
    """Keep every registration request."""

    def __init__(self, program_mocks: pulumi.runtime.Mocks, registered: list[RegisteredResource]) -> None:
        super().__init__(program_mocks)
        self.registered = registered
        self.loops: dict[threading.Thread, asyncio.AbstractEventLoop] = {}

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
                retained=request.retainOnDelete,
            )
        )
        self._keep_loop()
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def ReadResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - as above
        self._keep_loop()
        return super().ReadResource(request)  # type: ignore[no-untyped-call]

    def Invoke(self, request: Any) -> Any:  # noqa: ANN401, N802 - the SDK's generated types and names
        self._keep_loop()
        return super().Invoke(request)  # type: ignore[no-untyped-call]

    def _keep_loop(self) -> None:
        # The engine's calls come from worker threads, in each of which the mocks would open a loop and leave it open.
        if threading.current_thread() not in self.loops:
            self.loops[threading.current_thread()] = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loops[threading.current_thread()])


def record_program(
    program: Callable[[], object],
    *,
    stack: str,
    project: str = "gitops-stack",
    config: Mapping[str, Any] | None = None,
    secret_keys: tuple[str, ...] = (),
    calls: Mapping[str, Answer] | None = None,
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
    preview: bool = False,
    registered: list[RegisteredResource] | None = None,
) -> list[RegisteredResource]:
    """Run ``program`` under mocks and return its resources in the order of registration.

    ``config`` maps whole keys (`gitops-stack:argocd`) to values; objects are passed on as the engine does, as JSON.
    ``stacks`` maps whole names (`organization/gitops-stack/dev`) to the outputs of stacks that the program reads.
    ``registered`` is filled as the program runs, for a look at what a program that fails has registered until then.
    """
    program_mocks = ProgramMocks(calls, stacks)
    recorder = _Recorder(program_mocks, [] if registered is None else registered)
    loop = asyncio.new_event_loop()  # of its own, and closed at the end: nothing of one run reaches the next
    asyncio.set_event_loop(loop)
    recorder.loops[threading.current_thread()] = loop
    pulumi.runtime.set_mocks(program_mocks, project=project, stack=stack, preview=preview, monitor=recorder)
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (config or {}).items()}
    pulumi.runtime.set_all_config(values, list(secret_keys))

    def run() -> None:  # what a program returns, `runpy.run_path` its globals, would be awaited value by value
        program()

    try:
        pulumi.runtime.test(run)()  # type: ignore[no-untyped-call]
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        for opened in recorder.loops.values():
            opened.close()
        asyncio.set_event_loop(None)
        pulumi.runtime.set_all_config({}, [])
        settings.reset_options()
    return recorder.registered


_SIGNATURE = "4dabf18193072939515e22adb298388d"  # Pulumi's marker of special values on the wire
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the marker of a secret, not one


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value["value"] if _is_secret(value) else value
