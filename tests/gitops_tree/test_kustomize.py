"""kustomize's failures, each as the one sentence that matters."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_stack.conventions import GENERATED_HEADER
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.kustomize import explain_failure, render_kustomization

URL = "github.com/argoproj/argo-cd//manifests/cluster-install?ref=v9.9.9&timeout=120s"
CHAIN = f"error: accumulating resources: accumulation err='accumulating resources from '{URL}': "
FETCH = "failed to run '/usr/bin/git fetch --depth=1 https://github.com/argoproj/argo-cd v9.9.9': "
KUSTOMIZATION = "gitops/dev/argocd/kustomization.yaml"
BAD_PATCH = "Error: trouble configuring builtin PatchTransformer with config: `\npath: patches/50-mine.yaml\n`: "
NETWORK = "; check the network, or name a mirror in argocd.source"
SHA = "1" * 40


def no_match(identity: str) -> str:
    return (
        f'error: no resource matches strategic merge patch "{identity}": no matches for Id {identity}; '
        f"failed to find unique target for patch {identity}"
    )


@pytest.mark.parametrize(
    ("stderr", "sentence", "environment"),
    [
        pytest.param(
            f"{CHAIN}lstat …: no such file': {FETCH}fatal: couldn't find remote ref v9.9.9\n: exit status 128",
            f"{KUSTOMIZATION}: the remote has no v9.9.9; correct argocd.commit or argocd.source",
            False,
            id="bad ref",
        ),
        pytest.param(
            "Error: trouble configuring builtin PatchTransformer with config: `\npath: gone.yaml\n`: failed to get "
            "the patch file from path(patches/gone.yaml): evalsymlink failure on '/t/patches/gone.yaml' : lstat "
            "/t/patches/gone.yaml: no such file or directory",
            "gitops/dev/argocd/patches/gone.yaml: is named in the kustomization but missing; add or unlist it",
            False,
            id="missing patch",
        ),
        pytest.param(
            f"{CHAIN}': {FETCH}fatal: remote error: upload-pack: not our ref {SHA}\n: exit status 128",
            f"{KUSTOMIZATION}: the remote has no {SHA}; correct argocd.commit or argocd.source",
            False,
            id="unknown commit",
        ),
        pytest.param(
            f'{CHAIN}Get "https://github.com": dial tcp: lookup github.com on 10.0.0.2:53: no such host\': {FETCH}'
            "fatal: unable to access 'https://github.com/argoproj/argo-cd/': Could not resolve host: github.com\n"
            ": exit status 128",
            f"{KUSTOMIZATION}: the remote base cannot be reached: fatal: unable to access "
            f"'https://github.com/argoproj/argo-cd/': Could not resolve host: github.com{NETWORK}",
            True,
            id="no network",
        ),
        pytest.param(
            f"{CHAIN}': hit 1ms timeout running '/usr/bin/git init'",
            f"{KUSTOMIZATION}: the remote base cannot be reached: hit 1ms timeout running '/usr/bin/git init'{NETWORK}",
            True,
            id="timeout",
        ),
        pytest.param(
            f"{CHAIN}evalsymlink failure on '/tmp/kustomize-123/manifests/nope' : lstat "
            "/tmp/kustomize-123/manifests/nope: no such file or directory",
            f"{KUSTOMIZATION}: the remote has no such folder of manifests; "
            "argocd.source must have the content of argoproj/argo-cd",
            False,
            id="missing path",
        ),
        pytest.param(
            f"{CHAIN}unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory "
            "'/tmp/kustomize-123/manifests'",
            f"{KUSTOMIZATION}: the remote has no such folder of manifests; "
            "argocd.source must have the content of argoproj/argo-cd",
            False,
            id="path without kustomization",
        ),
        pytest.param(
            f"{CHAIN}': no 'git' program on path: exec: \"git\": executable file not found in $PATH",
            "PATH: no git found, which kustomize fetches the remote base with; install git",
            True,
            id="no git",
        ),
        pytest.param(
            no_match("ConfigMap.v1.[noGrp]/argocd-nope.[noNs]"),
            f"{KUSTOMIZATION}: found a patch for ConfigMap argocd-nope, which its resources do not have; "
            "correct kind and name, or remove the patch",
            False,
            id="patch without target",
        ),
        pytest.param(
            no_match("CustomResourceDefinition.v1.apiextensions.k8s.io/things.argoproj.io.[noNs]"),
            f"{KUSTOMIZATION}: found a patch for CustomResourceDefinition things.argoproj.io, which its "
            "resources do not have; correct kind and name, or remove the patch",
            False,
            id="patch without target whose name has dots",
        ),
        pytest.param(
            no_match("Deployment.v1.apps/argocd-application-controller.[noNs]"),
            f"{KUSTOMIZATION}: found a patch for Deployment argocd-application-controller, which its resources "
            "do not have; correct kind and name, or remove the patch; the application controller is a StatefulSet",
            False,
            id="the application controller as a Deployment",
        ),
        pytest.param(
            f'{BAD_PATCH}unable to parse SM or JSON patch from [path: "patches/50-mine.yaml"]',
            "gitops/dev/argocd/patches/50-mine.yaml: is not a patch that kustomize can read; correct its YAML",
            False,
            id="patch that is not YAML",
        ),
        pytest.param(
            "fatal: detected dubious ownership in repository at '/srv/argo-cd'",
            "gitops/dev/argocd: kustomize failed: fatal: detected dubious ownership in repository at '/srv/argo-cd'; "
            "correct the kustomization",
            False,
            id="anything else",
        ),
        pytest.param(
            "",
            "gitops/dev/argocd: kustomize failed: no message; correct the kustomization",
            False,
            id="nothing at all",
        ),
    ],
)
def test_a_failure_becomes_one_sentence(stderr: str, sentence: str, environment: bool) -> None:
    error = explain_failure(stderr, Path("gitops/dev/argocd"))
    assert error.findings == (sentence,)
    assert isinstance(error, EnvironmentProblem) is environment


def test_a_patch_without_target_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches/10-broken.yaml").write_text("{a")
    (tmp_path / "patches/20-other.yaml").write_text("kind: ConfigMap\nmetadata: {name: other}\n")
    (tmp_path / "patches/30-mine.yaml").write_text("kind: ConfigMap\nmetadata: {name: argocd-nope}\n")
    found = explain_failure(no_match("ConfigMap.v1.[noGrp]/argocd-nope.[noNs]"), tmp_path).findings
    assert found[0].startswith(f"{tmp_path}/patches/30-mine.yaml: found a patch for ConfigMap argocd-nope, ")


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_kubectl_stands_in_for_kustomize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "git", "exit 1")
    program(tmp_path / "bin", "kubectl", 'echo "kind: $1"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert render_kustomization(tmp_path) == [{"kind": "kustomize"}]


def test_a_failing_kustomize_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "git", "exit 1")
    program(tmp_path / "bin", "kustomize", "echo 'fatal: not our ref abc' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    with pytest.raises(GitOpsStackError, match=r"the remote has no abc; correct the base's ref"):
        render_kustomization(tmp_path)
    (tmp_path / "kustomization.yaml").write_text(f"{GENERATED_HEADER}\nresources: []\n")
    with pytest.raises(GitOpsStackError, match=r"the remote has no abc; correct argocd\.commit"):
        render_kustomization(tmp_path)


def test_git_below_kustomize_speaks_english_and_keeps_out_of_the_caller_s_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "git", "exit 1")
    program(tmp_path / "bin", "kustomize", 'echo "kind: $LC_ALL$GIT_DIR$GIT_INDEX_FILE, $GIT_SSH_COMMAND"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    for name in ("GIT_DIR", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "hook"))
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i key")
    assert render_kustomization(tmp_path) == [{"kind": "C, ssh -i key"}]


@pytest.mark.parametrize(
    ("programs", "sentence"),
    [
        ([], "PATH: no git found, which kustomize fetches the remote base with; install git"),
        (
            ["git"],
            "PATH: found neither kustomize nor kubectl; install one of them, or build kustomize with "
            '`eval "$(gitops-stack lab env --tools)"`',
        ),
    ],
)
def test_a_missing_program_is_named_with_a_way_to_get_it(
    programs: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for name in programs:
        program(tmp_path / "bin", name, "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(EnvironmentProblem) as refused:
        render_kustomization(tmp_path)
    assert refused.value.findings == (sentence,)


def test_a_long_failure_keeps_its_beginning_and_its_end() -> None:
    chain = "Error: accumulating resources: " + "accumulation err='from a file': " * 20 + "/srv/shop/base: no such file"
    (sentence,) = explain_failure(chain, Path("shop")).findings
    assert len(sentence) < 360
    assert sentence.startswith("shop: kustomize failed: Error: accumulating resources: accumulation err=")
    assert sentence.endswith("err='from a file': /srv/shop/base: no such file; correct the kustomization")
    assert sentence.count(" … ") == 1
    words = sentence.partition(" … ")
    assert words[0].rpartition(" ")[2] in chain.split()
    assert words[2].partition(" ")[0] in chain.split()
