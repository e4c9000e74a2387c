from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from pulumi_aws_double.admission import CALLER
from pulumi_aws_double.aws_cli import ADMISSIONS
from pulumi_aws_double.resources.kinds import CLUSTERS
from pulumi_aws_double.store import Store
from pulumi_aws_double.token_review import KEY, PREFIX, review

REGION = "eu-west-1"
EMITTER = HierarchicalEmitter()  # the signer keeps only a weak reference


def build_token(
    cluster: str = "acme", *, region: str = REGION, action: str = "GetCallerIdentity", key: str = KEY, secret: str = KEY
) -> str:
    """Sign a token as botocore's users do."""
    signer = RequestSigner(ServiceId("STS"), region, "sts", "v4", Credentials(key, secret), EMITTER)
    request = {
        "method": "GET",
        "url": f"https://sts.{region}.amazonaws.com/?Action={action}&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster} if cluster else {},
        "context": {},
    }
    url = signer.generate_presigned_url(request, operation_name=action, expires_in=60, region_name=region)
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv(CALLER, "eks-caller")
    made = Store(tmp_path / "store.json")
    made.put(CLUSTERS, f"{REGION}/acme", {})
    made.put(CLUSTERS, f"{REGION}/other", {})
    made.put(ADMISSIONS, f"{REGION}/acme#entry#policy", {"knownFrom": time.time() - 3600})
    return made


def test_the_caller_enters_the_cluster_that_the_token_names(store: Store) -> None:
    entered = {"authenticated": True, "user": {"username": "eks-caller", "uid": "eks-caller"}}
    assert review(store, build_token(), time.time()) == entered


@pytest.mark.parametrize(
    "build",
    [
        lambda: build_token("other"),
        lambda: build_token("elsewhere"),
        lambda: build_token(""),
        lambda: build_token(region="us-east-1"),
        lambda: build_token(action="GetSessionToken"),
        lambda: build_token(secret="another"),
        lambda: build_token(key="AKIDANOTHER"),
        lambda: build_token().removeprefix(PREFIX),
        lambda: f"{PREFIX}not-a-request",
        lambda: f"{PREFIX}ä",
        str,
    ],
    ids=[
        "no access entry", "not a cluster", "no cluster signed", "another region", "another action", "forged",
        "a stranger", "no prefix", "not a request", "not base64", "empty",
    ],
)  # fmt: skip
def test_anybody_else_is_not_authenticated(build: Callable[[], str], store: Store) -> None:
    assert review(store, build(), time.time()) == {"authenticated": False}


@pytest.mark.parametrize(("later", "enters"), [(14 * 60, True), (16 * 60, False), (-120, False)])
def test_a_token_is_taken_for_fifteen_minutes(later: float, enters: bool, store: Store) -> None:
    assert review(store, build_token(), time.time() + later)["authenticated"] is enters


def test_an_access_entry_is_followed_late(store: Store) -> None:
    now = time.time()
    store.put(ADMISSIONS, f"{REGION}/acme#entry#policy", {"knownFrom": now + 3})
    token = build_token()
    assert not review(store, token, now)["authenticated"]
    assert review(store, token, now + 4)["authenticated"]
