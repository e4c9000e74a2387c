"""The two roles of a stack: one that updates it, one that previews."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.account.base.part import Call, Change, Part, list_tags
from gitops_stack.account.base.policies import read_document
from gitops_stack.account.base.wanted import PATH, Base, RoleWanted
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.iam_documents import render_document
from gitops_stack.conventions import TAG_BASE


def load_role(aws: Account, base: Base, wanted: RoleWanted, kind: str) -> Part:
    """Read a role and return what it lacks, and what it has beside."""
    found = aws.find("iam", "get_role", RoleName=wanted.name)
    if found is None:
        arguments = {
            "RoleName": wanted.name,
            "Path": PATH,
            "AssumeRolePolicyDocument": render_document(wanted.trust),
            "Description": wanted.description,
            "MaxSessionDuration": wanted.session_seconds,
            "Tags": list_tags(base.stack),
        }
        made = Change("make it", Call("iam", "create_role", arguments))
        return Part(kind, wanted.name, owned=None, changes=(made, *_list_policies(wanted, {}, base, [])))
    role = found["Role"]
    if role["Arn"] != base.role_arn(wanted.name):
        refusal = f"is {role['Arn']} already, under another path; rename or delete that role"
        return Part(kind, wanted.name, owned=False, refusal=refusal)
    inline = {
        name: read_document(aws.ask("iam", "get_role_policy", RoleName=wanted.name, PolicyName=name)["PolicyDocument"])
        for name in aws.list("iam", "list_role_policies", "PolicyNames", RoleName=wanted.name)
    }
    listed = aws.list("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=wanted.name)
    attached = [one["PolicyArn"] for one in listed]
    changes = [*_list_own(wanted, role), *_list_policies(wanted, inline, base, attached)]
    more = [
        *(name for name in inline if name not in wanted.policies),
        *(arn for arn in attached if arn not in wanted.attached),
    ]
    findings = tuple(f"has the policy {name} beside ours; take it away if nobody needs it" for name in more)
    return Part(kind, wanted.name, TAG_BASE in tag_map(role.get("Tags")), tuple(changes), findings)


def _list_own(wanted: RoleWanted, role: dict[str, Any]) -> Iterator[Change]:
    if read_document(role["AssumeRolePolicyDocument"]) != wanted.trust:
        document = render_document(wanted.trust)
        call = Call("iam", "update_assume_role_policy", {"RoleName": wanted.name, "PolicyDocument": document})
        yield Change("trust the jobs named, and no others", call)
    if role.get("MaxSessionDuration") != wanted.session_seconds:
        arguments = {
            "RoleName": wanted.name,
            "MaxSessionDuration": wanted.session_seconds,
            "Description": role.get("Description", wanted.description),  # left out, it would be taken away
        }
        yield Change(f"let a session last {wanted.session_seconds} s", Call("iam", "update_role", arguments))


def _list_policies(wanted: RoleWanted, inline: dict[str, Any], base: Base, attached: list[str]) -> Iterator[Change]:
    for arn in wanted.attached:
        if arn not in attached:
            text = "let it read" if arn == base.reading_arn else f"attach {arn.rpartition('/')[2]}"
            yield Change(text, Call("iam", "attach_role_policy", {"RoleName": wanted.name, "PolicyArn": arn}))
    for name, document in wanted.policies.items():
        if inline.get(name) != document:
            arguments = {"RoleName": wanted.name, "PolicyName": name, "PolicyDocument": render_document(document)}
            yield Change(f"write its policy {name}", Call("iam", "put_role_policy", arguments))
