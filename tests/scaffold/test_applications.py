"""`app add` and `app remove`: whole or not at all, refused with a sentence, and never more deleted than was meant."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.delivery.plan import parse_assignment, plan_image_set
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.files import check_tree
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.scaffold.app_manifests import SAMPLE_IMAGE, AppSource, build_app_files, build_chart_files
from gitops_stack.scaffold.app_removal import plan_deletion, plan_removal
from gitops_stack.scaffold.applications import plan_addition
from gitops_stack.scaffold.plan import ProjectPlan
from tests.scaffold.conftest import snapshot
from tests.stacks import ROOT

ALL = ("dev", "local", "prd")
DIGEST = "sha256:" + "a" * 64


def add(project: Path, name: str = "cart", **changes: Any) -> ProjectPlan:
    arguments: dict[str, Any] = {"app_project": "storefront", "namespace": "storefront", "stacks": (), "helm": False}
    return plan_addition(project, name, changes.pop("source", AppSource()), **{**arguments, **changes})


def check_fresh(project: Path, *stacks: str) -> None:
    for stack in stacks:
        settings = load_stack_file(project, stack)
        assert check_tree(settings, project / settings.tree_path) == []


def findings(project: Path, *arguments: Any, **changes: Any) -> tuple[str, ...]:
    before = snapshot(project)
    with pytest.raises(GitOpsStackError) as raised:
        add(project, *arguments, **changes)
    assert snapshot(project) == before
    return raised.value.findings


def test_a_person_syncs_the_application_where_it_is_asked_for(laid_out: Path) -> None:
    plan = add(laid_out, stacks=("dev", "local"), manual=("dev",))
    plan.write(laid_out)
    found = {stack: load_stack_file(laid_out, stack).workloads["cart"].auto_sync for stack in ("dev", "local")}
    assert found == {"dev": False, "local": True}
    assert findings(laid_out, "tea", stacks=("dev",), manual=("prd",)) == (
        "app add: --manual-sync: found prd; needs a stack it is added to: dev",
    )


def test_an_application_is_entered_everywhere_and_the_trees_are_fresh(laid_out: Path) -> None:
    plan = add(laid_out)
    announced = plan.paths(laid_out)
    before = snapshot(laid_out)
    plan.write(laid_out)
    after = snapshot(laid_out)
    assert {path for path in after if after[path] != before.get(path)} == set(announced)
    check_fresh(laid_out, *ALL)
    for stack in ALL:
        settings = load_stack_file(laid_out, stack)
        workload = settings.workloads["cart"]
        assert workload.path == f"gitops/workloads/cart/overlays/{stack}"
        assert workload.auto_sync == (stack != "prd"), "prd's other workloads are synced by hand"
        assert (laid_out / workload.path / "kustomization.yaml").is_file()
        assert list(settings.workloads) == ["guestbook", "cart"]


def test_stack_files_only_gain_lines(laid_out: Path) -> None:
    before = (laid_out / "Pulumi.dev.yaml").read_text().splitlines()
    add(laid_out, app_project="shop", namespace="shop").write(laid_out)
    after = (laid_out / "Pulumi.dev.yaml").read_text().splitlines()
    gained = [line for line in after if line not in before]
    assert [line for line in after if line in before] == before
    assert gained == [
        "    shop: {namespaces: [shop]}",
        "    cart: {project: shop, path: gitops/workloads/cart/overlays/dev, namespace: shop}",
    ]


@pytest.mark.parametrize("name", ["on", "null", "y"])
def test_names_that_yaml_takes_for_something_else_stay_text(laid_out: Path, name: str) -> None:
    plan = add(laid_out, name, app_project="off", namespace=name, source=AppSource("a.example.com/b:12e4567"))
    paths = [path for path in plan.paths(laid_out) if path.endswith(".yaml")]
    plan.write(laid_out)
    check_fresh(laid_out, *ALL)
    assert load_stack_file(laid_out, "dev").workloads[name].project == "off"
    for path in paths:
        text = (laid_out / path).read_text()
        assert re.findall(rf"(?m)(?:[:-] |[{{\[]|, )({name}|off|12e4567)(?=[:,}}\]]|$)", text) == []
    (overlay,) = load_documents((laid_out / f"gitops/workloads/{name}/overlays/dev/kustomization.yaml").read_text())
    assert overlay["images"] == [{"name": name, "newName": "a.example.com/b", "newTag": "12e4567"}]


def test_a_chart_quotes_its_name() -> None:
    files = build_chart_files("on", AppSource(), ["dev"])
    templates = [text for path, text in files.items() if "/templates/" in path]
    assert len(templates) == 3
    assert not [text for text in templates if "{{ .Chart.Name }}" in text or "{{ quote .Chart.Name }}" not in text]


def test_a_namespace_joins_the_project_that_is_there(laid_out: Path) -> None:
    add(laid_out, namespace="cart", stacks=["dev"]).write(laid_out)
    assert load_stack_file(laid_out, "dev").projects["storefront"].namespaces == ("storefront", "cart")
    assert (laid_out / "gitops/dev/apps/namespace-cart.yaml").is_file()
    assert not (laid_out / "gitops/prd/apps/cart.yaml").exists()


def test_a_namespace_a_pattern_covers_is_left_to_it(laid_out: Path) -> None:
    file = laid_out / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("namespaces: [storefront]", 'namespaces: [storefront, "shop-*"]'))
    add(laid_out, namespace="shop-cart", stacks=["dev"]).write(laid_out)
    assert load_stack_file(laid_out, "dev").projects["storefront"].namespaces == ("storefront", "shop-*")


def test_the_base_is_kept_when_one_more_stack_is_added(laid_out: Path) -> None:
    add(laid_out, stacks=["dev"]).write(laid_out)
    base = laid_out / "gitops/workloads/cart/base/deployment.yaml"
    base.write_text("mine: 1\n")
    plan = add(laid_out, stacks=["prd"])
    plan.write(laid_out)
    assert base.read_text() == "mine: 1\n"
    assert f"{base.relative_to(laid_out)}: is there already and kept" in plan.notes
    check_fresh(laid_out, *ALL)


def overlay_images(project: Path, name: str, stack: str) -> object:
    text = (project / f"gitops/workloads/{name}/overlays/{stack}/kustomization.yaml").read_text()
    return load_documents(text)[0].get("images")


def test_one_more_stack_runs_what_the_others_run(laid_out: Path) -> None:
    add(laid_out, stacks=["local"], source=AppSource("example.com/cart:v0")).write(laid_out)
    add(laid_out, stacks=["dev"], source=AppSource("example.com/cart:v1")).write(laid_out)
    plan = add(laid_out, stacks=["prd"])
    plan.write(laid_out)
    assert overlay_images(laid_out, "cart", "prd") == [{"name": "cart", "newName": "example.com/cart", "newTag": "v1"}]
    assert "cart: runs example.com/cart:v1, as in dev; choose another with --image REPOSITORY:TAG" in plan.notes


@pytest.mark.parametrize("tag", ["1.10", "0123", "706798e8", "yes"])
def test_a_tag_that_kustomize_does_not_read_goes_to_no_further_stack(tag: str, laid_out: Path) -> None:
    add(laid_out, stacks=["dev"], source=AppSource("example.com/cart:v1")).write(laid_out)
    file = laid_out / "gitops/workloads/cart/overlays/dev/kustomization.yaml"
    file.write_text(file.read_text().replace("newTag: v1", f"newTag: {tag}"))
    assert findings(laid_out, stacks=["prd"]) == (
        f"{file.relative_to(laid_out)}: images[0].newTag: found {tag}, which is not text to YAML: kustomize refuses "
        "it; put quotes around it",
    )


def test_one_more_stack_of_a_chart_runs_what_the_others_run(laid_out: Path) -> None:
    source = AppSource(f"example.com/cart@{DIGEST}")
    add(laid_out, stacks=["dev"], helm=True, source=source).write(laid_out)
    plan = add(laid_out, stacks=["prd"], helm=True)
    plan.write(laid_out)
    dev, prd = (laid_out / f"gitops/workloads/cart/overlays/{stack}/values.yaml" for stack in ("dev", "prd"))
    assert prd.read_text() == dev.read_text()
    assert f"cart: runs example.com/cart@{DIGEST}, as in dev; choose another with --image REPOSITORY:TAG" in plan.notes


def test_an_image_is_given_to_the_name_a_kept_base_has(laid_out: Path) -> None:
    shutil.copytree(ROOT / "docs/samples/migration/gitops", laid_out / "gitops", dirs_exist_ok=True)
    plan = add(laid_out, "ledger", stacks=["prd"], source=AppSource("example.com/ledger:v7"))
    assert [path for path in plan.writes if path.startswith("gitops/")] == [
        "gitops/workloads/ledger/overlays/prd/kustomization.yaml"
    ], "a kept base gains no file its kustomization does not list"
    plan.write(laid_out)
    assert overlay_images(laid_out, "ledger", "prd") == [
        {"name": "registry.k8s.io/e2e-test-images/agnhost", "newName": "example.com/ledger", "newTag": "v7"}
    ]


def test_a_kept_base_without_overlays_runs_the_image_it_names(laid_out: Path) -> None:
    base = "gitops/workloads/ledger/base"
    shutil.copytree(ROOT / "docs/samples/migration" / base, laid_out / base)
    plan = add(laid_out, "ledger", stacks=["prd"])
    plan.write(laid_out)
    assert overlay_images(laid_out, "ledger", "prd") is None
    assert "ledger: runs the image its base says" in plan.notes


@pytest.mark.parametrize(
    ("images", "has"),
    [((), "no image"), (("a.example.com/x:1", "a.example.com/y"), "a.example.com/x, a.example.com/y")],
)
def test_an_image_is_refused_where_a_kept_base_does_not_say_which(
    images: tuple[str, ...], has: str, laid_out: Path
) -> None:
    add(laid_out, stacks=["dev"]).write(laid_out)
    pod = {"containers": [{"name": f"c{at}", "image": image} for at, image in enumerate(images)]}
    (laid_out / "gitops/workloads/cart/base/deployment.yaml").write_text(json.dumps({"kind": "Pod", "spec": pod}))
    assert findings(laid_out, stacks=["prd"], source=AppSource("example.com/cart:v7")) == (
        f"app add: --image: gitops/workloads/cart/base has {has}, so it is not clear which one is meant; leave it out "
        "and pin the image in the new overlay",
    )


def test_what_is_generated_is_what_the_project_permits(laid_out: Path) -> None:
    settings = load_stack_file(laid_out, "dev")
    team = next(found for found in build_app_projects(settings) if found["metadata"]["name"] == "storefront")
    permitted = {(kind["group"], kind["kind"]) for kind in team["spec"]["namespaceResourceWhitelist"]}
    for path, text in build_app_files("cart", AppSource(), ["dev"]).items():
        found = load_documents(text)[0]
        if not path.endswith("kustomization.yaml"):
            assert (found["apiVersion"].rpartition("/")[0], found["kind"]) in permitted


def test_the_deployment_keeps_the_rules_of_a_shared_cluster() -> None:
    files = build_app_files("cart", AppSource("example.com/cart:v1", 9000, "/ready"), ["dev"])
    spec = load_documents(files["gitops/workloads/cart/base/deployment.yaml"])[0]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert set(container["resources"]) == {"requests", "limits"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http"}
    assert container["livenessProbe"]["httpGet"]["path"] == "/ready"
    assert container["ports"] == [{"name": "http", "containerPort": 9000}]
    assert "args" not in container
    budget = load_documents(files["gitops/workloads/cart/base/disruption-budget.yaml"])[0]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"] == spec["selector"]["matchLabels"] == labels
    assert spec["replicas"] > budget["maxUnavailable"]


@pytest.mark.parametrize(
    ("image", "entry"),
    [
        ("example.com:5000/a/cart:v1", {"newName": "example.com:5000/a/cart", "newTag": "v1"}),
        (f"example.com/cart@{DIGEST}", {"newName": "example.com/cart", "digest": DIGEST}),
    ],
)
def test_overlays_pin_the_image(image: str, entry: dict[str, str]) -> None:
    files = build_app_files("cart", AppSource(image), ["dev"])
    overlay = load_documents(files["gitops/workloads/cart/overlays/dev/kustomization.yaml"])[0]
    assert overlay["images"] == [{"name": "cart", **entry}]


def test_a_chart_has_values_per_stack(laid_out: Path) -> None:
    add(laid_out, helm=True, source=AppSource("example.com/cart:v1")).write(laid_out)
    folder = laid_out / "gitops/workloads/cart"
    chart = load_documents((folder / "chart/Chart.yaml").read_text())[0]
    for stack in ALL:
        (dependency,) = load_documents((folder / f"overlays/{stack}/Chart.yaml").read_text())[0]["dependencies"]
        assert (dependency["name"], dependency["version"]) == (chart["name"], chart["version"])
        assert (folder / "overlays" / stack / dependency["repository"].removeprefix("file://") / "Chart.yaml").is_file()
        values = load_documents((folder / f"overlays/{stack}/values.yaml").read_text())[0]
        assert values["cart"]["image"] == {"repository": "example.com/cart", "tag": "v1", "digest": ""}
    defaults = load_documents((folder / "chart/values.yaml").read_text())[0]
    templates = "".join(file.read_text() for file in (folder / "chart/templates").iterdir())
    assert {word for word in defaults if f".Values.{word}" in templates} == set(defaults)
    check_fresh(laid_out, *ALL)


def test_the_image_of_a_chart_can_be_set_at_once(laid_out: Path) -> None:
    add(laid_out, helm=True, source=AppSource("example.com/cart:v1")).write(laid_out)
    texts = plan_image_set(TreeReader(laid_out), load_stack_file(laid_out, "dev"), [parse_assignment("cart=:v2")]).texts
    ((path, text),) = texts.items()
    assert path == "gitops/workloads/cart/overlays/dev/values.yaml"
    assert load_documents(text) == [{"cart": {"image": {"repository": "example.com/cart", "tag": "v2", "digest": ""}}}]


def test_a_chart_is_no_base(laid_out: Path) -> None:
    assert set(build_chart_files("a", AppSource(), ["dev"])) & set(build_app_files("a", AppSource(), ["dev"])) == set()
    add(laid_out, stacks=["dev"]).write(laid_out)
    (finding,) = findings(laid_out, helm=True, stacks=["prd"])
    assert finding.endswith("gitops/workloads/cart: exists without chart/Chart.yaml; take another name or move it away")


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("Cart", {}, "app add: Cart: needs a name of lower-case letters"),
        ("1cart", {}, "begins with a letter"),
        ("../cart", {}, "app add: ../cart: needs a name"),
        ("cart", {"source": AppSource("cart")}, "--image: found cart; needs REPOSITORY:TAG"),
        ("cart", {"source": AppSource("a:latest")}, "--image: found a:latest; needs a tag that stays"),
        ("cart", {"source": AppSource(port=0)}, "--port: found 0"),
        ("cart", {"source": AppSource(health_path="x")}, "--health-path: found x"),
        ("guestbook", {}, "Pulumi.dev.yaml: gitops-stack:workloads.guestbook: exists already; take another name"),
        ("argocd", {}, "workloads.argocd: found argocd; needs another name: argocd is one of the library's own"),
        ("cart", {"app_project": "platform"}, "projects.platform: found platform; needs another name"),
        (
            "cart",
            {"app_project": "x", "namespace": "storefront"},
            "needs one owner: project storefront lists storefront",
        ),
        ("cart", {"app_project": "x", "namespace": "kube-system"}, "belongs to the cluster"),
        ("cart", {"app_project": "x", "namespace": "argocd"}, "who writes in Argo CD's namespace is its admin"),
    ],
)
def test_what_clashes_is_refused_and_nothing_is_written(
    name: str, changes: dict[str, Any], said: str, laid_out: Path
) -> None:
    assert any(said in finding for finding in findings(laid_out, name, stacks=["dev"], **changes))


def test_an_existing_application_is_said_once_per_stack(laid_out: Path) -> None:
    assert [finding.split(":")[0] for finding in findings(laid_out, "guestbook")] == [f"Pulumi.{s}.yaml" for s in ALL]


def test_an_authored_file_in_the_way_is_said(laid_out: Path) -> None:
    (laid_out / "gitops/dev/apps/cart.yaml").write_text("kind: Application\n")
    (finding,) = findings(laid_out, stacks=["dev"])
    assert "gitops/dev/apps/cart.yaml: is authored, but the settings generate a file of that name" in finding


def test_a_project_that_forbids_what_is_generated_is_said(laid_out: Path) -> None:
    file = laid_out / "Pulumi.dev.yaml"
    file.write_text(
        file.read_text().replace("namespaces: [storefront]", "namespaces: [storefront]\n      kinds: [Service]")
    )
    (finding,) = findings(laid_out)
    assert "projects.storefront.kinds: leaves out apps/Deployment, policy/PodDisruptionBudget; add them" in finding


def test_a_stack_or_a_project_that_is_not_there(laid_out: Path, tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentProblem, match=r"Pulumi\.stage\.yaml: is missing; stacks found here: dev, local, prd"
    ):
        add(laid_out, stacks=["stage"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        EnvironmentProblem, match=r"has no Pulumi\.<stack>\.yaml; go to the project or name its folder with -C"
    ):
        add(tmp_path / "empty")


def test_two_steps_take_an_application_out_without_a_trace(laid_out: Path) -> None:
    before = snapshot(laid_out)
    add(laid_out, app_project="shop", namespace="shop").write(laid_out)
    first = plan_removal(laid_out, "cart", ())
    first.write(laid_out)
    assert (laid_out / "gitops/workloads/cart/base").is_dir(), "the files stay until the application is gone"
    assert not (laid_out / "gitops/dev/apps/cart.yaml").exists()
    assert "once it is gone from the clusters: gitops-stack app remove cart --files --project shop" in first.notes
    check_fresh(laid_out, *ALL)
    second = plan_deletion(laid_out, "cart", "shop")
    second.write(laid_out)
    assert snapshot(laid_out) == before
    assert any(
        "kubectl delete appproject shop --namespace argocd; kubectl delete namespace shop" in note
        for note in second.notes
    )


def test_step_one_can_be_taken_stack_by_stack(laid_out: Path) -> None:
    plan = plan_removal(laid_out, "guestbook", ["local", "dev"])
    plan.write(laid_out)
    assert "prd: still list guestbook; gitops/workloads/guestbook stays" in plan.notes
    assert [stack for stack in ALL if "guestbook" in load_stack_file(laid_out, stack).workloads] == ["prd"]
    check_fresh(laid_out, *ALL)


def test_step_one_again_changes_nothing_and_names_step_two(laid_out: Path) -> None:
    plan_removal(laid_out, "guestbook", ()).write(laid_out)
    plan = plan_removal(laid_out, "guestbook", ())
    assert plan.paths(laid_out) == []
    assert plan.notes == (
        "guestbook: is not listed in dev, local, prd; to delete gitops/workloads/guestbook: "
        "gitops-stack app remove guestbook --files",
    )


def test_an_application_nobody_knows_is_said(laid_out: Path) -> None:
    with pytest.raises(GitOpsStackError, match="app remove: cart: is not a workload here; known here: guestbook"):
        plan_removal(laid_out, "cart", ())


def deletion_findings(project: Path, name: str, app_project: str | None = None) -> tuple[str, ...]:
    with pytest.raises(GitOpsStackError) as raised:
        plan_deletion(project, name, app_project)
    return raised.value.findings


def test_step_two_is_refused_while_a_stack_lists_the_application(laid_out: Path) -> None:
    plan_removal(laid_out, "guestbook", ["local", "dev"]).write(laid_out)
    (finding,) = deletion_findings(laid_out, "guestbook")
    assert finding.startswith("Pulumi.prd.yaml: gitops-stack:workloads.guestbook: is still listed; ")


def test_a_project_stays_while_anything_belongs_to_it(laid_out: Path) -> None:
    add(laid_out).write(laid_out)
    plan_removal(laid_out, "cart", ()).write(laid_out)
    assert len(deletion_findings(laid_out, "cart", "storefront")) == 3
    plan_removal(laid_out, "guestbook", ()).write(laid_out)
    authored = laid_out / "gitops/dev/apps/set.yaml"
    authored.write_text("kind: ApplicationSet\nspec: {template: {spec: {project: storefront}}}\n")
    (finding,) = deletion_findings(laid_out, "cart", "storefront")
    assert "projects.storefront: is needed by gitops/dev/apps/set.yaml; take that out first" in finding
    authored.write_text("{ storefront")
    assert len(deletion_findings(laid_out, "cart", "storefront")) == 1, "what cannot be read is not passed over"
    authored.unlink()
    plan_deletion(laid_out, "cart", "storefront").write(laid_out)
    assert load_stack_file(laid_out, "prd").projects == {}


def test_files_another_workload_uses_stay(laid_out: Path) -> None:
    file = laid_out / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("    guestbook: {project", "    twin: {project"))
    plan_removal(laid_out, "guestbook", ()).write(laid_out)
    (finding,) = deletion_findings(laid_out, "guestbook")
    assert "workloads.twin.path: is below gitops/workloads/guestbook; take it out first" in finding


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "gitops/dev/apps/eu.yaml",
            "kind: Application\nspec: {sources: [{repoURL: 'REPOSITORY', path: ./gitops/workloads/guestbook/base/}]}\n",
            "renders from gitops/workloads/guestbook; take it out first",
        ),
        (
            "gitops/workloads/eu/kustomization.yaml",
            "resources: [../guestbook/base]\n",
            "builds on gitops/workloads/guestbook; take that out first",
        ),
    ],
)
def test_files_that_somebody_else_reads_stay(path: str, text: str, said: str, laid_out: Path) -> None:
    plan_removal(laid_out, "guestbook", ()).write(laid_out)
    url = load_stack_file(laid_out, "dev").gitops.repo_url
    (laid_out / path).parent.mkdir(exist_ok=True)
    (laid_out / path).write_text(text.replace("REPOSITORY", url))
    assert deletion_findings(laid_out, "guestbook") == (f"{path}: {said}",)
    (laid_out / path).write_text(
        text.replace("REPOSITORY", "https://github.com/acme/other").replace("guestbook", "cart")
    )
    assert plan_deletion(laid_out, "guestbook", None).removals == ("gitops/workloads/guestbook",)


def test_of_a_folder_that_is_a_link_the_link_is_deleted(laid_out: Path) -> None:
    plan_removal(laid_out, "guestbook", ()).write(laid_out)
    folder = laid_out / "gitops/workloads/guestbook"
    kept = folder.rename(laid_out / "kept")
    folder.symlink_to(kept)
    plan_deletion(laid_out, "guestbook", None).write(laid_out)
    assert not folder.is_symlink()
    assert (kept / "base/kustomization.yaml").is_file()


def test_a_stack_file_keeps_its_line_breaks(laid_out: Path) -> None:
    file = laid_out / "Pulumi.dev.yaml"
    before = file.read_bytes().replace(b"\n", b"\r\n")
    file.write_bytes(before)
    add(laid_out, stacks=("dev",)).write(laid_out)
    lines = file.read_bytes().splitlines(keepends=True)
    assert set(before.splitlines(keepends=True)) < set(lines)
    assert all(line.endswith(b"\r\n") for line in lines)


@pytest.mark.parametrize("name", ["nothing", "..", "../..", "guestbook/base"])
def test_step_two_deletes_no_other_folder(name: str, laid_out: Path) -> None:
    assert any("is not a folder; nothing to delete" in finding for finding in deletion_findings(laid_out, name))


def test_the_sample_image_is_told_to_be_a_server() -> None:
    assert AppSource().arguments == ["netexec", "--http-port=8080"]
    assert AppSource(SAMPLE_IMAGE, 81).arguments == ["netexec", "--http-port=81"]
