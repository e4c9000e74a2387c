"""The only reader of configuration: a running Pulumi program's, or a stack file's without Pulumi.

Both end in the same `StackSettings`, and in the same sentences when something is wrong. Secrets: the engine hands them
over decrypted; a stack file read without it shows `{secure: …}`, which stands in as text that cannot be used.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gitops_stack import conventions
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests.patches import generated_patch_names
from gitops_stack.settings import ExistingClusterSettings, StackSettings, check_references

KEYS = ("cluster", "gitops", "argocd", "projects", "workloads")
_PREFIX = f"{conventions.PULUMI_PROJECT}:"
_ENCRYPTED = "(encrypted: only the Pulumi engine can read it)"
_SECRET_PATHS = (("token",), ("sshKey",), ("githubApp", "privateKey"))
_PROVIDERS = ("existing", "eks")
_SHOWN = 60
_PASSWORD = re.compile(r"(?<=://)[^/\s@]*@")
_HIDDEN = "a value that is not shown"  # of a credential, in whatever form it was written


def load_settings() -> StackSettings:
    """Read the settings of the running Pulumi program. Raises :class:`GitOpsStackError` with all findings at once."""
    import pulumi  # noqa: PLC0415 - the CLI reads stack files without paying for the engine's SDK
    from pulumi.runtime import config  # noqa: PLC0415

    stack = pulumi.get_stack()
    everything = {**config.get_config_env(), **config.CONFIG.get()}
    values = {key.removeprefix(_PREFIX): value for key, value in everything.items() if key.startswith(_PREFIX)}
    place = f"Pulumi.{stack}.yaml"
    secret = {*config.get_config_secret_keys_env(), *(key for key in everything if config.is_config_secret(key))}
    plain = [] if f"{_PREFIX}gitops" in secret else ["gitops.credentials"]
    return _parse(stack, place, {key: _object(place, key, value) for key, value in values.items()}, plain)


def load_stack_file(project: Path, stack: str) -> StackSettings:
    """Read the settings of ``stack`` from its file in the folder ``project``. Raises as :func:`load_settings`."""
    place = f"Pulumi.{stack}.yaml"
    file = project / place
    if not file.is_file():
        known = sorted(found.name.split(".")[1] for found in project.glob("Pulumi.*.yaml"))
        raise EnvironmentProblem(f"{file}: is missing; stacks found here: {', '.join(known) or 'none'}")
    try:
        documents = load_documents(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GitOpsStackError(f"{place}: is no YAML: {' '.join(str(error).split())}; correct it") from None
    config = documents[0].get("config") if documents and isinstance(documents[0], dict) else None
    if not isinstance(config, dict):
        raise GitOpsStackError(f"{place}: found no `config:`; write the stack's settings under it")
    values = {str(key).removeprefix(_PREFIX): value for key, value in config.items() if str(key).startswith(_PREFIX)}
    plain = _plain_secrets(values.get("gitops"))
    try:
        readable = {key: _without_ciphertext(value) for key, value in values.items()}
    except RecursionError:
        raise GitOpsStackError(f"{place}: found an alias that contains itself; write the value out") from None
    return _parse(stack, place, readable, plain)


def check_kubeconfig(settings: StackSettings) -> None:
    """Raise when an existing cluster's kubeconfig or context is not there, before anything is created."""
    cluster = settings.cluster
    if not isinstance(cluster, ExistingClusterSettings):
        return
    place = f"Pulumi.{settings.stack}.yaml: {_PREFIX}cluster"
    file = kubeconfig_path(cluster)
    if not file.is_file():
        raise EnvironmentProblem(f"{place}.kubeconfig: found no file {file}; name the kubeconfig of the cluster")
    try:
        current, contexts = _load_contexts(file)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise EnvironmentProblem(
            f"{place}.kubeconfig: {file} cannot be read: {reason}; repair it or name another"
        ) from None
    wanted = cluster.context or current
    if not wanted:
        raise EnvironmentProblem(f"{place}.context: is missing, and {file} has no current context; name one")
    if wanted not in contexts:
        known = ", ".join(map(str, contexts)) or "none"
        raise EnvironmentProblem(f"{place}.context: found {wanted}, which {file} does not have; it has: {known}")


