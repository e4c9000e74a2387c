"""`gitops-stack addons`: what fits a stack's Kubernetes version, and its pins written with everything else kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gitops_stack.account.addon_pins import AddonPin
from gitops_stack.account.addon_versions import Offered, load_recorded
from gitops_stack.account.session import Account, AwsError
from gitops_stack.cli.main import app
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.settings.cluster import ADDONS

STACK_FILE = """\
# Pinned by hand until now.
config:
  aws:region: ap-northeast-1
  gitops-stack:account: {id: "123456789012"}
  gitops-stack:network: {cidr: 10.20.0.0/16, availabilityZones: 2}
  gitops-stack:cluster:
    provider: eks
    version: "1.35" # next: 1.36
    endpoint: {publicAccessCidrs: [203.0.113.0/24]}
    access: {admins: {principalArn: arn:aws:iam::123456789012:role/platform, policy: ClusterAdmin}}
    addons:  # of EKS
PINS    compute: {nodeGroups: {general: {instanceTypes: [m7g.large], minSize: 2, maxSize: 4}}}
  gitops-stack:gitops: {repoUrl: https://github.com/acme/platform.git}
  gitops-stack:argocd: {version: v3.5.1, commit: 109ca7ca71139e514114499d294a492e7910a965}
"""
GOOD = {addon: versions[0] for addon, versions in load_recorded("1.35").items()}
EKS = "eks:DescribeAddonVersions"


def lines(pins: dict[str, str]) -> str:
    return "".join(f"      {addon}: {version} # {addon}\n" for addon, version in pins.items())


def write(folder: Path, pins: str) -> Path:
    (folder / "Pulumi.yaml").write_text("name: gitops-stack\nruntime: python\n", encoding="utf-8")
    file = folder / "Pulumi.prd.yaml"
    file.write_text(STACK_FILE.replace("PINS", pins), encoding="utf-8")
    return file


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["addons", "-s", "prd", "-C", str(folder), *options], env={"COLUMNS": "200"})


def offer(monkeypatch: pytest.MonkeyPatch, versions: dict[str, list[str]]) -> None:
    """Have EKS offer ``versions``, the first of each as its default."""

    def answer(_self: Account, _service: str, method: str, _key: str, **asked: Any) -> list[Any]:
        assert (method, asked["kubernetesVersion"]) == ("describe_addon_versions", "1.35")
        return [
            {
                "addonVersions": [
                    {"addonVersion": one, "compatibilities": [{"defaultVersion": one == offered[0]}]}
                    for one in sorted(offered)
                ]
            }
            for addon, offered in versions.items()
            if addon == asked["addonName"]
        ]

    monkeypatch.setattr(Account, "list", answer)


def test_pins_that_fit_are_listed_and_nothing_is_written(tmp_path: Path) -> None:
    file = write(tmp_path, lines(GOOD))
    before = file.read_bytes()
    done = run(tmp_path, "--offline", "--write", "--output", "json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["kubernetes"], found["written"]) == ("1.35", {})
    assert {addon: one["status"] for addon, one in found["addons"].items()} == dict.fromkeys(ADDONS, "fits")
    assert found["addons"]["coredns"]["source"] == "table as of 2026-10-02"
    assert file.read_bytes() == before


def test_what_eks_does_not_offer_is_replaced_by_its_default_and_every_comment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, wrong = "v1.14.6-eksbuild.4", "v1.35.0-eksbuild.1"
    file = write(tmp_path, lines({**GOOD, "coredns": newer, "kube-proxy": wrong}))
    offer(monkeypatch, {addon: [version] for addon, version in GOOD.items()} | {"coredns": [GOOD["coredns"], newer]})
    listed = run(tmp_path)
    assert isinstance(listed.exception, GitOpsStackError)
    assert str(listed.exception) == (
        f"Pulumi.prd.yaml: cluster.addons.kube-proxy: {wrong}; EKS offers {GOOD['kube-proxy']} for Kubernetes 1.35 "
        f"({EKS}); `gitops-stack addons --write` pins it"
    )
    done = run(tmp_path, "--write")
    assert done.exit_code == 0, done.output
    assert file.read_text(encoding="utf-8") == STACK_FILE.replace("PINS", lines({**GOOD, "coredns": newer}))


def test_update_moves_older_pins_to_the_default_and_leaves_newer_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = "v1.14.6-eksbuild.4", "v1.13.2-eksbuild.4"
    offer(
        monkeypatch,
        {addon: [version] for addon, version in GOOD.items()}
        | {"coredns": [GOOD["coredns"], older], "vpc-cni": [GOOD["vpc-cni"], "v1.23.2-eksbuild.1"]},
    )
    pins = {**GOOD, "coredns": older, "vpc-cni": "v1.23.2-eksbuild.1"}
    file = write(tmp_path, lines(pins))
    assert run(tmp_path, "--write").exit_code == 0
    assert file.read_text(encoding="utf-8") == STACK_FILE.replace("PINS", lines(pins)), newer
    assert run(tmp_path, "--write", "--update").exit_code == 0
    assert load_stack_file(tmp_path, "prd").eks.addons == {**GOOD, "vpc-cni": "v1.23.2-eksbuild.1"}  # type: ignore[union-attr]


@pytest.mark.parametrize("wrong", ["latest", "v1.22", "1.35", "{version: latest}", "''"])
def test_a_pin_that_is_no_version_is_repaired(wrong: str, tmp_path: Path) -> None:
    file = write(tmp_path, lines({**GOOD, "vpc-cni": wrong}))
    with pytest.raises(GitOpsStackError, match=r"cluster\.addons\.vpc-cni"):
        load_stack_file(tmp_path, "prd")
    listed = run(tmp_path, "--offline")
    assert f"EKS offers {GOOD['vpc-cni']} for Kubernetes 1.35" in str(listed.exception)
    done = run(tmp_path, "--offline", "--write", "--update")
    assert done.exit_code == 0, done.exception
    text = file.read_text(encoding="utf-8").replace("'", "")  # a scalar keeps its quotes
    assert text == STACK_FILE.replace("PINS", lines(GOOD))


def test_an_add_on_of_your_own_that_is_no_version_is_repaired_by_what_eks_offers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, lines({**GOOD, "metrics-server": "latest"}))
    pins = {**GOOD, "metrics-server": "v0.8.0-eksbuild.2"}
    offer(monkeypatch, {addon: [version] for addon, version in pins.items()})
    assert run(tmp_path, "--write").exit_code == 0
    assert load_stack_file(tmp_path, "prd").eks.addons == pins  # type: ignore[union-attr]


def test_a_pin_without_a_value_is_missing(tmp_path: Path) -> None:
    write(tmp_path, lines({**GOOD, "vpc-cni": ""}))
    assert "cluster.addons.vpc-cni: missing; EKS offers" in str(run(tmp_path, "--offline").exception)
    assert run(tmp_path, "--offline", "--write").exit_code == 0
    assert load_stack_file(tmp_path, "prd").eks.addons == GOOD  # type: ignore[union-attr]


def test_a_stack_file_without_pins_gets_all_five(tmp_path: Path) -> None:
    file = write(tmp_path, "")
    with pytest.raises(GitOpsStackError, match=r"cluster\.addons"):
        load_stack_file(tmp_path, "prd")
    assert run(tmp_path, "--offline", "--write").exit_code == 0
    settings = load_stack_file(tmp_path, "prd")
    assert settings.eks is not None
    assert settings.eks.addons == GOOD
    shown = f"addons: {{{', '.join(f'{addon}: {GOOD[addon]}' for addon in ADDONS)}}}  # of EKS"
    assert file.read_text(encoding="utf-8") == STACK_FILE.replace("PINS", "").replace("addons:  # of EKS", shown)


@pytest.mark.parametrize(
    ("change", "options", "error", "sentence"),
    [
        (
            ("provider: eks", "provider: existing"),
            (),
            GitOpsStackError,
            "Pulumi.prd.yaml: has cluster.provider existing; add-ons of EKS need a cluster of provider eks",
        ),
        (
            ("compute: {nodeGroups: {general: {instanceTypes: [m7g.large], minSize: 2, maxSize: 4}}}",
             "compute: {autoMode: true}"),
            (),
            GitOpsStackError,
            "needs to be left out beside autoMode, whose nodes have it inside",
        ),
        (("", ""), ("--update",), EnvironmentProblem, "addons: --update goes with --write; give both"),
        (
            ('version: "1.35"', 'version: "1.99"'),
            ("--offline", "--write"),
            GitOpsStackError,
            "Pulumi.prd.yaml: cluster.addons.vpc-cni: no version is known for Kubernetes 1.99",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_pinned_is_said_in_a_sentence(
    change: tuple[str, str],
    options: tuple[str, ...],
    error: type[Exception],
    sentence: str,
    tmp_path: Path,
) -> None:
    file = write(tmp_path, "" if "1.99" in change[1] else lines(GOOD))
    text = file.read_text(encoding="utf-8").replace(*change) if change[0] else file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    done = run(tmp_path, *options)
    assert type(done.exception) is error
    assert sentence in str(done.exception)
    assert file.read_text(encoding="utf-8") == text


def test_credentials_of_another_account_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    file = write(tmp_path, lines(GOOD))
    file.write_text(file.read_text(encoding="utf-8").replace("123456789012", "210987654321"), encoding="utf-8")
    done = run(tmp_path)
    assert "gitops-stack:account.id: needs account 210987654321, found credentials of 123456789012" in str(
        done.exception
    )


@pytest.mark.parametrize(
    ("pinned", "offered", "complete", "status", "chosen"),
    [
        (None, ("v1.2.0-eksbuild.1",), True, "missing", "v1.2.0-eksbuild.1"),
        ("v1.2.0-eksbuild.1", ("v1.2.0-eksbuild.1",), True, "fits", None),
        ("v1.2.0-eksbuild.9", ("v1.2.0-eksbuild.1",), True, "not offered", "v1.2.0-eksbuild.1"),
        ("v1.2.0-eksbuild.9", ("v1.2.0-eksbuild.1",), False, "not listed", None),
        ("v1.1.9-eksbuild.9", ("v1.2.0-eksbuild.1",), False, "not listed", "v1.2.0-eksbuild.1"),
        (None, (), False, "missing", None),
        ("latest", ("v1.2.0-eksbuild.1",), True, "not offered", "v1.2.0-eksbuild.1"),
        ("latest", ("v1.2.0-eksbuild.1",), False, "not offered", "v1.2.0-eksbuild.1"),
        ("latest", (), False, "not offered", None),
        ("v1.2.0-eksbuild.1", ("v1.x-eksbuild.2",), False, "not listed", None),
    ],
)
def test_a_pin_moves_only_when_it_has_to(
    pinned: str | None, offered: tuple[str, ...], complete: bool, status: str, chosen: str | None
) -> None:
    pin = AddonPin("coredns", pinned, Offered(offered, "somebody", complete=complete))
    assert (pin.status, pin.choose(update=False)) == (status, chosen)


IMAGES = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023"
RELEASES = {
    f"{IMAGES}/arm64/standard/recommended/release_version": "1.35.3-20261102",
    f"{IMAGES}/x86_64/nvidia/recommended/release_version": "1.35.3-20261102",
    "/aws/service/bottlerocket/aws-k8s-1.35/x86_64/latest/image_version": "1.52.0-1a2b3c4d",
}
GROUPS = """\
    compute:
      nodeGroups:
        general: {instanceTypes: [m7g.large], minSize: 2, maxSize: 4, releaseVersion: GENERAL} # by hand
        gpu: {instanceTypes: [g6.xlarge], minSize: 0, maxSize: 4} # newest when made
        rocket: {instanceTypes: [m7i.large], minSize: 0, maxSize: 4, releaseVersion: ROCKET,
          operatingSystem: bottlerocket}
"""


def write_groups(folder: Path, general: str, rocket: str = "1.52.0-1a2b3c4d") -> Path:
    file = write(folder, lines(GOOD))
    head, _, tail = file.read_text(encoding="utf-8").partition("    compute:")
    groups = GROUPS.replace("GENERAL", general).replace("ROCKET", rocket)
    file.write_text(head + groups + tail.partition("\n")[2], encoding="utf-8")
    return file


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Have AWS answer with RELEASES, and EKS with what fits; without a look at the credentials."""
    known = dict(RELEASES)

    def ask(_self: Account, service: str, method: str, **asked: Any) -> dict[str, Any]:
        if service == "sts":
            return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/somebody"}
        assert (service, method) == ("ssm", "get_parameter")
        if asked["Name"] not in known:
            raise AwsError("ssm:GetParameter was refused: ParameterNotFound: ", code="ParameterNotFound")
        return {"Parameter": {"Value": known[asked["Name"]]}}

    monkeypatch.setattr(Account, "ask", ask)
    offer(monkeypatch, {addon: [version] for addon, version in GOOD.items()})
    return known


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize(
    ("options", "written"),
    [
        ((), {}),
        (("--write",), {}),
        (("--write", "--update"), {"general": "1.35.3-20261102", "rocket": "1.52.0-1a2b3c4d"}),
        (("--write", "--nodes"), {"gpu": "1.35.3-20261102"}),
    ],
    ids=lambda given: " ".join(given) or "list",
)
def test_the_newest_releases_are_listed_and_written_as_asked(
    options: tuple[str, ...], written: dict[str, str], tmp_path: Path
) -> None:
    file = write_groups(tmp_path, "1.35.2-20261015", "1.51.1-ffffffff")
    before = file.read_text(encoding="utf-8")
    done = run(tmp_path, *options, "--output", "json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    statuses = {name: group["status"] for name, group in found["nodeGroups"].items()}
    assert statuses == {"general": "older", "gpu": "unpinned", "rocket": "older"}
    assert found["writtenReleases"] == written
    after = before
    for group, release in written.items():
        old = {"general": "1.35.2-20261015", "rocket": "1.51.1-ffffffff"}.get(group)
        plain = "gpu: {instanceTypes: [g6.xlarge], minSize: 0, maxSize: 4"
        changed = (old, release) if old else (f"{plain}}}", f"{plain}, releaseVersion: {release}}}")
        after = after.replace(*changed)
    assert file.read_text(encoding="utf-8") == after


@pytest.mark.usefixtures("released")
def test_a_release_of_another_kubernetes_version_is_replaced(tmp_path: Path) -> None:
    file = write_groups(tmp_path, "1.34.9-20261015")
    with pytest.raises(GitOpsStackError, match=r"needs 1\.35\.PATCH-DATE"):
        load_stack_file(tmp_path, "prd")
    assert json.loads(run(tmp_path, "--output", "json").stdout)["nodeGroups"]["general"]["status"] == "other version"
    done = run(tmp_path, "--write")
    assert "nodeGroups.general.releaseVersion: 1.34.9-20261015 -> 1.35.3-20261102" in done.stderr.replace("\n", " ")
    assert "releaseVersion: 1.35.3-20261102} # by hand" in file.read_text(encoding="utf-8")


def test_a_release_that_is_not_known_leaves_the_pin_and_says_why(tmp_path: Path, released: dict[str, str]) -> None:
    released.clear()
    file = write_groups(tmp_path, "1.35.2-20261015")
    before = file.read_bytes()
    done = run(tmp_path, "--write", "--update")
    assert done.exit_code == 0, done.exception
    assert "newest release not known: AWS has no parameter /aws/service/eks/optimized-ami/1.35/" in done.stderr
    assert file.read_bytes() == before
    assert "newest release not known: AWS was not asked" in run(tmp_path, "--offline").stderr
    assert str(run(tmp_path, "--nodes").exception) == (
        "addons: --nodes goes with --write; give both, or none to list only"
    )
