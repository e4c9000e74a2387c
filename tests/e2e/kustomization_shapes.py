"""More kustomizations for tests/e2e/test_announcements_with_kustomize.py: shapes that an image may have or come by.

Files, and what becomes of a change: nothing for done, or a word of the refusal, or of that of a tag or a digest.
"""

from __future__ import annotations

DIGEST = f"sha256:{'c' * 64}"
IMAGE = 'image: "acme/web:v1"'
WEB = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec:
      containers: [{{name: web, {IMAGE}}}, {{name: proxy, image: "acme/proxy:1.0"}}]
"""
JOB = f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate}}
spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: m, {IMAGE}}}]}}}}}}
"""
SETTINGS = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {image: "acme/web:v1", tag: v1}\n'
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
PINNED = "images: [{name: acme/web, newTag: v1}]\n"
REPLACED = """\
replacements:
- source: {kind: %s, name: %s, fieldPath: '%s'}
  targets: [{select: {kind: %s}, fieldPaths: ['%s']}]
"""
CONTAINER = "spec.template.spec.containers.[name=%s].image"
BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": WEB}
PATCH = '[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "%s"}]'


def on_base(text: str = "", web: str = WEB, **files: str) -> dict[str, str]:
    """Write an overlay on the base, whose manifest is ``web``; ``files`` are beside it."""
    named = {f"dev/{name.replace('_', '.')}": content for name, content in files.items()}
    return {**BASE, "base/web.yaml": web, "dev/kustomization.yaml": f"resources: [../base]\n{text}", **named}


def with_component(text: str, own: str = "", **files: str) -> dict[str, str]:
    """Write an overlay with a component of ``text``."""
    named = {f"c/{name.replace('_', '.')}": content for name, content in files.items()}
    return {**on_base(f"components: [../c]\n{own}"), "c/kustomization.yaml": COMPONENT + text, **named}


def overridden(text: str) -> dict[str, str]:
    """Write an overlay with a file beside it that overrides its source."""
    return on_base() | {"dev/.argocd-source.yaml": text}


