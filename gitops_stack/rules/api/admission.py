"""Webhooks, admission policies and aggregated APIs (admissionregistration and apiregistration validation)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gitops_stack.rules.api.formats import FORMATS, is_qualified_name
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, repeated, show
from gitops_stack.rules.fields import dig, mapping, sequence, text

_REVIEWS = {"v1", "v1beta1"}


def check_webhook(part: Part) -> Iterator[Violation]:
    """Check one webhook."""
    reviews = {text(one) for one in sequence(part.get("admissionReviewVersions"))}
    if reviews and not reviews & _REVIEWS:
        yield "admissionReviewVersions", f"found {', '.join(sorted(reviews))}", "needs v1 among them"
    versions = enumerate(sequence(part.get("admissionReviewVersions")))
    yield from repeated(((f"admissionReviewVersions[{index}]", one) for index, one in versions), "version")
    url = dig(part, "clientConfig", "url")
    if isinstance(url, str):
        yield from _check_url(url)
    path = text(dig(part, "clientConfig", "service", "path"))
    if path not in ("", "/") and not all(one and FORMATS["subdomain"].fits(one) for one in path.strip("/").split("/")):
        yield "clientConfig.service.path", f"found {show(path)}", "needs parts of a-z, 0-9, - and ., with / between"


def _check_url(url: str) -> Iterator[Violation]:
    try:
        found = urlsplit(url)
        host = found.hostname
    except ValueError:
        found, host = urlsplit(""), None
    if found.scheme != "https" or not host:
        yield "clientConfig.url", f"found {show(url)}", "needs https:// and a host"
    for name, part in (("query", found.query), ("fragment", found.fragment), ("login", found.username)):
        if part:
            yield "clientConfig.url", f"found a {name}", "remove it"


def check_operations(part: Part) -> Iterator[Violation]:
    """Check that a star stands alone."""
    for key in ("operations", "apiGroups", "apiVersions"):
        found = sequence(part.get(key))
        if "*" in found and len(found) > 1:
            yield key, "found * beside others", "* means all of them; remove the others"
    resources = sequence(part.get("resources"))
    plain = [one for one in resources if isinstance(one, str) and "/" not in one]
    if ("*/*" in resources and len(resources) > 1) or ("*" in plain and len(plain) > 1):
        yield "resources", "found * beside others", "* means all of them; remove the others"
    everything = {one.removesuffix("/*") for one in resources if isinstance(one, str) and one.endswith("/*")}
    for index, one in enumerate(resources):
        name, slash, sub = text(one).partition("/")
        if one == "":
            yield f"resources[{index}]", "is empty", "add a value, or remove it"
        if slash and sub != "*" and name in everything and "*/*" not in resources:
            yield f"resources[{index}]", f"found {show(one)} beside {name}/*", "remove it"
    for index, one in enumerate(sequence(part.get("apiVersions"))):
        if one == "":
            yield f"apiVersions[{index}]", "is empty", "needs a version such as v1, or *"


def check_policy(part: Part) -> Iterator[Violation]:
    """Check an admission policy's spec; its CEL is not evaluated."""
    if not sequence(part.get("validations")) and not sequence(part.get("auditAnnotations")):
        yield "validations", "is missing", "add one, or an audit annotation"
    if mapping(part.get("matchConstraints")) and not sequence(dig(part, "matchConstraints", "resourceRules")):
        yield "matchConstraints.resourceRules", "is missing", "add one"
    for place, found in parts(part, "variables"):
        if found.get("name") is not None and not text(found["name"]).isidentifier():
            yield f"{place}.name", f"found {show(found['name'])}", "needs letters, digits and _"
    for place, found in parts(part, "auditAnnotations"):
        if found.get("key") and not is_qualified_name(text(found["key"])):
            yield f"{place}.key", f"found {show(found['key'])}", FORMATS["label-value"].needs


def check_validation(part: Part) -> Iterator[Violation]:
    """Check the message of a policy's rule."""
    if "\n" in text(part.get("message")):
        yield "message", "found several lines", "needs one; use messageExpression for more"


def check_parameters(part: Part) -> Iterator[Violation]:
    """Check the kind of a policy's parameters."""
    if text(part.get("apiVersion")).count("/") > 1:
        yield "apiVersion", f"found {show(part['apiVersion'])}", "needs a version such as v1 or example.com/v1"


def check_binding(part: Part) -> Iterator[Violation]:
    """Check what a policy's binding does."""
    actions = sequence(part.get("validationActions"))
    if "Deny" in actions and "Warn" in actions:
        yield "validationActions", "found Deny and Warn", "remove one of the two"
    yield from repeated(((f"validationActions[{index}]", one) for index, one in enumerate(actions)), "action")


def check_api_service(part: Part) -> Iterator[Violation]:
    """Check the name of an APIService."""
    spec = mapping(part.get("spec"))
    wanted = f"{text(spec.get('version'))}.{text(spec.get('group'))}"
    if text(dig(part, "metadata", "name")) != wanted:
        yield "metadata.name", f"found {show(dig(part, 'metadata', 'name'))}", f"needs {wanted}"


def check_mutation(part: Part) -> Iterator[Violation]:
    """Check that a mutation has what its type needs, and nothing else."""
    yield from _check_member(part, "patchType", {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"})


def check_priority_level(part: Part) -> Iterator[Violation]:
    """Check that a priority level has what its type needs."""
    if part.get("type") == "Limited":
        yield from _check_member(part, "type", {"Limited": "limited", "Exempt": "exempt"})


def check_limit_response(part: Part) -> Iterator[Violation]:
    """Check that queues are described where requests wait in some."""
    if part.get("type") == "Reject" and is_set(part, "queuing"):
        yield "queuing", "found it beside type Reject", "remove one of the two"


def check_flow_rule(part: Part) -> Iterator[Violation]:
    """Check that a rule of a flow schema names requests."""
    if not sequence(part.get("resourceRules")) and not sequence(part.get("nonResourceRules")):
        yield "", "names no requests", "needs resourceRules or nonResourceRules"


def check_flow_subject(part: Part) -> Iterator[Violation]:
    """Check that a subject of a flow schema is named as its kind is."""
    yield from _check_member(part, "kind", {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"})


def check_flow_resources(part: Part) -> Iterator[Violation]:
    """Check that a rule about resources says in which namespaces."""
    namespaces = sequence(part.get("namespaces"))
    if not namespaces and part.get("clusterScope") is not True:
        yield "namespaces", "is missing", "add some, or set clusterScope"
    for index, one in enumerate(namespaces):
        if one != "*" and not FORMATS["label"].fits(one or "-"):
            yield f"namespaces[{index}]", f"found {show(one)}", f"{FORMATS['label'].needs}; or *"


def _check_member(part: Part, key: str, members: Mapping[str, str]) -> Iterator[Violation]:
    """Check that of some fields that one is set which ``key`` names."""
    chosen = text(part.get(key))
    for value, field in members.items():
        if chosen == value and not is_set(part, field):
            yield field, "is missing", f"{key} {value} needs it"
        elif chosen in members and chosen != value and is_set(part, field):
            yield field, f"found it beside {key} {chosen}", "remove one of the two"
