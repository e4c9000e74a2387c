"""What a release changes without a trace in its manifests, and where a stack meets it."""

from __future__ import annotations

import re

import pytest

from gitops_stack.upgrade.release_facts import Fact, find_facts, load_fact_table

# One line of a stack's file that each fact with a pattern has to find, by what the fact says of it.
LINES = {
    "app.kubernetes.io/instance": "  selector: {matchLabels: {app.kubernetes.io/instance: cart}}",
    "resource.exclusions": "  resource.exclusions: |",
    "CronJobs": "kind: CronJob",
    "hydration": "  sourceHydrator:",
    "hydrator notes": "  sourceHydrator:",
    "argocd_app_sync_status": "  expr: argocd_app_sync_status == 0",
    "ends at 5000": "kind: ApplicationSet",
    "spec.source.helm.version": "      version: v3",
    "React 19": "  name: rollout-extension",
    "hydrator no longer": "  sourceHydrator:",
    "client-side apply": "    - ClientSideApplyMigration=false",
    "kubernetes-version": '      argocd.argoproj.io/kubernetes-version: "1.35"',
    "ARGOCD_K8S_TCP_TIMEOUT": "  - name: ARGOCD_K8S_TCP_TIMEOUT",
    "self-heal-backoff": "  - --self-heal-backoff-cooldown-seconds=300",
    "Missing": '  hs.status = "Missing"',
    "impersonation": '  application.sync.impersonation.enabled: "true"',
    "signatureKeys": "  signatureKeys:",
    "SSH": "  repoURL: git@github.com:acme/cart.git",
}


def with_patterns() -> list[tuple[str, str]]:
    minors = load_fact_table().minors.items()
    return [(f"{minor[0]}.{minor[1]}", fact["says"]) for minor, facts in minors for fact in facts if "pattern" in fact]


@pytest.mark.parametrize(("minor", "says"), with_patterns())
def test_every_fact_finds_the_line_it_is_about(minor: str, says: str) -> None:
    [line] = {line for word, line in LINES.items() if word in says and (word != "hydration" or "hydrator" not in says)}
    before = re.sub(r"\d+$", lambda found: str(int(found[0]) - 1), minor) if not minor.endswith(".0") else "2.14"
    found = list(find_facts(f"v{before}.9", f"v{minor}.1", {"apps/x.yaml": f"a: 1\n{line}\n"}, []))
    assert Fact(minor, says, ("apps/x.yaml:2",)) in found


def test_a_comment_is_no_use_of_what_it_names() -> None:
    text = "# signatureKeys: old\nspec: {} # signatureKeys\n"
    assert [fact for fact in find_facts("v3.4.7", "v3.5.1", {"x.yaml": text}, []) if fact.places] == []


def test_facts_about_everyone_have_no_place_and_others_are_silent_where_nothing_is_met() -> None:
    found = list(find_facts("v3.2.11", "v3.3.14", {}, []))
    assert found
    assert all(not fact.places for fact in found)
    assert any("5.8.1" in fact.says for fact in found)


def test_the_rendered_policy_is_searched_as_well() -> None:
    rbac = {
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-rbac-cm"},
        "data": {"policy.csv": "p, role:dev, applications, update, */*, allow"},
    }
    found = [fact for fact in find_facts("v2.14.21", "v3.0.1", {}, [rbac]) if fact.places]
    assert [fact.places for fact in found] == [("ConfigMap argocd-rbac-cm policy.csv",)]


def test_a_long_list_of_places_is_counted() -> None:
    fact = Fact("3.5", "x", tuple(str(number) for number in range(9)))
    assert fact.sentence == "3.5: x: 0, 1, 2, 3, 4 and 4 more"
