"""Actions in our documents exist: IAM takes a misspelt one without a word, and nobody gets the right."""

from __future__ import annotations

import botocore.session
import pytest

from gitops_stack.aws_plan.account_region import AccountRegion
from tests.aws_plan.documents import ID, build_all

# IAM's name of a service is botocore's but for these.
_MODELS = {"elasticloadbalancing": "elbv2"}
# Rights that are no calls (service authorization reference), or calls under another name.
_PERMISSIONS = {
    "ecr:BatchImportUpstreamImage",
    "iam:PassRole",
    "kms:*",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "s3:ListBucket",
    "sts:TagSession",
}
_CALLED_OTHERWISE = {"elasticloadbalancing:SetWebAcl"}  # the load balancer's half of wafv2:AssociateWebACL


def actions_by_service() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for document in build_all(AccountRegion(ID, "eu-west-1")).values():
        for statement in document["Statement"] if document else []:
            listed = statement["Action"]
            for action in [listed] if isinstance(listed, str) else listed:
                if action not in _PERMISSIONS | _CALLED_OTHERWISE and not action.endswith("*"):  # iam_rules lists those
                    service, _, name = action.partition(":")
                    found.setdefault(service, set()).add(name)
    return found


@pytest.mark.parametrize("service", sorted(actions_by_service()))
def test_every_action_is_an_operation_of_its_service(service: str) -> None:
    model = botocore.session.get_session().get_service_model(_MODELS.get(service, service))
    assert actions_by_service()[service] - set(model.operation_names) == set()
