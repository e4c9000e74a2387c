"""The one door to boto3: clients of one account and region, whose failures are sentences.

boto3 is imported when the first client is made, so that commands which need no account start without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.settings.partitions import home_region

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "Client.UnauthorizedOperation",
    }
)
_BAD_CREDENTIALS = {
    "ExpiredToken": ("have expired", "log in again"),
    "ExpiredTokenException": ("have expired", "log in again"),
    "RequestExpired": ("have expired", "log in again"),
    "InvalidClientTokenId": ("are not known to AWS", "log in again"),
    "UnrecognizedClientException": ("are not known to AWS", "log in again"),
    "SignatureDoesNotMatch": ("have a wrong secret access key", "set it again"),
}
# Names of IAM actions begin with the service's signing name, which is not always its endpoint's.
_ACTION_PREFIXES = {
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
# S3's calls that ask for an action of another name (service authorization reference, Amazon S3).
_ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    **{
        f"s3:{verb}{call}": f"s3:{verb}{action}"
        for verb in ("Get", "Put")
        for call, action in (
            ("BucketEncryption", "EncryptionConfiguration"),
            ("BucketLifecycleConfiguration", "LifecycleConfiguration"),
            ("PublicAccessBlock", "BucketPublicAccessBlock"),
        )
    },
}
_LOG_IN = "set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class AwsError(EnvironmentProblem):
    """AWS refused or did not answer; ``code`` is its error code, empty when there was no answer."""

    def __init__(self, found: str, needs: str = "", code: str = "", *, said: str = "", place: str = "AWS") -> None:
        """``said`` is the message AWS gave."""
        super().__init__(Problem(found, needs, place))
        self.code, self.said = code, said

    @property
    def is_missing(self) -> bool:
        """Whether AWS says that the thing asked for is not there; every service has its own code for that."""
        return (
            "NotFound" in self.code
            or self.code.startswith("NoSuch")
            or self.code.endswith(("NonExistentQueue", "QueueDoesNotExist"))
            or self.code == "404"
        )


class AccessDeniedError(AwsError):
    """The credentials lack ``permission``, an IAM action such as ec2:DescribeVpcs."""

    def __init__(self, permission: str, code: str) -> None:
        super().__init__(f"the credentials may not {permission}", "allow that action", code)
        self.permission = permission


class CredentialsError(AwsError):
    """There are no credentials, or AWS does not take them."""


@dataclass(frozen=True)
class Identity:
    """Who the credentials are: twelve digits of the account, and the principal's ARN."""

    account: str
    arn: str


class Account:
    """The AWS account behind the credentials at hand, seen from one region. Safe to use from several threads."""

    def __init__(self, region: str, role_arn: str | None = None, *, double: str | None = None) -> None:
        """Open it with the usual chain of credentials, or as role ``role_arn`` assumed with them.

        ``double`` is the address of a double of AWS: all is asked there, and no credentials of the caller's are sent.
        """
        self.region = region
        self._role_arn = role_arn
        self._double = double
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()  # making a client is not thread-safe, using one is

    @cached_property
    def session(self) -> Any:  # noqa: ANN401 - a boto3.Session; the SDK has no types
        """The boto3 session. Raises :class:`CredentialsError`."""
        import boto3  # noqa: PLC0415 - the command line starts without the SDK

        if self._double is not None:
            return boto3.Session("double", "double", region_name=self.region)
        with _explained("the configuration"):
            session = boto3.Session(region_name=self.region)
        if self._role_arn is None:
            return session
        client = _make_client(session, "sts", self.region)
        answer = _ask(client, "sts", "assume_role", {"RoleArn": self._role_arn, "RoleSessionName": "gitops-stack"})[
            "Credentials"
        ]
        return boto3.Session(
            aws_access_key_id=answer["AccessKeyId"],
            aws_secret_access_key=answer["SecretAccessKey"],
            aws_session_token=answer["SessionToken"],
            region_name=self.region,
        )

    @property
    def partition(self) -> str:
        """The region's partition: aws, aws-cn, aws-us-gov. Raises :class:`AwsError` for another name."""
        from botocore.exceptions import UnknownRegionError  # noqa: PLC0415

        try:
            return str(self.session.get_partition_for_region(self.region))
        except UnknownRegionError:
            raise AwsError(
                f"found {self.region}, which is not a region of AWS", "correct it", place="aws:region"
            ) from None

    @property
    def home_region(self) -> str:
        """A region of the same partition that always answers: the account's own may not be enabled yet."""
        return home_region(self.partition)

    @cached_property
    def identity(self) -> Identity:
        """Who the credentials are. Raises :class:`CredentialsError` when there are none that work."""
        answer = self.ask("sts", "get_caller_identity", region=self.home_region)
        return Identity(answer["Account"], answer["Arn"])

    def ask(self, service: str, method: str, *, region: str | None = None, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """Call ``method`` of boto3's client of ``service``. Raises :class:`AwsError`."""
        return _ask(self._client(service, region or self.region), service, method, arguments)

    def find(self, service: str, method: str, **arguments: Any) -> dict[str, Any] | None:  # noqa: ANN401
        """Call as :meth:`ask`; None when AWS says that the thing is not there."""
        try:
            return self.ask(service, method, **arguments)
        except AwsError as error:
            if error.is_missing:
                return None
            raise

    def list(self, service: str, method: str, key: str, **arguments: Any) -> list[Any]:  # noqa: ANN401
        """Call a paginated ``method`` and return what all its pages have under ``key``. Raises :class:`AwsError`."""
        client = self._client(service, self.region)
        if not client.can_paginate(method):
            return list(_ask(client, service, method, arguments)[key])
        pages = iter(client.get_paginator(method).paginate(**arguments))
        found: list[Any] = []
        while (page := _call(client, service, method, lambda: next(pages, None))) is not None:
            found += page[key]
        return found

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - made at run time
        session = self.session
        with self._lock:
            if (service, region) not in self._clients:
                from botocore.config import Config  # noqa: PLC0415

                config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 4})
                made = _make_client(session, service, region, config=config, endpoint_url=self._double)
                self._clients[service, region] = made
            return self._clients[service, region]


