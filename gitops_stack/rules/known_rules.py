"""Every rule of `gitops-stack check`: id, default severity, what it finds and why that matters. Data alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
Switch = Literal["error", "warning", "note", "off"]
Profile = Literal["strict", "adopt"]


@dataclass(frozen=True)
class Rule:
    """One rule; ``default`` holds unless `gitops/policies.yaml` says otherwise."""

    id: str
    default: Switch
    finds: str
    reason: str


RULES: tuple[Rule, ...] = (
    # What is there, and whether it can be read.
    Rule(
        "installation", "error", "Settings, generated tree or lock do not fit.", "`pulumi up` would refuse the stack."
    ),
    Rule("render-failed", "error", "A source does not render.", "Argo CD shows a ComparisonError and syncs nothing."),
    Rule("outside-link", "error", "A link leads out of the repository.", "Argo CD then refuses every source of it."),
    Rule(
        "not-rendered",
        "note",
        "A source lies elsewhere, or (a warning) needs what is missing here.",
        "It was not checked.",
    ),
    Rule(
        "vendored-chart",
        "error",
        "A chart below charts/ differs from charts/charts.lock.yaml, or is not in it.",
        "An edit by hand is lost with the next version, and nobody knows what runs.",
    ),
    Rule(
        "value-made-anew",
        "warning",
        "A chart makes a value anew at every render (a password, a certificate, a date).",
        "The Application is never Synced, and every sync writes another value.",
    ),
    Rule(
        "chart-not-pinned",
        "warning",
        "A source's chart has a range of versions.",
        "Another version comes without a commit, and no revert takes it back.",
    ),
    Rule(
        "passed-over",
        "note",
        "Files in a folder without a stack are patches, tests, templates or other tools'; or (a warning) a path holds "
        "no manifest.",
        "They were not checked.",
    ),
    Rule(
        "not-an-object",
        "error",
        "A document lacks apiVersion or metadata.name; or (a warning) Argo CD passes over a file that looks like a "
        "manifest.",
        "It cannot be applied.",
    ),
    Rule("schema-invalid", "error", "A field is unknown, missing or of the wrong type.", "The API server refuses it."),
    Rule(
        "value-invalid",
        "error",
        "A value, a name or a combination is not valid.",
        "The API server refuses it; no schema tells.",
    ),
    Rule(
        "duplicate-entry",
        "error",
        "A list that is keyed by name, port or path has an entry twice.",
        "Server-side apply refuses it; client-side apply keeps one of the two.",
    ),
    Rule("kind-unknown", "error", "Kubernetes has no such kind in its own groups.", "The API server refuses it."),
    Rule(
        "version-not-served",
        "error",
        "Kubernetes serves a kind, but not in this version.",
        "The API server refuses it.",
    ),
    Rule(
        "crd-version-missing",
        "error",
        "The CRD of a kind does not serve this version.",
        "The API server refuses it.",
    ),
    Rule(
        "version-off-by-default",
        "warning",
        "An alpha or beta version that an API server does not serve unless told to.",
        "EKS and most others refuse it.",
    ),
    Rule(
        "schema-unusable",
        "error",
        "A schema of a CRD or catalogue, or an object, cannot be used for validation.",
        "Nothing of the kind was validated.",
    ),
    Rule(
        "crd-rule", "error", "An object breaks a rule in CEL of its CRD.", "The API server refuses it; no schema tells."
    ),
    Rule("crd-rule-unjudged", "note", "A rule in CEL of a CRD cannot be evaluated here.", "It was not checked."),
    Rule("schema-missing", "warning", "No schema for a kind of this Kubernetes version.", "It was not validated."),
    Rule(
        "api-server", "error", "A real API server refuses an object (`--api-server`).", "It says what a cluster would."
    ),
    # Whether the AppProjects would let it through.
    Rule("project-missing", "error", "An Application names a project that is not in the tree.", "It never syncs."),
    Rule(
        "project-window",
        "error",
        "A sync window has a schedule or duration that cannot be read; or (a warning) it does nothing.",
        "Argo CD then syncs nothing of the project that the window is for.",
    ),
    Rule(
        "project-denies-all",
        "warning",
        "A list of an AppProject holds `!*`.",
        "It denies everything, whatever else is listed.",
    ),
    Rule(
        "project-denial-opens",
        "warning",
        "A list of an AppProject has a deny entry and no `*`.",
        "Argo CD's code permits all that a deny entry does not deny; its manual says it permits nothing. Be explicit.",
    ),
    Rule(
        "project-role",
        "error",
        "A role of an AppProject has a line or group that Argo CD cannot read, refuses, or that gives nothing.",
        "One that cannot be read takes the rights of every role of its project; argocd-server makes no token of it.",
    ),
    Rule(
        "project-repository",
        "error",
        "The project does not permit a source's repository.",
        "The Application never syncs.",
    ),
    Rule(
        "project-destination", "error", "The project does not permit the destination.", "The Application never syncs."
    ),
    Rule(
        "destination-unknown",
        "note",
        "A destination can only be judged with the cluster's Secret.",
        "It was not checked.",
    ),
    Rule(
        "project-source-namespace",
        "error",
        "The project does not permit Applications in this namespace.",
        "Argo CD ignores the Application.",
    ),
    Rule("project-kind", "error", "The project does not permit a rendered kind.", "The sync fails at this object."),
    Rule(
        "project-namespace",
        "error",
        "The project does not permit a rendered object's namespace.",
        "The sync fails at this object.",
    ),
    # References between objects.
    Rule(
        "duplicate-application",
        "error",
        "Two Applications have one name.",
        "The later one overwrites the other, and prunes what it made.",
    ),
    Rule(
        "duplicate-object",
        "error",
        "An application renders an object twice.",
        "The last one wins, with a RepeatedResourceWarning.",
    ),
    Rule(
        "shared-object",
        "error",
        "Two applications render one object.",
        "They overwrite each other, and the one that lets go deletes it.",
    ),
    Rule("dangling-path", "error", "A source's folder is not in the repository.", "Argo CD shows a ComparisonError."),
    Rule("dangling-ref", "error", "A `$ref` names no source of the Application.", "Argo CD shows a ComparisonError."),
    Rule(
        "incomplete-source",
        "error",
        "A source lacks its repository, path or chart, or a chart's version; or it has options of two tools.",
        "InvalidSpecError: the Application never syncs.",
    ),
    Rule(
        "destination-invalid",
        "error",
        "A destination has a name and a server, or neither.",
        "InvalidSpecError: the Application never syncs.",
    ),
    Rule(
        "cluster-unknown",
        "error",
        "A destination names a cluster that is not registered.",
        "InvalidSpecError: the Application never syncs.",
    ),
    Rule(
        "selector-mismatch",
        "error",
        "A selector does not select the template's labels.",
        "The API server refuses it; no schema tells.",
    ),
    Rule("service-without-pods", "warning", "A Service selects no pods of its application.", "It has no endpoints."),
    Rule(
        "application-set-not-expanded",
        "warning",
        "An ApplicationSet asks a forge, a plugin, or another repository.",
        "Nothing of what it makes was checked.",
    ),
    Rule(
        "application-set-refused",
        "error",
        "Argo CD cannot make the applications of an ApplicationSet.",
        "Its controller reports ErrorOccurred and changes none of them.",
    ),
    Rule(
        "application-set-empty",
        "warning",
        "An ApplicationSet makes no application.",
        "A wrong pattern or selector deletes all that it made before.",
    ),
    Rule(
        "application-set-placeholder",
        "warning",
        "No generator fills a placeholder of an ApplicationSet.",
        "The placeholder itself, or `<no value>`, is deployed.",
    ),
    # Finalizers and pruning.
    Rule(
        "library-finalizer",
        "error",
        "An Application of the library itself deletes in cascade.",
        "Its removal would delete Argo CD or the projects.",
    ),
    Rule(
        "override-kept",
        "warning",
        "An ApplicationSet keeps what people set in the sources of its Applications.",
        "What runs is not what Git says, and no merge changes that.",
    ),
    Rule(
        "workload-without-finalizer",
        "warning",
        "A workload does not delete in cascade.",
        "What it made stays behind when it is removed.",
    ),
    Rule(
        "prunable-crd", "error", "A CRD can be pruned.", "One wrong path deletes the CRD and every object of its kind."
    ),
    Rule(
        "prunable-namespace",
        "warning",
        "A Namespace can be pruned, or goes with its Application.",
        "It takes all that is in it along.",
    ),
    Rule(
        "prunable-volume-claim",
        "warning",
        "A PersistentVolumeClaim can be pruned, or goes with its Application.",
        "Its data go with it, depending on the reclaim policy.",
    ),
    Rule(
        "replaced-by-force",
        "error",
        "A volume claim, or a StatefulSet that deletes its claims, has the sync options Force=true and Replace=true.",
        "Every sync deletes it with its data.",
    ),
    Rule(
        "pulumi-owned-secret",
        "error",
        "Git renders a Secret that Pulumi keeps.",
        "A sync removes keys that Argo CD runs on (argo-cd#10831).",
    ),
    Rule("secret-in-git", "error", "A Secret's values are in Git.", "Whoever may read the repository may read them."),
    # What Argo CD is told.
    Rule(
        "access-policy",
        "error",
        "A line of argocd-rbac-cm's policy is malformed or does nothing.",
        "argocd-server does not start with it (argo-cd#14464), or a role has no rights.",
    ),
    Rule(
        "argocd-config",
        "error",
        "Argo CD cannot read a key or value of a ConfigMap of its own, or no container reads a parameter.",
        "One customization or notification key keeps Argo CD from all of them; other keys silently do nothing.",
    ),
    Rule(
        "notification-unknown",
        "error",
        "An Application or AppProject subscribes to a trigger or service that is not configured.",
        "Nobody is told, and only a debug log says so (argo-cd#17773).",
    ),
    Rule(
        "setting-overridden",
        "warning",
        "A patch of people sets a field that a setting sets as well.",
        "The patch wins; the setting has no effect.",
    ),
    # Images.
    Rule("image-invalid", "error", "An image's name is not valid.", "No pod starts: InvalidImageName."),
    Rule(
        "image-not-pinned",
        "error",
        "An image has no tag, or one that moves.",
        "What runs changes without a commit, and a rollback does not bring it back.",
    ),
    Rule(
        "image-without-digest",
        "off",
        "An image is named by tag, not by digest.",
        "Most tags can be moved; a digest cannot.",
    ),
    # Pods.
    Rule(
        "requests-missing",
        "error",
        "A container requests no cpu or memory.",
        "The scheduler cannot place it; under pressure it is evicted first.",
    ),
    Rule("memory-limit-missing", "error", "A container has no memory limit.", "A leak takes the node down with it."),
    Rule(
        "readiness-probe-missing",
        "warning",
        "A container with ports has no readiness probe.",
        "It gets requests before it can answer.",
    ),
    Rule(
        "liveness-probe-missing",
        "off",
        "A container with ports has no liveness probe.",
        "A hung process stays; a careless probe restarts healthy ones.",
    ),
    Rule("run-as-non-root", "error", "A container may run as root.", "Pod Security `restricted` refuses it."),
    Rule(
        "privilege-escalation",
        "error",
        "allowPrivilegeEscalation is not false.",
        "Pod Security `restricted` refuses it.",
    ),
    Rule("privileged-container", "error", "A container is privileged.", "It owns its node."),
    Rule(
        "host-access", "error", "A pod uses the host's network, processes or files.", "It reaches past its namespace."
    ),
    Rule(
        "capabilities-not-dropped",
        "warning",
        "A container does not drop ALL capabilities.",
        "Pod Security `restricted` refuses it.",
    ),
    Rule(
        "seccomp-profile-missing", "off", "A container has no seccomp profile.", "Pod Security `restricted` refuses it."
    ),
    Rule(
        "writable-root-filesystem",
        "off",
        "A container may write its root filesystem.",
        "An intruder can leave something there.",
    ),
    Rule(
        "disruption-budget-missing",
        "warning",
        "Replicas > 1 without a PodDisruptionBudget.",
        "A node drain may take all of them at once.",
    ),
    Rule(
        "single-replica-budget",
        "warning",
        "A PodDisruptionBudget allows no disruption.",
        "A node with such a pod cannot be drained.",
    ),
    Rule(
        "environment-in-namespace",
        "off",
        "A namespace does not carry the stack's name.",
        "Two environments in one cluster would meet.",
    ),
    # Own policies and their switches.
    Rule("policy-failed", "error", "An own policy raised an exception.", "Nothing of it was checked."),
)

BY_ID = {rule.id: rule for rule in RULES}

ADOPT: dict[str, Switch] = {
    **dict.fromkeys(
        (
            "schema-missing", "service-without-pods", "workload-without-finalizer", "prunable-namespace",
            "prunable-volume-claim", "image-not-pinned", "requests-missing", "memory-limit-missing",
            "readiness-probe-missing", "run-as-non-root", "privilege-escalation", "host-access",
            "capabilities-not-dropped", "disruption-budget-missing", "single-replica-budget",
        ),
        "note",
    ),
    **dict.fromkeys(
        (
            "crd-version-missing", "privileged-container", "prunable-crd", "duplicate-entry", "duplicate-object",
            "project-missing", "duplicate-application", "not-an-object", "notification-unknown", "cluster-unknown",
        ),
        "warning",
    ),
}  # fmt: skip
"""What a rule is in the profile `adopt`, for trees that were not made with this library.

An error is left to what would not sync or is dangerous; what is taste is a note.
"""
