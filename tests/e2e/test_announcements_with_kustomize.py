"""What `image set` and `promote` announce, against the real kustomize: it happens and nothing else does, or refused."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml

from gitops_stack.cli.delivery_report import build_rendered
from gitops_stack.delivery.announcement import RenderedWorkloads
from gitops_stack.delivery.plan import ImagePlan, parse_assignment, parse_target, plan_image_set, plan_promotion
from gitops_stack.delivery.proof import check_origin, prove
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.tools import build_tools
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.workloads import load_workloads
from tests.delivery.trees import A, stack, write
from tests.e2e.kustomization_shapes import SHAPES
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
        - {name: web, image: "acme/web:v1"}
        - {name: proxy, image: "acme/proxy:1.0"}
      initContainers:
        - {name: init, image: "acme/web:v1"}
"""
CRON = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: "acme/web:v1"}]}}}}}
"""
VOLUME = """\
apiVersion: v1
kind: Pod
metadata: {name: model}
spec:
  containers: [{name: c, image: "acme/proxy:1.0"}]
  volumes: [{name: m, image: {reference: "acme/web:v1"}}]
"""
CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {image: "acme/web:v1", tag: v1}\n'
ROLLOUT = WEB.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout")
CUSTOM = 'apiVersion: acme.org/v1\nkind: Engine\nmetadata: {name: e}\nspec: {image: "acme/web:v1"}\n'
BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": WEB}
IMAGE_TAG = """\
apiVersion: builtin
kind: ImageTagTransformer
metadata: {name: t}
imageTag: {name: acme/web, newTag: v1}
"""
COMPONENT = """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images: [{name: acme/web, newTag: v1}]
"""
TWO_NAMES = "images: [{name: acme/web, newName: b/web}]\n"
WINDOWS = BASE | {"dev/kustomization.yaml": "resources: [../base]\r\nimages:\r\n- {name: acme/web, newTag: v1}\r\n"}
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: "acme/web:v1"}]}}}
"""
TAG_TO_LABEL = """\
replacements:
  - source: {kind: Deployment, name: web, fieldPath: spec.template.spec.containers.0.image,
             options: {delimiter: ":", index: 1}}
    targets: [{select: {kind: Deployment}, fieldPaths: [metadata.labels.version], options: {create: true}}]
"""
CONFIG_TO_IMAGE = """\
replacements:
  - source: {kind: ConfigMap, name: c, fieldPath: data.image}
    targets: [{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.[name=web].image"]}]
"""
ON_BASE = "resources: [../base]\n"
DONE = "done"


def overlay(text: str, *, base: bool = True, **files: str) -> dict[str, str]:
    named = {f"dev/{name.replace('_', '.')}": content for name, content in files.items()}
    return {**(BASE if base else {}), "dev/kustomization.yaml": (ON_BASE if base else "") + text, **named}


def image(entry: str, base: str = "") -> dict[str, str]:
    made = overlay(f"images:\n{entry}")
    return {**made, "base/kustomization.yaml": BASE["base/kustomization.yaml"] + base} if base else made


