"""Charts below charts/ are held against their lock, as far as an Application of the stack reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.charts.folder import load_files
from gitops_stack.charts.lock import LOCK, ChartLock, digest_files
from gitops_stack.charts.package import read_package
from gitops_stack.charts.reference import ChartReference
from gitops_stack.charts.vendor import plan_package
from gitops_stack.tree_check.check import check_stack
from tests.charts.packages import REPOSITORY, build_package
from tests.stacks import stack_settings

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: storefront
  source: {repoURL: https://github.com/acme/platform.git, targetRevision: main, path: PATH}
  destination: {server: https://kubernetes.default.svc, namespace: storefront}
"""
COMMAND = f"`gitops-stack chart add {REPOSITORY}/web --version 1.0.0"


@pytest.fixture
def vendored(project: Path) -> Path:
    planned = plan_package(
        project, ChartLock({}), ChartReference(REPOSITORY, "web"), read_package(build_package(), "web")
    )
    planned.write(project)
    (project / "gitops/dev/apps/web.yaml").write_text(APPLICATION.replace("PATH", "charts/web/1.0.0"))
    return project


def sentences(project: Path) -> list[str]:
    report = check_stack(project, stack_settings("dev"))
    return [one.sentence.removesuffix(" [vendored-chart]") for one in report.findings if one.rule == "vendored-chart"]


def test_a_chart_as_it_was_pulled_is_fine(vendored: Path) -> None:
    assert sentences(vendored) == []


def test_an_edit_by_hand_is_found_and_its_way_back_named(vendored: Path) -> None:
    assert sentences(vendored) == []  # which keeps the report
    before = digest_files(load_files(vendored, "charts/web/1.0.0"))
    (vendored / "charts/web/1.0.0/templates/all.yaml").write_text("")
    after = digest_files(load_files(vendored, "charts/web/1.0.0"))
    assert sentences(vendored) == [
        f"charts/web/1.0.0/Chart.yaml: its files are {after}, and charts/charts.lock.yaml has {before}: somebody "
        f"edited the chart; move the change into values; {COMMAND} --overwrite` restores the chart"
    ]


def test_a_file_more_and_a_file_less_are_edits(vendored: Path) -> None:
    more = vendored / "charts/web/1.0.0/templates/more.yaml"
    more.write_text("")
    assert len(sentences(vendored)) == 1
    more.unlink()
    assert sentences(vendored) == []
    (vendored / "charts/web/1.0.0/templates/all.yaml").unlink()
    assert len(sentences(vendored)) == 1


def test_a_version_that_is_not_locked_is_found(vendored: Path) -> None:
    (vendored / "charts/web/1.0.0").rename(vendored / "charts/web/1.0.1")
    (vendored / "gitops/dev/apps/web.yaml").write_text(APPLICATION.replace("PATH", "charts/web/1.0.1"))
    assert sentences(vendored) == [
        "charts/web/1.0.1/Chart.yaml: is not in charts/charts.lock.yaml; "
        f"{COMMAND.replace('1.0.0', '1.0.1')}` pulls and locks it"
    ]


def test_a_chart_of_the_teams_own_is_its_business(vendored: Path) -> None:
    (vendored / "charts/web").rename(vendored / "charts/own")
    (vendored / "gitops/dev/apps/web.yaml").write_text(APPLICATION.replace("PATH", "charts/own/1.0.0"))
    assert sentences(vendored) == []


@pytest.mark.parametrize("path", ["charts/web", "charts/web/overlays/prd", "charts/web/1.0.0/charts/redis"])
def test_a_folder_of_the_teams_own_below_a_locked_name_is_its_business(path: str, vendored: Path) -> None:
    (vendored / path).mkdir(parents=True, exist_ok=True)
    (vendored / path / "web.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
    (vendored / "gitops/dev/apps/web.yaml").write_text(APPLICATION.replace("PATH", path))
    assert sentences(vendored) == []


def test_a_chart_that_no_application_of_the_stack_reads_is_left_alone(vendored: Path) -> None:
    (vendored / "charts/web/1.0.0/templates/all.yaml").write_text("")
    (vendored / "gitops/dev/apps/web.yaml").unlink()
    assert sentences(vendored) == []


def test_a_lock_that_cannot_be_read_is_a_finding_and_no_end(vendored: Path) -> None:
    (vendored / LOCK).write_text("charts: 7\n")
    assert sentences(vendored) == [
        "charts/charts.lock.yaml: charts: is not a lock of charts: Input should be a valid list; restore it with `git "
        "checkout`, or write the charts anew with `gitops-stack chart add`"
    ]


def test_a_link_in_the_place_of_a_chart_is_found_and_not_followed(vendored: Path) -> None:
    (vendored / "charts/web/1.0.0").rename(vendored / "elsewhere")
    (vendored / "charts/web/1.0.0").symlink_to(vendored / "elsewhere")
    assert sentences(vendored) == [
        f"charts/web/1.0.0: is a link to {vendored / 'elsewhere'}; replace it with what it points at: charts are "
        "neither read nor written through links"
    ]
