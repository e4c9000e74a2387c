"""The AWS CLI that the component's kubeconfigs call: there, and new enough."""

from __future__ import annotations

import re
import shutil
import subprocess

from pulumi_aws_double.errors import EnvironmentProblem

_GUIDE = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
_OLDEST = {1: (1, 24, 0)}
_OLDEST_OTHERWISE = (2, 7, 0)
_LIMIT_SECONDS = 30.0


def check_aws_executable() -> None:
    """Raise EnvironmentProblem, in upstream's words, unless `aws` on PATH can mint tokens (>= 1.24.0, >= 2.7.0)."""
    executable = shutil.which("aws")
    if executable is None:
        raise EnvironmentProblem(f"Could not find aws CLI for EKS. See {_GUIDE} for installation instructions.")
    problem = check_version(_read_version(executable))
    if problem:
        raise EnvironmentProblem(problem)


def check_version(text: str) -> str | None:
    """Return what is wrong with the version in the CLI's answer (`aws-cli/2.31.0 Python/…`), or None."""
    found = re.match(r"aws-cli/v?(\d+)\.(\d+)\.(\d+)", text)
    if not found:
        return f"aws --version: answered {text.strip()[:80]!r}; the AWS CLI answers aws-cli/<version>."
    version = (int(found[1]), int(found[2]), int(found[3]))
    oldest = _OLDEST.get(version[0], _OLDEST_OTHERWISE)
    if version >= oldest:
        return None
    return (
        f"At least v{_dotted(oldest)} of aws-cli is required. Current version is: {_dotted(version)}. "
        f"See {_GUIDE} for installation instructions."
    )


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(str(part) for part in version)


def _read_version(executable: str) -> str:
    try:
        done = subprocess.run(
            [executable, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, timeout=_LIMIT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"{executable} --version: {error}; the AWS CLI is needed for EKS.") from None
    return done.stdout
