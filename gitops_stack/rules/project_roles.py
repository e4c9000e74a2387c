"""Judge the roles of an AppProject in Git as Argo CD reads them.

Source, the same in v3.2.11 and v3.5.1: `ProjectPoliciesString` joins the lines and groups of all roles; if one of them
cannot be read, util/rbac `tryGetCasbinEnforcer` goes on without the project's. argocd-server, which a manifest does not
pass, refuses by `validatePolicy` and `validateGroupName`, and then makes no token of the project either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.settings.argocd.policy_lines import check_permission, read_policy
from gitops_stack.settings.project_roles import PROJECT_SCOPED

_RULE = "project-role"


def check_project_roles(project: RenderedObject) -> Iterator[Finding]:
    """Yield a finding per line and group that Argo CD cannot read, refuses, or that gives nothing."""
    name = project.name.name
    for number, role in enumerate(map(mapping, sequence(project.spec.get("roles")))):
        subject = f"proj:{name}:{text(role.get('name'))}"
        for index, line in enumerate(sequence(role.get("policies"))):
            for found, needs in _check_line(text(line), name, subject):
                yield project.finding(f"spec.roles[{number}].policies[{index}]", found, needs, rule=_RULE)
        for index, group in enumerate(sequence(role.get("groups"))):
            if read_policy(f"g, {text(group)}, {subject}")[1]:
                place = f"spec.roles[{number}].groups[{index}]"
                yield project.finding(place, f"found {text(group)}", f'write "{text(group)}", in quotes', rule=_RULE)


def _check_line(line: str, project: str, subject: str) -> Iterator[tuple[str, str]]:
    lines, malformed = read_policy(line)
    for refused in malformed:
        yield f"{refused.problem}: {refused.text}", refused.remedy
    for one in lines:
        kind, named, *_ = one.fields
        if kind != "p" or named != subject:
            yield f"found {one.text}", f"write p, {subject}, RESOURCE, ACTION, {project}/*, allow"
            continue
        _, _, resource, _, target, _ = one.fields
        if resource not in PROJECT_SCOPED:
            yield f"a project has no rights on {resource}", f"name one of {', '.join(PROJECT_SCOPED)}"
        elif not re.fullmatch(rf"{re.escape(project)}(/[*\w.-]+)?/[*\w.-]+", target):
            yield f"{target} is not of this project", f"write {project}/*, or {project}/NAME"
        else:
            yield from check_permission(one.fields)
