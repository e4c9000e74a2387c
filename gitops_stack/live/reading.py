"""Read a running cluster: Applications, and every handed-over object with its field managers. Never writes.

lightkube rather than the official client: typed, an order of magnitude quicker to import, and generic resources carry
managedFields as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from httpx2 import HTTPError, HTTPStatusError, ReadTimeout
from lightkube import Client
from lightkube.core.exceptions import ConfigError
from lightkube.models.authorization_v1 import ResourceAttributes, SelfSubjectAccessReviewSpec
from lightkube.resources.authorization_v1 import SelfSubjectAccessReview

from gitops_stack import conventions
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.object_reference import ObjectReference as ObjectReference  # noqa: PLC0414 - read with it
from gitops_stack.gitops_tree.object_reference import reference as reference  # noqa: PLC0414
from gitops_stack.live.kinds import served_class
from gitops_stack.live.login import ANSWER_SECONDS, UNREADABLE, describe_unreadable, load_login
from gitops_stack.manifests import Manifest
from gitops_stack.rules.application_status import ApplicationStatus, read_application
from gitops_stack.rules.fields import read_wave
from gitops_stack.rules.ownership import Certificate, certify

_Answer = TypeVar("_Answer")

# Kubernetes documentation, "Receiving resources as metadata"; the CRD of ApplicationSets alone is over a megabyte.
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_NOT_FOUND = 404
_DENIED = (401, 403)
_TRANSIENT = (429, 500, 503)
_TRANSIENT_SECONDS = 10.0
_PATIENCE = "wait until its API server is less busy, then repeat"
_PARALLEL = 8


class AccessDenied(EnvironmentProblem):
    """The API server answers, and does not let this login read."""


class LoginFailed(EnvironmentProblem):
    """The login program of the kubeconfig is missing, or gives no login."""


@dataclass(frozen=True)
class Listing:
    """All objects of a kind: in a namespace, in all (`*`), or of a cluster-wide kind (empty); with ``labels``."""

    api_version: str
    kind: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def connect(kubeconfig: Path, context: str | None = None) -> Client:
    """Open a client, to be closed by `with`. Raises :class:`EnvironmentProblem` when the kubeconfig cannot be used."""
    try:
        return load_login(kubeconfig, context).open()
    except UNREADABLE as error:
        needs = "name a kubeconfig and context that work"
        raise EnvironmentProblem(
            Problem(f"cannot be used: {describe_unreadable(error)}", needs, str(kubeconfig))
        ) from None


def load_applications(client: Client, namespace: str) -> list[Manifest]:
    """Read all Applications of a namespace, none when their CRD is not there."""
    return load_namespaced(client, conventions.ARGOCD_API_VERSION, "Application", namespace)


def load_app_projects(client: Client, namespace: str) -> list[Manifest]:
    """Read all AppProjects of a namespace, none when their CRD is not there."""
    return load_namespaced(client, conventions.ARGOCD_API_VERSION, "AppProject", namespace)


def load_namespaced(client: Client, api_version: str, kind: str, namespace: str) -> list[Manifest]:
    """Read all objects of a kind in a namespace, none when their CRD is not there."""
    group, _, version = api_version.rpartition("/")
    resource = served_class(client, ObjectReference(group, kind, namespace, "", version))
    return _answer(f"{kind}s", lambda: [_plain(found) for found in client.list(resource, namespace=namespace)]) or []


def load_listings(client: Client, listings: Sequence[Listing]) -> list[list[Manifest]]:
    """Read all objects of each listing, in its order; none of a kind that the API server does not know."""

    def question(listing: Listing) -> Callable[[], list[Manifest]]:
        group, _, version = listing.api_version.rpartition("/")
        resource = served_class(client, ObjectReference(group, listing.kind, listing.namespace, "", version))
        labels: Any = dict(listing.labels) or None
        said = {"apiVersion": listing.api_version, "kind": listing.kind}  # left out in the lists of built-in kinds
        where: Any = {"namespace": listing.namespace} if listing.namespace else {}
        return lambda: [said | _plain(found) for found in client.list(resource, labels=labels, **where)]

    questions = [question(listing) for listing in listings]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return [found or [] for found in pool.map(_answer, (f"{one.kind}s" for one in listings), questions)]


def load_objects(
    client: Client, references: Iterable[ObjectReference], *, metadata_only: bool = False
) -> dict[str, Manifest | None]:
    """Read objects, or their metadata alone: text of the reference -> object, none when it is missing."""
    wanted = sorted(set(references))
    headers = {"Accept": _METADATA} if metadata_only else None
    questions = [_question(client, reference, headers) for reference in wanted]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        found = pool.map(_answer, (reference.text for reference in wanted), questions)
        return {reference.text: manifest for reference, manifest in zip(wanted, found, strict=True)}


def may_do_everything(client: Client) -> bool:
    """Ask the API server whether this login may do everything; raises :class:`AccessDenied` before it is known."""
    every = ResourceAttributes(group="*", resource="*", verb="*")
    review = SelfSubjectAccessReview(spec=SelfSubjectAccessReviewSpec(resourceAttributes=every))
    answered = _answer("the caller's own rights", lambda: client.create(review))
    return bool(answered and answered.status and answered.status.allowed)


def load_certificate(client: Client, applications: Sequence[Manifest], manifests: Sequence[Manifest]) -> Certificate:
    """Read what was handed over and certify it.

    ``manifests`` are the tree's render and AppProjects.
    """
    references = find_handed_over(applications, manifests)
    rendered = {reference(manifest).text: manifest for manifest in manifests}
    return certify(load_objects(client, references), rendered)


def find_handed_over(applications: Iterable[Manifest], manifests: Iterable[Manifest]) -> set[ObjectReference]:
    """Find what is handed over: what ``manifests`` say, and what the applications `argocd` and `projects` report.

    After an upgrade by Git alone they know more than the tree at hand.
    """
    references = {reference(manifest) for manifest in manifests}
    for application in applications:
        if application["metadata"]["name"] in (
            conventions.SELF_MANAGEMENT_APPLICATION,
            conventions.PROJECTS_APPLICATION,
        ):
            references |= {_reported(found) for found in (application.get("status") or {}).get("resources") or ()}
    return references


def read_applications(applications: Iterable[Manifest], projects: Iterable[Manifest]) -> list[ApplicationStatus]:
    """Read the status of all applications, given their AppProjects: root first, then by wave and name."""
    named = {project["metadata"]["name"]: project for project in projects}
    now = datetime.now(timezone.utc)

    def order(application: Manifest) -> tuple[int, str]:
        name = application["metadata"]["name"]
        return (-1000 if name == conventions.ROOT_APPLICATION else read_wave(application)), name

    return [
        read_application(application, named.get(application["spec"].get("project", "")), now)
        for application in sorted(applications, key=order)
    ]


def _question(client: Client, reference: ObjectReference, headers: dict[str, str] | None) -> Callable[[], Manifest]:
    resource = served_class(client, reference)
    where: Any = {"namespace": reference.namespace} if reference.namespace else {}
    if headers is None:
        return lambda: _plain(client.get(resource, reference.name, **where))
    # `Client.get` takes no headers; what it calls does.
    return lambda: _plain(client._client.request("get", res=resource, name=reference.name, headers=headers, **where))


def _answer(what: str, ask: Callable[[], _Answer]) -> _Answer | None:
    """Ask the API server; none for what is not there. A CRD that was just changed is not served for a moment."""
    deadline = time.monotonic() + _TRANSIENT_SECONDS
    patient = True
    while True:
        try:
            return ask()
        except ReadTimeout:
            # It took the question: it is there, and has too much to do. Asked once more, it mostly answers.
            if not patient:
                problem = Problem(f"took longer to answer than {ANSWER_SECONDS:g} s, twice", _PATIENCE, "cluster")
                raise EnvironmentProblem(problem) from None
            patient = False
        except HTTPStatusError as error:  # not only ApiError: a kind that is not there is a 404 without a body
            code = error.response.status_code
            if code == _NOT_FOUND:
                return None
            if code not in _TRANSIENT or time.monotonic() > deadline:
                problem = Problem(f"{what} cannot be read: {error}", "check the context's rights", "cluster")
                raise (AccessDenied if code in _DENIED else EnvironmentProblem)(problem) from None
        except ConfigError as error:
            raise LoginFailed(f"cluster: {error}") from None
        except (OSError, HTTPError) as error:
            needs = "is it running, and is the context right?"
            raise EnvironmentProblem(
                Problem(f"does not answer{_find_address(error)}: {error}", needs, "cluster")
            ) from None
        time.sleep(0.2)


def _find_address(error: Exception) -> str:
    """Return where the question went, which tells a wrong context from a cluster that is down."""
    try:
        url = error.request.url if isinstance(error, HTTPError) else None
    except RuntimeError:  # httpx has not noted one
        url = None
    return f" at {url.host}:{url.port or 443}" if url else ""


def _reported(found: dict[str, Any]) -> ObjectReference:
    return ObjectReference(
        found.get("group", ""), found["kind"], found.get("namespace", ""), found["name"], found["version"]
    )


def _plain(found: Any) -> Manifest:  # noqa: ANN401 - lightkube's generic objects
    plain: Manifest = found.to_dict()
    return plain
