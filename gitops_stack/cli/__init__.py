"""`gitops-stack …`: parse, one call, print."""

from __future__ import annotations


def start() -> None:
    """Run the command line; without the extra `cli`, say what to install and exit with 2."""
    try:
        from gitops_stack.cli.main import main  # noqa: PLC0415 - typer is of that extra
    except ModuleNotFoundError as missing:
        import sys  # noqa: PLC0415 - as below

        from gitops_stack.cli.extras import describe_missing  # noqa: PLC0415 - needed by nobody who has the extra

        if (said := describe_missing(missing)) is None:
            raise
        sys.stderr.write(f"error: {said}\n")
        sys.exit(2)
    main()
