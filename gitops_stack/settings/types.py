"""The types settings are made of, and the base of all models. Knows nothing of what a stack is."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict
from pydantic.alias_generators import to_camel

_FOREIGN_SPACE = re.compile(r"[^\S\x00-\x7f]")


def matching(pattern: str, needs: str, *, any_script: bool = False) -> AfterValidator:
    r"""Return the rule that a text matches ``pattern`` as a whole; ``needs`` says so in words.

    `\w` and `\d` are ASCII letters and digits, as everywhere in AWS and Kubernetes, unless ``any_script`` is set.
    """
    compiled = re.compile(pattern, 0 if any_script else re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value) or _FOREIGN_SPACE.search(value):
            raise ValueError(f"needs {needs}")
        return value

    return AfterValidator(check)


DnsLabel = Annotated[
    str,
    matching(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "a DNS label: lower-case letters, digits and '-', 63 at most"),
]
LabelValue = Annotated[str, matching(r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", "a label value of Kubernetes")]
_REPOSITORY_URL = r"(?!(https|oci)://[^/\s]*@|\w+://[^/\s]*:[^/\s]*@)(https|ssh|file|oci)://\S+|[\w.-]+@[\w.-]+:\S+"
RepositoryUrl = Annotated[
    str,
    matching(
        _REPOSITORY_URL,
        "a repository URL without a login: https://, ssh://, file:// or user@host:path",
    ),
]
_HOST = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
# Argo CD's form for OCI Helm charts (docs/user-guide/helm.md) has no scheme. Go refuses a URL that begins with a digit
# and has a port, so Argo CD could not compare it.
_CHART_REGISTRY = rf"(?!\S*\.git/?\Z)({_HOST}(\.{_HOST})+|(?=[A-Za-z]){_HOST}(\.{_HOST})*:\d{{1,5}})/[^\s/:]\S*"
SourceRepository = Annotated[
    str,
    matching(
        f"{_REPOSITORY_URL}|{_CHART_REGISTRY}",
        "a repository URL without a login: https://, ssh://, file:// or user@host:path, "
        "or host/path of OCI Helm charts",
    ),
]
ChartRepository = Annotated[
    str,
    matching(
        rf"(?!https://[^/\s]*@)https://\S+|{_CHART_REGISTRY}",
        "a chart repository without a login: https://, or host/path of OCI Helm charts",
    ),
]
RelativePath = Annotated[
    str,
    matching(r"(?!/)(?!.*(^|/)\.\.?(/|$))[^\s]+", "a path inside the repository, without leading '/', '.' and '..'"),
]
Flag = Annotated[bool, Strict()]


def _check_unique(values: tuple[object, ...]) -> tuple[object, ...]:
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(f"needs every entry once: {twice[0]} is there twice")
    return values


UNIQUE = AfterValidator(_check_unique)
"""The rule that no entry of a list is there twice: AWS refuses those lists, or a resource would be made twice."""


def following(rule: Callable[[str], str | None]) -> AfterValidator:
    """Return the rule that ``rule`` finds nothing to ask for: it returns what a text needs, or ``None``."""

    def check(value: str) -> str:
        if (needs := rule(value)) is not None:
            raise ValueError(needs)
        return value

    return AfterValidator(check)


class SettingError(ValueError):
    """A rule between settings of one section: which of them (as typed), what was found there, what is needed."""

    def __init__(self, setting: str, found: object, needs: str) -> None:
        super().__init__(needs)
        self.setting, self.found = setting, found


class Settings(BaseModel):
    """Base of all settings: frozen, camelCase keys as Kubernetes writes them, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False, validate_by_alias=True
    )


# AWS: formats from the service authorization reference ("Resource types") and the services' API models.
AccountId = Annotated[str, matching(r"\d{12}", "the 12 digits of an AWS account, in quotes")]
Region = Annotated[str, matching(r"[a-z]{2,4}(-[a-z]+)+-\d", "an AWS region such as eu-central-1")]
_PRINCIPAL = re.compile(r"arn:aws(-[a-z]+)*:iam::\d{12}:(role|user)/([\w+=,.@-]+/){0,512}[\w+=,.@-]{1,64}", re.ASCII)
_ARN_LENGTH = 255  # EKS takes no longer ARN of a role (its API model); IAM's paths could make one


def _check_principal(value: str, kinds: tuple[str, ...]) -> str:
    named = " or ".join(kinds)
    if ":assumed-role/" in value or ":federated-user/" in value:
        raise ValueError("needs the role itself, arn:aws:iam::ACCOUNT:role/NAME: this is one session of it")
    if value.endswith(":root"):
        raise ValueError(f"needs the ARN of one IAM {named}: root is the whole account")
    found = _PRINCIPAL.fullmatch(value)
    if found is None or found[2] not in kinds or len(value) > _ARN_LENGTH:
        raise ValueError(f"needs the ARN of an IAM {named}: arn:aws:iam::ACCOUNT:role/NAME")
    return value


RoleArn = Annotated[str, AfterValidator(lambda value: _check_principal(value, ("role",)))]
PrincipalArn = Annotated[str, AfterValidator(lambda value: _check_principal(value, ("role", "user")))]
ManagedPolicyArn = Annotated[
    str,
    matching(
        r"arn:aws(-[a-z]+)*:iam::(aws|\d{12}):policy/([\w+=,.@-]+/){0,512}[\w+=,.@-]{1,128}",
        "the ARN of an IAM policy: arn:aws:iam::aws:policy/NAME or arn:aws:iam::ACCOUNT:policy/NAME",
    ),
]
KmsKeyArn = Annotated[
    str,
    matching(
        r"arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:\d{12}:key/[0-9a-z-]+",
        "the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID; an alias can be pointed elsewhere",
    ),
]
BUCKET_NAME = r"(?![^/]*(\.\.|\.-|-\.))(?!xn--)(?!(\d+\.){3}\d+(/|\Z))[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
"""A pattern, by the S3 user guide, "General purpose bucket naming rules"."""
SECRET_NAME = r"[\w/+=.@-]{1,512}"  # noqa: S105 - a pattern, by the API reference of CreateSecret
SecretReference = Annotated[
    str,
    matching(
        rf"{SECRET_NAME}|arn:aws(-[a-z]+)*:secretsmanager:[a-z0-9-]+:\d{{12}}:secret:{SECRET_NAME}",
        "the name of a secret of AWS Secrets Manager (letters, digits and /_+=.@-, 512 at most), "
        "or its ARN: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME",
    ),
]


def _check_certificate(value: str) -> str:
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if b"PRIVATE KEY" in content:
        raise ValueError("needs the certificate alone: this has a private key, which stays where it is")
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise ValueError("needs the certificate's PEM file, all of it in base64")
    return value


CertificateData = Annotated[str, AfterValidator(_check_certificate)]
Days = Annotated[int, Strict()]
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365,
    400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def retention(*, optional: bool) -> AfterValidator:
    """Return the rule that a number of days is one of CloudWatch Logs (PutRetentionPolicy); ``optional``: or 0."""

    def check(value: int) -> int:
        if value not in RETENTION_DAYS and not (optional and value == 0):
            allowed = ", ".join(map(str, ((0,) if optional else ()) + RETENTION_DAYS))
            raise ValueError(f"needs a number of days CloudWatch Logs offers: {allowed}")
        return value

    return AfterValidator(check)
