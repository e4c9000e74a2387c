"""One account and region as the provider sees it: calls that are checked, sent to moto, and refused as AWS refuses.

boto3 and its clients are loaded at first use, because the engine waits for
the provider to start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pulumi_aws_double.actions import ROLE, Place, ask_permission
from pulumi_aws_double.errors import EnvironmentProblem
from pulumi_aws_double.models import AwsError, check_request
from pulumi_aws_double.store import Store

if TYPE_CHECKING:
    from botocore.model import ServiceModel

ENDPOINT = "AWS_ENDPOINT_URL"
STORE = "PULUMI_AWS_DOUBLE_STORE"
PARTITION = "aws"

Answer = dict[str, Any]


@dataclass(frozen=True)
class AwsSession:
    """Talk to the account in ``region``; ``default_tags`` go on everything it makes.

    The account is the one behind ``endpoint``, or behind ``AWS_ENDPOINT_URL``.
    """

    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)
    endpoint: str | None = None

    @property
    def _endpoint(self) -> str:
        return self.endpoint or load_endpoint()

    @cached_property
    def account_id(self) -> str:
        """The account the credentials belong to."""
        return str(self.call("sts", "GetCallerIdentity")["Account"])

    @cached_property
    def store(self) -> Store:
        """What moto does not keep."""
        return Store(Path(_load_variable(STORE)))

    def call(self, service: str, operation: str, **parameters: Any) -> Answer:  # noqa: ANN401 - as boto3
        """Send one request; parameters that are None are left out.

        Raises :class:`AwsError` when the service's model or the service refuses it.
        """
        # Loaded here: half a second that only the first call has to wait for.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        connection = _connect(service, self.region, self._endpoint)
        given = {name: value for name, value in parameters.items() if value is not None}
        check_request(connection.model.operation_model(operation), given)
        self._ask_permission(service, connection, operation, given)
        try:
            answer: Answer = getattr(connection.client, connection.methods[operation])(**given)
        except ClientError as refused:
            error = refused.response["Error"]
            raise AwsError(connection.model.service_id, operation, error["Code"], error.get("Message", "")) from None
        except BotoCoreError as problem:
            raise EnvironmentProblem(
                f"{self._endpoint}: the AWS double does not answer {operation} ({problem}); start it again"
            ) from None
        answer.pop("ResponseMetadata", None)
        return answer

    def check(self, service: str, operation: str, **parameters: Any) -> None:  # noqa: ANN401 - as boto3
        """Check a request for an operation that moto lacks; raises :class:`AwsError` as :meth:`call` does."""
        given = {name: value for name, value in parameters.items() if value is not None}
        connection = _connect(service, self.region, self._endpoint)
        check_request(connection.model.operation_model(operation), given)
        self._ask_permission(service, connection, operation, given)

    def permit(self, service: str, operation: str) -> None:
        """Ask for the right to an operation that the store answers; raises :class:`AwsError` as :meth:`call` does."""
        self._ask_permission(service, _connect(service, self.region, self._endpoint), operation, {})

    def _ask_permission(self, service: str, connection: _Connection, operation: str, given: Answer) -> None:
        if os.environ.get(ROLE) and operation != "GetCallerIdentity":  # everybody may, and account_id asks it
            place = Place(self.account_id, self.region)
            ask_permission(service, connection.model.service_id, operation, given, place)

    def refuse(self, service: str, operation: str, code: str, message: str) -> AwsError:
        """Return the error AWS gives where moto is laxer, for the caller to raise."""
        return AwsError(service, operation, code, message)

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of ``resource`` (``cluster/main``) in this account and region."""
        return f"arn:{PARTITION}:{service}:{self.region}:{self.account_id}:{resource}"


def load_endpoint() -> str:
    """Return the double's address; raise EnvironmentProblem for one that is not on loopback, such as AWS's own."""
    endpoint = _load_variable(ENDPOINT)
    if urlsplit(endpoint).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise EnvironmentProblem(
            f"{ENDPOINT}: {endpoint} is not on loopback; the AWS double talks to its own moto only"
        )
    return endpoint


@dataclass(frozen=True)
class _Connection:
    client: Any  # boto3 is untyped
    methods: Mapping[str, str]  # operation -> name of the client's method

    @property
    def model(self) -> ServiceModel:
        model: ServiceModel = self.client.meta.service_model
        return model


@cache
def _connect(service: str, region: str, endpoint: str) -> _Connection:
    from botocore.config import Config  # noqa: PLC0415

    # No proxies: the double is on loopback. Retries would only delay its refusals.
    config = Config(proxies={}, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
    client = _build_session().client(service, region_name=region, endpoint_url=endpoint, config=config)
    return _Connection(client, {name: method for method, name in client.meta.method_to_api_mapping.items()})


@cache
def _build_session() -> Any:  # noqa: ANN401 - boto3 is untyped
    import boto3  # noqa: PLC0415

    # Dummy credentials always: whatever keys the caller's environment holds are not sent to the double.
    return boto3.session.Session(aws_access_key_id="double", aws_secret_access_key="double")  # noqa: S106


def _load_variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise EnvironmentProblem(
            f"{name}: not set, so the AWS double has no account; run it by `pulumi-aws-double COMMAND`"
        )
    return value
