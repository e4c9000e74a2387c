"""The resource of a kind: guessed where the rule holds, asked for where a CRD may say anything."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from lightkube import Client

from gitops_stack.gitops_tree.object_reference import ObjectReference
from gitops_stack.live.kinds import plural, served_class
from tests.stacks import STACKS, stack_render

PARAMS = ObjectReference("elbv2.k8s.aws", "IngressClassParams", "", "alb", "v1beta1")
SERVED = [
    {"kind": "IngressClassParams", "name": "ingressclassparams"},
    {"kind": "TargetGroupBinding", "name": "targetgroupbindings"},
    {"kind": "TargetGroupBinding", "name": "targetgroupbindings/status"},
]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("ConfigMap", "configmaps"),
        ("Ingress", "ingresses"),
        ("NetworkPolicy", "networkpolicies"),
        ("AppProject", "appprojects"),
        ("StatefulSet", "statefulsets"),
        ("CustomResourceDefinition", "customresourcedefinitions"),
    ],
)
def test_a_kind_has_a_resource_name(kind: str, wanted: str) -> None:
    assert plural(kind) == wanted


@pytest.mark.parametrize("stack", STACKS)
def test_definitions_agree_with_the_guessed_names(stack: str) -> None:
    names = [found["spec"]["names"] for found in stack_render(stack) if found["kind"] == "CustomResourceDefinition"]
    assert {name["kind"]: name["plural"] for name in names} == {name["kind"]: plural(name["kind"]) for name in names}
    assert len(names) == 3


class Connected:
    """A lightkube client as far as discovery goes; ``served`` is what the API server lists, None while it is down."""

    def __init__(self, served: list[dict[str, Any]] | None) -> None:
        self.served = served
        self.asked: list[str] = []
        http = httpx2.Client(transport=httpx2.MockTransport(self.answer), base_url="https://cluster/k8s/c-1")
        self._client = SimpleNamespace(_client=http)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path)
        if self.served is None:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, content=json.dumps({"resources": self.served}))


def resource_of(connected: Any, found: ObjectReference) -> str:
    name: str = served_class(cast("Client", connected), found)._api_info.plural
    return name


def test_a_definition_s_own_resource_name_is_asked_for_once() -> None:
    connected = Connected(SERVED)
    assert resource_of(connected, PARAMS) == "ingressclassparams"
    other = ObjectReference(PARAMS.group, "TargetGroupBinding", "shop", "web", PARAMS.version)
    assert resource_of(connected, other) == "targetgroupbindings"
    assert connected.asked == ["/k8s/c-1/apis/elbv2.k8s.aws/v1beta1"]


def test_a_definition_that_has_come_since_is_found() -> None:
    connected = Connected([])
    assert resource_of(connected, PARAMS) == "ingressclassparamses"
    connected.served = SERVED
    assert resource_of(connected, PARAMS) == "ingressclassparams"


def test_a_server_that_does_not_answer_is_left_to_the_question_itself() -> None:
    assert resource_of(Connected(None), PARAMS) == "ingressclassparamses"


def test_kinds_of_kubernetes_and_argo_cd_cost_no_question() -> None:
    connected = Connected(SERVED)
    for group, kind in (("", "Service"), ("apps", "Deployment"), ("argoproj.io", "Application")):
        resource_of(connected, ObjectReference(group, kind, "argocd", "x", "v1"))
    assert connected.asked == []


def test_one_kind_may_be_named_with_a_namespace_and_without() -> None:
    connected = Connected(SERVED)
    placed = ObjectReference(PARAMS.group, PARAMS.kind, "by-mistake", "alb", PARAMS.version)
    assert resource_of(connected, placed) == resource_of(connected, PARAMS) == "ingressclassparams"
