"""A preview whose role may not open the GitOps repository's secret: it plays the credential."""

from __future__ import annotations

import os

import pulumi

from gitops_stack.conventions import PREVIEW_STAND_IN

PLAYED = {"username": "git", "password": "played-by-the-preview"}


def plays_credential() -> bool:
    """Tell whether this is a preview that was told to play the credential; an update never does.

    Told by `true` in any case, nothing else: `false` and `0` must not play. What is shown of the credential is then the
    state's, whatever the secret holds now.
    """
    return os.environ.get(PREVIEW_STAND_IN, "").lower() == "true" and pulumi.runtime.is_dry_run()
