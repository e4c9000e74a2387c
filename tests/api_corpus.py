"""Objects that kube-apiserver was asked about: bases, one change each, and what it said."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitops_stack.gitops_tree.yaml_text import load_documents
from tests.cases import FIXTURES

FOLDER = FIXTURES / "api_server"
_SHORT = {"T.": "spec.template.spec.", "C.": "spec.template.spec.containers.0."}
_TOKEN = re.compile(r'([\w-]+)|\[("[^"]*")\]')
_CRD = "example.org"


@dataclass(frozen=True)
class Case:
    """One object: a base and how it was changed; ``refused`` is what kube-apiserver does."""

    base: str
    change: str
    refused: bool
    manifest: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.base}: {self.change or 'as it is'}"


def load_corpus() -> Iterator[Case]:
    """Build every case."""
    bases = load_bases()
    for base, manifest in bases.items():
        yield Case(base, "", False, copy.deepcopy(manifest))
    base = ""
    for line in (FOLDER / "mutations.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            base = line.strip("[]")
        elif line[:2] in ("+ ", "- "):
            yield Case(base, line[2:], line[0] == "-", change(bases[base], line[2:]))


def load_bases() -> dict[str, Any]:
    """Load the objects that the cases change."""
    bases: dict[str, Any] = load_documents((FOLDER / "bases.yaml").read_text(encoding="utf-8"))[0]
    return bases


def build_definition() -> dict[str, Any]:
    """Build the CRD of the custom kind; the corpus changes another one, of another group."""
    definition: dict[str, Any] = json.loads(json.dumps(load_bases()["crd"]).replace(_CRD, "example.com"))
    return definition


def change(manifest: dict[str, Any], written: str) -> dict[str, Any]:
    """Make the changes written as PATH=VALUE, joined by " & "; the value ~ takes a field away."""
    changed = copy.deepcopy(manifest)
    for part in written.split(" & "):
        path, _, value = part.partition("=")
        for short, long in _SHORT.items():
            path = re.sub(rf"^{re.escape(short)}", long, path)
        _set(changed, path, value)
    return changed


def _set(manifest: Any, path: str, value: str) -> None:
    *above, last = [
        int(plain) if plain.isdigit() else plain or json.loads(quoted) for plain, quoted in _TOKEN.findall(path)
    ]
    for key in above:
        if isinstance(manifest, dict) and manifest.get(key) is None:
            manifest[key] = {}
        manifest = manifest[key]
    if value == "~":
        del manifest[last]
    else:
        manifest[last] = load_documents(f"value: {value}")[0]["value"]


@dataclass(frozen=True)
class Versioned:
    """An object that Kubernetes 1.35 and 1.36 judge by other rules: StrictIPCIDRValidation, RelaxedServiceName…"""

    base: str
    change: str
    refused_before: bool
    refused_since: bool

    @property
    def manifest(self) -> dict[str, Any]:
        """The object itself."""
        return change(load_bases()[self.base], self.change)

    def __str__(self) -> str:
        return f"{self.base}: {self.change}"


_POLICY = "spec.egress=[{to: [{ipBlock: {cidr: %s}}]}]"
VERSIONED = [
    Versioned("networkpolicy", _POLICY % "10.0.0.1/8", False, True),
    Versioned("networkpolicy", _POLICY % "010.0.0.0/8", False, True),
    Versioned("networkpolicy", _POLICY % "10.0.0.0/8", False, False),
    Versioned("networkpolicy", _POLICY % "'10.0.0.0'", True, True),
    Versioned("networkpolicy", _POLICY % "10.0.0.0/33", True, True),
    Versioned("networkpolicy", _POLICY % "'2001:db8::1/32'", False, True),
    Versioned("networkpolicy", _POLICY % "10.0.0.1/8, except: [10.1.0.1/16]", False, True),
    Versioned("networkpolicy", _POLICY % "10.0.0.1/8, except: [11.0.0.0/16]", True, True),
    Versioned("service", "spec.externalIPs=[192.168.01.5]", False, True),
    Versioned("service", "spec.externalIPs=[192.168.1.500]", True, True),
    Versioned("service", "spec.type=LoadBalancer & spec.loadBalancerSourceRanges=[10.0.0.1/8]", False, True),
    Versioned("service", "metadata.name=1st", True, False),
    Versioned("service", "metadata.name=first", False, False),
    Versioned("service", "metadata.name=First", True, True),
    Versioned("ingress", "spec.rules.0.http.paths.0.backend.service.name=1st", True, False),
]
"""Held against kube-apiserver 1.36.3, as itself and emulating 1.35 (tests/e2e/test_api_server.py)."""
