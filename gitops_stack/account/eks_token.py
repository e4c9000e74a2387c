"""The bearer token EKS takes: a presigned STS request that says who calls, and for which cluster.

The rules are the EKS authenticator's (kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a
Cluster"): GET GetCallerIdentity at STS, the header x-k8s-aws-id signed with the cluster's name, base64url without
padding. Signing needs no network and no AWS CLI; credentials may.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from gitops_stack.account.session import Account, CredentialsError
from gitops_stack.settings.partitions import dns_suffix

EXEC_API_VERSION = "client.authentication.k8s.io/v1beta1"
_PREFIX = "k8s-aws-v1."
_CLUSTER_HEADER = "x-k8s-aws-id"
_URL_SECONDS = 60
_TOKEN_LIFE = timedelta(
    minutes=14
)  # the authenticator takes a token for 15 minutes; one is kept for clocks that differ


@dataclass(frozen=True)
class EksToken:
    """A token, and until when (UTC) it should be used."""

    token: str
    expires: datetime

    def build_exec_credential(self) -> dict[str, Any]:
        """Build the ExecCredential that kubectl reads from a plugin."""
        return {
            "kind": "ExecCredential",
            "apiVersion": EXEC_API_VERSION,
            "spec": {},
            "status": {"expirationTimestamp": self.expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "token": self.token},
        }


def build_token(account: Account, cluster: str) -> EksToken:
    """Sign a token for ``cluster`` with the credentials of ``account``. Raises :class:`CredentialsError`."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - the command line starts without the SDK
    from botocore.model import ServiceId  # noqa: PLC0415
    from botocore.signers import RequestSigner  # noqa: PLC0415

    session = account.session
    try:
        credentials = session.get_credentials()
        if credentials is None:
            raise CredentialsError("found no credentials", "log in before a token can be signed")
        signer = RequestSigner(ServiceId("STS"), account.region, "sts", "v4", credentials, session.events)
        url = signer.generate_presigned_url(
            {
                "method": "GET",
                "url": f"https://{sts_host(account)}/?Action=GetCallerIdentity&Version=2011-06-15",
                "body": {},
                "headers": {_CLUSTER_HEADER: cluster},
                "context": {},
            },
            operation_name="GetCallerIdentity",
            expires_in=_URL_SECONDS,
            region_name=account.region,
        )
    except BotoCoreError as error:
        raise CredentialsError(" ".join(str(error).split()), "log in again") from None
    text = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return EksToken(_PREFIX + text, datetime.now(timezone.utc) + _TOKEN_LIFE)


def sts_host(account: Account) -> str:
    """Return the host of the region's own STS; EKS takes no other endpoint, whatever AWS_ENDPOINT_URL says."""
    return f"sts.{account.region}.{dns_suffix(account.partition)}"
