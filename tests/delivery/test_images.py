"""Which images an application has, and in which file each is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.delivery.image_reference import ImageReference
from gitops_stack.delivery.images.application_images import load_application_images
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_documents
from tests.delivery.trees import DEPLOYMENT, A, B, write

BASE = {"base/web.yaml": DEPLOYMENT.format(image="web:v1"), "base/kustomization.yaml": "resources: [web.yaml]\n"}


def slots(root: Path, folder: str, texts: dict[str, str]) -> dict[str, tuple[str, ...]]:
    images = load_application_images(write(root, texts), folder, "dev")
    return {slot.name: slot.images for slot in images.slots}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({**BASE, "dev/kustomization.yaml": "resources: [../base]\n"}, {"web": ("web:v1",)}),
        (
            {**BASE, "dev/kustomization.yml": "bases: [../base]\nimages: [{name: web, digest: '" + A + "'}]\n"},
            {"web": (f"web@{A}",)},
        ),
        (
            {
                **BASE,
                "base/kustomization.yaml": "resources: [web.yaml]\nimages: [{name: web, newName: acme/web}]\n",
                "dev/Kustomization": "resources: [../base]\nimages: [{name: acme/web, newTag: v2}]\n",
            },
            {"acme/web": ("acme/web:v2",)},
        ),
        (
            {
                **BASE,
                "c/kustomization.yaml": "kind: Component\nimages: [{name: web, newName: other}]\n",
                "dev/kustomization.yaml": "resources: [../base]\ncomponents: [../c]\n",
            },
            {"other": ("other:v1",)},
        ),
        (
            {
                **BASE,
                "dev/sidecar.yaml": "spec: {template: {spec: {containers: [{name: envoy, image: envoy:v1}]}}}\n",
                "dev/kustomization.yaml": "resources: [../base]\npatches: [{path: sidecar.yaml}]\n",
            },
            {"web": ("web:v1",), "envoy": ("envoy:v1",)},
        ),
        (
            {"dev/kustomization.yaml": "resources: [https://a.org/x]\nimages: [{name: web, newTag: v1}, {name: b}]\n"},
            {"web": ("web:v1",), "b": ()},
        ),
        (
            {
                "dev/a.yaml": DEPLOYMENT.format(image="web:v1"),
                "dev/b.yml": "kind: Pod\nspec: {containers: [{image: web}]}\n",
            },
            {"web": ("web:v1", "web")},
        ),
        (
            {
                "dev/a.yaml": DEPLOYMENT.format(image="web:v1"),
                "dev/skipped.yaml": "# +argocd:skip-file-rendering\n" + DEPLOYMENT.format(image="web:v2"),
                "dev/values.yaml": "containers: [{image: 'web:v3'}]\n",
                "dev/template.yaml": "{{ if .x }}\ncontainers: [{image: 'web:v4'}]\n{{ end }}\n",
                "dev/broken.yaml": "containers: [\n",
            },
            {"web": ("web:v1",)},
        ),
        ({"dev/a.yaml": "kind: ConfigMap\n", "dev/below/b.yaml": DEPLOYMENT.format(image="web:v1")}, {}),
    ],
    ids=["base", "entry", "base's entry", "component", "patch", "remote base", "manifests", "passed over", "nothing"],
)
def test_images_are_found_where_they_are(
    texts: dict[str, str], found: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    assert slots(tmp_path, "dev", texts) == found


KEYS = """\
images:
  web: {values: 'values-{stack}.yaml', repository: image.repository, tag: image.tag, digest: image.digest}