def kubeconfig_path(cluster: ExistingClusterSettings) -> Path:
    """Return the kubeconfig file of an existing cluster: of several in `$KUBECONFIG` the first that has its context."""
    if cluster.kubeconfig:
        return Path(cluster.kubeconfig).expanduser()
    named = [Path(name) for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    files = named or [Path.home() / ".kube" / "config"]
    return next((file for file in files if cluster.context and _has_context(file, cluster.context)), files[0])


def _has_context(file: Path, context: str) -> bool:
    try:
        return context in _load_contexts(file)[1]
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return False


def _load_contexts(file: Path) -> tuple[object, list[object]]:
    """Read a kubeconfig's current context and the names of all."""
    documents = load_documents(file.read_text(encoding="utf-8"))
    content = documents[0] if documents and isinstance(documents[0], dict) else {}
    listed = content.get("contexts")
    entries = listed if isinstance(listed, list) else []
    return content.get("current-context"), [entry.get("name") for entry in entries if isinstance(entry, dict)]


def _object(place: str, key: str, value: str) -> Any:  # noqa: ANN401 - whatever the operator wrote
    try:
        return json.loads(value)
    except ValueError:
        found = _HIDDEN if key == "gitops" else _shown(value)
        raise GitOpsStackError(f"{place}: {_PREFIX}{key}: found {found}; needs a map of settings") from None


def _parse(stack: str, place: str, values: Mapping[str, Any], plain_secrets: list[str]) -> StackSettings:
    plain = plain_secrets if _uses_secret(values.get("gitops")) else []
    findings = [
        f"{place}: {_PREFIX}{path}: found a credential in plain text; set it with `pulumi config set --secret --path`"
        for path in plain
    ]
    if "stack" in values:
        findings.append(f"{place}: {_PREFIX}stack: is no known setting; known here: {', '.join(_known_keys([]))}")
    try:
        settings = StackSettings.model_validate({**values, "stack": stack})
    except ValidationError as error:
        findings += [f"{place}: {sentence}" for sentence in _sentences(error)]
    else:
        findings += [
            f"{place}: {_PREFIX}{path}: found {_shown(found)}; {needs}"
            for path, found, needs in (*check_references(settings), *_check_patch_names(settings))
        ]
    GitOpsStackError.raise_for(findings)
    return settings


def _check_patch_names(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    for name in sorted(settings.argocd.patches.keys() & generated_patch_names(settings.argocd)):
        yield f"argocd.patches.{name}", name, "needs another name: the library generates a patch of that name"


def _sentences(error: ValidationError) -> Iterator[str]:
    for found in error.errors():
        if found["type"] == "too_short" and found["input"]:
            continue  # its entries were refused one by one, and that is said already
        loc = [str(part) for part in found["loc"]]
        if loc[-1:] == ["[key]"]:
            loc.pop()
        path = [part for index, part in enumerate(loc) if (index, loc[0]) != (1, "cluster") or part not in _PROVIDERS]
        if found["type"].startswith("union_tag"):
            path.append("provider")
        shown = _shown_of(found["type"], found["input"], loc)
        yield f"{_PREFIX}{'.'.join(path)}: {_needs(found['type'], found.get('ctx') or {}, shown, found['msg'], loc)}"


def _needs(kind: str, context: Mapping[str, Any], shown: str, message: str, loc: list[str]) -> str:
    if kind == "missing":
        return "is missing; it has no default"
    if kind == "extra_forbidden":
        return f"is no known setting; known here: {', '.join(_known_keys(loc[:-1]))}"
    if kind == "union_tag_not_found":
        return "is missing; needs existing or eks"
    needs = {
        "value_error": str(context.get("error", "")),
        "union_tag_invalid": "needs existing or eks",
        "invalid_key": "needs text as its name; put quotes around it",
        "int_from_float": "needs a whole number",
        "int_parsing_size": "needs a smaller number",
        "literal_error": f"needs one of {context.get('expected', '')}".replace("'", "").replace(" or ", ", "),
        "string_type": "needs text, in quotes" if shown[:1].isdigit() else "needs text",
        "bool_type": "needs true or false",
        "int_type": "needs a whole number",
        "greater_than_equal": f"needs {context.get('ge')} or more",
        "less_than_equal": f"needs {context.get('le')} or less",
        "too_short": "needs at least one entry",
        "string_too_short": "needs text that is not empty",
        "string_too_long": f"needs at most {context.get('max_length')} characters",
        "dict_type": "needs a map of names to settings",
        "model_type": "needs a map of settings",
        "model_attributes_type": "needs a map of settings",
        "tuple_type": "needs a list",
    }.get(kind, f"needs: {message}")
    return f"found {shown}; {needs}"


def _shown_of(kind: str, value: Any, loc: list[str]) -> str:  # noqa: ANN401 - whatever the operator wrote
    if loc == ["gitops", "credentials"] and isinstance(value, dict):
        return ", ".join(map(str, value)) or "none of them"
    if loc[:2] == ["gitops", "credentials"]:
        return _HIDDEN
    if kind == "union_tag_invalid":
        return _shown(value["provider"])
    quoted = isinstance(value, str) and kind in ("int_type", "bool_type")
    return json.dumps(value) if quoted else _shown(value)


def _known_keys(loc: list[str]) -> list[str]:
    schema: dict[str, Any] = StackSettings.model_json_schema()
    definitions = schema["$defs"]
    node: dict[str, Any] = schema
    for part in loc:
        node = _child(node, part, definitions)
    known = [node, *(_resolve(option, definitions) for option in node.get("oneOf", ()))]
    keys = sorted({key for option in known for key in option.get("properties", ())} - {"stack"})
    return keys or ["none"]


def _child(node: dict[str, Any], part: str, definitions: dict[str, Any]) -> dict[str, Any]:
    child = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
    for option in child.get("anyOf", ()):
        if "$ref" in option:
            child = option
    if not child and part in _PROVIDERS:
        child = {"$ref": node["discriminator"]["mapping"][part]}
    return _resolve(child, definitions)


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return resolved


def _shown(value: object) -> str:
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except (TypeError, ValueError):  # a key that JSON does not have
        text = repr(value)
    text = _PASSWORD.sub("…@", text) or "empty text"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _credentials(gitops: object) -> Mapping[str, Any]:
    credentials = gitops.get("credentials") if isinstance(gitops, Mapping) else None
    return credentials if isinstance(credentials, Mapping) else {}


def _leaf(credentials: Mapping[str, Any], path: tuple[str, ...]) -> object:
    value: object = credentials
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _uses_secret(gitops: object) -> bool:
    return any(_leaf(_credentials(gitops), path) is not None for path in _SECRET_PATHS)


def _plain_secrets(gitops: object) -> list[str]:
    credentials = _credentials(gitops)
    leaves = ((path, _leaf(credentials, path)) for path in _SECRET_PATHS)
    return [f"gitops.credentials.{'.'.join(path)}" for path, value in leaves if isinstance(value, str)]


def _without_ciphertext(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        if value.keys() == {"secure"}:
            return _ENCRYPTED
        return {key: _without_ciphertext(entry) for key, entry in value.items()}
    return [_without_ciphertext(entry) for entry in value] if isinstance(value, list) else value
