"""A preview whose role may not open the GitOps repository's secret: it plays the credential."""

from __future__ import annotations

import os

import pulumi

from gitops_stack.conventions import PREVIEW_STAND_IN

PLAYED = {"username": "git", "password": "played-by-the-preview"}


def plays_credential() -> bool:
    """Tell whether this is a preview that was told to play the credential; an update never does.

    What is shown of it is then the state's, whatever the secret holds now.
    """
    return bool(os.environ.get(PREVIEW_STAND_IN)) and pulumi.runtime.is_dry_run()
