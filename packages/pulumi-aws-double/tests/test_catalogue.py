"""What EKS offers: whoever runs the double says so, and otherwise anything goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulumi_aws_double.catalogue import CATALOGUE, Catalogue, load_catalogue, write_catalogue
from pulumi_aws_double.errors import EnvironmentProblem

GIVEN = Catalogue(
    "2026-10-02", ("1.33", "1.34"), ("1.34",), {"1.34": {"vpc-cni": ("v2.0.0-eksbuild.1", "v1.0.0-eksbuild.1")}}
)


def test_a_catalogue_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_catalogue(tmp_path / "catalogue.json", GIVEN)
    monkeypatch.setenv(CATALOGUE, str(tmp_path / "catalogue.json"))
    found = load_catalogue()
    assert (found.as_of, found.default_version) == ("2026-10-02", "1.34")
    assert [found.may_be_made(version) for version in ("1.33", "1.34", "1.35")] == [False, True, False]
    assert [found.may_exist(version) for version in ("1.33", "1.34", "1.35")] == [True, True, False]
    assert found.find_addon_versions("vpc-cni", "1.34") == ("v2.0.0-eksbuild.1", "v1.0.0-eksbuild.1")
    assert found.find_default("vpc-cni", "1.34") == "v2.0.0-eksbuild.1"
    assert found.find_default("vpc-cni", "1.33") is None
    assert [found.takes_any(addon, "1.34") for addon in ("vpc-cni", "acme", "cert-manager")] == [False, False, True]


def test_without_a_catalogue_every_version_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CATALOGUE, raising=False)
    found = load_catalogue()
    assert found.may_be_made(found.default_version)
    assert [found.may_exist(version) for version in ("1.9", "1.99", "2", "latest")] == [True, True, False, False]
    assert found.find_default("vpc-cni", "1.34") == "v1.0.0-eksbuild.1"
    assert found.takes_any("vpc-cni", "1.34")


@pytest.mark.parametrize("text", [None, "", "[]", '{"versions": [], "supported": [], "color": "green"}'])
def test_a_file_that_is_not_a_catalogue_is_named(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "catalogue.json"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv(CATALOGUE, str(file))
    with pytest.raises(EnvironmentProblem, match=f"{CATALOGUE}: {file}: found no catalogue"):
        load_catalogue()
