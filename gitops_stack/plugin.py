"""The components as a Pulumi plugin, for programs in every language."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from pulumi import RunError
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError, main

from gitops_stack import components
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import GitOpsStackError

if TYPE_CHECKING:
    from pulumi import Inputs, ResourceOptions
    from pulumi.provider import ConstructResult

# It takes the settings object of this library, which only a program in Python can make.
_OF_PYTHON = {"GitOpsStack"}


class Components(ComponentProvider):
    """Serve the components, and say of arguments that cannot work what is wrong with them, without a traceback."""

    def __init__(self) -> None:
        names = [name for name in components.__all__ if not name.endswith("Args") and name not in _OF_PYTHON]
        served = [getattr(components, name) for name in names]
        super().__init__(served, PULUMI_PROJECT, version=version("gitops-stack"))
        self.schema = _complete_for_go(str(self.schema))

    def construct(
        self, name: str, resource_type: str, inputs: Inputs, options: ResourceOptions | None = None
    ) -> ConstructResult:
        """Make one component. Raises :class:`RunError` with the sentences of what stops it."""
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, GitOpsStackError):
                # Not InputPropertiesError, which the SDK cannot send: its status lacks what grpc.aio asks it for.
                raise RunError(str(error.inner)) from None
            raise


def _complete_for_go(schema: str) -> str:
    """Ask for the types that Go's generator names and leaves out of plain maps (pulumi/pulumi#14662)."""
    document = json.loads(schema)
    document["language"]["go"]["generateExtraInputTypes"] = True
    return json.dumps(document)


def serve() -> None:
    """Serve them until the engine ends, which gives its address as an argument."""
    main(Components(), sys.argv[1:])


if __name__ == "__main__":
    serve()
