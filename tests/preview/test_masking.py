"""Secrets stay out: by the engine's marker, by kind, by name and by look. The rest is left readable."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gitops_stack.preview.masking import MASK, is_sensitive_key, mask, mask_pair, mask_text
from gitops_stack.preview.property_diff import build_property_changes

TOKEN = "ghp_abcdefghijklmnopqrstuv"
MARKED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}


@pytest.mark.parametrize(
    "key",
    ["password", "masterPassword", "admin.password", "passphrase", "DB_PASSWORD", "token", "githubToken", "secret",
     "clientSecret", "secretString", "privateKey", "ssh-private-key", "apiKey", "kubeconfig", "credentials"],
)  # fmt: skip
def test_names_that_hold_secrets(key: str) -> None:
    assert is_sensitive_key(key)


@pytest.mark.parametrize(
    "key", ["passwordLength", "secretName", "secretArn", "tokenTtl", "key", "keyId", "publicKey", "cidrBlock", "tags"]
)
def test_names_that_hold_none(key: str) -> None:
    assert not is_sensitive_key(key)


@pytest.mark.parametrize(
    ("value", "secret_kind", "shown"),
    [
        ({"data": {"a": "eA=="}, "type": "Opaque"}, True, {"data": {"a": MASK}, "type": "Opaque"}),
        ({"data": {"a": "plain"}}, False, {"data": {"a": "plain"}}),
        ({"spec": {"x": MARKED}}, False, {"spec": {"x": MASK}}),
        ({"password": ["a", {"b": "c"}]}, False, {"password": [MASK, {"b": MASK}]}),
        ({"password": "", "token": None, "automountServiceAccountToken": False}, False, None),
        (
            {"env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_HOST", "value": "db"}]},
            False,
            {"env": [{"name": "DB_PASSWORD", "value": MASK}, {"name": "DB_HOST", "value": "db"}]},
        ),
        (
            {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{x}"}}},
            True,
            {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": MASK}}},
        ),
    ],
)
def test_values(value: dict[str, Any], secret_kind: bool, shown: dict[str, Any] | None) -> None:
    assert mask(value, secret_kind=secret_kind) == (value if shown is None else shown)


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ({"password": 1}, {"password": 0}, [{"password": "(secret, before)"}, {"password": "(secret, after)"}]),
        ({"a": f"x {TOKEN}"}, {"a": f"y {TOKEN}"}, [{"a": f"x {MASK}"}, {"a": f"y {MASK}"}]),
        ({"a": TOKEN}, {"a": f"{TOKEN}0"}, [{"a": "(secret, before)"}, {"a": "(secret, after)"}]),
        ({"a": f"x {TOKEN}"}, {"a": f"y {TOKEN}0"}, [{"a": "x (secret, before)"}, {"a": "y (secret, after)"}]),
        ({"a": "s://u:p@a"}, {"a": "s://u:q@a"}, [{"a": "s://(secret, before)@a"}, {"a": "s://(secret, after)@a"}]),
        ({"a": f"x {TOKEN}"}, {"a": 1}, [{"a": "x (secret, before)"}, {"a": 1}]),
    ],
)  # fmt: skip
def test_two_states_are_marked_where_what_is_masked_differs(
    old: dict[str, Any], new: dict[str, Any], shown: list[dict[str, Any]]
) -> None:
    assert list(mask_pair(old, new)) == shown


def test_the_names_a_volume_gives_are_shown_and_values_beside_them_are_not() -> None:
    volume = {"name": "tls", "secret": {"secretName": "web", "items": [{"key": "tls.crt", "path": "crt"}]}}
    assert mask(volume) == volume
    other = {"secret": {"secretName": "web", "value": "leak"}}
    assert mask(other) == {"secret": {"secretName": MASK, "value": MASK}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot clone https://me:s3cr3t@git.example.com/x", f"cannot clone https://{MASK}@git.example.com/x"),
        ("https://me:s3@cr3t@git.example.com/x", f"https://{MASK}@git.example.com/x"),
        ("token ghp_abcdefghijklmnopqrstuv is bad", f"token {MASK} is bad"),
        ("glpat-abcdefghijklmnopqrst", MASK),
        ("key AKIAABCDEFGHIJKLMNOP", f"key {MASK}"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb", f"a\n{MASK}\nb"),
        ("-----BEGIN PRIVATE KEY-----\ncut", MASK),
        ("https://github.com/acme/platform and git@github.com:acme/x", None),
    ],
)
def test_texts(text: str, shown: str | None) -> None:
    assert mask_text(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    "text", ["f" * 200_000, "eyJ-" * 50_000, "a://" * 50_000, "-----BEGIN " * 20_000, "A " * 100_000]
)
def test_a_text_made_to_take_long_does_not(text: str) -> None:
    started = time.process_time()
    mask_text(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("kind", "path", "old", "new"),
    [
        ("kubernetes:core/v1:Secret", "stringData.x", {"stringData": {"x": "leak1"}}, {"stringData": {"x": "leak2"}}),
        ("kubernetes:core/v1:Secret", "data", {"data": {"a": "leak1"}}, {"data": {"a": "leak2", "b": "leak3"}}),
        ("kubernetes:core/v1:Secret", "data.a", {}, {"data": {"a": "leak1"}}),
        ("aws:rds/instance:Instance", "password", {"password": "leak1"}, {"password": "leak2"}),
        ("aws:x:Y", 'nested["db.password"]', {"nested": {"db.password": "leak1"}}, {"nested": {"db.password": 12345}}),
        ("aws:x:Y", "settings", {"settings": {"password": "leak1"}}, {"settings": {"password": "leak2", "a": 1}}),
        ("aws:x:Y", "all", {"all": MARKED}, {"all": MARKED}),
        ("aws:x:Y", "all.inner", {"all": {"inner": MARKED}}, {"all": {"inner": "was secret"}}),
    ],
)  # fmt: skip
def test_property_changes_show_that_a_secret_changes_but_not_the_secret(
    kind: str, path: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    metadata = {
        "type": kind,
        "detailedDiff": {path: {"diffKind": "update", "inputDiff": True}},
        "old": {"inputs": old},
        "new": {"inputs": new},
    }
    changes = build_property_changes(metadata)
    assert changes
    shown = " ".join(f"{change.old} {change.new}" for change in changes)
    assert MASK in shown
    assert "leak" not in shown
    assert "12345" not in shown
    assert "ciphertext" not in shown
