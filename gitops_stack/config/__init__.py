"""The only reader of configuration: a running Pulumi program's, or a stack file's without Pulumi.

Both end in the same `StackSettings`, and in the same sentences when something is wrong. Secrets: the engine hands them
over decrypted; a stack file read without it shows `{secure: …}`, which stands in as text that cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gitops_stack.config.credentials import ENCRYPTED, build_plain_secrets, list_credentials, without_ciphertext
from gitops_stack.config.kubeconfig import check_kubeconfig, kubeconfig_path
from gitops_stack.config.provider_keys import check_provider_keys
from gitops_stack.config.setting_problems import (
    HIDDEN,
    PREFIX,
    REGION_KEY,
    build_found,
    build_path,
    build_problems,
    build_unknown,
)
from gitops_stack.config.siblings import check_siblings
from gitops_stack.config.stack_config import engine_text, load_project_name, load_stack_config
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.manifests.add_ons import check_add_on_values
from gitops_stack.manifests.argocd.surroundings import build_surroundings
from gitops_stack.manifests.patches import generated_patch_names
from gitops_stack.settings import AWS_KEYS, FROM_ELSEWHERE, OPTIONAL_KEYS, StackSettings, check_references
from gitops_stack.settings.add_on_values import list_texts
from gitops_stack.stack_files import find_stacks, stack_file

__all__ = [
    "check_kubeconfig", "find_stacks", "kubeconfig_path", "load_project_name", "load_settings", "load_stack_file",
    "stack_file",
]  # fmt: skip

_VARIABLE, _LONGEST_VARIABLE = "PULUMI_CONFIG", 128 << 10  # bytes, its name and closing NUL included: execve(2)


def load_settings() -> StackSettings:
    """Read the settings of the running Pulumi program. Raises :class:`GitOpsStackError` with all findings at once."""
    import pulumi  # noqa: PLC0415 - the CLI reads stack files without paying for the engine's SDK
    from pulumi.runtime import config  # noqa: PLC0415

    stack = pulumi.get_stack()
    everything = {**config.get_config_env(), **config.CONFIG.get()}
    values = {key.removeprefix(PREFIX): value for key, value in everything.items() if key.startswith(PREFIX)}
    place = stack_file(stack)
    secret = {*config.get_config_secret_keys_env(), *(key for key in everything if config.is_config_secret(key))}
    written = {key: _object(place, key, value) for key, value in values.items()}
    plain = [path for path in list_credentials(written) if f"{PREFIX}{path.partition('.')[0]}" not in secret]
    GitOpsStackError.raise_for(check_provider_keys(place, everything))
    known = {"stack": stack, "pulumiProject": pulumi.get_project()}
    return _parse(known, written, plain, everything.get(REGION_KEY), Path.cwd())


def load_stack_file(project: Path, stack: str) -> StackSettings:
    """Read the settings of ``stack`` from its file in the folder ``project``. Raises as :func:`load_settings`."""
    place = stack_file(stack)
    config = load_stack_config(project, stack)
    values = {key.removeprefix(PREFIX): value for key, value in config.values.items() if key.startswith(PREFIX)}
    plain = build_plain_secrets(values)
    readable = {key: without_ciphertext(value) for key, value in values.items()}
    GitOpsStackError.raise_for([*_check_size(place, readable), *check_provider_keys(place, config.values)])
    given = {
        key: _object(place, key, value) if isinstance(value, str) and value == values[key] else value
        for key, value in readable.items()
    }
    region = config.values.get(REGION_KEY)
    written = {(path[0].removeprefix(PREFIX), *path[1:]): text for path, text in config.written.items()}
    known = {"stack": stack, "pulumiProject": config.project_name}
    return _parse(known, given, plain, None if region is None else engine_text(region), project, written)


def _check_size(place: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Refuse what the engine cannot hand to the program: all settings go in one variable, as JSON of JSON."""
    texts = {
        f"{PREFIX}{key}": json.dumps(value, separators=(",", ":"), default=str, skipkeys=True)
        for key, value in values.items()
    }
    handed = len(f"{_VARIABLE}={json.dumps(texts, separators=(',', ':'))}")
    if handed >= _LONGEST_VARIABLE:
        largest = max(texts, key=lambda key: len(texts[key]))
        needs = (
            f"Pulumi hands all of them over in one variable of {_LONGEST_VARIABLE >> 10} KiB, so write applications as "
            "files under apps/ of the tree instead"
        )
        yield Problem(f"is most of {handed >> 10} KiB of settings", needs, place, largest)


def _object(place: str, key: str, value: str) -> Any:  # noqa: ANN401 - whatever the operator wrote
    try:
        return json.loads(value)
    except ValueError:
        if key != "gitops":
            return value  # no map, and refused as such with all else
        raise GitOpsStackError(Problem(f"found {HIDDEN}", "needs a map of settings", place, f"{PREFIX}{key}")) from None


def _parse(
    names: Mapping[str, str], values: Mapping[str, Any], plain_secrets: list[str], region: object, project: Path,
    numbers: Mapping[tuple[str, ...], str] | None = None,
) -> StackSettings:  # fmt: skip
    needs = "set it with `pulumi config set --secret --path`"
    problems = [Problem("found a credential in plain text", needs, f"{PREFIX}{path}") for path in plain_secrets]
    problems += [build_unknown(f"{PREFIX}{key}", []) for key in sorted(values.keys() & set(FROM_ELSEWHERE))]
    try:
        # Pulumi.yaml has to give what is declared and may be left out some default: a map with nothing in it.
        written = {key: value for key, value in values.items() if key not in OPTIONAL_KEYS or value != {}}
        settings = StackSettings.model_validate({**written, **names, "region": region if _uses_aws(written) else None})
    except ValidationError as error:
        problems += build_problems(error, numbers or {})
    else:
        spanning = (*check_references(settings), *_check_names(settings), *check_siblings(settings, project))
        problems += [Problem(build_found(found), needs, build_path(path)) for path, found, needs in spanning]
    GitOpsStackError.raise_for(problem.at(stack_file(names["stack"])) for problem in problems)
    return settings


def _uses_aws(values: Mapping[str, Any]) -> bool:
    """Tell whether `aws:region` is this stack's business at all."""
    cluster = values.get("cluster")
    is_eks = isinstance(cluster, Mapping) and cluster.get("provider") == "eks"
    return is_eks or not values.keys().isdisjoint(AWS_KEYS)


def _check_names(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    for name in sorted(settings.argocd.patches.keys() & generated_patch_names(settings.argocd)):
        yield f"argocd.patches.{name}", name, "needs another name: the library generates a patch of that name"
    yield from check_add_on_values(settings)
    yield from _check_encrypted(settings)
    for name in sorted(settings.workloads.keys() & build_surroundings(settings).keys()):
        yield f"workloads.{name}", name, f"needs another name: apps/{name}.yaml holds an object around Argo CD"


def _check_encrypted(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    for name, application in settings.add_on_applications.items():
        for path, text in list_texts(application.values):
            if text == ENCRYPTED:
                needs = "needs to be left out: values of charts stand in Git; name a Secret of the cluster there"
                yield f"addOnApplications.{name}.values.{path}", ENCRYPTED, needs
