"""Rules in CEL of CRDs: those that hold, that do not, and that are not judged, which is said with their number."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check import cel_rules
from gitops_stack.tree_check.cel_rules import check_rules, escape_name
from gitops_stack.tree_check.schemas import SchemaSet
from tests.cases import show_finding
from tests.cel_corpus import RuleCase, build_rule_definition, load_rule_cases

needs_cel = pytest.mark.skipif(not cel_rules.is_available(), reason="the extra `cel` is not installed")


def check(schema: dict[str, Any], *values: Any) -> list[str]:
    cases = [RuleCase(0, schema, value, refused=False) for value in values]
    schemas = SchemaSet("1.35", [build_rule_definition(0, schema)])
    return [show_finding(one) for one in schemas.check(RenderedObject(case.manifest, "", "a.yaml") for case in cases)]


@needs_cel
@pytest.mark.parametrize("case", list(load_rule_cases()), ids=str)
def test_a_value_is_judged_as_by_kube_apiserver(case: RuleCase) -> None:
    found, unjudged = check_rules({"properties": {"spec": case.schema}}, case.manifest)
    assert (bool(found), unjudged) == (case.refused, set())


@needs_cel
def test_a_finding_has_its_place_and_the_rule_s_own_message() -> None:
    rules = [
        {"rule": "self.a > 0", "message": "a must be positive", "fieldPath": ".a"},
        {"rule": "self.a < 9"},
        {"rule": "self.b > 1"},
    ]
    integer = {"type": "integer"}
    schema = {"type": "object", "properties": {"a": integer, "b": integer}, cel_rules.RULES: rules}
    assert check(schema, {"a": 0, "b": 2}, {"a": 9}) == [
        "error crd-rule rules.example.org/Rule0 a: spec.a: a must be positive; the CRD's own rule has to hold",
        "error crd-rule rules.example.org/Rule0 a: spec: found what the rule self.a < 9 excludes; the CRD's own rule "
        "has to hold",
        "error crd-rule rules.example.org/Rule0 a: spec: the rule self.b > 1 fails: NOT_FOUND: Key not found in map : "
        '"b"; the CRD\'s own rule has to hold',
    ]


@needs_cel
def test_rules_of_an_object_that_does_not_fit_its_schema_are_not_evaluated() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, cel_rules.RULES: [{"rule": "self.a > 0"}]}
    (said,) = check(schema, {"a": "text"})
    assert said.startswith("error schema-invalid")


@needs_cel
def test_what_only_a_cluster_has_is_counted_once_a_kind() -> None:
    rules = [
        {"rule": "quantity(self).isGreaterThan(quantity('1Gi'))"},
        {"rule": "isURL(self)"},
        {"rule": "size(self) > 1"},
    ]
    assert check({"type": "string", cel_rules.RULES: rules}, "2Gi", "3Gi") == [
        "note crd-rule-unjudged rules.example.org/Rule0 a: kind: 2 rules of its CRD in CEL were not judged, that use "
        "what only a cluster has"
    ]


@needs_cel
def test_times_and_durations_of_the_schema_are_counted_too() -> None:
    rules = [{"rule": "self.getSeconds() >= 60"}]
    (said,) = check({"type": "string", "format": "duration", cel_rules.RULES: rules}, "59s")
    assert said.startswith("note crd-rule-unjudged")


NAMES = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
PORTS = {
    "type": "array",
    "items": {"type": "object", "properties": {"port": {"type": "integer"}}},
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port"],
}
FIRST, SECOND = {"port": 1}, {"port": 2}
DURATION, TIME = ({"type": "string", "format": one} for one in ("duration", "date-time"))


@needs_cel
@pytest.mark.parametrize(
    ("part", "rule", "value"),
    [
        (NAMES, "self.a == self.b", {"a": ["x", "y"], "b": ["y", "x"]}),
        (NAMES, "!(self.a != self.b)", {"a": ["x", "y"], "b": ["y", "x"]}),
        (NAMES, "size(self.a + self.b) < 3", {"a": ["x", "y"], "b": ["y", "x"]}),
        (PORTS, "self.a == self.b", {"a": [FIRST, SECOND], "b": [SECOND, FIRST]}),
        (DURATION, "self.a == self.b", {"a": "60s", "b": "1m"}),
        (DURATION, "self.a in [self.b]", {"a": "60s", "b": "1m"}),
        (DURATION, "self.a < self.b", {"a": "90s", "b": "2m"}),
        (TIME, "self.a == self.b", {"a": "2026-01-01T01:00:00+01:00", "b": "2026-01-01T00:00:00Z"}),
        (TIME, "self.a < self.b", {"a": "2026-01-01T01:00:00+01:00", "b": "2026-01-01T00:30:00Z"}),
        ({"type": "string"}, "self.a.matches('^[[:alpha:]]+$')", {"a": "x", "b": ""}),
    ],
)
def test_what_kubernetes_compares_otherwise_is_counted(part: dict[str, Any], rule: str, value: Any) -> None:
    schema = {"type": "object", "properties": {"a": part, "b": part}, cel_rules.RULES: [{"rule": rule}]}
    (said,) = check(schema, value)
    assert said.startswith("note crd-rule-unjudged rules.example.org/Rule0 a: kind: 1 rule of its CRD in CEL")


@needs_cel
@pytest.mark.parametrize(
    ("part", "rule", "value"),
    [
        (NAMES, "size(self.a) > 0", {"a": []}),
        (NAMES, "self.a.all(x, x.startsWith('='))", {"a": ["x"]}),
        (PORTS, "self.a.all(x, x.port > 1)", {"a": [FIRST]}),
        (DURATION, "!has(self.a)", {"a": "1s"}),
    ],
)
def test_a_rule_that_compares_nothing_of_that_kind_is_judged(part: dict[str, Any], rule: str, value: Any) -> None:
    schema = {"type": "object", "properties": {"a": part}, cel_rules.RULES: [{"rule": rule}]}
    (said,) = check(schema, value)
    assert said.startswith("error crd-rule rules.example.org/Rule0 a: spec: found what the rule ")


def test_without_the_package_every_rule_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cel_rules, "cel", None)
    schema = {"type": "string", cel_rules.RULES: [{"rule": "size(self) > 1"}]}
    assert check(schema, "a", "b") == [
        "note crd-rule-unjudged rules.example.org/Rule0 a: kind: 1 rule of its CRD in CEL was not judged, as the "
        "package that evaluates them is missing; run `pip install 'gitops-stack[cel]'`"
    ]


@needs_cel
@pytest.mark.parametrize(
    ("rule", "value"),
    [("self > 1", 2**64), ("self", "x"), ("self.foo(", "x"), ("self.find('[') == ''", "x"), ("self.all(x, x)", "x")],
)
def test_a_rule_that_cannot_be_evaluated_stops_nothing(rule: str, value: Any) -> None:
    kind = "integer" if isinstance(value, int) else "string"
    assert all(not said.startswith("error") or "fails" in said
               for said in check({"type": kind, cel_rules.RULES: [{"rule": rule}]}, value))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a", "a"),
        ("namespace", "__namespace__"),
        ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
        ("a__b", "a__underscores__b"),
    ],
)
def test_names_are_escaped_as_rules_write_them(name: str, escaped: str) -> None:
    assert escape_name(name) == escaped


@needs_cel
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "self.a <",
            "spec.versions[0].schema.openAPIV3Schema.properties.spec.x-kubernetes-validations[0].rule: is not CEL: ",
        ),
        ("self.unknown(1) && isURL(self)", ""),
        ("self.all(i, v, v != '')", ""),
        ("self.`a-b` == 1 &&", ""),
    ],
)
def test_expressions_that_are_not_cel_are_told_from_those_that_are_not_known(rule: str, said: str) -> None:
    definition = build_rule_definition(0, {"type": "string", cel_rules.RULES: [{"rule": rule}]})
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["default"] = {"rule": "no CEL"}
    found = SchemaSet("1.35").check([RenderedObject(definition, "", "a.yaml")])
    of_rules = [show_finding(one) for one in found if not one.field.endswith(".default.rule")]
    assert [said in shown for shown in of_rules] == ([True] if said else [])
