"""Judge a cluster for a component: what its guard is told, what it finds, and what is kept of both in the state."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightkube import Client
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.guard import changes, definitions, ownership, presence, root_application
from gitops_stack.guard.claim_store import release_claim, write_claim
from gitops_stack.guard.cluster import Claim, Cluster, build_claim, load_cluster, open_connection
from gitops_stack.guard.followed import find_difference, load_followed, wait_until_compared
from gitops_stack.guard.registered import Registered
from gitops_stack.guard.remains import end_remains
from gitops_stack.guard.teardown import check_owner, unless_gone
from gitops_stack.live.reading import AccessDenied, load_applications, reference
from gitops_stack.manifests import Manifest
from gitops_stack.patterns import same_repository

# Judged at every run and not kept: they differ between machines, or from run to run.
_PASSING = ("dryRun", "tree", "manifests", "registered", "definitions", "question")
_FOUND = ("cluster", "address", "restored")
_DEFINITION = "CustomResourceDefinition"
_CONNECTION = ("kubeconfig", "context", "clusterEntry", "rendersTo")


def judge(olds: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Judge the inputs of a cluster guard. Returns the inputs to keep, and a sentence for each refusal.

    ``olds`` are those the last update kept, ``given`` those of this one. Kept is also what was found: `cluster` (UID),
    `address`, and `restored`, a counter for each object that was missing; objects are registered with their counter as
    replacement trigger. A connection that is not known yet means that there is no cluster to look at; in a preview one
    that does not answer is a note.
    """
    news = recall_connection(olds, given)
    kept = {key: value for key, value in news.items() if key not in _PASSING}
    known = {"restored": {}, **kept, **{key: olds[key] for key in _FOUND if key in olds}}
    if news.get("rendersTo") or any(_is_unknown(news.get(key)) for key in _CONNECTION):
        return known, []
    try:
        with open_connection(news) as connection:
            cluster = load_cluster(connection)
            restored, findings = _judge(connection.client, cluster, olds, news)
            return {**kept, "cluster": cluster.uid, "address": cluster.address, "restored": restored}, findings
    except EnvironmentProblem as problem:
        if news.get("dryRun"):
            say(f"not compared with the cluster: {problem}")
            return known, []
        return kept, [str(problem)]


