"""The drills, in the order they are run, with the words and commands of docs/recover.md."""

from __future__ import annotations

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.drills import damage
from gitops_stack.lab.drills.drill import Command, Drill, Sign
from gitops_stack.lab.drills.site import Site

_STATUS = "gitops-stack status --stack {stack}"
_PREVIEW = "pulumi preview --stack {stack}"
_UP = "pulumi up --stack {stack}"
_TOKEN = "pulumi config set --stack {stack} --secret --path 'gitops-stack:gitops.credentials.token' < token.txt"  # noqa: S105 - a command


def _rebuild(site: Site) -> None:
    damage.rebuild_cluster(site.report.lab, site.progress)
    site.start_outside()  # which ended with the lab's processes, and is not the cluster's


DRILLS = (
    Drill(
        name="state-lost",
        title="The state is lost",
        happened="The state backend, or the stack in it, is gone. The cluster runs on.",
        damage=lambda site: damage.lose_state(site.report.engine),
        sign=Sign(_PREVIEW, "no stack named"),
        commands=(
            Command("pulumi stack select --create {stack}"),
            Command(_UP, "creates every object again, over the living one"),
        ),
        recovered="""
            Nothing is replaced: the apply is by the same field manager and carries Argo CD's tracking ids. What Argo
            CD holds differently from the first installation, full CRD schemas among it, comes back with self-heal.
            Take the clone to the head of the followed branch first: an older one sets Argo CD back until it has
            healed itself, to older controllers if it names an older release. `make local` refuses such a clone.
            argocd-server's own keys in `argocd-secret` are not mentioned in the apply and stay. An encrypted stack
            file needs the passphrase or key of the lost stack. A stack with resources in AWS needs its state: bring
            back an earlier version of its object in the bucket, since this `up` would be told "already exists", or
            make a second VPC.
        """,
    ),
    Drill(
        name="namespace-deleted",
        title="Argo CD's namespace was deleted",
        happened="""
            Somebody has deleted it. Its pods end with it, and nobody finishes the Applications with a finalizer:
            they, and with them the namespace, hang in deletion. Workloads run on, and nobody syncs them.
        """,
        damage=damage.delete_namespace,
        rehearsed=True,
        sign=Sign(_STATUS, "is being deleted"),
        commands=(
            Command(
                "gitops-stack detach --stack {stack} --yes",
                "lets the hanging Applications go; what they hold stays",
            ),
            Command(
                "kubectl wait --for=delete namespace/{namespace} --timeout=5m",
                stand_in=damage.wait_until_namespace_is_gone,
            ),
            Command(_UP, "creates what is missing", then=Site.start_controllers),
        ),
        recovered="""
            The Applications come back from Git and take their workloads over: the tracking ids are equal, and
            Deployments keep their UIDs. Do not start the controllers before `detach`: they would finish the deletion,
            workloads included. Sessions end and the admin password is another one, since `argocd-secret` was in
            there.
        """,
    ),
    Drill(
        name="repository-moved",
        title="The Git repository has moved to another host",
        happened="""
            The old host does not answer any more. Nothing is pruned or deleted: Argo CD acts on a render only when
            there is one.
        """,
        damage=damage.move_repository,
        sign=Sign(_STATUS, "ComparisonError"),
        commands=(
            Command("git remote set-url origin {new}"),
            Command("sed -i 's|{old}|{new}|' Pulumi.{stack}.yaml", "gitops.repoUrl, and projects that name it"),
            Command(_TOKEN, "a token that may read there"),
            Command("gitops-stack render --stack {stack}"),
            Command('git commit -am "Follow the new host" && git push origin HEAD:{branch}'),
            Command(_UP, "only after the push: the guard compares the branch there"),
        ),
        recovered="""
            The update writes the AppProjects again before it turns root to the new URL: Argo CD could not take them
            from a repository that its projects do not permit yet. While the old host still answers, switch it to
            read-only and push the same commit there too, or Argo CD heals the old projects back in between.
        """,
    ),
    Drill(
        name="credentials-rotated",
        title="The repository's token was rotated, or has expired",
        happened="The host refuses Argo CD's login. Nothing is pruned or deleted; what is pushed is not synced.",
        damage=damage.rotate_token,
        sign=Sign(_STATUS, "authentication required"),
        commands=(
            Command(_TOKEN),
            Command('git commit -am "Another token" && git push origin HEAD:{branch}'),
            Command(_UP, "changes Secret gitops-repository alone"),
        ),
        recovered="""
            With `credentials.secretsManager` the token is in AWS and not in the stack file: put it there, and run the
            last command.
        """,
        after="repository-moved",
    ),
    Drill(
        name="cluster-rebuilt",
        title="The cluster was rebuilt, or objects are missing in it",
        happened="The cluster is empty and answers at the same address.",
        damage=_rebuild,
        sign=Sign(_PREVIEW, "was made anew since the last update"),
        commands=(Command(_UP, "creates everything again", then=Site.start_controllers),),
        recovered="""
            No `--refresh` is needed. What a living Argo CD syncs is left to it. [move.md](move.md) says when a
            cluster is taken for rebuilt and when for another one.
        """,
        keeps_workloads=False,
    ),
    Drill(
        name="controllers-down",
        title="Argo CD's controllers are down during a destroy",
        happened="Only they can take their workloads down, so the destroy stops before its first deletion.",
        damage=Site.stop_controllers,
        sign=Sign("pulumi destroy --stack {stack}", "no application controller looked at it"),
        commands=(
            Command(
                "kubectl -n {namespace} scale statefulset/argocd-application-controller --replicas=1",
                "or whatever keeps it from running",
                stand_in=Site.start_controllers,
            ),
            Command("pulumi destroy --stack {stack}", then=Site.stop_controllers),
            Command(_UP, "in the drill: the stack again", then=Site.start_controllers),
        ),
        recovered="""
            The time is that of the destroy and of a new installation. If the controllers cannot be started, or the
            workloads are to stay: [Finalizers are stuck](#finalizers-are-stuck).
        """,
        keeps_workloads=False,
    ),
)


def choose_drills(names: list[str], *, rehearsed: bool = False) -> list[Drill]:
    """Return the drills of these names in their own order, each behind the one it begins after; all when none is named.

    ``rehearsed`` leaves those that a stack on EKS can be drilled with. Raises :class:`EnvironmentProblem` for another
    name.
    """
    known = {one.name: one for one in DRILLS if one.rehearsed or not rehearsed}
    if unknown := [name for name in names if name not in known]:
        of = " of a stack on EKS" if rehearsed else ""
        raise EnvironmentProblem(Problem(f"found {', '.join(unknown)}", f"drills{of} are {', '.join(known)}", "drill"))
    wanted = set(names or known)
    wanted |= {known[name].after for name in wanted} - {""}
    return [one for one in known.values() if one.name in wanted]
