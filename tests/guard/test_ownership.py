"""Whose cluster this is: what the state and the cluster say, and what may be taken over on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_stack.guard.cluster import Claim, Cluster, build_claim, cluster_address, read_claim
from gitops_stack.guard.ownership import Recorded, check_cluster, is_rebuilt
from gitops_stack.guard.teardown import check_owner

OURS = Claim("gitops-stack", "dev", "argocd")
OTHER = Claim("gitops-stack", "prd", "argocd")
OURS_ELSEWHERE = Claim("gitops-stack", "dev", "argocd", "22222222-2222-2222-2222-222222222222")
UID, ELSEWHERE = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
ADDRESS = "https://10.0.0.1:6443"
ARN = "arn:aws:eks:eu-central-1:123456789012:cluster/dev"
FOREIGN = "belongs to stack gitops-stack/prd"
KNOWN = Recorded(UID, ADDRESS, "argocd")


@pytest.mark.parametrize(
    ("claim", "recorded", "take_over", "words"),
    [
        pytest.param(None, Recorded(), "", (), id="an empty cluster, nothing recorded"),
        pytest.param(OURS, KNOWN, "", (), id="our cluster"),
        pytest.param(OURS, Recorded(), "", (), id="our cluster, the state was lost"),
        pytest.param(None, KNOWN, "", (), id="our cluster, its record was lost"),
        pytest.param(OTHER, Recorded(), "", (FOREIGN, "this is gitops-stack/dev"), id="other"),
        pytest.param(OTHER, KNOWN, "", (FOREIGN,), id="taken over from us"),
        pytest.param(OTHER, Recorded(), "gitops-stack/prd", (), id="taken over on purpose"),
        pytest.param(OTHER, Recorded(), "gitops-stack/qa", (FOREIGN,), id="the wrong owner"),
        pytest.param(
            Claim("gitops-stack", "dev", "argocd-two"), Recorded(), "", ("room for one",), id="a second in one cluster"
        ),
        pytest.param(
            Claim("gitops-stack", "prd", "argocd-two"),
            Recorded(),
            "gitops-stack/prd",
            ("room for one",),
            id="beside it",
        ),
        pytest.param(
            OTHER,
            Recorded(UID, ADDRESS, "argocd", "gitops-stack/prd"),
            "gitops-stack/prd",
            (FOREIGN,),
            id="said long ago",
        ),
        pytest.param(
            Claim("gitops-stack", "dev", "argocd", component="old"),
            Recorded(),
            "",
            ("alias",),
            id="a renamed component",
        ),
    ],
)
def test_a_claim_is_judged(claim: Claim | None, recorded: Recorded, take_over: str, words: tuple[str, ...]) -> None:
    wanted = replace(OURS, component="argocd")
    found = list(check_cluster(wanted, Cluster(UID, ADDRESS, claim, "admin"), recorded, take_over))
    assert bool(found) == bool(words)
    assert all(word in found[0] for word in words)
    assert all("context admin" in sentence and UID in sentence for sentence in found)


@pytest.mark.parametrize(
    ("address", "claim", "take_over", "refused", "rebuilt"),
    [
        pytest.param("https://10.0.0.2:6443", None, "", True, False, id="another address"),
        pytest.param("https://10.0.0.2:6443", None, ELSEWHERE, False, False, id="moved on purpose"),
        pytest.param(ADDRESS, None, "", False, True, id="made anew at the same address"),
        pytest.param(ADDRESS, OURS, "", True, False, id="a copy of our claim in another cluster"),
        pytest.param(ADDRESS, OURS_ELSEWHERE, "", False, True, id="claimed anew by another guard of ours"),
    ],
)
def test_a_cluster_with_another_identity_is_another_or_rebuilt(
    address: str, claim: Claim | None, take_over: str, refused: bool, rebuilt: bool
) -> None:
    cluster = Cluster(ELSEWHERE, address, claim)
    found = list(check_cluster(OURS, cluster, KNOWN, take_over))
    assert (bool(found), is_rebuilt(cluster, KNOWN, OURS.owner)) == (refused, rebuilt)
    assert all(UID in sentence and ELSEWHERE in sentence for sentence in found)


@pytest.mark.parametrize(
    ("uid", "claim", "words"),
    [
        (UID, OURS, ""),
        (UID, None, ""),
        (ELSEWHERE, OURS, "is another cluster than the one stack gitops-stack/dev was made in"),
        (UID, OTHER, "belongs to stack gitops-stack/prd now"),
    ],
)
def test_a_destroy_is_of_the_stack_s_own_cluster(uid: str, claim: Claim | None, words: str) -> None:
    found = check_owner(Claim("gitops-stack", "dev", "argocd", UID), Cluster(uid, ADDRESS, claim))
    assert bool(found) == bool(words)
    assert all(words in sentence and "nothing was deleted" in sentence for sentence in found)


def test_a_claim_survives_its_config_map() -> None:
    claim = Claim("gitops-stack", "dev", "argocd", UID, "gitops-stack/prd")
    assert read_claim(build_claim(claim)) == claim


@pytest.mark.parametrize("data", [None, {}, {"project": "p"}, {"project": "p", "stack": "s"}])
def test_a_config_map_without_an_owner_claims_nothing(data: dict[str, str] | None) -> None:
    assert read_claim({"data": data}) is None
    assert read_claim(None) is None


@pytest.mark.parametrize(
    ("name", "server", "address"),
    [
        ("kind-dev", "https://127.0.0.1:6443/", "https://127.0.0.1:6443"),
        ("kind-dev", "HTTPS://Host.example:443", "https://host.example:443"),
        (ARN, "https://X.eks.amazonaws.com", ARN),
    ],
)
def test_an_address_is_what_stays_when_a_cluster_is_made_anew(name: str, server: str, address: str) -> None:
    assert cluster_address(name, server) == address
