"""How a command reaches the stack's cluster: by a kubeconfig, or with a token of its own for an EKS cluster."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_stack.cli.account import open_account
from gitops_stack.cli.console import err
from gitops_stack.config import kubeconfig_path, load_project_name
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.live.reading import AccessDenied, connect
from gitops_stack.settings import ExistingClusterSettings, StackSettings
from gitops_stack.settings.missing_cluster import require_cluster

if TYPE_CHECKING:
    from lightkube import Client

Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        help="Kubeconfig to use; default: the stack's; for an EKS cluster a token is fetched.", metavar="FILE"
    ),
]
Context = Annotated[
    str | None, typer.Option(help="Context in it; default: the stack's, or the current one.", metavar="NAME")
]


def open_cluster(
    command: str,
    settings: StackSettings,
    project: Path,
    *,
    kubeconfig: Path | None,
    context: str | None,
    role_arn: str | None,
    owned: bool = False,
    writes: bool = False,
) -> Client:
    """Connect to the stack's cluster for ``command``, which the error about unfit options names.

    With ``writes`` the cluster is named first; one without a record has to be the one the stack file names.
    Raises :class:`EnvironmentProblem` when its Argo CD belongs to another stack, or with ``owned`` to none, and
    :class:`GitOpsStackError` for a stack without a cluster.
    """
    require_cluster(settings)
    if settings.eks is None or kubeconfig or context:
        if role_arn:
            raise EnvironmentProblem(
                Problem(
                    "--role-arn is for the token of the stack's EKS cluster, which a kubeconfig does without",
                    "leave it out",
                    command,
                )
            )
        client = _connect_by_kubeconfig(settings, kubeconfig, context)
    else:
        client = _connect_by_token(settings, project, role_arn)
    try:
        known = _check_owner(client, project, settings.stack, owned=owned or (writes and settings.eks is not None))
        if writes:
            if not known and (kubeconfig or context):
                _check_is_stated(client, settings)
            _name_cluster(client, project, settings.stack)
    except BaseException:
        client.close()
        raise
    return client


def _check_owner(client: Client, project: Path, stack: str, *, owned: bool) -> bool:
    """Raise when the cluster is another stack's; tell whether a record says that it is this one's."""
    from gitops_stack.guard.cluster import load_claim  # noqa: PLC0415

    try:
        claim = load_claim(client)
    except AccessDenied:
        if owned:
            raise
        # A login that may read applications and not kube-system sees nothing it could take away.
        return False
    owner = f"{load_project_name(project)}/{stack}"
    if claim is None and owned:
        raise EnvironmentProblem(
            Problem(
                f"has no record that its Argo CD is {owner}'s (ConfigMap kube-system/gitops-stack)",
                "use the kubeconfig and context of your own cluster, or run `pulumi up` once, which writes it",
                "cluster",
            )
        )
    if claim is not None and claim.owner != owner:
        raise EnvironmentProblem(
            Problem(
                f"its Argo CD in namespace {claim.namespace} belongs to stack {claim.owner}, and this is {owner}",
                "use the kubeconfig and context of your own cluster",
                "cluster",
            )
        )
    return claim is not None


def _check_is_stated(client: Client, settings: StackSettings) -> None:
    """Raise unless the options lead to the cluster that `pulumi up` would use."""
    from gitops_stack.guard.cluster import describe_connection, load_cluster  # noqa: PLC0415

    with _connect_by_kubeconfig(settings, None, None) as own:
        stated, given = (load_cluster(describe_connection(one)) for one in (own, client))
    if stated.uid != given.uid:
        raise EnvironmentProblem(
            Problem(
                f"is not the cluster that Pulumi.{settings.stack}.yaml names, which is {stated.text}",
                "leave out --kubeconfig and --context, or correct gitops-stack:cluster",
                given.text,
            )
        )


def _name_cluster(client: Client, project: Path, stack: str) -> None:
    from gitops_stack.guard.cluster import describe_connection, load_cluster  # noqa: PLC0415

    connection = describe_connection(client)
    try:
        found = load_cluster(connection).text
    except AccessDenied:
        found = f"cluster {connection.address} (context {connection.context})"
    err.print(f"{found}: for stack {load_project_name(project)}/{stack}", markup=False)


def _connect_by_kubeconfig(settings: StackSettings, kubeconfig: Path | None, context: str | None) -> Client:
    own = settings.cluster
    stated = own.model_dump() if isinstance(own, ExistingClusterSettings) else {"provider": "existing"}
    given = {"kubeconfig": str(kubeconfig) if kubeconfig else None, "context": context}
    cluster = ExistingClusterSettings.model_validate({**stated, **{key: one for key, one in given.items() if one}})
    return connect(kubeconfig_path(cluster), cluster.context)


def _connect_by_token(settings: StackSettings, project: Path, role_arn: str | None) -> Client:
    """Connect to the stack's EKS cluster with a token of its own; needs no kubeconfig and no AWS CLI."""
    from gitops_stack.account import kubeconfig as files  # noqa: PLC0415
    from gitops_stack.account.eks_token import build_token  # noqa: PLC0415
    from gitops_stack.gitops_tree.private_file import write_private_file  # noqa: PLC0415

    _, account = open_account(project, settings.stack, role_arn)
    endpoint = files.load_endpoint(account, settings.cluster_name, f"Pulumi.{settings.stack}.yaml", settings.stack)
    user = {"token": build_token(account, endpoint.name).token}
    with TemporaryDirectory(prefix="gitops-stack-") as folder:  # of mode 0700; read once, by connect
        file = Path(folder) / "kubeconfig"
        write_private_file(file, files.render_kubeconfig(files.build_kubeconfig(endpoint, user, endpoint.name)))
        return connect(file)
