"""How much Argo CD is to hold: one word, and the figures it stands for.

Source: docs/operator-manual/high_availability.md (50 status, 25 operation processors for 1,000 applications; replicas
and environment agree), and the published load tests of CNOE (cnoe.io/blog/argo-cd-application-scalability: requests a
second before processors, then more shards).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Size = Literal["small", "medium", "large"]
Shards = Annotated[int, Field(strict=True, ge=1, le=50)]


@dataclass(frozen=True)
class SizeFigures:
    """What one size means; memory in MiB, which is request and limit of one replica.

    ``status`` is one processor for 20 applications, ``operation`` half of it (upstream's 50/25 for 1,000);
    ``applications`` is how many a size is for.
    """

    applications: int
    status: int
    operation: int
    kubectl_at_once: int
    client_qps: int
    controller_memory: int
    renders_at_once: int
    repo_server_replicas: int
    repo_server_memory: int
    server_replicas: int


SIZES: dict[Size, SizeFigures] = {
    "small": SizeFigures(400, 20, 10, 20, 50, 2048, 8, 1, 1024, 1),
    "medium": SizeFigures(1000, 50, 25, 20, 50, 4096, 8, 2, 2048, 2),
    "large": SizeFigures(2000, 100, 50, 40, 100, 8192, 8, 3, 2048, 3),
}