def check_account(account: Account, expected: str, place: str) -> None:
    """Raise unless the credentials are of account ``expected``, which ``place`` names."""
    if account.identity.account != expected:
        raise GitOpsStackError(
            Problem(
                f"needs account {expected}, found credentials of {account.identity.account} ({account.identity.arn})",
                f"use credentials of {expected}",
                place,
            )
        )


def tag_map(tags: Iterable[dict[str, str]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Turn AWS' list of tags into a dict."""
    return {tag[key]: tag[value] for tag in tags or ()}


def _make_client(session: Any, service: str, region: str, **options: Any) -> Any:  # noqa: ANN401 - made at run time
    try:
        with _explained(service):
            return session.client(service, region_name=region, **options)
    except ValueError as error:  # botocore has no class of its own for an endpoint that is not a URL
        raise AwsError(_one_line(error), "correct AWS_ENDPOINT_URL, or endpoint_url in AWS's configuration") from None


def _ask(client: Any, service: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    answer: dict[str, Any] = _call(client, service, method, lambda: getattr(client, method)(**arguments))
    return answer


def _call(client: Any, service: str, method: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401
    action = f"{_ACTION_PREFIXES.get(service, service)}:{client.meta.method_to_api_mapping[method]}"
    with _explained(_ACTIONS.get(action, action)):
        return call()


@contextmanager
def _explained(action: str) -> Iterator[None]:
    """Turn the SDK's errors into ours; ``action`` is what was asked."""
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        ConfigParseError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSOError,
        TokenRetrievalError,
    )
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise _explain(action, error.response.get("Error", {})) from None
    except NoCredentialsError:
        raise CredentialsError("found no credentials", _LOG_IN) from None
    except (ConfigParseError, PartialCredentialsError, ProfileNotFound, SSOError, TokenRetrievalError) as error:
        raise CredentialsError(_one_line(error), _LOG_IN) from None
    except ResponseParserError as error:  # not a BotoCoreError: a proxy, say, answers with a page of its own
        said = f"{action} got an answer that is not AWS's: {_one_line(error)}"
        raise AwsError(said, "check the proxy, AWS_ENDPOINT_URL and the region, or run again") from None
    except BotoCoreError as error:
        said = f"{action} got no answer: {_one_line(error)}"
        raise AwsError(said, "check the network and the region") from None


def _explain(action: str, error: dict[str, str]) -> AwsError:
    code, message = error.get("Code", ""), " ".join(error.get("Message", "").split())[:300]
    if code in _DENIED:
        return AccessDeniedError(action, code)
    if code in _BAD_CREDENTIALS:
        state, remedy = _BAD_CREDENTIALS[code]
        return CredentialsError(f"the credentials {state}", remedy, code)
    return AwsError(f"{action} was refused: {code}: {message}", code=code, said=message)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:300]
