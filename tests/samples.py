"""Read docs/samples: what their READMEs have people write into a stack file."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import yaml

from tests.stacks import ROOT

SAMPLES = ROOT / "docs/samples"
REPOSITORY = "https://github.com/acme/platform.git"
_PREFIX = "gitops-stack:"


def load_settings_of(sample: str) -> dict[str, dict[str, Any]]:
    """Return the one piece of a stack file in a sample's README: settings key -> values."""
    text = (SAMPLES / sample / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    (block,) = [textwrap.dedent(found) for found in blocks if found.lstrip().startswith(_PREFIX)]
    written: dict[str, dict[str, Any]] = yaml.safe_load(block)
    return {key.removeprefix(_PREFIX): values for key, values in written.items()}
