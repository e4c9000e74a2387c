"""The double's property names are the SDK's: read from its source, which takes minutes less than to import it."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from pulumi_aws_double.functions import FUNCTIONS
from pulumi_aws_double.registry import RESOURCE_TYPES


@cache
def load_sdk() -> Path:
    spec = find_spec("pulumi_aws")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def load_parameters(token: str) -> dict[str, set[str]]:
    """Return class name -> its constructor's parameters in camelCase, for the module of ``token``."""
    module, _, _ = token.removeprefix("aws:").partition(":")
    folder, _, file = module.partition("/")
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", file)
    tree = ast.parse((load_sdk() / folder / f"{name}.py").read_text(encoding="utf-8"))
    found = {}
    for item in tree.body:
        if isinstance(item, ast.ClassDef):
            for method in item.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    found[item.name] = {_camel(argument.arg) for argument in method.args.kwonlyargs + method.args.args}
    return found


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


@pytest.mark.parametrize("token", sorted(RESOURCE_TYPES))
def test_a_types_properties_are_the_sdks(token: str) -> None:
    noun, schema = token.rpartition(":")[2], RESOURCE_TYPES[token].schema
    classes = load_parameters(token)
    assert {*schema.inputs} <= classes[f"{noun}Args"]
    assert {*schema.inputs, *schema.names("outputs")} <= classes[f"_{noun}State"]
    assert {*schema.names("required")} <= {*schema.inputs}
    assert {*schema.names("documents"), *schema.names("sets"), *schema.names("maps")} <= {*schema.inputs}


@pytest.mark.parametrize("token", sorted(FUNCTIONS))
def test_a_functions_module_is_in_the_sdk(token: str) -> None:
    module = token.removeprefix("aws:").partition(":")[0].removeprefix("index/")
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", module)
    assert (load_sdk() / f"{name}.py").is_file()
