"""Ask a real API server what it would say: strict server-side dry run of rendered objects, in a cluster made for it.

Namespaces and CRDs are really created, since everything else needs them; the cluster is thrown away afterwards. What is
in no other cluster than one's own (admission webhooks, service accounts, addresses) is not known to it.
"""

from __future__ import annotations

import base64
import re
import ssl
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from httpx2 import Client, HTTPError

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.artifacts import ARTIFACTS
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.tools import build_tools
from gitops_stack.rules.fields import dig, mapping, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.tree_check.api_types import list_groups

Ask = Callable[[Sequence[RenderedObject]], list[Finding]]
_RULE = "api-server"
_FOLDER = "kubernetes"  # of the tools: nothing else is needed
_PARALLEL = 8
_LONGEST = 400
_CONFLICT = 409
_DEFINITION = "CustomResourceDefinition"
_STRICT = {"fieldValidation": "Strict", "fieldManager": "gitops-stack-check"}
_DRY = {**_STRICT, "dryRun": "All", "force": "true"}
_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_OF_A_CLUSTER = re.compile(
    r"serviceaccount \"[^\"]*\" not found|no PriorityClass with name|failed to allocate|not in the valid range"
    r"|provided port is already allocated|RuntimeClass \"[^\"]*\" not found"
)
"""What only says that something else is missing in an empty cluster."""


@contextmanager
def open_api_server(progress: Progress) -> Iterator[Ask]:
    """Start a control plane of its own, and end it with all that was created in it.

    Takes about 6 s once the lab's tools are built. Raises :class:`EnvironmentProblem` for what the machine lacks.
    """
    tools = build_tools(progress, artifacts=tuple(one for one in ARTIFACTS if one.folder == _FOLDER))
    with tempfile.TemporaryDirectory(prefix="gitops-stack-check-") as folder:
        lab = Lab.open(Path(folder) / "lab", tools)
        try:
            lab.up(progress, nodes=False)
            with open_client(lab.state.kubeconfig) as client:
                yield DryRun(client).ask
        finally:
            lab.down(progress)


class DryRun:
    """Dry runs against one API server."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kinds: dict[str, Mapping[str, tuple[str, bool]]] = {}

    def ask(self, objects: Sequence[RenderedObject]) -> list[Finding]:
        """Ask about every object; namespaces and CRDs are created first."""
        try:
            found = list(self._create(objects))
            for version in {str(one.manifest["apiVersion"]) for one in objects}:
                self._list_kinds(version)
            rest = [one for one in objects if one.kind != _DEFINITION]
            with ThreadPoolExecutor(_PARALLEL) as pool:
                return found + [one for one in pool.map(self.apply, rest) if one is not None]
        except HTTPError as error:
            raise EnvironmentProblem(Problem(f"does not answer: {error}", "try again", "kube-apiserver")) from None

    def _create(self, objects: Sequence[RenderedObject]) -> Iterator[Finding]:
        named = {one.name.name for one in objects if (one.group, one.kind) == ("", "Namespace")}
        for name in sorted({one.namespace for one in objects if one.namespace} | named):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._client.post("/api/v1/namespaces", json=body)
        definitions = [one for one in objects if one.kind == _DEFINITION]
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        for one in definitions:
            answer = self._client.post(path, params=_STRICT, json=one.manifest)
            if answer.status_code == _CONFLICT:
                options = {**_STRICT, "force": "true"}
                answer = self._client.patch(
                    f"{path}/{quote(one.name.name, safe='')}", params=options, json=one.manifest, headers=_APPLY
                )
            if answer.is_error:
                yield _refuse(one, answer.json())
        names = [one.name.name for one in definitions]
        wait_until(lambda: all(self._is_served(f"{path}/{quote(name, safe='')}") for name in names), seconds=30)
        self._kinds.clear()

    def _is_served(self, path: str) -> bool:
        answer = self._client.get(path)
        conditions = dig(answer.json(), "status", "conditions") if not answer.is_error else ()
        served = any((one["type"], one["status"]) == ("Established", "True") for one in conditions or ())
        return answer.is_error or served  # one that was refused is not waited for

    def apply(self, one: RenderedObject) -> Finding | None:
        """Ask about one object; its namespace and CRD are there. Returns what is refused."""
        version, kind = str(one.manifest["apiVersion"]), one.kind
        known = self._list_kinds(version).get(kind)
        if known is None and one.group not in list_groups():
            return None  # that its CRD is not in the tree is said elsewhere
        if known is None:
            said = f"found {kind} of {version}, which the API server does not have"
            return one.finding("kind", said, "correct kind or apiVersion", rule=_RULE)
        plural, namespaced = known
        path = _base(version) + (f"/namespaces/{one.namespace or 'default'}" if namespaced else "") + f"/{plural}"
        if not one.name.name:  # generateName: server-side apply needs a name
            answer = self._client.post(path, params={**_STRICT, "dryRun": "All"}, json=one.manifest)
        else:
            manifest = _place(one, namespaced=namespaced)
            path = f"{path}/{quote(one.name.name, safe='')}"
            answer = self._client.patch(path, params=_DRY, json=manifest, headers=_APPLY)
        return _refuse(one, answer.json()) if answer.is_error and not _is_about_cluster(answer.text) else None

    def _list_kinds(self, version: str) -> Mapping[str, tuple[str, bool]]:
        if version not in self._kinds:
            answer = self._client.get(_base(version))
            resources = answer.json().get("resources", ()) if not answer.is_error else ()
            self._kinds[version] = {
                one["kind"]: (one["name"], one["namespaced"]) for one in resources if "/" not in one["name"]
            }
        return self._kinds[version]


def _is_about_cluster(said: str) -> bool:
    return _OF_A_CLUSTER.search(said.replace('\\"', '"')) is not None


def _place(one: RenderedObject, *, namespaced: bool) -> dict[str, Any]:
    """Give an object the namespace it ends up in, which the request names as well."""
    metadata = {key: value for key, value in one.metadata.items() if key not in ("namespace", "managedFields")}
    placed = {"namespace": one.namespace or "default"} if namespaced else {}
    return {**one.manifest, "metadata": {**metadata, **placed}}


def _base(version: str) -> str:
    return "/api/v1" if version == "v1" else f"/apis/{version}"


def _refuse(one: RenderedObject, status: Mapping[str, Any]) -> Finding:
    causes: Iterable[Mapping[str, Any]] = [mapping(cause) for cause in dig(status, "details", "causes") or ()]
    places = [text(cause.get("field")) for cause in causes]
    if (one.group, one.kind) == ("", "Secret"):  # what the API server says may quote the value
        said = "; ".join(f"{text(cause.get('field'))}: {text(cause.get('reason'))}" for cause in causes)
        said = said or "a value cannot be read"
    else:
        said = " ".join(text(status.get("message")).split())
        said = said.partition("is invalid: ")[2] or said
    shown = said if len(said) <= _LONGEST else f"{said[:_LONGEST]} …"
    return one.finding(places[0] if places else "", f"is refused: {shown}", "correct it", rule=_RULE)


def open_client(kubeconfig: Path) -> Client:
    """Open a client for the paths of a lab's API server."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return Client(
        base_url=cluster["server"],
        headers={"Authorization": f"Bearer {user['token']}"},
        verify=ssl.create_default_context(cadata=authority),
        trust_env=False,
        timeout=30,
    )
