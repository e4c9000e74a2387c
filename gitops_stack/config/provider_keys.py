"""Settings of Pulumi's AWS provider in a stack file: the stack has a provider of its own, which does not read them.

Left alone they would be ignored without a word: `pulumi up` would go on with other credentials than those meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import Problem

_NAMESPACE = "aws:"
_ASSUME = "needs to be left out: assume the role before, by a profile with role_arn or the pipeline's login"
_KEYS = "needs to be left out: credentials come from the environment, such as AWS_PROFILE or the pipeline's login"
_REMEDIES = {
    "profile": "needs to be left out: set AWS_PROFILE instead, which every command and the kubeconfig follow",
    "assumeRole": _ASSUME,
    "assumeRoles": _ASSUME,
    "assumeRoleWithWebIdentity": _ASSUME,
    "accessKey": _KEYS,
    "secretKey": _KEYS,
    "token": _KEYS,
    "sharedConfigFiles": "needs to be left out: set AWS_CONFIG_FILE instead",
    "sharedCredentialsFiles": "needs to be left out: set AWS_SHARED_CREDENTIALS_FILE instead",
    "allowedAccountIds": "needs to be left out: account.id is the only account allowed",
    "forbiddenAccountIds": "needs to be left out: account.id is the only account allowed",
    "defaultTags": "needs to be left out: write account.tags",
}


def check_provider_keys(place: str, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield a problem for each key of ``values`` (`aws:profile`) that the stack's own provider would not follow.

    A stack without an account has no provider of its own: what its program asks of AWS goes by these keys.
    """
    if values.get(f"{PULUMI_PROJECT}:account", "{}") in (
        {},
        "{}",
    ):  # Pulumi.yaml's default, as data or as the engine's text
        return
    for key in sorted(values):
        name = key.removeprefix(_NAMESPACE).partition(".")[0]
        if key.startswith(_NAMESPACE) and name in _REMEDIES:
            said = "is not read, as the stack has an AWS provider of its own"
            yield Problem(said, _REMEDIES[name], place, key)
