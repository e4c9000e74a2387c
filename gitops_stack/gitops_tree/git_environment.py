"""The environment git is started with: the user's own, one that serves remote bases offline, or one apart from both.

One switch: `GITOPS_STACK_GIT_ENV` names a script that prints `export NAME='value'` lines for a folder it is given;
`none` switches it off. Unset, a script at `../shared/argo-cd-manifests/git-env` is used where it exists.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.gitops_tree.private_file import write_private_file

SWITCH = "GITOPS_STACK_GIT_ENV"
# How git reaches a remote and whose name it writes is the caller's business. All else of GIT_* points at repositories,
# indexes and objects: a hook's GIT_DIR would make kustomize fetch into the repository the hook runs in.
_KEPT = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|ALLOW_PROTOCOL|PROTOCOL_FROM_USER|SSL_\w+|HTTP_\w+|PROXY_\w+"
    r"|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)"
    r"|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|TERMINAL_PROMPT|TRACE\w*)"
)
_DEFAULT = Path("../shared/argo-cd-manifests/git-env")


def load_git_environment() -> dict[str, str]:
    """Return the variables to add to git's environment; none when GitHub itself is used.

    Raises :class:`EnvironmentProblem` when the switch names something that cannot be run.
    """
    script = _script()
    if script is None:  # the lab's processes are started without the caller's environment, `lab env` may be in it
        own = {name: os.environ[name] for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM") if name in os.environ}
        return {"GIT_TERMINAL_PROMPT": "0", **own}
    stamp = f"{script}\0{script.stat().st_mtime_ns}"
    folder = load_cache_folder() / "git-env" / hashlib.sha256(stamp.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # two runs at once must not read a half-written gitconfig
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "environment.json"
        if not made.exists():
            write_private_file(made, json.dumps(_run(script, folder)))
        environment: dict[str, str] = json.loads(made.read_text(encoding="utf-8"))
    return environment


def build_caller_environment() -> dict[str, str]:
    """Return this process's environment, with nothing that leads git into another repository, and messages in English.

    What git says is matched with patterns, which a translation would not fit.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    return {**kept, "LC_ALL": "C"}


def build_isolated_environment() -> dict[str, str]:
    """Return this process's environment with no git configuration and no `GIT_*` variable of the caller.

    A hook's GIT_DIR would make git commit into the caller's repository, a person's settings might ask to sign.
    """
    return {**_without_git(), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def build_settings_variables(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that configure git with ``settings``, in their order (`GIT_CONFIG_COUNT`, git-config(1)).

    They come after those ``environment`` has already, such as `safe.directory`, which stay in force.
    """
    taken = int(environment.get("GIT_CONFIG_COUNT") or "0")  # empty is none to git
    added = {"GIT_CONFIG_COUNT": str(taken + len(settings))}
    for number, (key, value) in enumerate(settings.items(), start=taken):
        added |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return added


def _without_git() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _script() -> Path | None:
    named = os.environ.get(SWITCH)
    if named == "none" or (named is None and "GIT_CONFIG_GLOBAL" in os.environ):
        return None
    if named is None:
        return _DEFAULT.resolve() if _DEFAULT.exists() else None
    if not Path(named).is_file():
        raise EnvironmentProblem(
            Problem(f"found {named}, which is not a file", "name a git-env script, or `none`", SWITCH)
        )
    return Path(named).resolve()


def _run(script: Path, folder: Path) -> dict[str, str]:
    evaluate = 'eval "$("$0" "$1")" && env -0'
    command = ["sh", "-c", evaluate, str(script), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=_without_git(), check=False)
    if done.returncode:
        raise EnvironmentProblem(
            Problem(f"{script} failed: {done.stderr.strip().splitlines()[-1:]}", "repair it or set `none`", SWITCH)
        )
    pairs = (entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
    return {name: value for name, value in pairs if name.startswith("GIT_")}
