"""Fetch a chart's package by helm, from a repository with an index.yaml or an OCI registry."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from gitops_stack.charts.helm import find_error, require_helm, run_helm
from gitops_stack.charts.package import ChartPackage, read_package
from gitops_stack.charts.reference import ChartReference
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem, shorten
from gitops_stack.rules.fields import mapping, sequence, text

_NO_VERSION = re.compile(r"^chart \".*\" version \".*\" not found|MANIFEST_UNKNOWN|manifest unknown|: not found$")
_REFUSED = re.compile(r"\b(401|403)\b|unauthorized|denied|forbidden|no basic auth credentials", re.IGNORECASE)
_UNREACHED = re.compile(
    r"no such host|connection refused|connection reset|i/o timeout|dial tcp|TLS handshake|x509:|\bEOF\b|"
    r"cannot be reached|deadline exceeded|\b5\d\d [A-Z]"
)


def pull_chart(reference: ChartReference, version: str) -> ChartPackage:
    """Fetch one version of a chart, with the logins that helm has.

    Raises :class:`GitOpsStackError` for a version that is not there or a package that will not do,
    :class:`EnvironmentProblem` for a repository that cannot be reached or refuses, and where there is no helm.
    """
    helm = require_helm()
    place = f"{reference} {version}"
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        folder = Path(made) / "package"
        folder.mkdir()
        # Helm keeps an index of every repository it has read; ours goes with this folder.
        cache = {"HELM_CACHE_HOME": str(Path(made) / "cache")}
        alias = None if reference.is_oci else _find_alias(helm, folder, reference.repository)
        if alias:  # by which helm knows a login
            done = run_helm(helm, folder, "repo", "update", alias, **cache)
        if not alias or not done.returncode:
            done = run_helm(helm, folder, *_arguments(reference, version, alias), **cache)
        found = sorted(folder.iterdir())
        if done.returncode or len(found) != 1:
            raise _explain(reference, version, find_error(done.stderr))
        package = read_package(found[0].read_bytes(), place)
    if (package.name, package.version) != (reference.name, version):
        raise GitOpsStackError(
            Problem(f"the package says it is {package.name} {package.version}", "give these as name and version", place)
        )
    return package


def _find_alias(helm: str, folder: Path, repository: str) -> str | None:
    """Return the name under which `helm repo add` knows a repository, with its login if it has one."""
    done = run_helm(helm, folder, "repo", "list", "--output", "json")
    try:
        known = sequence(json.loads(done.stdout))
    except ValueError:  # nobody has added one
        return None
    names = (text(one.get("name")) for one in map(mapping, known) if text(one.get("url")).rstrip("/") == repository)
    return next(names, None)


def _arguments(reference: ChartReference, version: str, alias: str | None) -> list[str]:
    if alias:
        return ["pull", f"{alias}/{reference.name}", "--version", version]
    if not reference.is_oci:
        return ["pull", reference.name, "--repo", reference.repository, "--version", version]
    plain = ["--plain-http"] if reference.is_loopback else []
    return ["pull", str(reference), "--version", version, *plain]


def _explain(reference: ChartReference, version: str, said: str) -> GitOpsStackError:
    shown = shorten(said)
    if _REFUSED.search(said):
        login = (
            f"`helm registry login {reference.host}`, for ECR `gitops-stack registry login`"
            if reference.is_oci
            else f"`helm repo add NAME {reference.repository} --username USER --password-stdin`"
        )
        return EnvironmentProblem(Problem(f"refuses access: {shown}", f"log in with {login}", str(reference)))
    if _NO_VERSION.search(said):
        return GitOpsStackError(
            Problem(f"has no version {version}", "needs a name and a version that are there", str(reference))
        )
    if _UNREACHED.search(said):
        return EnvironmentProblem(
            Problem(f"cannot be reached: {shown}", "check the URL and the network", str(reference))
        )
    return EnvironmentProblem(Problem(f"helm pull failed: {shown}", "check the URL, name and version", str(reference)))
