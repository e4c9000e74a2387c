"""EC2 launch templates."""

from __future__ import annotations

from typing import Any

from pulumi_aws_double.resource import AutoName, Schema, build_parameters, rename
from pulumi_aws_double.resources.ec2 import Ec2Type, build_tags, find_one, load_tags
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

_DATA = (
    "blockDeviceMappings", "ebsOptimized", "iamInstanceProfile", "imageId", "instanceType", "keyName",
    "metadataOptions", "monitoring", "tagSpecifications", "userData", "vpcSecurityGroupIds",
)  # fmt: skip
# Upstream takes these as the words "true" and "false", because unset differs from both.
_BOOLEAN_WORDS = frozenset({"encrypted", "deleteOnTermination", "ebsOptimized"})
_LONGEST = 125


class LaunchTemplate(Ec2Type):
    """A launch template; every change of its data is a new version."""

    token = "aws:ec2/launchTemplate:LaunchTemplate"
    tag_type = "launch-template"
    auto_name = AutoName("name", _LONGEST)
    schema = Schema(
        replaces="name",
        updates=" ".join(_DATA) + " defaultVersion description updateDefaultVersion tags",
        computed="name defaultVersion",
        outputs="arn latestVersion tagsAll",
        volatile="latestVersion defaultVersion",
        sets="vpcSecurityGroupIds",
        identity="name",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it with its first version."""
        made = aws.call(
            "ec2",
            "CreateLaunchTemplate",
            LaunchTemplateName=inputs["name"],
            VersionDescription=inputs.get("description"),
            LaunchTemplateData=_build_data(inputs),
            TagSpecifications=self.specify_tags(inputs),
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the template with the data of its latest version."""
        found = find_one(aws, "DescribeLaunchTemplates", "LaunchTemplates", LaunchTemplateIds=[identity])
        if found is None:
            return None
        latest = str(found["LatestVersionNumber"])
        version = find_one(
            aws,
            "DescribeLaunchTemplateVersions",
            "LaunchTemplateVersions",
            LaunchTemplateId=identity,
            Versions=[latest],
        )
        data = (version or {}).get("LaunchTemplateData", {})
        return {
            "arn": aws.arn("ec2", f"launch-template/{identity}"),
            "name": found["LaunchTemplateName"],
            "latestVersion": found["LatestVersionNumber"],
            "defaultVersion": found["DefaultVersionNumber"],
            "description": (version or {}).get("VersionDescription"),
            "imageId": data.get("ImageId"),
            "instanceType": data.get("InstanceType"),
            "keyName": data.get("KeyName"),
            "metadataOptions": rename(data["MetadataOptions"]) if data.get("MetadataOptions") else None,
            "vpcSecurityGroupIds": data.get("SecurityGroupIds"),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Add a version for changed data, and make it the default when asked to."""
        latest = old["latestVersion"]
        if changed & {*_DATA, "description"}:
            made = aws.call(
                "ec2",
                "CreateLaunchTemplateVersion",
                LaunchTemplateId=identity,
                VersionDescription=new.get("description"),
                LaunchTemplateData=_build_data(new),
            )
            latest = made["LaunchTemplateVersion"]["VersionNumber"]
        default = latest if new.get("updateDefaultVersion") else new.get("defaultVersion")
        if default:
            aws.call("ec2", "ModifyLaunchTemplate", LaunchTemplateId=identity, DefaultVersion=str(default))

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it with all versions."""
        aws.call("ec2", "DeleteLaunchTemplate", LaunchTemplateId=identity)


def _build_data(inputs: Plain) -> Answer:
    given = {name: _load_words(name, inputs[name]) for name in _DATA if name in inputs}
    if "vpcSecurityGroupIds" in given:
        given["securityGroupIds"] = given.pop("vpcSecurityGroupIds")
    specifications = given.pop("tagSpecifications", None)
    data: Answer = build_parameters(given)
    if specifications:
        data["TagSpecifications"] = [
            {"ResourceType": item["resourceType"], "Tags": build_tags(item.get("tags") or {})}
            for item in specifications
        ]
    return data


def _load_words(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _load_words(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_load_words(name, item) for item in value]
    return value == "true" if name in _BOOLEAN_WORDS and isinstance(value, str) else value
