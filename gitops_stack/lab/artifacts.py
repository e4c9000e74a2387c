"""The executables the lab runs, and the pins and flags each is built from.

Data only; imports ``versions``. Building them is ``tools``' business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_stack import versions

SOURCES = Path(__file__).with_name("tools")
KEY_LENGTH = 16


@dataclass(frozen=True)
class Patch:
    """Replace one passage of one file of a Go module; ``old`` must occur exactly once, or the build stops."""

    module: str
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Artifact:
    """Name one executable: the folder of pins, the Go package, and how long a first build takes on two cores.

    ``copied`` names files of a module that the build needs beside its go.mod, or, without a ``package``, the script
    that is the artifact itself.
    """

    name: str
    folder: str
    package: str
    seconds: int
    variables: tuple[tuple[str, str], ...] = ()
    module: str = ""
    copied: tuple[str, ...] = ()
    patch: Patch | None = None

    @property
    def ldflags(self) -> str:
        """Return the linker flags: no symbol tables, and the version each program reports."""
        return " ".join(["-s -w", *(f"-X {variable}={value}" for variable, value in self.variables)])


_KUBERNETES = (("k8s.io/component-base/version.gitVersion", versions.KUBERNETES),)
_PULUMI_SDK = "github.com/pulumi/pulumi/sdk/v3"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"
_ARGOCD = "github.com/argoproj/argo-cd/v3"

# The application controller is the only process of the lab without a flag for its metrics address.
_LOOPBACK_METRICS = Patch(
    module=_ARGOCD,
    file="controller/appcontroller.go",
    old='metricsAddr := fmt.Sprintf("0.0.0.0:%d", metricsPort)',
    new='metricsAddr := fmt.Sprintf("127.0.0.1:%d", metricsPort)',
)

ARTIFACTS = (
    Artifact("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5", 20),
    Artifact(
        "helm",
        "helm",
        "helm.sh/helm/v3/cmd/helm",
        120,
        (("helm.sh/helm/v3/internal/version.version", versions.HELM),),
    ),
    Artifact("jsonnet", "jsonnet", "github.com/google/go-jsonnet/cmd/jsonnet", 10),
    Artifact("etcd", "kubernetes", "go.etcd.io/etcd/server/v3", 30),
    Artifact("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", 300, _KUBERNETES),
    Artifact("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", 60, _KUBERNETES),
    Artifact("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", 30, _KUBERNETES),
    Artifact("kwok", "kubernetes", "sigs.k8s.io/kwok/cmd/kwok", 60),
    Artifact("miniredis", "argocd", "./redis", 10),
    Artifact("applicationsets", "argocd", "./applicationsets", 10),
    Artifact(
        "argocd",
        "argocd",
        f"{_ARGOCD}/cmd",
        300,
        # Without the v, which Argo CD puts before it: its server refuses its own client's login as vv3.2.11 otherwise.
        ((f"{_ARGOCD}/common.version", versions.ARGOCD_HOST_PROCESSES.removeprefix("v")),),
        patch=_LOOPBACK_METRICS,
    ),
    Artifact(
        "pulumi",
        "pulumi",
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        300,
        ((f"{_PULUMI_SDK}/go/common/version.Version", versions.PULUMI),),
    ),
    Artifact(
        "pulumi-language-python-exec",
        "pulumi",
        "",
        1,
        module=_PULUMI_SDK,
        copied=("python/cmd/pulumi-language-python-exec",),
    ),
    Artifact(
        "pulumi-language-python",
        "pulumi-language-python",
        f"{_PULUMI_SDK}/python/cmd/pulumi-language-python",
        40,
    ),
    Artifact(
        "pulumi-resource-pulumi-python",  # runs dynamic resources; a script, the same in every release
        "pulumi-language-python",
        "",
        1,
        module=_PULUMI_SDK,
        copied=("python/dist/pulumi-resource-pulumi-python",),
    ),
    Artifact(
        "pulumi-resource-kubernetes",
        "pulumi-kubernetes",
        ".",
        480,
        (("main.version", versions.PULUMI_KUBERNETES_PROVIDER),),
        module=_PROVIDER,
        copied=(
            "cmd/pulumi-resource-kubernetes/schema.json",
            "cmd/pulumi-resource-kubernetes/terraform-mapping.json",
        ),
    ),
)

OPTIONAL = (  # built, or taken from a wheel, by who asks for it: no lab does
    Artifact(
        "pulumi-language-yaml",
        "pulumi-language-yaml",
        "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
        50,
        (("github.com/pulumi/pulumi-yaml/pkg/version.Version", versions.PULUMI_YAML),),
    ),
)


def load_sources(folder: str, root: Path = SOURCES) -> dict[str, bytes]:
    """Return the pins and Go files of one folder, relative path to content, in a stable order."""
    directory = root / folder
    names = ["go.mod", "go.sum", *sorted(str(p.relative_to(directory)) for p in directory.rglob("*.go"))]
    return {name: (directory / name).read_bytes() for name in names}


def build_key(folder: str, sources: Mapping[str, bytes], artifacts: tuple[Artifact, ...] = ARTIFACTS) -> str:
    """Return ``<folder>-<16 hex digits>`` over everything that decides what the folder's executables contain.

    The Go toolchain is left out: a patch release of Go should not cost anyone twenty minutes.
    """
    digest = hashlib.sha256()
    for name, content in sources.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    for artifact in artifacts:
        if artifact.folder == folder:
            digest.update(repr((artifact.name, artifact.package, artifact.ldflags, artifact.copied)).encode())
            digest.update(repr(artifact.patch).encode())
    return f"{folder}-{digest.hexdigest()[:KEY_LENGTH]}"


def build_bin_key(keys: tuple[str, ...]) -> str:
    """Return the name of the folder of links for one combination of ``keys``, so that versions coexist."""
    return f"bin-{hashlib.sha256(repr(sorted(keys)).encode()).hexdigest()[:KEY_LENGTH]}"
