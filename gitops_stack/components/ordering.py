"""What a component's children wait for: Pulumi does not hand `depends_on` down to them."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


def inherited_dependencies(opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
    """Return the resources in ``opts.depends_on``, for a component to give to those of its children that must wait."""
    given = opts.depends_on if opts is not None else None
    if isinstance(given, pulumi.Resource):
        return [given]
    return [found for found in given if isinstance(found, pulumi.Resource)] if isinstance(given, Sequence) else []
