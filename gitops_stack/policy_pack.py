"""The rules of `check` as a policy pack of Pulumi: for what a program registers itself, before it is made.

What the library's own components register is left out: of Argo CD's manifests the lock says what they are, and `check`
judges the tree. Rules about Git say nothing here and are left out too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.iam_rules import check_document
from gitops_stack.manifests import Manifest
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.known_rules import BY_ID, Severity
from gitops_stack.tree_check.applications import Tree
from gitops_stack.tree_check.json_form import settle_json
from gitops_stack.tree_check.judge import judge
from gitops_stack.tree_check.schemas import SchemaSet, choose_version

VERSION = "kubernetesVersion"
"""The pack's one setting, as check's --kubernetes-version."""
_OF_GIT = {"secret-in-git"}
_DOCUMENTS: Mapping[str, str] = {
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
    "aws:iam/policy:Policy": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
}
"""Where a resource of AWS has a policy document, by its type."""
_KUBERNETES = re.compile(r"kubernetes:[^:]+/v\w+:\w+")
_OWN = "gitops-stack:index:"  # a URN names the types of all parents
_SERVERS = ("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink")


@dataclass(frozen=True)
class Registered:
    """One resource of a program; ``props`` may raise for a value that a preview does not know."""

    urn: str
    type: str
    props: Mapping[str, Any]


@dataclass(frozen=True)
class Violation:
    """What is wrong with the resource ``urn``, and whether that stops a run."""

    urn: str
    severity: Severity
    sentence: str


def judge_resources(
    resources: Iterable[Registered], version: str | None = None, unknown: type[Exception] = LookupError
) -> Iterator[Violation]:
    """Yield what `check` would say of the resources; notes are left out.

    ``version`` is the cluster's Kubernetes version, else the newest that is known. A resource whose properties raise
    ``unknown`` is passed over: the update judges it. Raises :class:`EnvironmentProblem` for a version without schemas.
    """
    objects: list[RenderedObject] = []
    for one in resources:
        if _OWN in one.urn:
            continue
        try:
            if _is_object(one):
                manifest = _build_manifest(one.props)
                metadata = manifest.get("metadata") or {}
                objects.append(RenderedObject(manifest, str(metadata.get("namespace") or ""), one.urn))
            elif one.type in _DOCUMENTS:
                yield from _judge_document(one, _plain(one.props.get(_DOCUMENTS[one.type])))
        except unknown:
            continue
    for finding in _judge_objects(objects, choose_version(version)):
        if finding.severity != "note" and finding.rule not in _OF_GIT and BY_ID[finding.rule].default != "off":
            place = f"{finding.field}: " if finding.field else ""
            yield Violation(finding.file, finding.severity, f"{place}{finding.message} [{finding.rule}]")


def _is_object(one: Registered) -> bool:
    """Tell a whole Kubernetes object: neither a patch, which holds a part of one, nor a release, folder or list."""
    kind = one.type.rpartition(":")[2]
    return bool(_KUBERNETES.fullmatch(one.type)) and one.props.get("kind") == kind and "items" not in one.props


def _judge_objects(objects: Sequence[RenderedObject], version: str) -> Iterator[Finding]:
    tree = Tree(loose={"": list(objects)})
    settle_json(tree)
    yield from tree.findings
    yield from SchemaSet(version, tree.definitions).check(tree.objects)
    yield from judge(tree, "", "argocd")


def _judge_document(one: Registered, document: object) -> Iterator[Violation]:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return  # a template's, or AWS says it better
    if isinstance(document, Mapping):
        place = _DOCUMENTS[one.type]
        yield from (Violation(one.urn, "error", sentence) for sentence in check_document(document, place))


def _build_manifest(props: Mapping[str, Any]) -> Manifest:
    """Return what a program wrote: without what the API server adds, which a resource that is there carries."""
    manifest: Manifest = _plain(props)
    manifest.pop("status", None)
    manifest.pop("__fieldManager", None)
    manifest.pop("__initialApiVersion", None)
    if isinstance(metadata := manifest.get("metadata"), dict):
        for key in _SERVERS:
            metadata.pop(key, None)
    return manifest


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(one) for one in value]
    return value


def serve() -> None:
    """Serve the pack: the whole `__main__.py` of a folder with a PulumiPolicy.yaml. Needs the extra `policies`."""
    from pulumi_policy import EnforcementLevel, PolicyConfigSchema, PolicyPack, StackValidationPolicy  # noqa: PLC0415
    from pulumi_policy.proxy import UnknownValueError  # noqa: PLC0415

    def report(severity: Severity) -> Callable[[Any, Callable[[str, str], None]], None]:
        def validate(args: Any, report_violation: Callable[[str, str], None]) -> None:  # noqa: ANN401 - its own
            resources = [Registered(one.urn, one.resource_type, one.props) for one in args.resources]
            for found in judge_resources(resources, args.get_config().get(VERSION), UnknownValueError):
                if found.severity == severity:
                    report_violation(found.sentence, found.urn)

        return validate

    schema = PolicyConfigSchema(properties={VERSION: {"type": "string", "description": "Such as 1.35."}})
    levels = {"error": EnforcementLevel.MANDATORY, "warning": EnforcementLevel.ADVISORY}
    policies = [
        StackValidationPolicy(
            name=f"check-{severity}s",
            description=f"What gitops-stack check calls {severity}s of the program's own resources.",
            enforcement_level=level,
            config_schema=schema,
            validate=report(severity),  # type: ignore[arg-type]
        )
        for severity, level in levels.items()
    ]
    PolicyPack("gitops-stack", policies)
