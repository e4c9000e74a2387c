"""What of a folder without a stack is checked, and what is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.folder_files import is_excluded, list_folder
from gitops_stack.tree_check.result import CheckOptions
from tests.tree_check.clock import wait_for_the_clock

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
"""


WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [%s]}}}
"""
# Mistakes, and not patches.
WORKLOADS = {
    "no-selector.yaml": WORKLOAD % "{name: web, image: web}",
    "no-image.yaml": WORKLOAD.replace("spec: {", "spec: {selector: {}, ") % "{name: web}",
    "no-containers.yaml": WORKLOAD % "",
    "the-patch.yaml": WORKLOAD.replace("spec: {", "spec: {selector: {}, ") % "{name: web, image: web}",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("tests/00-assert.yaml", OBJECT, "they belong to tests"),
        ("tests/e2e/chainsaw-test.yaml", OBJECT, "they belong to tests"),
        ("secret.enc.yaml", f"{OBJECT}sops:\n  mac: x\n", "SOPS has encrypted them"),
        ("errors.yaml", OBJECT, "they belong to tests"),
        ("suite.yaml", "apiVersion: kuttl.dev/v1beta1\nkind: TestSuite\n", "they are files of other tools"),
        ("cluster.yaml", "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n", "they are files of other tools"),
        ("eks.yaml", "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n", "they are files of other tools"),
        ("skaffold.yaml", "apiVersion: skaffold/v4beta1\nkind: Config\n", "they are files of other tools"),
        (
            "node.yaml",
            "apiVersion: v1alpha1\nkind: HostnameConfig\n---\nmachine: {}\n",
            "they are files of other tools",
        ),
        (
            "agent.yaml",
            "apiVersion: v1beta1\nkind: AgentConfig\nmetadata: {name: a}\n",
            "they are files of other tools",
        ),
        ("mirror.yaml", "kind: ImageSet\napiVersion: mirror.example.com/v2\n", "they are files of other tools"),
        ("values.yaml", "kind: Deployment\nreplicas: 2\n", "they are files of other tools"),
        ("policy.yaml", "kind: AccessPolicy\nmetadata: {name: a}\n", "they are files of other tools"),
        (
            "live.json",
            '{"apiVersion": "v1", "kind": "Pod", "metadata": {"uid": "x", "resourceVersion": "1", '
            '"creationTimestamp": "2026-01-01T00:00:00Z"}}',
            "they were read from a cluster",
        ),
        ("tests/data/a.yaml", OBJECT, "they belong to tests"),
        ("internal/testdata/a.json", "{}", "they belong to tests"),
        ("config", "apiVersion: v1\nkind: Config\nclusters: []\n", ""),
        ("kube.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n", "they are files of other tools"),
        ("dashboard.json", '{"panels": [{"kind": "x"}]}', "they are not manifests"),
        ("tsconfig.json", '{/* comment */ "kind": 1}', "they are not manifests"),
        ("values.yaml", "replicas: 2\n", "they are not manifests"),
        ("tools.lock.json", '{"kind": {"url": "https://example.com/kind", "kind": "file"}}', "they are not manifests"),
        (
            "tasks.yaml",
            "- k8s:\n    definition: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
            "they are not manifests",
        ),
        (
            "ci.yaml",
            'run: |\n  echo \'{"apiVersion": "v1", "kind": "Pod", "metadata": {}}\'\n',
            "they are not manifests",
        ),
        ("app.yaml", OBJECT.replace("name: ", "name: <CLUSTER_NAME>-"), "they are templates"),
        ("app.yaml", OBJECT.replace("name: ", "name: web-<environment>-"), "they are templates"),
        ("app.yaml", OBJECT.replace("name: a", "name: ${{ values.name | dump }}"), "they are templates"),
        ("values.yaml", "annotations:\n  <ISSUER>\n", "they are templates"),
        (
            "template.yaml",
            "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: Web}\n",
            "they are files of other tools",
        ),
        ("index.yaml", "apiVersion: v1\nentries:\n  web: []\n", "they are files of other tools"),
        ("app.yaml", f"{OBJECT}data:\n  {{{{- if .Values.a }}}}\n  a: b\n  {{{{- end }}}}\n", "they are templates"),
        ("app.yaml", WORKLOAD % "{name: web, image: ko://example.com/web}", "they are files of other tools"),
        ("server.yaml", WORKLOAD % "{name: web, args: [--log]}", "they are patches"),
        ("1.server-patch.yaml", WORKLOAD % "{name: web, image: web}", "they are patches"),
        ("base/patch.yaml", OBJECT, "no kustomization names them"),
        ("base/patches/replicas.yaml", OBJECT, "no kustomization names them"),
    ],
)
def test_a_file_that_is_no_manifest_is_passed_over(name: str, text: str, why: str, tmp_path: Path) -> None:
    write(tmp_path, {name: text, "base/kustomization.yaml": "resources: []\n"})
    found = list_folder(tmp_path, tmp_path)
    assert found.passed_over == ({why: [tmp_path / name]} if why else {})
    assert found.manifests == []


@pytest.mark.parametrize(
    "files",
    [
        {"web/kustomization.yaml": "resources: [a.yaml]\nnamePrefix: ${{ values.name }}-\n", "web/a.yaml": OBJECT},
        {"web/kustomization.yaml": "resources:\n{% for one in all %}\n- {{ one }}\n{% endfor %}\n"},
        {"web/values.yaml": "annotations:\n  <ISSUER>\n  a: b\n", "web/Chart.yaml": "name: web\nversion: 1.0.0\n"},
    ],
)
def test_a_kustomization_or_chart_that_a_tool_fills_in_is_passed_over(files: dict[str, str], tmp_path: Path) -> None:
    found = list_folder(write(tmp_path, files), tmp_path)
    assert found.passed_over["they are templates"] == [tmp_path / next(iter(files))]
    assert (found.kustomizations, found.charts, found.manifests) == ([], [], [])


def test_a_template_in_a_text_of_a_kustomization_is_no_template(tmp_path: Path) -> None:
    rule = 'configMapGenerator: [{name: a, literals: ["summary={{ $labels.pod }}"]}]\n'
    assert list_folder(write(tmp_path, {"kustomization.yaml": rule}), tmp_path).kustomizations == [tmp_path]


@pytest.mark.parametrize(
    "name",
    ["a.yaml", "apps/a.json", "flow.yaml", "base/inner/a.yaml", "secret-patcher.yaml", "assertions/a.yaml", *WORKLOADS],
)
def test_a_manifest_is_checked(name: str, tmp_path: Path) -> None:
    text = '{"apiVersion": "v1", "kind": "ConfigMap"}' if name in ("apps/a.json", "flow.yaml") else OBJECT
    text = WORKLOADS.get(name, text)
    write(tmp_path, {name: text, "base/kustomization.yaml": "resources: []\n"})
    assert list_folder(tmp_path, tmp_path).manifests == [tmp_path / name]


@pytest.mark.parametrize("kind", ["FlowSchema", "PriorityLevelConfiguration"])
def test_a_group_of_kubernetes_is_of_no_other_tool(kind: str, tmp_path: Path) -> None:
    text = f"apiVersion: flowcontrol.apiserver.k8s.io/v1\nkind: {kind}\nmetadata: {{name: a}}\n"
    write(tmp_path, {"a.yaml": text, "b.yaml": text.replace("flowcontrol.", "own.")})
    found = list_folder(tmp_path, tmp_path)
    assert (found.manifests, [*found.passed_over.values()]) == ([tmp_path / "a.yaml"], [[tmp_path / "b.yaml"]])


@pytest.mark.parametrize(
    "resources",
    ["#- apps/a.yaml", "  # - ./apps/a.yaml  # off", "## - 'apps/a.yaml'", "#  - path: apps/a.yaml", "- apps/b.yaml"],
)
def test_a_file_below_a_kustomization_that_leaves_it_out_is_passed_over(resources: str, tmp_path: Path) -> None:
    """It is switched off in a comment, or stands beside one that is named in earnest."""
    write(tmp_path, {"k/kustomization.yaml": f"resources:\n{resources}\n", "k/apps/a.yaml": OBJECT})
    write(tmp_path, {"k/apps/b.yaml": OBJECT} if "b.yaml" in resources else {})
    found = list_folder(tmp_path, tmp_path)
    assert found.manifests == []
    assert tmp_path / "k/apps/a.yaml" in found.passed_over["no kustomization names them"]


@pytest.mark.parametrize(
    "comment",
    [
        "# The root Application reads apps/b.yaml only",
        "# - apps/b.yaml is read by the root Application",
        "# see apps/a.yaml",
        "# apps/a.yaml",
        "#- apps/b.yaml",
        "#- apps",
    ],
)
def test_a_comment_silences_no_file_but_one_it_switches_off(comment: str, tmp_path: Path) -> None:
    write(tmp_path, {"k/kustomization.yaml": f"{comment}\nresources: []\n"})
    write(tmp_path, {"k/apps/a.yaml": OBJECT, "k/apps/b.yaml": OBJECT})
    off = {tmp_path / "k/apps/b.yaml"} if comment == "#- apps/b.yaml" else set()
    found = list_folder(tmp_path, tmp_path)
    assert {*found.manifests} == {tmp_path / "k/apps/a.yaml", tmp_path / "k/apps/b.yaml"} - off
    assert off <= {*found.passed_over.get("no kustomization names them", [])}


def test_a_file_that_a_comment_elsewhere_names_is_checked(tmp_path: Path) -> None:
    write(tmp_path, {"k/kustomization.yaml": "resources: []  # see apps/a.yaml\n", "apps/a.yaml": OBJECT})
    assert list_folder(tmp_path, tmp_path).manifests == [tmp_path / "apps/a.yaml"]


@pytest.mark.parametrize("text", ["apiVersion: v1beta1\nkind: Deployment\n", "apiVersion: apps/v1\nkind: Deployment\n",
                                  "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"])  # fmt: skip
def test_a_manifest_with_a_mistake_is_no_file_of_another_tool(text: str, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": text})
    assert list_folder(tmp_path, tmp_path).manifests == [tmp_path / "a.yaml"]


def test_dot_folders_components_and_excluded_files_are_left_out(tmp_path: Path) -> None:
    files = {".github/a.yaml": OBJECT, "tests/b.yaml": OBJECT, "c.yaml": OBJECT, "node_modules/d.yaml": OBJECT}
    write(
        tmp_path, files | {"part/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"}
    )
    found = list_folder(tmp_path, tmp_path, ["tests/**"])
    assert found.manifests == [tmp_path / "c.yaml"]
    assert found.kustomizations == []


@pytest.mark.parametrize(
    ("glob", "excluded"),
    [("tests", True), ("tests/**", True), ("tests/*", True), ("**/*.yaml", True), ("*.yaml", False), ("test", False)],
)
def test_a_glob_is_relative_to_the_project(glob: str, excluded: bool, tmp_path: Path) -> None:
    assert is_excluded(tmp_path / "tests/a.yaml", tmp_path, [glob]) is excluded


def test_taste_is_a_note_in_the_profile_for_adoption(tmp_path: Path) -> None:
    broken = OBJECT.replace("metadata", "datta: {}\nmetadata")
    write(tmp_path / "apps", {"web.yaml": DEPLOYMENT, "broken.yaml": broken})
    strict = check_folder(tmp_path, tmp_path / "apps")
    adopt = check_folder(tmp_path, tmp_path / "apps", options=CheckOptions("adopt"))
    assert {one.rule for one in adopt.findings if one.severity == "error"} == {"schema-invalid"}
    assert {one.rule for one in strict.findings} == {one.rule for one in adopt.findings}
    assert strict.count("error") > adopt.count("error")


def test_schemas_come_from_another_folder(tmp_path: Path) -> None:
    crd = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Backup}
  versions: [{name: v1, served: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}}]
"""
    write(tmp_path, {"apps/a.yaml": "apiVersion: example.com/v1\nkind: Backup\nmetadata: {name: a}\nspce: {}\n"})
    write(tmp_path, {"elsewhere/crds/backup.yaml": crd})
    options = CheckOptions("adopt", schemas=(tmp_path / "elsewhere",))
    (found,) = check_folder(tmp_path, tmp_path / "apps", options=options).findings
    assert (
        found.sentence
        == "apps/a.yaml: example.com/Backup a: spce: is not a known field; did you mean spec? [schema-invalid]"
    )