SHAPES: dict[str, tuple[dict[str, str], str | dict[str, str]]] = {
    "a digest in the manifest": (on_base(web=WEB.replace("web:v1", f"web@{DIGEST}")), ""),
    "a tag and a digest in the manifest": (on_base(web=WEB.replace("web:v1", f"web:v1@{DIGEST}")), ""),
    "a registry in the manifest": (on_base(web=WEB.replace("acme/web", "docker.io/acme/web")), ""),
    "a registry with a port in the manifest": (on_base(web=WEB.replace("acme/web", "localhost:5000/acme/web")), ""),
    "no tag in the manifest": (on_base(web=WEB.replace("web:v1", "web")), ""),
    "a variable in the manifest": (on_base(web=WEB.replace("acme/web", "${R}/acme/web")), "does not match itself"),
    "an anchor in the manifest": (on_base(web=WEB.replace('"acme/web:v1"', '&i "acme/web:v1"')), ""),
    "a List": (on_base(web="apiVersion: v1\nkind: List\nitems:\n- " + WEB.replace("\n", "\n  ").rstrip() + "\n"), ""),
    "a StatefulSet with labels": (
        on_base("labels: [{pairs: {v: v1}, includeTemplates: true}]\n", WEB.replace("Deployment", "StatefulSet")),
        "",
    ),
    "a suffix of the tag": (on_base("images: [{name: acme/web, newTag: v1, tagSuffix: -x}]\n"), ""),
    "a component of the base": (
        on_base()
        | {
            "base/kustomization.yaml": "resources: [web.yaml]\ncomponents: [../c]\n",
            "c/kustomization.yaml": COMPONENT + PINNED,
        },
        "",
    ),
    "a component in a component": (
        with_component("components: [../d]\n") | {"d/kustomization.yaml": COMPONENT + PINNED},
        "",
    ),
    "a component with a pin of its own": (with_component(PINNED, "images: [{name: acme/web, newTag: v2}]\n"), ""),
    "a component with a patch": (
        with_component("patches: [{target: {kind: Deployment}, path: p.json}]\n", p_json=PATCH % "acme/web:v1"),
        "",
    ),
    "a component with a replacement": (
        with_component(
            "resources: [c.yaml]\n" + REPLACED % ("ConfigMap", "c", "data.image", "Deployment", CONTAINER % "web"),
            c_yaml=SETTINGS,
        ),
        "",
    ),
    "a component alone": (
        {
            "dev/kustomization.yaml": "components: [../c]\n",
            "c/kustomization.yaml": f"{COMPONENT}resources: [web.yaml]\n",
            "c/web.yaml": WEB,
        },
        "",
    ),
    "a replacement of the base": (
        on_base()
        | {
            "base/kustomization.yaml": "resources: [web.yaml, c.yaml]\n"
            + REPLACED % ("ConfigMap", "c", "data.image", "Deployment", CONTAINER % "web"),
            "base/c.yaml": SETTINGS,
        },
        "",
    ),
    "a replacement by the image": (
        on_base(
            REPLACED % ("Deployment", "web", CONTAINER % "web", "ConfigMap", "data.image"), f"{WEB}---\n{SETTINGS}"
        ),
        "",
    ),
    "a replacement of another container by the image": (
        on_base(REPLACED % ("Deployment", "web", CONTAINER % "web", "Deployment", CONTAINER % "proxy")),
        "",
    ),
    "a replacement of another container by a text": (
        {
            **BASE,
            "dev/kustomization.yaml": "resources: [../base, c.yaml]\n"
            + REPLACED % ("ConfigMap", "c", "data.image", "Deployment", CONTAINER % "proxy"),
            "dev/c.yaml": SETTINGS,
        },
        "dev/c.yaml",
    ),
    "a variable of the image": (
        on_base(
            "vars: [{name: I, objref: {apiVersion: apps/v1, kind: Deployment, name: web}, fieldref: {fieldpath: "
            "'spec.template.spec.containers[0].image'}}]\n",
            WEB.replace("proxy:1.0", 'proxy:1.0", args: [$(I)], x: "'),
        ),
        "",
    ),
    "a patch to another version": (
        on_base(
            "patches: [{target: {kind: Deployment}, path: p.json}]\n", f"{WEB}---\n{JOB}", p_json=PATCH % "acme/web:v5"
        ),
        "more than the image would change",
    ),
    "a patch to another image": (
        on_base(
            "patches: [{target: {kind: Deployment}, path: p.json}]\n", f"{WEB}---\n{JOB}", p_json=PATCH % "acme/x:v5"
        ),
        "",
    ),
    "a patch that takes the container away": (
        on_base(
            "patches:\n- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n"
            "    spec: {template: {spec: {containers: [{name: web, $patch: delete}]}}}\n",
            f"{WEB}---\n{JOB}",
        ),
        "",
    ),
    "two bases": (
        {
            **BASE,
            "dev/kustomization.yaml": "resources: [../base, ../job]\n",
            "job/kustomization.yaml": f"resources: [j.yaml]\n{PINNED}",
            "job/j.yaml": JOB,
        },
        "",
    ),
    "a base twice": (
        {
            **BASE,
            "dev/kustomization.yaml": "resources: [a, b]\n",
            "dev/a/kustomization.yaml": "resources: [../../base]\nnamePrefix: a-\n",
            "dev/b/kustomization.yaml": "resources: [../../base]\nnamePrefix: b-\n",
        },
        "",
    ),
    "a base that renames": (
        {
            **BASE,
            "dev/kustomization.yaml": "resources: [../mid]\nimages: [{name: acme/web, newTag: v3}]\n",
            "mid/kustomization.yaml": "resources: [../base]\nimages: [{name: acme/web, newName: corp/web}]\n",
        },
        "web is several images",
    ),
    "a manifest in JSON": (
        {
            "dev/kustomization.yaml": "resources: [w.json]\n",
            "dev/w.json": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, '
            '"spec": {"containers": [{"name": "a", "image": "acme/web:v1"}]}}',
        },
        "",
    ),
    "an empty entry": (on_base("images: [{}, {name: acme/web, newTag: v1}]\n"), ""),
    "an entry of nothing": (on_base("images:\n-\n- {name: acme/web, newTag: v1}\n"), ""),
    "entries as a map": (on_base("images: {name: acme/web, newTag: v1}\n"), "is not a list"),
    "an anchored pattern": (on_base("images: [{name: '^acme/web$', newTag: v1}]\n"), ""),
    "a new name with a tag": (on_base("images: [{name: acme/web, newName: 'mirror/web:x', newTag: v1}]\n"), ""),
    "a tag of +5": (on_base("images: [{name: acme/web, newTag: +5}]\n"), "+5"),
    "a tag of 0b1": (on_base("images: [{name: acme/web, newTag: 0b1}]\n"), "0b1"),
    "a tag of infinity": (on_base("images: [{name: acme/web, newTag: .inf}]\n"), ".inf"),
    "a complex key": (on_base("images:\n- ? name\n  : acme/web\n  newTag: v1\n"), {"digest": "unusual notation"}),
    "quoted keys": (on_base("images:\n- {'name': acme/web, \"newTag\": v1}\n"), ""),
    "a folded tag": (on_base("images:\n- name: acme/web\n  newTag: >\n    v1\n"), ""),
    "a directive": (
        {**BASE, "dev/kustomization.yaml": f"%YAML 1.1\n---\nresources: [../base]\n{PINNED}"},
        "",
    ),
    "a comment behind the entries": (
        on_base("images:\n- {name: acme/web, newTag: v1}\n# - {x: y}\nnameSuffix: -x\n"),
        "",
    ),
    "an override in other letters": (overridden("Kustomize: {Images: ['acme/web:v9']}\n"), "acme/web:v9"),
    "an override in JSON": (overridden('{"kustomize": {"images": ["acme/web:v9"]}}'), "Argo CD applies last"),
    "an override of something else": (
        overridden("kustomize: {namePrefix: x-, replicas: [{name: web, count: 2}]}\n"),
        "",
    ),
    "an override with a component": (
        overridden("kustomize: {components: [../c]}\n")
        | {"c/kustomization.yaml": f"{COMPONENT}images: [{{name: acme/web, newTag: v9}}]\n"},
        "acme/web:v9",
    ),
    "an override that is broken": (overridden("kustomize: {images: acme/web:v9}\n"), "where Argo CD reads a list"),
}
