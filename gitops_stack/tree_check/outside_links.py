"""Links that lead out of the repository, anywhere in it: Argo CD's repo-server then renders none of its sources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.yaml_values import is_flag_set
from gitops_stack.settings.argocd.parameters import PARAMETERS
from gitops_stack.tree_check.bounds import list_outside_links

RULE = "outside-link"
_PERMITTED = "reposerver.allow.oob.symlinks"


def check_outside_links(
    top: Path, folder: Path, label: str, objects: Iterable[RenderedObject], said: Iterable[Finding]
) -> Iterator[Finding]:
    """Yield one finding for all such links of the repository at ``top``, shown relative to ``folder`` behind ``label``.

    Nothing where ``objects`` permit them in argocd-cmd-params-cm; links ``said`` already of a source are left out.
    """
    known = {finding.file for finding in said if finding.rule == "render-failed"}
    shown = (label + os.path.relpath(top / name, folder) for name in list_outside_links(top))
    found = [name for name in shown if name not in known]
    if not found or any(
        is_flag_set(text(dig(one.manifest, "data", _PERMITTED))) for one in objects if one.is_config_map(PARAMETERS)
    ):
        return
    lead = "is a link" if len(found) == 1 else f"and {len(found) - 1} more are links"
    needs = "put copies of the files in their place" if len(found) > 1 else "put a copy of the file in its place"
    yield Finding(RULE, "error", found[0], None, "", f"{lead} out of the repository", needs)
