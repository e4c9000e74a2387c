"""Names, versions, packages and locks that will not do: one sentence each, with place, finding and remedy."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from gitops_stack.charts.lock import LOCK, load_chart_lock
from gitops_stack.charts.package import read_package
from gitops_stack.charts.reference import ChartReference, check_version, parse_chart_reference
from gitops_stack.errors import GitOpsStackError
from tests.charts.packages import build_archive, build_package

NEEDS_URL = (
    "needs the URL of the repository and the chart's name, such as https://charts.example.com/NAME or "
    "oci://registry.example.com/team/NAME"
)
MADE = "needs what `helm package` makes"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", f"chart '': {NEEDS_URL}"),
        ("podinfo", f"chart 'podinfo': {NEEDS_URL}"),
        ("jetstack/cert-manager", f"chart 'jetstack/cert-manager': {NEEDS_URL}"),
        ("https:///cert-manager", f"chart 'https:///cert-manager': {NEEDS_URL}"),
        ("git@example.com:charts/web", f"chart 'git@example.com:charts/web': {NEEDS_URL}"),
        ("https://a.example.com:x/web", f"chart 'https://a.example.com:x/web': {NEEDS_URL}"),
        (
            "https://me:secret@a.example.com/web",
            "chart 'web' of a.example.com: has a user or a password in its URL; leave them out and log in with "
            "`helm registry login` or `helm repo add`",
        ),
        (
            "https://a.example.com?x=1/web",
            "chart 'https://a.example.com?x=1/web': has `?` or `#` in its URL; needs the repository's URL alone",
        ),
        (
            "https://a.example.com/web-1.0.0.tgz",
            "chart 'https://a.example.com/web-1.0.0.tgz': names a package; needs REPOSITORY/NAME, and the version "
            "beside it",
        ),
        (
            "oci://a.example.com/web:1.0.0",
            "chart 'oci://a.example.com/web:1.0.0': has a version in its name; leave it out and give --version",
        ),
        (
            "https://a.example.com/we b",
            "chart 'https://a.example.com/we b': found the name 'we b'; needs letters, digits, `-`, `_` and `.`",
        ),
    ],
)
def test_a_chart_that_cannot_be_meant_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        parse_chart_reference(text)
    assert refused.value.findings == (sentence,)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("https://Charts.Example.com/web/", "https://charts.example.com"),
        ("http://127.0.0.1:8080/a/b/web", "http://127.0.0.1:8080/a/b"),
        ("oci://public.ecr.aws/Team/web", "oci://public.ecr.aws/Team"),
    ],
)
def test_a_chart_is_its_repository_and_its_name(text: str, repository: str) -> None:
    assert parse_chart_reference(text) == ChartReference(repository, "web")


@pytest.mark.parametrize("version", ["", "1", "1.2", "^1.2.3", ">=1.0.0", "latest", "1.2.x", "01.2.3", "1.2.3 "])
def test_a_version_is_one_version_and_no_range(version: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        check_version(version, "--version")
    assert str(refused.value) == f"--version: found {version!r}; needs one whole version such as 1.4.2, no range"


@pytest.mark.parametrize("version", ["1.2.3", "v1.21.1", "0.0.0-rc.1", "1.2.3+build.5"])
def test_a_whole_version_is_taken(version: str) -> None:
    assert check_version(version, "--version") == version


def entry(kind: bytes, name: str = "web/x") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, "/etc/passwd"
    return made


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no archive", f"p: is not a whole archive; {MADE}"),
        (build_package()[:60], f"p: is not a whole archive; {MADE}"),
        (build_archive({"web/values.yaml": ""}), f"p: has no Chart.yaml; {MADE}"),
        (build_archive({"web/Chart.yaml": "a: [", "web/b": ""}), f"p: Chart.yaml: is not YAML; {MADE}"),
        (build_archive({"web/Chart.yaml": "- a\n"}), f"p: Chart.yaml has no name or no version; {MADE}"),
        (
            build_archive({"web/../../x": ""}),
            "p: found 'web/../../x', a path out of the chart's folder; needs plain files in one folder",
        ),
        (
            build_archive({"/web/x": ""}),
            "p: found '/web/x', a path out of the chart's folder; needs plain files in one folder",
        ),
        (
            build_archive({"web/.git/config": ""}),
            "p: found 'web/.git/config', a path out of the chart's folder; needs plain files in one folder",
        ),
        (
            build_archive({"web/.GIT/config": ""}),
            "p: found 'web/.GIT/config', a path out of the chart's folder; needs plain files in one folder",
        ),
        (
            build_package(files={"a": "", "a/b/c": ""}),
            "p: found 'a' and 'a/b/c', a file and a folder of one name; needs plain files in one folder",
        ),
        (
            build_package(files={"a/b": "", "a": ""}),
            "p: found 'a' and 'a/b', a file and a folder of one name; needs plain files in one folder",
        ),
        (
            build_package(files={"n" * 256: ""}),
            f"p: found 'web/{'n' * 256}', a path that is too long for a file system; needs plain files in one folder",
        ),
        (
            build_package(files={"a\nb": ""}),
            "p: found 'web/a\\nb', a path with characters that cannot be shown; needs plain files in one folder",
        ),
        (
            build_package(files={"\udcff": ""}),
            "p: found 'web/\\udcff', a path with characters that cannot be shown; needs plain files in one folder",
        ),
        (
            build_archive({}, link=entry(tarfile.SYMTYPE)),
            "p: found 'web/x', a link or a device; needs plain files in one folder",
        ),
        (
            build_package(files={"big": b"0" * ((5 << 20) + 1)}),
            "p: big: is larger than helm takes; needs a smaller package",
        ),
        (build_package(type="library"), "p: is a library chart, which renders nothing; vendor the chart that uses it"),
        (
            build_package(dependencies=[{"name": "redis", "version": "1.0.0"}]),
            "p: its dependency redis is not in the package, so Argo CD would fetch it at every render; needs a package "
            "made with `helm package --dependency-update`",
        ),
        (
            build_package(files={"requirements.yaml": "{"}),
            f"p: requirements.yaml: is not YAML; {MADE}",
        ),
        (
            build_package(files={"requirements.yaml": "dependencies: [{name: redis}]"}),
            "p: its dependency redis is not in the package, so Argo CD would fetch it at every render; needs a package "
            "made with `helm package --dependency-update`",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_a_package_that_will_not_do_in_git_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        read_package(content, "p")
    assert refused.value.findings == (sentence,)


@pytest.mark.parametrize("path", ["charts/redis/Chart.yaml", "charts/redis-1.0.0.tgz"])
def test_a_dependency_may_be_a_folder_or_an_archive(path: str) -> None:
    dependencies = [{"name": "redis", "version": "1.0.0"}]
    assert path in read_package(build_package(files={path: b"\xff\x00"}, dependencies=dependencies), "p").files


D = "sha256:" + "d" * 64
RESTORE = "restore it with `git checkout`, or write the charts anew with `gitops-stack chart add`"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", f"{LOCK}: is not YAML"),
        ("[]", f"{LOCK}: is not a lock of charts: it is not a map; {RESTORE}"),
        ("carts: []", f"{LOCK}: carts: is not a lock of charts: Extra inputs are not permitted; {RESTORE}"),
        (
            f"charts: [{{name: a, version: 1.0.0, repository: r, package: {D[:-1]}}}]",
            f"{LOCK}: charts.0.package: is not a lock of charts: needs sha256: and 64 hexadecimal digits; {RESTORE}",
        ),
        (
            f"charts: [{{name: a, version: 1.0, repository: r, package: {D}}}]",
            f"{LOCK}: charts.0.version: is not a lock of charts: Input should be a valid string; {RESTORE}",
        ),
        (
            f"charts: [{{name: a, version: 1.0.0, repository: r, package: {D}}}, "
            f"{{name: a, version: 1.0.0, repository: s, package: {D}}}]",
            f"{LOCK}: has a 1.0.0 twice; keep the entry whose digest is right",
        ),
    ],
)
def test_a_lock_that_cannot_be_read_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / LOCK).write_text(text)
    with pytest.raises(GitOpsStackError) as refused:
        load_chart_lock(tmp_path)
    assert str(refused.value).startswith(sentence)
