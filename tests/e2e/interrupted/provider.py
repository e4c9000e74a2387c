"""The AWS double, which never answers creates of the types in INTERRUPTED_TYPES and notes them in INTERRUPTED_NOTES.

A resource whose name ends in `-1` is not made then; all others are, and the engine does not hear of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from pulumi.provider.experimental import provider as protocol

from pulumi_aws_double.provider import VERSION, AwsDouble
from pulumi_aws_double.serving import serve


class InterruptedDouble(AwsDouble):
    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        kind, name = str(request.urn).split("$")[-1].split("::")[0], str(request.urn).rpartition("::")[2]
        if kind not in os.environ.get("INTERRUPTED_TYPES", "").split():
            return await super().create(request)
        if not name.endswith("-1"):
            await super().create(request)
        note = Path(os.environ["INTERRUPTED_NOTES"]) / f"{kind} {name}".replace("/", "|")
        note.touch()
        await asyncio.Event().wait()
        raise AssertionError("never reached")


if __name__ == "__main__":
    serve(sys.argv[1:], VERSION, InterruptedDouble())