"""


def test_delivery_yaml_names_the_keys_once_for_all_stacks(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        {
            "web/delivery.yaml": KEYS,
            "web/values-dev.yaml": "image: {repository: acme/web, tag: v1}\n",
            "web/values-prd.yaml": "image: {repository: acme/web}\n",
            "web/dev/Chart.yaml": "name: web\n",
            "web/prd/Chart.yaml": "name: web\n",
        },
    )
    dev, prd = (load_application_images(tree, f"web/{stack}", stack) for stack in ("dev", "prd"))
    assert [(slot.name, slot.images) for slot in dev.slots] == [("web", ("acme/web:v1",))]
    assert [(slot.name, slot.images) for slot in prd.slots] == [("web", ("acme/web",))]
    assert prd.slots[0].by_chart
    assert dev.build_texts("web", ImageReference("acme/web", None, A)) == {
        "web/values-dev.yaml": f'image: {{repository: acme/web, tag: "", digest: {A}}}\n'
    }
    assert prd.build_texts("web", ImageReference("acme/web", "v2")) == {
        "web/values-prd.yaml": "image: {repository: acme/web, tag: v2}\n"
    }


def test_a_tag_that_is_a_number_to_yaml_is_not_taken_for_one(tmp_path: Path) -> None:
    texts = {"web/delivery.yaml": "images: {web: {values: v.yaml, tag: tag}}\n", "web/v.yaml": "tag: 1.10\n"}
    images = load_application_images(write(tmp_path, texts), "web", "dev")
    assert images.slots[0].images == ()
    assert images.build_texts("web", ImageReference("", "1.10")) == {"web/v.yaml": 'tag: "1.10"\n'}


PARTS = "images: {web: {values: v.yaml, repository: image.repository, tag: image.tag}}\n"
APART = "image: {registry: ghcr.io, repository: acme/web, tag: v1}\n"


@pytest.mark.parametrize(
    ("values", "image", "wanted"),
    [
        (APART, ImageReference("ghcr.io/acme/web", "v2"), APART.replace("v1", "v2")),
        (
            APART,
            ImageReference("quay.io/acme/web", "v2"),
            "image: {registry: quay.io, repository: acme/web, tag: v2}\n",
        ),
        (APART, ImageReference("b/web", "v2"), "image: {registry: docker.io, repository: b/web, tag: v2}\n"),
        (
            "image: {registry: '', repository: acme/web, tag: v1}\n",
            ImageReference("quay.io/acme/web", "v2"),
            "image: {registry: '', repository: quay.io/acme/web, tag: v2}\n",
        ),
        (
            "image: {registry: docker.io, repository: nginx, tag: v1}\n",
            ImageReference("nginx", "v2"),
            "image: {registry: docker.io, repository: nginx, tag: v2}\n",
        ),
    ],
)
def test_a_registry_apart_is_written_once(values: str, image: ImageReference, wanted: str, tmp_path: Path) -> None:
    images = load_application_images(write(tmp_path, {"web/delivery.yaml": PARTS, "web/v.yaml": values}), "web", "dev")
    assert images.build_texts("web", image) == {"web/v.yaml": wanted}


def test_a_registry_apart_is_part_of_the_image(tmp_path: Path) -> None:
    images = load_application_images(write(tmp_path, {"web/delivery.yaml": PARTS, "web/v.yaml": APART}), "web", "dev")
    assert images.slots[0].images == ("ghcr.io/acme/web:v1",)


@pytest.mark.parametrize("tag", ["1.10", "0123", "706798e8", "1_000", "0x1F", ".5", "true", "2"])
def test_a_tag_that_is_no_text_is_said_as_it_is_written(tag: str, tmp_path: Path) -> None:
    texts = {"web/delivery.yaml": PARTS, "web/v.yaml": f"image: {{repository: acme/web, tag: {tag}}}\n"}
    images = load_application_images(write(tmp_path, texts), "web", "dev")
    assert images.slots[0].problem == (
        f"web/v.yaml: image.tag: found {tag}, which is not text to YAML; put quotes around it"
    )


@pytest.mark.parametrize("tag", ["", "''", "~"])
def test_an_empty_tag_leaves_the_version_to_the_chart(tag: str, tmp_path: Path) -> None:
    texts = {"web/delivery.yaml": PARTS, "web/v.yaml": f"image: {{repository: acme/web, tag: {tag}}}\n"}
    images = load_application_images(write(tmp_path, texts), "web", "dev")
    assert (images.slots[0].images, images.slots[0].by_chart, images.slots[0].problem) == (("acme/web",), True, "")
    changed = images.build_texts("web", ImageReference("acme/web", "v1"))["web/v.yaml"]
    assert load_documents(changed) == [{"image": {"repository": "acme/web", "tag": "v1"}}]


def test_a_number_in_a_key_is_an_index_where_a_list_stands(tmp_path: Path) -> None:
    keys = "images: {web: {values: v.yaml, repository: servers.1.repository, tag: servers.1.tag}}\n"
    values = "servers:\n  - {repository: a, tag: v1}\n  - {repository: acme/web, tag: v1}\n"
    images = load_application_images(write(tmp_path, {"web/delivery.yaml": keys, "web/v.yaml": values}), "web", "dev")
    assert images.slots[0].images == ("acme/web:v1",)
    changed = images.build_texts("web", ImageReference("acme/web", "v2"))["web/v.yaml"]
    assert changed == values.replace("acme/web, tag: v1", "acme/web, tag: v2")


def test_a_whole_reference_may_stand_behind_one_key(tmp_path: Path) -> None:
    texts = {
        "web/delivery.yaml": "images: {web: {values: v.yaml, reference: [a.b, 0]}}\n",
        "web/v.yaml": "a.b: [web:v1]\n",
    }
    images = load_application_images(write(tmp_path, texts), "web", "dev")
    assert images.slots[0].images == ("web:v1",)
    assert images.build_texts("web", ImageReference("web", "v2", B)) == {"web/v.yaml": f"a.b: [web:v2@{B}]\n"}
    assert images.build_texts("web", ImageReference("web", "v1")) == {}


@pytest.mark.parametrize(
    ("keys", "image", "said"),
    [
        ("tag: image.tag", ImageReference("acme/web", "v1"), "has no key for the repository"),
        ("tag: image.tag", ImageReference("", None, A), "has no key for the digest"),
        ("digest: image.digest", ImageReference("", "v1"), "has no key for the tag"),
    ],
)
def test_what_the_values_have_no_key_for_is_not_dropped(
    keys: str, image: ImageReference, said: str, tmp_path: Path
) -> None:
    texts = {
        "web/delivery.yaml": f"images: {{web: {{values: v.yaml, {keys}}}}}\n",
        "web/v.yaml": "image: {tag: v1, digest: x}\n",
    }
    images = load_application_images(write(tmp_path, texts), "web", "dev")
    with pytest.raises(GitOpsStackError, match=r"^web/delivery\.yaml: images\.web: ") as refused:
        images.build_texts("web", image)
    assert said in refused.value.findings[0]


KEPT = "values: v.yaml, repository: image.repository, tag: image.tag"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"dev/Chart.yaml": "name: web\n"}, "dev: is a Helm chart, and no delivery.yaml says which value is the image"),
        ({"other/x": ""}, "dev: is not a folder of the repository"),
        ({"dev/kustomization.yaml": "resources: [\n"}, "dev/kustomization.yaml: is not YAML"),
        ({"dev/kustomization.yaml": "resources: [../dev]\n"}, "dev: is its own base"),
        ({"dev/kustomization.yaml": "resources: [a.yaml]\n", "dev/a.yaml": "{"}, "dev/a.yaml: is not YAML"),
        ({"dev/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {"}, "dev/a.yaml: is not YAML"),
        (
            {"dev/delivery.yaml": "images: {web: {values: v.yaml, tag: a}}"},
            "values: found dev/v.yaml, which is not a file",
        ),
        ({"dev/delivery.yaml": "images: {web: {values: ../../../etc/hosts, tag: a}}"}, "which is not a file"),
        (
            {"dev/delivery.yaml": "images: {web: {values: v.yaml}}"},
            "images.web: needs either reference, or tag or digest",
        ),
        (
            {"dev/delivery.yaml": "images: {web: {values: v, tag: a..b}}"},
            "images.web.tag: needs a key such as image.tag",
        ),
        ({"dev/delivery.yaml": "image: {}"}, "dev/delivery.yaml: image: Extra inputs are not permitted"),
        (
            {"dev/delivery.yaml": f"images: {{web: {{{KEPT}}}}}", "dev/v.yaml": "hc: {image: {tag: v1}, port: 1}"},
            "found image.tag, which dev/v.yaml does not have; correct it or add it there; keys there: hc.image.tag",
        ),
        (
            {"dev/delivery.yaml": f"images: {{web: {{{KEPT}}}}}", "dev/v.yaml": "port: 1\na.b: [x]"},
            "dev/v.yaml does not have; correct it or add it there; keys there: a.b.0, port",
        ),
        (
            {"dev/delivery.yaml": f"images: {{web: {{{KEPT}}}}}", "dev/v.yaml": ""},
            "dev/v.yaml does not have; correct it or add it there; keys there: none",
        ),
        ({"dev/delivery.yaml": "images: {"}, "dev/delivery.yaml: is not YAML"),
        ({"dev/delivery.yaml": "images: {web: {values: v, tag: a}}", "dev/v": "{"}, "dev/v: is not YAML"),
    ],
)
def test_what_is_wrong_in_a_tree_is_said(texts: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        _ = load_application_images(write(tmp_path, texts), "dev", "dev").slots
    assert any(said in finding for finding in refused.value.findings)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/a.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(GitOpsStackError, match=r"^dev/a\.yaml: is not UTF-8 text"):
        load_application_images(write(tmp_path, {}), "dev", "dev")


def test_links_do_not_lead_out_of_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(DEPLOYMENT.format(image="web:v1"))
    (tmp_path / "tree/dev").mkdir(parents=True)
    (tmp_path / "tree/dev/a.yaml").symlink_to(tmp_path / "secret.yaml")
    assert load_application_images(write(tmp_path / "tree", {}), "dev", "dev").slots == ()


def test_an_entry_that_changes_another_image_too_is_refused(tmp_path: Path) -> None:
    texts = {
        "dev/a.yaml": DEPLOYMENT.format(image="web:v1") + "---\n" + DEPLOYMENT.format(image="myweb:v1"),
        "dev/kustomization.yaml": "resources: [a.yaml]\nimages: [{name: .*web, newTag: v1}]\n",
    }
    images = load_application_images(write(tmp_path, texts), "dev", "dev")
    with pytest.raises(GitOpsStackError, match="the entry of images: that changes web changes myweb:v1 too"):
        images.build_texts("web", ImageReference("web", "v2"))
