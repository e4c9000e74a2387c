"""What is an image reference, what pins it, and when two are the same."""

from __future__ import annotations

import pytest

from gitops_stack.delivery.image_reference import (
    ImageReference,
    normalise_repository,
    parse_image_reference,
    parse_pin,
    split_image,
)
from gitops_stack.errors import GitOpsStackError

DIGEST = "sha256:" + "0123456789abcdef" * 4
SHA512 = "sha512:" + "a" * 128


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("nginx:1.27", "nginx", "1.27", None),
        (f"nginx@{DIGEST}", "nginx", None, DIGEST),
        (f"acme/web:v1@{DIGEST}", "acme/web", "v1", DIGEST),
        (f"latest-is-fine-with-a/digest:latest@{DIGEST}", "latest-is-fine-with-a/digest", "latest", DIGEST),
        ("localhost:5000/web:1", "localhost:5000/web", "1", None),
        ("[fd00::1]:5000/web:1", "[fd00::1]:5000/web", "1", None),
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web:2024.1_a-b",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web",
            "2024.1_a-b",
            None,
        ),
        ("registry.example/a__b/c--d/e.f:1", "registry.example/a__b/c--d/e.f", "1", None),
        (f"web@{SHA512}", "web", None, SHA512),
        ("web:_hidden", "web", "_hidden", None),
        (f"web:{'t' * 128}", "web", "t" * 128, None),
    ],
)
def test_references_are_read(text: str, repository: str, tag: str | None, digest: str | None) -> None:
    found = parse_image_reference(text)
    assert found == ImageReference(repository, tag, digest)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not an image reference"),
        (
            "v1.3",
            "to keep the repository, leave out only its name, as in :v1.2",
        ),
        ("localhost:5000/web", "without tag and digest"),
        ("nginx:latest", "the tag latest, which moves"),
        ("Nginx:1", "is not an image reference"),
        ("acme//web:1", "is not an image reference"),
        ("acme/web:", "is not an image reference"),
        ("acme/web:-1", "is not an image reference"),
        (f"acme/web:{'t' * 129}", "is not an image reference"),
        ("acme/web@sha256:abc", "is not an image reference"),
        ("acme/web@sha256:" + "a" * 63, "which is not a digest; needs sha256: and 64"),
        ("acme/web@sha256:" + "A" * 64, "which is not a digest"),
        ("acme/web@" + "a" * 64, "is not an image reference"),
        ("acme/we b:1", "is not an image reference"),
        ("acme/web:1\n", "is not an image reference"),
        ("https://acme/web:1", "is not an image reference"),
        (f"{'a' * 256}:1", "found a repository of 256 characters; the limit is 255"),
        (":v1", "which has no repository"),
        (f"@{DIGEST}", "which has no repository"),
    ],
)
def test_what_is_no_pinned_reference_is_refused(text: str, said: str) -> None:
    with pytest.raises(GitOpsStackError, match=r"^web: found") as refused:
        parse_image_reference(text, "web")
    assert said in refused.value.findings[0]


def test_a_pin_may_stand_alone() -> None:
    assert parse_pin(":v1") == ImageReference("", "v1")
    assert parse_pin(f":v1@{DIGEST}").pin == f":v1@{DIGEST}"
    with pytest.raises(GitOpsStackError, match="which moves"):
        parse_pin(":latest")


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("acme/web", "docker.io/acme/web"),
        ("index.docker.io/nginx", "docker.io/library/nginx"),
        ("docker.io/acme/web", "docker.io/acme/web"),
        ("localhost/web", "localhost/web"),
        ("ACME/web", "ACME/web"),
        ("quay.io/acme/web", "quay.io/acme/web"),
        ("registry:5000/web", "registry:5000/web"),
    ],
)
def test_repositories_are_compared_with_their_registry_written_out(written: str, normalised: str) -> None:
    assert normalise_repository(written) == normalised
    assert ImageReference(written, "1").normalised == ImageReference(normalised, "1")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nginx", ("nginx", "", "")),
        ("localhost:5000/web", ("localhost:5000/web", "", "")),
        ("localhost:5000/web:1@sha256:ab", ("localhost:5000/web", "1", "sha256:ab")),
        ("web@sha256:ab", ("web", "", "sha256:ab")),
        ("{registry}/web:{tag}", ("{registry}/web", "{tag}", "")),
    ],
)
def test_what_manifests_say_is_split_without_judging_it(text: str, parts: tuple[str, str, str]) -> None:
    assert split_image(text) == parts
