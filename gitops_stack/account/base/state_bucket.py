"""The bucket of Pulumi's state: versioned, encrypted, TLS only, closed to the public, old versions in time removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gitops_stack.account.base.part import SHARED, Call, Change, Part, build_tags
from gitops_stack.account.base.wanted import Base, default_bucket
from gitops_stack.account.session import AccessDeniedError, Account, AwsError, tag_map
from gitops_stack.aws_plan.iam_documents import Document, render_document
from gitops_stack.aws_plan.state_policies import build_bucket_policy
from gitops_stack.conventions import TAG_BASE

KIND = "state bucket"
_RULE = "gitops-stack-old-versions"
_OLD_DAYS = 90
_OLD_LOCATIONS = {
    "EU": "eu-west-1"
}  # of buckets that are older than the regions' names (API reference, GetBucketLocation)
_CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def load_bucket(aws: Account, base: Base) -> Part:
    """Read the bucket and return what it lacks."""
    refusal, is_there = _look(aws, base)
    if refusal:
        return Part(KIND, base.bucket, owned=False, refusal=refusal)
    if not is_there:
        here: dict[str, Any] = (
            {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        )
        made = Change(f"make it in {aws.region}", _call(base, "create_bucket", **here))
        return Part(KIND, base.bucket, owned=None, changes=(made, *_list_changes(base, {})))
    found = _load(aws, base.bucket)
    owned = TAG_BASE in found["tags"] or (not found["tags"] and _is_left(aws, base))
    return Part(KIND, base.bucket, owned, tuple(_list_changes(base, found)))


def _is_left(aws: Account, base: Base) -> bool:
    """Tell whether a bucket without tags is what a killed run left: it has the name only we choose, and is empty."""
    return base.bucket == default_bucket(base.account) and not aws.ask(
        "s3", "list_objects_v2", Bucket=base.bucket, MaxKeys=1
    ).get("Contents")


def _look(aws: Account, base: Base) -> tuple[str, bool]:
    """Return why the name cannot be used, and whether the account has the bucket."""
    try:
        if aws.find("s3", "head_bucket", Bucket=base.bucket, ExpectedBucketOwner=base.account.id) is None:
            return "", False
        location = aws.ask("s3", "get_bucket_location", Bucket=base.bucket)["LocationConstraint"] or "us-east-1"
        region = _OLD_LOCATIONS.get(location, location)
    except AccessDeniedError:
        raise
    except AwsError as error:
        if error.code == "403":  # this call has no body, and so no other code
            return "belongs to another account, or may not be read; choose another name with --bucket", False
        if error.code in ("301", "PermanentRedirect"):
            return "is in another region; choose another name with --bucket", False
        raise
    return (
        f"is in {region}, not in {aws.region}; choose another name with --bucket" if region != aws.region else ""
    ), True


def _load(aws: Account, bucket: str) -> dict[str, Any]:
    def get(what: str, key: str) -> Any:  # noqa: ANN401 - whatever S3 keeps there
        return (aws.find("s3", f"get_{what}", Bucket=bucket) or {}).get(key)

    policy = get("bucket_policy", "Policy")
    rules = (get("bucket_encryption", "ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    return {
        "tags": tag_map(get("bucket_tagging", "TagSet")),
        "versioning": get("bucket_versioning", "Status"),
        "encryption": rules[0].get("ApplyServerSideEncryptionByDefault") or {},
        "closed": get("public_access_block", "PublicAccessBlockConfiguration"),
        "policy": json.loads(policy) if policy else None,
        "rules": get("bucket_lifecycle_configuration", "Rules") or [],
    }


def _list_changes(base: Base, found: dict[str, Any]) -> Iterator[Change]:
    tags = found.get("tags", {})
    wanted = {**tags, **build_tags(SHARED)}
    if tags != wanted:
        listed = [{"Key": key, "Value": value} for key, value in wanted.items()]
        yield Change("tag it as the base's", _call(base, "put_bucket_tagging", Tagging={"TagSet": listed}))
    if found.get("closed") != _CLOSED:
        yield Change(
            "block public access", _call(base, "put_public_access_block", PublicAccessBlockConfiguration=_CLOSED)
        )
    if found.get("versioning") != "Enabled":
        call = _call(base, "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
        yield Change("keep versions", call)
    encryption = found.get("encryption", {})
    if (encryption.get("SSEAlgorithm"), encryption.get("KMSMasterKeyID")) != ("aws:kms", base.key_arn):
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": base.key_arn}
        rules = [{"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}]
        call = _call(base, "put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": rules})
        yield Change("encrypt with the state key", call)
    policy = _merge_policy(found.get("policy"), build_bucket_policy(base.state))
    if policy != found.get("policy"):
        yield Change("refuse all but TLS", _call(base, "put_bucket_policy", Policy=render_document(policy)))
    rules = found.get("rules", [])
    own = _build_rule()
    if own not in rules:
        kept = [rule for rule in rules if rule.get("ID") != _RULE]
        call = _call(base, "put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": [*kept, own]})
        yield Change(f"remove old versions after {_OLD_DAYS} days", call)


def _build_rule() -> dict[str, Any]:
    return {
        "ID": _RULE,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": _OLD_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }


def _merge_policy(found: Document | None, wanted: Document) -> Document:
    """Put our statements among those of others."""
    if found is None:
        return wanted
    statements = found.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    own = {statement["Sid"]: statement for statement in wanted["Statement"]}
    others = [statement for statement in listed if statement.get("Sid") not in own]
    if [statement for statement in listed if statement.get("Sid") in own] == list(own.values()):
        return found
    return {**found, "Statement": [*others, *own.values()]}


def _call(base: Base, method: str, **arguments: Any) -> Call:  # noqa: ANN401 - as boto3
    return Call("s3", method, {"Bucket": base.bucket, **arguments})