def test_a_folder_s_result_is_kept_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"apps/a.yaml": OBJECT})
    wait_for_the_clock(tmp_path)
    first = check_folder(tmp_path, tmp_path / "apps")
    with monkeypatch.context() as patched:
        patched.setattr("gitops_stack.tree_check.check.load_folder", None)  # an answer that is kept does not need it
        assert check_folder(tmp_path, tmp_path / "apps") == first
    write(tmp_path, {"apps/b.yaml": OBJECT.replace("name: a", "name: b")})
    assert check_folder(tmp_path, tmp_path / "apps").objects == 2


def test_objects_without_a_namespace_meet_those_with_one(tmp_path: Path) -> None:
    service = "kind: Service\napiVersion: v1\nmetadata: {name: web, namespace: shop}\n"
    service += "spec: {selector: {app: web}, ports: [{port: 80}]}\n"
    write(tmp_path / "apps", {"all.yaml": f"{DEPLOYMENT}---\n{service}"})
    rules = {one.rule for one in check_folder(tmp_path, tmp_path / "apps").findings}
    assert "service-without-pods" not in rules


def test_overlays_of_one_base_are_alternatives(tmp_path: Path) -> None:
    application = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: default
  source: {repoURL: https://example.com/a.git, path: web, targetRevision: main}
  destination: {server: https://kubernetes.default.svc, namespace: shop}
"""
    write(tmp_path / "clusters", {"dev/web.yaml": application, "prd/web.yaml": application})
    report = check_folder(tmp_path, tmp_path / "clusters")
    assert {(one.rule, one.found) for one in report.findings} == {
        ("not-rendered", "found web of https://example.com/a.git, which is not here")
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("typed.yaml", "kind: Deployment\nmetadata: {name: a}\n"),
        ("made.json", '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "uid": "x"}}'),
    ],
)
def test_a_manifest_with_a_mistake_in_it_is_checked(name: str, text: str, tmp_path: Path) -> None:
    write(tmp_path, {name: text})
    assert list_folder(tmp_path, tmp_path).manifests == [tmp_path / name]
