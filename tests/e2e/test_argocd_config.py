"""What Argo CD's own program says of argocd-cm, which needs no cluster for it, against the rule."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say
from tests.rules.test_argocd_config import FINE, WRONG

pytestmark = pytest.mark.e2e


def is_read(folder: Path, data: dict[str, str]) -> bool:
    """Tell whether `argocd admin settings validate` reads the customizations of an argocd-cm."""

    def write(kind: str, name: str, **body: Any) -> Path:
        labels = {"app.kubernetes.io/part-of": "argocd"}
        manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}, **body}
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(manifest), encoding="utf-8")
        return file

    config, secret = write("ConfigMap", "argocd-cm", data=data), write("Secret", "argocd-secret")
    words = ("admin", "settings", "validate", "--group", "resource-overrides")
    files = (f"--argocd-cm-path={config}", f"--argocd-secret-path={secret}")
    command = [str(build_tools(say).bin / "argocd"), *words, *files]
    done = subprocess.run(command, env={"HOME": str(folder)}, capture_output=True, text=True, check=False)
    assert "resource-overrides" in done.stdout, done.stderr
    return "\N{CROSS MARK}" not in done.stdout


def test_what_the_rule_passes_is_read(tmp_path: Path) -> None:
    assert is_read(tmp_path, FINE)


@pytest.mark.parametrize("written", WRONG)
def test_what_the_rule_names_is_not_read(written: tuple[str, str], tmp_path: Path) -> None:
    key, value = written
    assert not is_read(tmp_path, {key: value})
