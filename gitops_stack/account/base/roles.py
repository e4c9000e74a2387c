"""The roles of a stack: one that updates it, one that previews, one that looks for drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.account.base.job_tags import build_job_tags, is_same_repository, read_jobs
from gitops_stack.account.base.part import Call, Change, Part, list_tags
from gitops_stack.account.base.role_policies import read_document
from gitops_stack.account.base.wanted import PATH, Base, Jobs, RoleWanted
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
            "Tags": list_tags(base.stack, more=build_job_tags(base.jobs)),
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
    tags = tag_map(role.get("Tags"))
    changes = [*_list_own(wanted, role), *_list_policies(wanted, inline, base, attached)]
    if changes or TAG_BASE in tags:  # somebody else's that fits is used as it is, and not even tagged
        changes = [*_list_tags(wanted, tags, base), *changes]
    owner = _find_owner(wanted, role, tags, base.jobs)
    more = [
        *(name for name in inline if name not in wanted.policies),
        *(arn for arn in attached if arn not in wanted.attached),
    ]
    findings = tuple(f"has the policy {name} beside ours; take it away if nobody needs it" for name in more)
    owned = TAG_BASE in tags and not owner
    return Part(kind, wanted.name, owned, tuple(changes), findings, owner=owner)


def _find_owner(wanted: RoleWanted, role: dict[str, Any], tags: dict[str, str], jobs: Jobs) -> str:
    """Say whose a role of the base is where it is for other jobs; empty for these, and without the base's tag."""
    if TAG_BASE not in tags:
        return ""
    found = read_jobs(tags)
    if found is None:  # of a release that did not keep it
        same = read_document(role["AssumeRolePolicyDocument"]) == wanted.trust
        return "" if same else "has no tag of its owner, and trusts other jobs"
    if is_same_repository(found, jobs):
        return ""
    return f"is for jobs of {found.forge} {found.repository}, not of {jobs.forge} {jobs.repository}"


def _list_tags(wanted: RoleWanted, tags: dict[str, str], base: Base) -> Iterator[Change]:
    """Yield the call that writes its tags. It is the first: a run that was stopped is finished for the same jobs."""
    listed = list_tags(base.stack, more=build_job_tags(base.jobs))
    if any(tags.get(tag["Key"]) != tag["Value"] for tag in listed):
        call = Call("iam", "tag_role", {"RoleName": wanted.name, "Tags": listed})
        yield Change("tag it with the jobs it is for", call)


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
