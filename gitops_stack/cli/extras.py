"""Which extra of the package brings what a command imports. A library without it is named, never a traceback."""

from __future__ import annotations

# By the name that is imported; what an extra's own requirements bring along comes with them.
MODULES = {
    **dict.fromkeys(("boto3", "copier", "jsonschema_rs", "kubernetes_validate", "plumbum", "rich", "typer"), "cli"),
    **dict.fromkeys(("cryptography", "supervisor"), "lab"),
    "pulumi_aws_double": "rehearse",
}


def describe_missing(missing: ModuleNotFoundError) -> str | None:
    """Say what is not installed and how to install it; None for a module that no extra brings."""
    name = (missing.name or "").partition(".")[0]
    extra = MODULES.get(name)
    return extra and f"{name} is not installed; install it with: pip install 'gitops-stack[{extra}]'"
