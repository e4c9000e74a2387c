"""What `adopt --yes` writes: patches, a project, settings; and that the next look finds nothing to lose."""

from __future__ import annotations

from pathlib import Path

import yaml

from gitops_stack.adoption import AdoptionReport, Living, build_report, build_wanted
from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.files import check_tree
from gitops_stack.scaffold.adopted import plan_adoption
from tests.adoption import installations as made
from tests.stacks import stack_render, stack_settings


def look(**data: dict[str, str]) -> AdoptionReport:
    objects = made.kubectl_client_side(stack_render("local"))
    for name, keys in data.items():
        objects = made.changed(objects, "ConfigMap", name.replace("_", "-"), data=keys)
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    living = Living(home, objects, [made.application("shop")], [made.default_project()])
    return build_report(living, build_wanted(stack_settings("local"), stack_render("local")))


def test_keys_become_a_patch_of_the_tree_and_groups_become_settings(project: Path) -> None:
    report = look(
        argocd_cm={"url": "https://cd.example.com", "admin.enabled": "false"},
        argocd_rbac_cm={"policy.csv": "g, platform, role:admin\n"},
    )
    settings = load_stack_file(project, "local")
    plan = plan_adoption(project, settings, report)
    plan.write(project)
    tree = project / settings.tree_path
    patch = yaml.safe_load((tree / "argocd/patches/adopted-configmap-argocd-cm.yaml").read_text(encoding="utf-8"))
    assert patch["data"] == {"url": "https://cd.example.com"}
    after = load_stack_file(project, "local")
    assert after.argocd.admin_enabled is False
    assert dict(after.argocd.rbac) == {**settings.argocd.rbac, "platform": "admin"}
    assert check_tree(after, tree) == []
    assert "path: patches/adopted-configmap-argocd-cm.yaml" in (tree / "argocd/kustomization.yaml").read_text(
        encoding="utf-8"
    )
    app_project = yaml.safe_load((tree / "projects/adopted.yaml").read_text(encoding="utf-8"))
    assert app_project["spec"]["sourceRepos"] == ["https://example.com/team.git"]


def test_a_second_adoption_adds_to_what_the_first_wrote(project: Path) -> None:
    settings = load_stack_file(project, "local")
    plan_adoption(project, settings, look(argocd_cm={"url": "https://cd.example.com"})).write(project)
    file = project / settings.tree_path / "argocd/patches/adopted-configmap-argocd-cm.yaml"
    edited = project / settings.tree_path / "projects/adopted.yaml"
    edited.write_text("# mine\n", encoding="utf-8")
    plan_adoption(project, settings, look(argocd_cm={"timeout.reconciliation": "60s"})).write(project)
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["data"] == {
        "url": "https://cd.example.com",
        "timeout.reconciliation": "60s",
    }
    assert edited.read_text(encoding="utf-8") == "# mine\n"


def test_nothing_lost_writes_nothing_but_the_project(project: Path) -> None:
    plan = plan_adoption(project, load_stack_file(project, "local"), look())
    assert list(plan.writes) == ["gitops/local/projects/adopted.yaml"]