def _judge(
    client: Client, cluster: Cluster, olds: Mapping[str, Any], news: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    recorded = ownership.Recorded(olds.get("cluster", ""), olds.get("address", ""), olds.get("namespace", ""))
    recorded = replace(recorded, take_over=olds.get("takeOver", ""))
    wanted = Claim(news["project"], news["stack"], news["namespace"], component=news.get("component", ""))
    findings = list(ownership.check_cluster(wanted, cluster, recorded, news.get("takeOver", "")))
    here_before = recorded.uid == cluster.uid
    ours = cluster.claim is not None and cluster.claim.owner == wanted.owner
    if not findings and (here_before or (not recorded.uid and ours)):  # a state that was lost knows no settings
        findings += _check_settings(client, olds, news)
    if not findings and not here_before and not ours and news.get("releases"):
        # As long as the rest of this process's imports, and only a first update needs it.
        from gitops_stack.guard.adoption import check_adoption  # noqa: PLC0415

        findings += check_adoption(client, cluster, news)
    restored = dict(olds.get("restored") or {})
    if not findings and recorded.uid:
        restored, findings = _note_missing(client, cluster, recorded, news, restored)
    if not findings and here_before and cluster.claim is None:
        record = reference(build_claim(wanted)).text
        say(f"{record}: is gone, which says whose cluster this is; the update writes it again")
        restored = presence.count_restored(restored, [record])
    if not findings and (projects := _find_shut_projects(olds, news)):
        say("root moves to a repository that its AppProject does not permit yet: AppProjects are written first")
        restored = presence.count_restored(restored, projects)
    return restored, findings


def _find_shut_projects(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """Return the names of the AppProjects when root moves to another repository.

    They came from the one before and permit that alone, so Argo CD would refuse root the new one (InvalidSpecError,
    util/argo ValidatePermissions), and with it the AppProjects that permit it.
    """
    before, now = (root_application.split_source(str(one.get("source") or ""))[0] for one in (olds, news))
    if not before or same_repository(before, now):
        return []
    registered = [Registered.from_input(one) for one in news.get("registered") or ()]
    return [one.name for one in registered if one.reference.kind == "AppProject"]


def _note_missing(
    client: Client,
    cluster: Cluster,
    recorded: ownership.Recorded,
    news: Mapping[str, Any],
    restored: dict[str, str],
) -> tuple[dict[str, str], list[str]]:
    registered = [Registered.from_input(one) for one in news.get("registered") or ()]
    try:
        found = presence.load_present(client, registered, news["namespace"])
    except AccessDenied as problem:  # a pipeline that previews need not read Secrets
        say(f"not looked for what is missing: {problem}")
        return restored, []
    if going := list(presence.check_deletions(found)):
        return restored, going
    missing = found.missing
    if cluster.uid != recorded.uid:
        how = "was made anew since the last update" if cluster.address == recorded.address else "is taken over"
        say(f"cluster {cluster.address}: {how}; what is missing in it is created again")
    elif missing:
        names = changes.name_some(one.name for one in missing)
        healed = [one for one in missing if one.handed_over] if found.healing else []
        how = "Argo CD restores them" if len(healed) == len(missing) else "the update creates what is missing"
        say(f"missing in the cluster: {names}; {how}")
        if finding := _judge_new(client, news, found, [one for one in healed if one.reference.kind != _DEFINITION]):
            if not news.get("dryRun"):
                return restored, [finding]
            say(finding)  # a pull request's preview comes before its merge
    names_restored = presence.choose_restored(missing, healing=found.healing)
    definitions.want(_component(news), news.get("definitions") or (), names_restored)
    return presence.count_restored(restored, names_restored), list(presence.check_remade(found, restored))


def _judge_new(client: Client, news: Mapping[str, Any], found: presence.Present, missing: Sequence[Registered]) -> str:
    """Say that Argo CD would delete what the update creates, if its branch may lack it; else have it look there first.

    CRDs are left out: Argo CD does not track them, and deletes none.
    """
    if not missing or not news.get("tree") or (followed := load_followed(found.itself)) is None:
        return ""
    folder = Path(news["tree"]) / ("projects" if news.get("source") else "argocd")
    if why := followed.find_unpushed(folder):
        said = f"{changes.name_some(one.name for one in missing)}: not in the cluster yet, and Argo CD deletes what its"
        return f"{said} branch does not have; {folder} is not what it follows, {why}"
    if not news.get("dryRun") and followed.compared != followed.head:
        wait_until_compared(client, news["namespace"], followed.head, say)
    return ""


def claim(props: Mapping[str, Any]) -> None:
    """Claim the cluster that was judged; do nothing for a provider that renders to a folder."""
    if props.get("rendersTo"):
        return
    wanted = Claim(
        props["project"],
        props["stack"],
        props["namespace"],
        props["cluster"],
        props.get("component", ""),
        props.get("takeOver", ""),
    )
    with open_connection(props) as connection:
        write_claim(connection, wanted)
        definitions.restore(connection.client, _component(props))


def _component(props: Mapping[str, Any]) -> str:
    return "/".join(str(props.get(key)) for key in ("project", "stack", "namespace", "component"))


def release(props: Mapping[str, Any]) -> None:
    """End what Pulumi retains and give the cluster back, unless another guard of the same stack does."""
    if not props.get("releases") or props.get("rendersTo"):
        return
    owner = Claim(props["project"], props["stack"], props["namespace"], props.get("cluster") or "")
    with unless_gone(say), open_connection(props) as connection:
        if others := check_owner(owner, load_cluster(connection)):
            say("; ".join(others))
            return
        end_remains(connection.client, map(Registered.from_input, props.get("remains") or ()), say)
        release_claim(connection, owner.owner)


def recall_connection(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what a preview does not know of the provider with what the last update knew.

    In a preview Pulumi reports a property that was left out as unknown.
    """
    if not olds.get("project"):
        return {key: value for key, value in news.items() if not (key == "rendersTo" and _is_unknown(value))}
    unknown = [key for key in _CONNECTION if _is_unknown(news.get(key))]
    known = {key: value for key, value in news.items() if key not in unknown}
    return {**known, **{key: olds[key] for key in unknown if key in olds}}


def _is_unknown(value: object) -> bool:
    return isinstance(value, Unknown) or value == UNKNOWN


def _check_settings(client: Client, olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    namespace, root_before = olds.get("namespace") or news["namespace"], olds.get("root") or news.get("root")
    if root_before != news.get("root"):
        return list(changes.check_root_name(str(root_before), str(news.get("root"))))
    if (namespace, olds.get("source") or "") == (news["namespace"], news.get("source", "")):
        return []
    living = load_applications(client, namespace)
    root = next((found for found in living if found["metadata"]["name"] == news.get("root")), None)
    found = list(changes.check_namespace(namespace, news["namespace"], root_application.describe_stakes(living)))
    if news.get("source"):
        found += _check_source(olds.get("source") or root_application.find_source(root), news, root)
    return found


def _check_source(before: str, news: Mapping[str, Any], root: Manifest | None) -> list[str]:
    """Judge a root that follows another repository, path or branch."""
    now, children = str(news["source"]), root_application.find_children(root)
    if not before or before == now or not children:
        return []
    (url, path, revision), tree = root_application.split_source(now), news.get("tree")
    if not tree:
        moved = root_application.split_source(before)[:2] != (url, path)
        say(f"root follows {now} instead of {before}, and no `tree` says what is there") if not moved else None
        return list(changes.check_source(before, now, children, ())) if moved else []
    found = list(changes.check_source(before, now, children, root_application.load_written(Path(tree))))
    if not found and root_application.split_source(before) != (url, path, revision):
        elsewhere = root_application.split_source(before)[0::2] != (url, revision)
        if elsewhere and (why := find_difference(Path(tree) / "apps", url, revision)):
            found.append(
                f"gitops-stack:gitops: root would follow {now} instead of {before}, and Argo CD deletes what is not "
                f"there: {why}"
            )
    return found


def say(text: str) -> None:
    """Print where the engine shows it: the plugin's standard error becomes its diagnostics."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