CASES: dict[str, tuple[dict[str, str], str | dict[str, str]]] = {  # files; "done", or a word of the refusal, or of one
    "nothing pinned": (overlay(""), DONE),
    "a tag": (image("- {name: acme/web, newTag: v1}\n"), DONE),
    "a tag in lines": (image("  - name: acme/web\n    newTag: v1 # ours\n"), DONE),
    "a tag in quotes": (image('- name: "acme/web"\n  newTag: "1.10"\n'), DONE),
    "a digest": (image(f"- {{name: acme/web, digest: '{A}'}}\n"), DONE),
    "a tag and a digest": (image(f"- {{name: acme/web, newTag: v1, digest: '{A}'}}\n"), DONE),
    "another repository": (image("- {name: acme/web, newName: mirror/web, newTag: v1}\n"), DONE),
    "a repository alone": (image("- {name: acme/web, newName: mirror/web}\n"), DONE),
    "a pattern": (image("- {name: '.*/web', newTag: v1}\n"), DONE),
    "a pattern for two": (image("- {name: 'acme/.*', newTag: v1}\n"), "changes acme/proxy:1.0 too"),
    "two entries": (image("- {name: acme/web, newName: b/web}\n- {name: b/web, newTag: v1}\n"), DONE),
    "an entry of the base": (
        image("- {name: b/web, newTag: v1}\n", "images: [{name: acme/web, newName: b/web}]\n"),
        DONE,
    ),
    "the base pins it": (image("- {name: other, newTag: v1}\n", "images: [{name: acme/web, newTag: v1}]\n"), DONE),
    "another image beside it": (image("- {name: acme/proxy, newTag: '1.0'}\n"), DONE),
    "newTag 1.10": (image("- {name: acme/web, newTag: 1.10}\n"), "1.10"),
    "newTag 0123": (image("- {name: acme/web, newTag: 0123}\n"), "0123"),
    "newTag 706798e8": (image("- {name: acme/web, newTag: 706798e8}\n"), "706798e8"),
    "newTag 1_000": (image("- {name: acme/web, newTag: 1_000}\n"), "1_000"),
    "newTag 0x1F": (image("- {name: acme/web, newTag: 0x1F}\n"), "0x1F"),
    "newTag .5": (image("- {name: acme/web, newTag: .5}\n"), ".5"),
    "newTag 12:30": (image("- {name: acme/web, newTag: 12:30}\n"), DONE),
    "newTag true": (image("- {name: acme/web, newTag: true}\n"), "true"),
    "newTag yes": (image("- {name: acme/web, newTag: yes}\n"), "yes"),
    "newTag null": (image("- {name: acme/web, newTag: null}\n"), DONE),
    "newTag nothing": (image("- {name: acme/web, newTag: }\n"), DONE),
    "newTag 2001-01-01": (image("- {name: acme/web, newTag: 2001-01-01}\n"), DONE),
    "newName 5": (image("- {name: acme/web, newName: 5}\n"), "5"),
    "lower-case newtag": (image("- {name: acme/web, newtag: v1}\n"), "newtag"),
    "upper-case NEWTAG": (image("- {name: acme/web, NEWTAG: v1}\n"), "NEWTAG"),
    "lower-case newname": (image("- {name: acme/web, newname: mirror/web}\n"), "newname"),
    "upper-case Name": (image("- {Name: acme/web, newTag: v1}\n"), "Name"),
    "upper-case Images": (overlay("Images: [{name: acme/web, newTag: v1}]\n"), "Images"),
    "imageTags": (overlay("imageTags: [{name: acme/web, newTag: v1}]\n"), "imageTags"),
    "an unknown field": (overlay("imagess: [{name: acme/web, newTag: v1}]\n"), "imagess"),
    "an unknown key": (image("- {name: acme/web, tag: v1}\n"), "tag"),
    "a transformer": (overlay("transformers: [tag.yaml]\n", tag_yaml=IMAGE_TAG), {"tag": "dev/tag.yaml"}),
    "a transformer in place": (overlay(f"transformers:\n- |\n{indent(IMAGE_TAG, '  ')}"), {"tag": "dev/kust"}),
    "a transformer of another image": (
        overlay("transformers: [tag.yaml]\n", tag_yaml=IMAGE_TAG.replace("acme/web", "acme/proxy")),
        DONE,
    ),
    "a transformer of the base": (
        {
            **overlay(""),
            "base/kustomization.yaml": "resources: [web.yaml]\ntransformers: [tag.yaml]\n",
            "base/tag.yaml": IMAGE_TAG,
        },
        DONE,
    ),
    "a replacement that wins": (
        overlay(f"resources: [../base, c.yaml]\n{CONFIG_TO_IMAGE}", base=False, c_yaml=CONFIG) | BASE,
        "dev/c.yaml",
    ),
    "a replacement that follows": (overlay(TAG_TO_LABEL), {"digest": "metadata.labels.version"}),
    "a patch before images": (overlay("patches: [{path: p.yaml}]\n", p_yaml=PATCH), DONE),
    "a patch to another image": (
        overlay("patches: [{path: p.yaml}]\n", p_yaml=PATCH.replace("acme/web", "acme/x")),
        DONE,
    ),
    "an old patch": (overlay("patchesStrategicMerge: [p.yaml]\n", p_yaml=PATCH), DONE),
    "a patch in place": (
        overlay(
            'patches: [{target: {kind: Deployment}, patch: \'[{"op": "replace", "path": '
            '"/spec/template/spec/containers/0/image", "value": "acme/web:v1"}]\'}]\n'
        ),
        DONE,
    ),
    "a component": ({**overlay("components: [../c]\n"), "c/kustomization.yaml": COMPONENT}, DONE),
    "a component that renames": (
        {
            **overlay("components: [../c]\n"),
            "c/kustomization.yaml": COMPONENT.replace("newTag", "newName: mirror/web, newTag"),
        },
        DONE,
    ),
    "old bases": ({**BASE, "dev/kustomization.yaml": "bases: [../base]\n"}, DONE),
    "a CronJob": ({**overlay(""), "base/web.yaml": f"{WEB}---\n{CRON}"}, DONE),
    "a Rollout": ({**overlay(""), "base/web.yaml": ROLLOUT}, DONE),
    "an image volume": ({**overlay(""), "base/web.yaml": VOLUME}, DONE),
    "an image volume beside it": ({**overlay(""), "base/web.yaml": f"{WEB}---\n{VOLUME}"}, DONE),
    "a ConfigMap that says it": ({**overlay(""), "base/web.yaml": f"{WEB}---\n{CONFIG}"}, DONE),
    "a field of its own kind": ({**overlay(""), "base/web.yaml": f"{WEB}---\n{CUSTOM}"}, DONE),
    "a field that kustomize is told of": (
        {
            **overlay("configurations: [k.yaml]\n", k_yaml="images: [{path: spec/image, kind: Engine}]\n"),
            "base/web.yaml": f"{WEB}---\n{CUSTOM}",
        },
        DONE,
    ),
    "Argo CD's overrides": (
        overlay("") | {"dev/.argocd-source.yaml": "kustomize: {images: ['acme/web:v9']}\n"},
        "dev/.argocd-source.yaml",
    ),
    "Argo CD's overrides by name": (
        overlay("") | {"dev/.argocd-source-app.yaml": "kustomize: {images: ['acme/web=b/web:v9']}\n"},
        "dev/.argocd-source-app.yaml",
    ),
    "overrides of another image": (
        overlay("") | {"dev/.argocd-source.yaml": "kustomize: {images: ['acme/proxy:v9']}\n"},
        DONE,
    ),
    "an anchor": (image("- &x {name: acme/web, newTag: v1}\n- *x\n"), "anchor"),
    "an anchor that another uses": (
        image("- {name: acme/proxy, newTag: &t v1}\n- {name: acme/web, newTag: *t }\n"),
        DONE,
    ),
    "a merge key": (image("- &x {name: acme/proxy, newTag: v1}\n- {<<: *x, name: acme/web}\n"), "images[1]"),
    "Windows breaks": (WINDOWS, DONE),
    "a byte order mark": (
        {**BASE, "dev/kustomization.yaml": f"\ufeff{ON_BASE}images: [{{name: acme/web, newTag: v1}}]\n"},
        DONE,
    ),
    "a tab before a comment": (image("- name: acme/web\n  newTag: v1\t# c\n"), DONE),
    "a tab behind a colon": (image("- name: acme/web\n  newTag:\tv1\n"), DONE),
    "no last newline": ({**BASE, "dev/kustomization.yaml": "resources: [../base]"}, DONE),
    "Kustomization": ({**BASE, "dev/Kustomization": ON_BASE}, DONE),
    "kustomization.yml": ({**BASE, "dev/kustomization.yml": ON_BASE}, DONE),
    "a prefix of names": (overlay("namePrefix: x-\nnamespace: team\n"), DONE),
    "a generator": (overlay("configMapGenerator: [{name: g, literals: [a=b]}]\n"), DONE),
    "a kustomization that fails": (overlay("resources: [nope.yaml]\n", base=False), "cannot be rendered"),
    "two documents": (overlay("---\nimages: [{name: acme/web, newTag: v1}]\n"), "documents"),
    "a tag in a block": (image("- name: acme/web\n  newTag: >-\n    v1\n  # behind\n"), DONE),
    "a dash alone on its line": (image("-\n  name: acme/web # a\n  newTag: v1\n"), DONE),
    "the pin before the name": (image("- newTag: v1 # kept\n  name: acme/web\n"), DONE),
    "braces over lines": (image("- {name: acme/web, # a\n   newTag: v1 # b\n  } # c\n"), DONE),
    "a tag with a YAML tag": (image("- name: acme/web\n  newTag: !!str 1.10\n"), DONE),
    "images of nothing": (overlay("images: # later\n"), DONE),
    "a document's end": (overlay("... # end\n"), DONE),
    "other line breaks": (overlay("# a\u0085# b\nimages:\n- name: acme/web # \U0001f680\n  newTag: v1\n"), DONE),
    "JSON": (
        {**BASE, "dev/kustomization.yaml": '{\n  "resources": [\n    "../base"\n  ]\n}\n'},
        DONE,
    ),
    "names in classes of Go": (image("- {name: '[[:alpha:]]+/web', newTag: v1}\n"), DONE),
    "one entry after the other": (
        image("- {name: acme/web, newName: b/web}\n- {name: acme/web, newTag: v0}\n"),
        {"tag": "two entries of images"},
    ),
    "a key twice": (image("- {name: acme/web, newTag: v1, newTag: v0}\n"), {"digest": "dev"}),
    "another overlay builds on it": (
        {**overlay(""), "prd/kustomization.yaml": "resources: [../dev]\n"},
        "is read by app of prd too",
    ),
    **{name: (files, outcome or DONE) for name, (files, outcome) in SHAPES.items()},
}


