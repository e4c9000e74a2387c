"""The whole program of a stack with every setting of nodes, pods and network, under mocks."""

from __future__ import annotations

import json

import pytest

from gitops_stack.iam_rules import check_document
from gitops_stack.testing import RegisteredResource, record_program
from tests.stacks import CALLS, changed_config, compare_golden, run_main

pytestmark = pytest.mark.usefixtures("in_project")
STACK = "everything"
DOCUMENTS = ("assumeRolePolicy", "policy", "repositoryPolicy")


def record(*, preview: bool = False) -> list[RegisteredResource]:
    return record_program(run_main, stack="prd", config=changed_config("prd", STACK), preview=preview, calls=CALLS)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_the_program_registers_the_golden_resources(preview: bool) -> None:
    found = record(preview=preview)
    lines = sorted(f"{one.type} {one.name} <- {one.parent or '-'}" for one in found if one.type.startswith("aws:"))
    compare_golden("everything-resources.txt", "\n".join(lines) + "\n")


def test_every_document_keeps_the_rules_and_every_role_its_bounds() -> None:
    found = record()
    texts = [(one.name, one.inputs[key]) for one in found for key in DOCUMENTS if key in one.inputs]
    documents = [(name, json.loads(text)) for name, text in texts if "Statement" in text]
    assert len(documents) > 20
    assert [finding for name, document in documents for finding in check_document(document, name)] == []
    roles = [one.inputs for one in found if one.type == "aws:iam/role:Role"]
    bounds = {(role.get("permissionsBoundary"), role.get("path")) for role in roles}
    assert bounds == {("arn:aws:iam::210987654321:policy/org/boundary", "/platform/")}
