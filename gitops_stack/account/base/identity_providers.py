"""The OIDC providers of the forges: one per issuer in an account, whoever made it."""

from __future__ import annotations

from gitops_stack.account.base.part import SHARED, Call, Change, Part, list_tags
from gitops_stack.account.base.wanted import Base
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.oidc import find_issuer
from gitops_stack.conventions import TAG_BASE, TAG_STACK

KIND = "identity provider"


def load_provider(aws: Account, base: Base, forge: str) -> tuple[Part, str | None]:
    """Look the provider of ``forge`` up. Returns it, and the stack that made it, if one did.

    A provider that is there with the right audience is used as it is, and not even tagged.
    """
    arn = base.provider_arn(forge)
    issuer = find_issuer(arn, forge)
    found = aws.find("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    if found is None:
        call = Call(
            "iam",
            "create_open_id_connect_provider",
            {"Url": issuer.url, "ClientIDList": [issuer.audience], "Tags": list_tags(SHARED)},
        )
        return Part(KIND, issuer.host, owned=None, changes=(Change(f"make it for {issuer.audience}", call),)), None
    tags = tag_map(found.get("Tags"))
    changes: tuple[Change, ...] = ()
    if issuer.audience not in found["ClientIDList"]:
        arguments = {"OpenIDConnectProviderArn": arn, "ClientID": issuer.audience}
        call = Call("iam", "add_client_id_to_open_id_connect_provider", arguments)
        changes = (Change(f"take tokens for {issuer.audience}", call),)
    return Part(KIND, issuer.host, TAG_BASE in tags, changes), tags.get(TAG_STACK)
