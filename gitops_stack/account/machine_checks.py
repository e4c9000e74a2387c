"""What this machine needs for `pulumi up`: programs, the state backend, the secrets provider."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account, AwsError
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.kustomize import find_kustomize

_LIMIT_SECONDS = 20.0
# pulumi-eks looks for these when a cluster is constructed, in a preview too (assertCompatibleAWSCLIExists).
_AWS_CLI_LEAST = {1: (1, 24, 0), 2: (2, 7, 0)}
_PULUMI_LEAST = (3, 231, 0)  # what the requirement on its SDK says
_PULUMI_CLOUD = "https://api.pulumi.com"


@dataclass(frozen=True)
class Backend:
    """Where Pulumi keeps the state; ``source`` says who chose it."""

    url: str
    source: str


def check_git() -> Check:
    """Check that git is there: kustomize fetches the remote base with it."""
    return _check_program("git", None, "git, which kustomize fetches the remote base with")


def check_kustomize() -> Check:
    """Check that kustomize is there, as itself or in kubectl, by the rule `render` has."""
    needs = "kustomize, or kubectl, which has it"
    if shutil.which("git") is None:
        return Check("kustomize", "skipped", "found no git on PATH, and kustomize needs it", needs, "install git first")
    try:
        command = find_kustomize()
    except EnvironmentProblem as error:
        (problem,) = error.problems
        return Check("kustomize", "failed", problem.statement, needs, problem.remedy)
    return Check("kustomize", "ok", " ".join(command), needs)


def check_aws_cli() -> Check:
    """Check that the AWS CLI is there and recent enough for pulumi-eks."""
    needs = "AWS CLI 1.24.0 or 2.7.0, or newer, which pulumi-eks calls"
    return _check_program("aws", lambda version: version >= _AWS_CLI_LEAST.get(version[0], (0,)), needs)


def check_pulumi() -> Check:
    """Check that the Pulumi engine is there and recent enough."""
    needs = f"Pulumi {'.'.join(map(str, _PULUMI_LEAST))} or newer"
    return _check_program("pulumi", lambda version: version >= _PULUMI_LEAST, needs, ("version",))


def load_backend(project: Path, environment: Mapping[str, str]) -> Backend | None:
    """Find the backend as Pulumi does: environment, Pulumi.yaml, the login that was made last. No network."""
    if url := environment.get("PULUMI_BACKEND_URL"):
        return Backend(url, "PULUMI_BACKEND_URL")
    backend = _load_yaml(project / "Pulumi.yaml").get("backend")
    if isinstance(backend, dict) and (url := backend.get("url")):
        return Backend(url, "Pulumi.yaml")
    if url := _load_logins(environment).get("current"):
        return Backend(url, "pulumi login")
    if environment.get("PULUMI_ACCESS_TOKEN"):
        return Backend(_PULUMI_CLOUD, "PULUMI_ACCESS_TOKEN")
    return None


def check_backend(backend: Backend | None, environment: Mapping[str, str], account: Account | None) -> Iterator[Check]:
    """Check that a backend is chosen and, where that needs no call to Pulumi Cloud, that it is there."""
    needs = "a state backend this machine can use"
    if backend is None:
        yield Check("backend", "failed", "none is chosen", needs, "run `pulumi login`, or set PULUMI_BACKEND_URL")
        return
    parts, found = urlsplit(backend.url), f"{_without_login(backend.url)} ({backend.source})"
    if parts.scheme == "file":
        folder = Path(parts.netloc + parts.path).expanduser()
        if os.access(folder, os.W_OK | os.X_OK):
            yield Check("backend", "ok", found, needs)
        else:
            yield Check("backend", "failed", f"{found}: no folder that can be written", needs, f"make {folder}")
    elif parts.scheme in ("http", "https"):
        token = environment.get("PULUMI_ACCESS_TOKEN") or (_load_logins(environment).get("accessTokens") or {}).get(
            backend.url
        )
        if token:
            yield Check("backend", "ok", f"{found}, logged in", needs)
        else:
            yield Check("backend", "failed", f"{found}: not logged in", needs, "run `pulumi login`")
    elif parts.scheme == "s3" and account is not None and "endpoint" not in parts.query:
        yield _check_bucket(account, parts.netloc, found, needs)
    else:
        yield Check(
            "backend", "skipped", f"{found}: not checked", needs, "run `pulumi stack ls` to see whether it answers"
        )


def check_secrets_provider(
    project: Path, stack: str, backend: Backend | None, environment: Mapping[str, str], account: Account | None
) -> Iterator[Check]:
    """Check that what encrypts the stack's secrets can be used: the passphrase is set, the KMS key is enabled."""
    name, needs = "secrets-provider", "a secrets provider that can decrypt"
    file = _load_yaml(project / f"Pulumi.{stack}.yaml")
    provider = str(file.get("secretsprovider") or "")
    cloud = backend is not None and backend.url.startswith("http")
    if provider == "passphrase" or (not provider and ("encryptionsalt" in file or not cloud)):
        found = (
            "passphrase" if "encryptionsalt" in file or provider else "passphrase, Pulumi's default for this backend"
        )
        if any(variable in environment for variable in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")):
            yield Check(name, "ok", f"{found}; it is set", needs)
        else:
            remedy = "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
            yield Check(name, "failed", f"{found}; it is not set", needs, remedy)
    elif not provider or provider == "default":
        yield Check(name, "ok", "Pulumi Cloud's own", needs)
    elif provider.startswith("awskms://") and account is not None:
        yield _check_kms(account, provider, needs)
    else:
        yield Check(
            name,
            "skipped",
            f"{urlsplit(provider).scheme}: not checked",
            needs,
            "run `pulumi config` to see whether it works",
        )


def _check_bucket(account: Account, bucket: str, found: str, needs: str) -> Check:
    try:
        answer = account.find("s3", "head_bucket", Bucket=bucket)
    except AwsError as error:
        if error.code != "403":  # this call has no body, and so no other code
            raise
        remedy = "allow s3:ListBucket on it, and reading and writing of its objects"
        return Check("backend", "failed", f"{found}: the credentials may not use it", needs, remedy)
    if answer is None:
        return Check("backend", "failed", f"{found}: there is no such bucket", needs, f"make bucket {bucket}")
    return Check("backend", "ok", found, needs)


def _check_kms(account: Account, provider: str, needs: str) -> Check:
    parts = urlsplit(provider)
    key = parts.netloc + parts.path if parts.netloc else parts.path.removeprefix("/")
    region = dict(pair.partition("=")[::2] for pair in parts.query.split("&")).get("region") or account.region
    answer = account.find("kms", "describe_key", KeyId=key, region=region)
    if answer is None:
        remedy = "make it, or run `pulumi stack change-secrets-provider`"
        return Check("secrets-provider", "failed", f"KMS key {key} is not in {region}", needs, remedy)
    state = answer["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        return Check("secrets-provider", "failed", f"KMS key {key} is {state}", needs, "enable the key")
    return Check("secrets-provider", "ok", f"KMS key {key} in {region}", needs)


def _check_program(program: str, enough: Any, needs: str, arguments: tuple[str, ...] = ("--version",)) -> Check:  # noqa: ANN401
    executable = shutil.which(program)
    if executable is None:
        return Check(program, "failed", f"no {program} on PATH", needs, f"install {needs.partition(',')[0]}")
    try:
        done = subprocess.run(
            [executable, *arguments], capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Check(program, "failed", f"{executable} does not run", needs, "install it anew")
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout or done.stderr)
    if done.returncode or found is None:
        return Check(program, "failed", f"{executable} does not tell its version", needs, "install it anew")
    version = tuple(map(int, found.groups()))
    if enough is not None and not enough(version):
        return Check(program, "failed", f"{executable} {found[0]}", needs, f"install {needs.partition(',')[0]}")
    return Check(program, "ok", f"{executable} {found[0]}", needs)


def _load_logins(environment: Mapping[str, str]) -> dict[str, Any]:
    home = environment.get("PULUMI_CREDENTIALS_PATH") or environment.get("PULUMI_HOME")
    file = (Path(home) if home else Path.home() / ".pulumi") / "credentials.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _load_yaml(file: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _without_login(url: str) -> str:
    return re.sub(r"(?<=://)[^/\s@]*@", "…@", url)
