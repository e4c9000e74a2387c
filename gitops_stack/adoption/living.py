"""What lives in a cluster, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gitops_stack.manifests import Manifest


@dataclass(frozen=True)
class Living:
    """What lives in a cluster: ``home`` is Argo CD's namespace, ``objects`` are of the kinds of an installation."""

    home: Manifest | None = None
    objects: Sequence[Manifest] = field(default=(), repr=False)
    applications: Sequence[Manifest] = field(default=(), repr=False)
    app_projects: Sequence[Manifest] = field(default=(), repr=False)
    application_sets: Sequence[Manifest] = field(default=(), repr=False)
