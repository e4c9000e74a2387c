"""The OIDC providers of the forges: one per issuer in an account, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.account.base.part import SHARED, Call, Change, Part, list_tags
from gitops_stack.account.base.wanted import Base
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.oidc import OidcIssuer, find_issuer
from gitops_stack.conventions import TAG_BASE, TAG_PROJECT, TAG_STACK

KIND = "identity provider"
_STILL_ITS_OWN = "is this stack's own still; run `pulumi up` once, then `account init --take {}`"


def load_provider(aws: Account, base: Base, forge: str, *, taken: bool = False) -> tuple[Part, str | None]:
    """Look the provider of ``forge`` up. Returns it, and the stack whose it still is, if it is one's.

    A provider that is there with the right audience is used as it is, and not even tagged; one that is ``taken`` from
    the stack that made it becomes the account's.
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
    changes = [*_list_changes(arn, issuer, found["ClientIDList"])]
    maker = tags.get(TAG_STACK)
    if maker is None or not taken:
        findings = (_STILL_ITS_OWN.format(issuer.host),) if maker == base.stack else ()
        return Part(KIND, issuer.host, TAG_BASE in tags, tuple(changes), findings), maker
    own = {"OpenIDConnectProviderArn": arn}
    shared = Call("iam", "tag_open_id_connect_provider", {**own, "Tags": list_tags(SHARED)})
    freed = Call("iam", "untag_open_id_connect_provider", {**own, "TagKeys": [TAG_STACK, TAG_PROJECT]})
    changes += [Change("tag it as the base's", shared), Change(f"take the tags of stack {maker} away", freed)]
    return Part(KIND, issuer.host, TAG_BASE in tags, tuple(changes)), None


def _list_changes(arn: str, issuer: OidcIssuer, audiences: list[str]) -> Iterator[Change]:
    if issuer.audience not in audiences:
        arguments = {"OpenIDConnectProviderArn": arn, "ClientID": issuer.audience}
        call = Call("iam", "add_client_id_to_open_id_connect_provider", arguments)
        yield Change(f"take tokens for {issuer.audience}", call)
