"""A resource monitor that behaves as the recording's engine and AWS double did, and a program run against it.

Resources get the id `<name>-id` and the ARN `arn:aws:fake:us-east-1:1:<type chain>/<name>`; remote components are
constructed by the eks double, a process of its own, over gRPC.
"""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pulumi
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import stack as pulumi_stack
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

PROJECT, STACK = "t5", "dev"
CLUSTER_OUTPUTS = {
    "endpoint": "https://127.0.0.1:6443",
    "certificateAuthority": {"data": "Y2VydA=="},
    "identities": [{"oidcs": [{"issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/1"}]}],
}
ANSWERS = {
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:eks/getAddonVersion:getAddonVersion": {"version": "v1.0.0-eksbuild.1"},
}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass
class Registration:
    """One resource as it was registered; ``inputs`` and ``outputs`` as JSON."""

    type: str
    name: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    ignore_changes: list[str]
    depends_on: list[str]
    provider: str
    version: str
    outputs: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """What one program registered, in order, and the functions it called."""

    resources: list[Registration] = field(default_factory=list)
    invokes: list[dict[str, Any]] = field(default_factory=list)
    invoke_providers: set[str] = field(default_factory=set)

    def find(self, type_: str, name: str) -> Registration:
        (found,) = [r for r in self.resources if (r.type, r.name) == (type_, name)]
        return found


class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """The engine's side of the protocol, for one run at a time."""

    def __init__(self) -> None:
        self.provider: Any = None
        self.address = ""
        self.reset(dry_run=False, config={})

    def reset(self, *, dry_run: bool, config: dict[str, str]) -> None:
        self.dry_run = dry_run
        self.config = config
        self.run = Run()
        self.errors: list[str] = []
        self._states: dict[str, tuple[str, struct_pb2.Struct]] = {}
        self._root = ""

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        names = ("SECRETS", "RESOURCE_REFERENCES", "OUTPUT_VALUES", "ALIAS_SPECS", "DELETED_WITH")
        features = [getattr(resource_pb2, f"RESOURCE_MONITOR_FEATURE_{name}") for name in names]
        return resource_pb2.DeploymentInfo(supportedFeatures=features)

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return empty_pb2.Empty()

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        arguments = json_format.MessageToDict(request.args)
        response = provider_pb2.InvokeResponse()
        returned = getattr(response, "return")
        if request.tok == "pulumi:pulumi:getResource":
            id_, state = self._states[arguments["urn"]]
            returned.update({"urn": arguments["urn"], "id": id_})
            returned["state"] = state
        else:
            self.run.invokes.append({"token": request.tok, "args": arguments})
            self.run.invoke_providers.add(request.provider)
            returned.update(ANSWERS[request.tok])
        return response

    def Call(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        forwarded = provider_pb2.CallRequest(
            tok=request.tok,
            args=request.args,
            project=PROJECT,
            stack=STACK,
            dryRun=self.dry_run,
            monitorEndpoint=self.address,
        )
        return self.provider.Call(forwarded)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.remote:
            try:
                made = self.provider.Construct(self._build_construct(request))
            except grpc.RpcError as error:
                self.errors.append(error.details())
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.details())
            return resource_pb2.RegisterResourceResponse(urn=made.urn, object=made.state)
        urn = build_urn(request)
        registration = self._record(request)
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.object)
        id_ = ""
        if request.custom and not self.dry_run:
            id_ = f"{request.name}-id"
            outputs.update(_compute_outputs(request, urn))
        if request.type != "pulumi:pulumi:Stack":
            self.run.resources.append(registration)
        self._states[urn] = (id_, outputs)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=outputs)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        id_, _ = self._states[request.urn]
        self._states[request.urn] = (id_, request.outputs)
        outputs = json_format.MessageToDict(request.outputs)
        for registration in self.run.resources:
            if not registration.custom and request.urn.endswith(f"{registration.type}::{registration.name}"):
                registration.outputs = outputs
        return empty_pb2.Empty()

    def _build_construct(self, request: Any) -> Any:
        dependencies = {
            key: provider_pb2.ConstructRequest.PropertyDependencies(urns=value.urns)
            for key, value in request.propertyDependencies.items()
        }
        return provider_pb2.ConstructRequest(
            project=PROJECT,
            stack=STACK,
            dryRun=self.dry_run,
            config=self.config,
            parallel=4,
            monitorEndpoint=self.address,
            type=request.type,
            name=request.name,
            parent=request.parent,
            inputs=request.object,
            inputDependencies=dependencies,
            providers=request.providers,
            dependencies=request.dependencies,
            accepts_output_values=True,
        )

    def _record(self, request: Any) -> Registration:
        inputs = json_format.MessageToDict(request.object)
        if request.type.startswith("pulumi:providers:"):
            inputs["version"] = request.version  # the engine stores it among the inputs
        return Registration(
            type=request.type,
            name=request.name,
            parent=request.parent.rpartition("::")[2],
            custom=request.custom,
            inputs=inputs,
            ignore_changes=sorted(request.ignoreChanges),
            depends_on=sorted(urn.rpartition("::")[2] for urn in request.dependencies),
            provider=request.provider,
            version=request.version,
        )


def build_urn(request: Any) -> str:
    """Name a resource as the engine does: the types of its parents but the stack, then its own."""
    parents = request.parent.split("::")[2] if request.parent else ""
    chain = request.type if parents in ("", "pulumi:pulumi:Stack") else f"{parents}${request.type}"
    return f"urn:pulumi:{STACK}::{PROJECT}::{chain}::{request.name}"


def _compute_outputs(request: Any, urn: str) -> dict[str, Any]:
    inputs = json_format.MessageToDict(request.object)
    outputs = {"arn": f"arn:aws:fake:us-east-1:1:{urn.split('::')[2]}/{request.name}", "name": request.name}
    outputs.update({"name": inputs["name"]} if "name" in inputs else {})
    if request.type == "aws:eks/cluster:Cluster":
        vpc = {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-made-by-eks"}
        return {**outputs, **CLUSTER_OUTPUTS, "vpcConfig": vpc}
    return outputs


@contextmanager
def start_engine(environment: dict[str, str]) -> Iterator[Engine]:
    """Start the monitor, and the eks double as the engine starts it; yield what runs programs against both."""
    monitor = Monitor()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
    monitor.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    command = [sys.executable, "-m", "pulumi_aws_double.eks_provider", monitor.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                monitor.provider = provider_pb2_grpc.ResourceProviderStub(channel)
                yield Engine(monitor)
        finally:
            process.terminate()
            server.stop(None).wait()


class Engine:
    """Runs programs one after the other."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def run(self, program: Callable[[], None], *, dry_run: bool = False, config: dict[str, str] | None = None) -> Run:
        """Run ``program`` to its end; raise ProgramError with what the engine would print when it fails."""
        monitor = self._monitor
        monitor.reset(dry_run=dry_run, config=config or {})
        settings = pulumi.runtime.Settings(PROJECT, STACK, monitor.address, monitor.address, dry_run=dry_run)

        def run() -> None:
            pulumi.runtime.configure(settings)
            asyncio.run(pulumi_stack.run_in_stack(program))

        try:
            contextvars.copy_context().run(run)
        except Exception:
            if monitor.errors:
                raise ProgramError(monitor.errors[0]) from None
            raise
        return monitor.run


class ProgramError(Exception):
    """The first error a run reported."""