WANTED = {"tag": "acme/web:v2.0", "digest": f"mirror.example/web@{A}"}


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)


def rendered(folder: Path) -> list[Any]:
    done = subprocess.run(["kustomize", "build", str(folder)], capture_output=True, text=True, check=True)
    return sorted(yaml.safe_load_all(done.stdout), key=lambda one: json.dumps([one["kind"], one["metadata"]["name"]]))


def differences(old: Any, new: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key in old:
            yield from differences(old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from differences(one, other)
    elif old != new:
        yield old, new


def carry_out(root: Path, plan: ImagePlan, settings: StackSettings, readers: dict[str, str]) -> list[str]:
    before = shown(root, plan, settings)
    for path, text in plan.texts.items():
        (root / path).write_bytes(text.encode())
    return prove(root, plan, before, shown(root, plan, settings), readers)


def shown(root: Path, plan: ImagePlan, settings: StackSettings) -> RenderedWorkloads:
    return build_rendered(load_workloads(root, settings, [one.application for one in plan.changes], ()))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", WANTED)
def test_the_render_changes_as_announced_or_the_command_refuses(name: str, kind: str, tmp_path: Path) -> None:
    wanted = WANTED[kind]
    files, outcomes = CASES[name]
    outcome = outcomes if isinstance(outcomes, str) else outcomes.get(kind, DONE)
    write(tmp_path, files)
    settings = stack("dev", app="dev")
    readers = {"app of prd": "prd"} if "prd/kustomization.yaml" in files else {}
    try:
        before = rendered(tmp_path / "dev")
    except subprocess.CalledProcessError:
        before = None
    said, warnings = DONE, []
    try:
        plan = plan_image_set(TreeReader(tmp_path), settings, [parse_assignment(f"app/web={wanted}")])
        warnings = carry_out(tmp_path, plan, settings, readers)
    except GitOpsStackError as error:
        said = str(error)
    assert (said == DONE) == (outcome == DONE), said
    assert outcome in said
    if said != DONE:
        return
    assert before is not None
    changed = list(differences(before, rendered(tmp_path / "dev")))
    assert [new for _, new in changed if new == wanted], "the image is announced and not rendered"
    assert len([new for _, new in changed if new != wanted]) <= len(warnings), (changed, warnings)


@pytest.mark.parametrize(
    "tag", ["1.10", "0123", "706798e8", "1_000", "0x1F", ".5", "true", "yes", "1e3", "08", "v1", "12:30"]
)
def test_a_promotion_takes_what_kustomize_renders_or_refuses(tag: str, tmp_path: Path) -> None:
    write(tmp_path, {**image(f"- {{name: acme/web, newTag: {tag}}}\n"), "prd/kustomization.yaml": ON_BASE})
    source, destination = stack("dev", app="dev"), stack("prd", app="prd")
    runs = set()
    with contextlib.suppress(subprocess.CalledProcessError):
        runs = {one["image"] for one in rendered(tmp_path / "dev")[0]["spec"]["template"]["spec"]["containers"]}
    try:
        plan = plan_promotion(TreeReader(tmp_path), source, destination, [parse_target("app")])
        GitOpsStackError.raise_for(
            check_origin(tmp_path, "dev", {"app": "dev"}, plan.changes, shown(tmp_path, plan, source))
        )
    except GitOpsStackError:
        assert not runs or tag == "12:30", "refused, and kustomize reads it"  # no tag: it has a colon
        return
    assert runs, "kustomize refuses it, so there is nothing to promote"
    carry_out(tmp_path, plan, destination, {})
    assert {one["image"] for one in rendered(tmp_path / "prd")[0]["spec"]["template"]["spec"]["containers"]} == runs


def test_the_corpus_is_as_large_as_it_is_said_to_be() -> None:
    assert len(CASES) >= 60
    assert sum(outcome == DONE for _, outcome in CASES.values()) >= 40
