"""From what people name to files: which image is meant, what a promotion takes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.delivery.plan import (
    ImagePlan,
    check_applications,
    check_promotion,
    parse_assignment,
    parse_target,
    plan_image_set,
    plan_promotion,
)
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from tests.delivery.trees import DEPLOYMENT, ECR, REPOSITORY, A, B, stack, write

POD = "kind: Pod\nspec: {{containers: [{{image: {0}}}, {{image: {1}}}]}}\n"
TREE = {
    "base/web.yaml": DEPLOYMENT.format(image="web:v1"),
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "web/dev/kustomization.yaml": "resources: [../../base]\n",
    "web/prd/kustomization.yaml": "resources: [../../base]\n# by hand\n",
    "two/dev/pod.yaml": POD.format("acme/web:v1", "envoy:v1"),
    "two/prd/pod.yaml": POD.format("acme/web:v0", "envoy:v1"),
    "chart/delivery.yaml": "images: {web: {values: '{stack}.yaml', repository: r, tag: t, digest: d}}\n",
    "chart/dev.yaml": "r: acme/web\nt: v1\n",
    "chart/prd.yaml": "r: acme/web\nt: v0 # c\n",
    "chart/dev/Chart.yaml": "name: web\n",
    "chart/prd/Chart.yaml": "name: web\n",
    "remote/dev/kustomization.yaml": "resources: [https://example.org/x]\nimages: [{name: envoy, newTag: v1}]\n",
}
DEV = stack("dev", web="web/dev", two="two/dev", chart="chart/dev", remote="remote/dev")
PRD = stack("prd", web="web/prd", two="two/prd", chart="chart/prd")


@pytest.fixture
def tree(tmp_path: Path) -> TreeReader:
    return write(tmp_path, TREE)


@pytest.mark.parametrize("values", ["loop.yaml", "v" * 300, "a\\0b", "../../outside.yaml", "/etc/hostname"])
def test_what_no_file_can_be_is_no_file(values: str, tree: TreeReader) -> None:
    (tree.root / "web/dev/loop.yaml").symlink_to("loop.yaml")
    write(tree.root, {"web/dev/delivery.yaml": f'images: {{web: {{values: "{values}", tag: t}}}}\n'})
    with pytest.raises(GitOpsStackError, match=r"web/dev/delivery\.yaml: values: found .*, which is not a file"):
        set_images(tree, "web=:v2")


def test_a_long_patch_on_one_line_is_no_path(tree: TreeReader) -> None:
    patch = "{kind: Deployment, metadata: {name: web, annotations: {a: " + "x" * 300 + "}}}"
    write(tree.root, {"web/dev/kustomization.yaml": f"resources: [../../base]\npatchesStrategicMerge: ['{patch}']\n"})
    assert [change.after for change in set_images(tree, "web=:v2").changes] == ["web:v2"]


def set_images(tree: TreeReader, *assignments: str) -> ImagePlan:
    return plan_image_set(tree, DEV, [parse_assignment(text) for text in assignments])


@pytest.mark.parametrize(
    ("assignment", "path", "text"),
    [
        (
            f"web={ECR}/guestbook@{A}",
            "web/dev/kustomization.yaml",
            f"resources: [../../base]\nimages:\n  - name: web\n    newName: {ECR}/guestbook\n    digest: {A}\n",
        ),
        ("web=:v2", "web/dev/kustomization.yaml", "resources: [../../base]\nimages:\n  - name: web\n    newTag: v2\n"),
        ("two=acme/web:v2", "two/dev/pod.yaml", POD.format("acme/web:v2", "envoy:v1")),
        ("two=docker.io/acme/web:v2", "two/dev/pod.yaml", POD.format("docker.io/acme/web:v2", "envoy:v1")),
        (f"two={ECR}/web:v2", "two/dev/pod.yaml", POD.format(f"{ECR}/web:v2", "envoy:v1")),
        ("two/web=:v2", "two/dev/pod.yaml", POD.format("acme/web:v2", "envoy:v1")),
        ("two/acme/web=:v2", "two/dev/pod.yaml", POD.format("acme/web:v2", "envoy:v1")),
        (f"two/envoy={ECR}/proxy@{A}", "two/dev/pod.yaml", POD.format("acme/web:v1", f"{ECR}/proxy@{A}")),
        (f"chart=acme/web:v2@{A}", "chart/dev.yaml", f"r: acme/web\nt: v2\nd: {A}\n"),
        (f"chart=@{A}", "chart/dev.yaml", f'r: acme/web\nt: ""\nd: {A}\n'),
        (
            "remote/web=acme/web:v1",
            "remote/dev/kustomization.yaml",
            "resources: [https://example.org/x]\n"
            "images: [{name: envoy, newTag: v1}, {name: web, newName: acme/web, newTag: v1}]\n",
        ),
    ],
)
def test_an_image_is_set_where_it_is_written(tree: TreeReader, assignment: str, path: str, text: str) -> None:
    plan = set_images(tree, assignment)
    assert plan.texts == {path: text}
    assert len(plan.changes) == 1


def test_several_images_end_in_one_plan(tree: TreeReader) -> None:
    plan = set_images(tree, "two/web=:v2", f"two/envoy=@{B}", "web=:v3")
    assert plan.texts["two/dev/pod.yaml"] == POD.format("acme/web:v2", f"envoy@{B}")
    assert [(change.application, change.before, change.after) for change in plan.changes] == [
        ("two", ("acme/web:v1",), "acme/web:v2"),
        ("two", ("envoy:v1",), f"envoy@{B}"),
        ("web", ("web:v1",), "web:v3"),
    ]


@pytest.mark.parametrize("assignment", ["two/web=:v1", "chart=acme/web:v1"])
def test_nothing_is_planned_for_what_is_there_already(tree: TreeReader, assignment: str) -> None:
    assert set_images(tree, assignment) == ImagePlan("dev")


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        (
            "two=acme/other:v1",
            "two: acme/other is not an image that is known of two in dev; name one as two/NAME=…, known in two/dev: "
            "acme/web, envoy",
        ),
        (
            "two=:v1",
            "two: two is not an image that is known of two in dev; name one as two/NAME=…, known in two/dev: "
            "acme/web, envoy",
        ),
        (
            "web/api=:v1",
            "web/api: api is not an image that is known of web in dev; name one as web/NAME=…, known in "
            "web/dev/kustomization.yaml: web",
        ),
        (
            "remote=acme/web:v1",
            "remote: acme/web is not an image that is known of remote in dev; name one as remote/NAME=…, known in "
            "remote/dev/kustomization.yaml: envoy",
        ),
        ("remote/web=:v1", "remote/web: remote/dev/kustomization.yaml does not say one repository; give REPOSITORY:v1"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(tree: TreeReader, assignment: str, sentence: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        set_images(tree, assignment)
    assert refused.value.findings == (sentence,)


@pytest.mark.parametrize(
    ("assignments", "sentence"),
    [
        (("web=:v8", "web=:v9"), "image set: found web twice, which names one image, web; give it once"),
        (("web=:v9", "web/web=:v9"), "image set: web and web/web name one image, web; give it once"),
    ],
)
def test_an_image_that_is_named_twice_is_refused(tree: TreeReader, assignments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        set_images(tree, *assignments)
    assert refused.value.findings == (sentence,)


def promote(tree: TreeReader, *targets: str, edited: dict[str, str] | None = None) -> ImagePlan:
    return plan_promotion(tree.with_texts(edited or {}), DEV, PRD, [parse_target(text) for text in targets])


def test_a_promotion_takes_the_exact_digest(tree: TreeReader) -> None:
    edited = {
        "web/dev/kustomization.yaml": "resources: [../../base]\n"
        f"images: [{{name: web, newName: {ECR}/w, digest: '{A}'}}]\n"
    }
    plan = promote(tree, "web", edited=edited)
    assert plan.texts == {
        "web/prd/kustomization.yaml": "resources: [../../base]\nimages:\n  - name: web\n"
        f"    newName: {ECR}/w\n    digest: {A}\n# by hand\n"
    }
    assert (plan.stack, plan.promoted_from, plan.warnings) == ("prd", "dev", ())
    assert promote(tree, "web", edited={**edited, **plan.texts}).changes == ()


def test_a_promotion_of_a_tag_warns(tree: TreeReader) -> None:
    plan = promote(tree, "chart")
    assert plan.texts == {"chart/prd.yaml": "r: acme/web\nt: v1 # c\n"}
    assert plan.warnings == ("chart: dev runs acme/web:v1 by its tag, which could be moved",)


@pytest.mark.parametrize(
    ("dev", "prd", "said"),
    [
        ("v1.4.0", "v1.10.0", "chart: goes back from acme/web:v1.10.0 to acme/web:v1.4.0: dev runs an earlier version"),
        ("1.9", "v1.10", "chart: goes back from acme/web:v1.10 to acme/web:1.9: dev runs an earlier version"),
        ("v1.10.0", "v1.4.0", ""),
        ("v1.4", "v1.10.0", ""),
        ("v1.4.0-rc.1", "v1.10.0", ""),
        ("a1b2c3d", "v1.10.0", ""),
    ],
)
def test_a_promotion_of_an_earlier_version_warns(dev: str, prd: str, said: str, tree: TreeReader) -> None:
    edited = {f"chart/{one}.yaml": f"r: acme/web\nt: '{tag}'\n" for one, tag in (("dev", dev), ("prd", prd))}
    (*others, last) = promote(tree, "chart", edited=edited).warnings
    assert len(others) == bool(said), "beside the one that a tag could be moved"
    assert not said or last == f"{said} than prd"


def test_a_promotion_takes_only_what_differs_and_only_what_is_named(tree: TreeReader) -> None:
    assert promote(tree, "two").texts == {"two/prd/pod.yaml": POD.format("acme/web:v1", "envoy:v1")}
    edited = {"two/dev/pod.yaml": POD.format("acme/web:v2", "envoy:v2")}
    assert promote(tree, "two/envoy", edited=edited).texts == {
        "two/prd/pod.yaml": POD.format("acme/web:v0", "envoy:v2")
    }
    assert promote(tree, "two", edited=edited).texts == {"two/prd/pod.yaml": POD.format("acme/web:v2", "envoy:v2")}


def test_a_promotion_works_between_different_kinds_of_files(tree: TreeReader) -> None:
    dev, prd = stack("dev", web="two/dev"), stack("prd", web="chart/prd")
    edited = {"two/dev/pod.yaml": POD.format(f"acme/web:v5@{A}", "envoy:v1")}
    plan = plan_promotion(tree.with_texts(edited), dev, prd, [parse_target("web")])
    assert plan.texts == {"chart/prd.yaml": f"r: acme/web\nt: v5 # c\nd: {A}\n"}
    assert plan.warnings == ("web: envoy of dev has no counterpart; it is left out",)


@pytest.mark.parametrize(
    ("edited", "said"),
    [
        ({"chart/dev.yaml": "r: acme/web\nt: latest\n"}, "found the tag latest, which moves; name a version"),
        (
            {"chart/dev.yaml": "r: acme/web\n"},
            "chart/web: chart/delivery.yaml leaves the version of web to the chart; set it first: gitops-stack image",
        ),
        (
            {
                "chart/delivery.yaml": "images: {a: {values: '{stack}.yaml', tag: t}, b: {values: dev.yaml, tag: u}}",
                "chart/dev.yaml": "r: acme/web\nt: v1\nu: null\n",
            },
            "",
        ),
    ],
)
def test_what_dev_does_not_pin_is_not_promoted(tree: TreeReader, edited: dict[str, str], said: str) -> None:
    if not said:
        assert promote(tree, "chart", edited=edited).warnings[-1] == "chart: b of dev says no version; it is left out"
        return
    with pytest.raises(GitOpsStackError) as refused:
        promote(tree, "chart/web", edited=edited)
    assert said in refused.value.findings[0]


def test_an_unpinned_image_says_how_to_pin_it(tree: TreeReader) -> None:
    with pytest.raises(GitOpsStackError, match=r"set it first: gitops-stack image set two=… --stack dev$"):
        promote(tree, "two", edited={"two/dev/pod.yaml": POD.format("acme/web", "envoy:v1")})


def test_two_versions_of_an_image_are_not_promoted(tree: TreeReader) -> None:
    with pytest.raises(GitOpsStackError, match=r"two: two/dev has acme/web:v1, acme/web:v2 for acme/web; one image is"):
        promote(tree, "two", edited={"two/dev/pod.yaml": POD.format("acme/web:v1", "acme/web:v2")})


def test_nothing_in_common_is_refused(tree: TreeReader) -> None:
    with pytest.raises(GitOpsStackError, match=r"two: prd has none of the images dev runs; known in two/prd: x, y"):
        promote(tree, "two", edited={"two/prd/pod.yaml": POD.format("x:1", "y:1")})


@pytest.mark.parametrize("text", ["", "=web:1", "web", "/a=web:1", "web/=web:1", "web=", "web=web"])
def test_assignments_have_a_form(text: str) -> None:
    with pytest.raises(GitOpsStackError):
        parse_assignment(text)


def test_unknown_applications_are_refused_with_the_known(tree: TreeReader) -> None:
    del tree
    with pytest.raises(GitOpsStackError) as refused:
        check_applications(DEV, ["web", "wep", "chat"], own_checkout=False)
    known = "known in Pulumi.dev.yaml: web, two, chart, remote"
    assert refused.value.findings == (
        f"wep: is not an application of stack dev; {known}",
        f"chat: is not an application of stack dev; {known}",
    )


def test_files_in_another_repository_need_its_checkout() -> None:
    other = {"path": "web", "repoUrl": "https://github.com/acme/manifests.git"}
    settings = stack("dev", web="web", other=other)
    check_applications(settings, ["web"], own_checkout=False)
    check_applications(settings, ["other"], own_checkout=True)
    with pytest.raises(
        GitOpsStackError, match=r"other: has its files in https://github\.com/acme/manifests\.git; name a"
    ):
        check_applications(settings, ["other"], own_checkout=False)
    with pytest.raises(GitOpsStackError, match="web, other: have their files in different repositories"):
        check_applications(settings, ["web", "other"], own_checkout=True)


def test_a_promotion_needs_one_branch() -> None:
    dev, prd = stack("dev", web={"path": "web", "revision": "develop"}), stack("prd", web="web")
    with pytest.raises(GitOpsStackError) as refused:
        check_promotion(dev, prd, ["web"])
    assert refused.value.findings == (
        f"web: dev follows develop of {REPOSITORY} and prd follows main of {REPOSITORY}; a promotion needs one branch, "
        "so use `gitops-stack image set`",
    )
