"""Log in to the account's ECR registry: a password for twelve hours, given to a tool by standard input or to a file."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gitops_stack.account.session import Account
from gitops_stack.errors import EnvironmentProblem, Problem, last_line
from gitops_stack.gitops_tree.private_file import write_private_file

COMMANDS = {"docker": ("docker", "login"), "podman": ("podman", "login"), "helm": ("helm", "registry", "login")}
_LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class RegistryLogin:
    """Login to a registry; ``host`` has no scheme, ``expires`` knows its time zone."""

    host: str
    username: str
    password: str = field(repr=False)
    expires: datetime


def load_login(account: Account) -> RegistryLogin:
    """Ask ECR for the login to the account's private registry (ecr:GetAuthorizationToken)."""
    found = account.ask("ecr", "get_authorization_token")["authorizationData"][0]
    username, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return RegistryLogin(found["proxyEndpoint"].partition("://")[2].rstrip("/"), username, password, found["expiresAt"])


def log_in(login: RegistryLogin, tool: str) -> None:
    """Run the login command of ``tool``, the password by standard input. Raises :class:`EnvironmentProblem`."""
    program, *words = COMMANDS[tool]
    if (executable := shutil.which(program)) is None:
        raise EnvironmentProblem(
            Problem(
                f"found no {program}",
                "install it, choose another with --tool, or use --write-config, which needs none",
                "PATH",
            )
        )
    command = [executable, *words, "--username", login.username, "--password-stdin", login.host]
    try:
        done = subprocess.run(
            command, input=login.password, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = "did not end" if isinstance(error, subprocess.TimeoutExpired) else str(error.strerror)
        raise EnvironmentProblem(
            Problem(f"login to {login.host} failed: {reason}", f"is {program} working?", program)
        ) from None
    if done.returncode:
        said = last_line(done.stderr or done.stdout).replace(login.password, "(password)")[:300]
        raise EnvironmentProblem(Problem(f"login to {login.host} failed: {said}", f"is {program} working?", program))


def docker_config_file() -> Path:
    """Return the file docker, buildah, crane and kaniko read: config.json of `$DOCKER_CONFIG` or of ~/.docker."""
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder).expanduser() if folder else Path.home() / ".docker") / "config.json"


def write_docker_config(login: RegistryLogin, file: Path) -> None:
    """Put the login into ``file``, mode 0600, everything else in it kept. Raises :class:`EnvironmentProblem`."""
    target = file.resolve()
    config = _load(target)
    auth = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    config["auths"] = {**(config.get("auths") or {}), login.host: {"auth": auth}}
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private_file(target, json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be written: {error.strerror}", "name a folder in DOCKER_CONFIG", str(file))
        ) from None


def credential_helper(file: Path, host: str) -> str | None:
    """Return the credential helper that ``file`` names for ``host``: docker asks it before it looks into the file."""
    config = _load(file)
    helper = (config.get("credHelpers") or {}).get(host) or config.get("credsStore")
    return str(helper) if helper else None


def _load(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        config = json.loads(file.read_text(encoding="utf-8") or "{}")
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(Problem(f"cannot be read: {error}", "repair it first", str(file))) from None
    if not isinstance(config, dict):
        raise EnvironmentProblem(Problem("is not a docker configuration", "repair it first", str(file)))
    return config
