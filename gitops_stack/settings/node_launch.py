"""What a machine gets at its launch beside what EKS gives it: user data, and what of it EKS would not take.

EKS user guide, "Customize managed nodes with launch templates": EKS merges its own part into a MIME archive for Amazon
Linux and into TOML for Bottlerocket. EC2 user guide, "User data": 16 KB before it is encoded.
"""

from __future__ import annotations

import re
from typing import Literal

MOST_SECURITY_GROUPS = 4  # VPC quotas, "Security groups per network interface": five, the cluster's own included
_MOST_BYTES = 16 << 10
_SCRIPT, _ARCHIVE = "#!", "MIME-Version:"
_BOUNDARY = "==gitops-stack=="
# What EKS says itself, of whose cluster and with what a node joins.
_CLUSTER_OF_NODEADM = re.compile(r"^  cluster:", re.MULTILINE)
_OWN_KEYS = {
    "api-server": "EKS writes it",
    "cluster-certificate": "EKS writes it",
    "cluster-name": "EKS writes it",
    "node-labels": "use labels",
    "node-taints": "use taints",
}


def check_user_data(text: str, operating_system: Literal["al2023", "bottlerocket"]) -> tuple[str, str] | None:
    """Return what was found in the user data of a node group and what it needs, or ``None``."""
    if (size := len(build_user_data(text, operating_system).encode())) > _MOST_BYTES:
        return f"{size} bytes", f"needs {_MOST_BYTES} at most, EC2's limit"
    first = text.lstrip("\n").partition("\n")[0]
    if operating_system == "bottlerocket":
        if not re.match(r"\[{1,2}settings(\.[a-z0-9-]+)*\]{1,2}|settings\.|#(?!!)|$", first):
            return first, "needs settings of Bottlerocket in TOML, such as [settings.kernel.sysctl]"
        return _find_own_key(text)
    if not text.startswith((_SCRIPT, _ARCHIVE)):
        return first, "needs a script that begins with #!, or a MIME archive that begins with MIME-Version:"
    if text.startswith(_ARCHIVE) and "application/node.eks.aws" in text and _CLUSTER_OF_NODEADM.search(text):
        return "spec.cluster of a NodeConfig", "needs to be without it: EKS writes which cluster a node joins"
    return None


def _find_own_key(text: str) -> tuple[str, str] | None:
    section = ""
    for line in text.splitlines():
        if table := re.fullmatch(r"\[{1,2}([^\[\]]+)\]{1,2}\s*(#.*)?", line.strip()):
            section = f"{table[1]}."
        key = section if table else f"{section}{line.partition('=')[0].strip()}."
        found = key.removeprefix("settings.kubernetes.").partition(".")[0]
        if key.startswith("settings.kubernetes.") and found in _OWN_KEYS:
            return f"settings.kubernetes.{found}", f"needs to be without it: {_OWN_KEYS[found]}"
    return None


def build_user_data(text: str, operating_system: str) -> str:
    """Build what a launch template holds: a script becomes the one part of a MIME archive, all else stays."""
    if operating_system == "bottlerocket" or not text.startswith(_SCRIPT):
        return text
    head = f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{_BOUNDARY}"\n\n--{_BOUNDARY}\n'
    return f'{head}Content-Type: text/x-shellscript; charset="utf-8"\n\n{text.rstrip()}\n\n--{_BOUNDARY}--\n'
