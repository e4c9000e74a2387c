"""One account in one region, and the names AWS derives from the two."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_stack.settings.partitions import dns_suffix, find_partition


@dataclass(frozen=True)
class AccountRegion:
    """Hold a 12-digit account ``id`` and a ``region`` such as `eu-west-1`."""

    id: str
    region: str

    @property
    def partition(self) -> str:
        """Name the partition all ARNs begin with: such as `aws`, `aws-cn` or `aws-us-gov`."""
        return find_partition(self.region)

    @property
    def registry_host(self) -> str:
        """Name the host of the account's private ECR registry in the region."""
        return f"{self.id}.dkr.ecr.{self.region}.{dns_suffix(self.partition)}"

    @property
    def root_arn(self) -> str:
        """Build the principal that stands for the whole account."""
        return account_root_arn(self.partition, self.id)

    @property
    def ec2_services(self) -> tuple[str, ...]:
        """List the names EC2 takes roles under: where the DNS suffix is another one, it alone has one of its own."""
        return tuple(sorted({"ec2.amazonaws.com", f"ec2.{dns_suffix(self.partition)}"}))

    def arn(self, service: str, resource: str) -> str:
        """Build the ARN of a regional ``resource``, such as `repository/guestbook` of `ecr`."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"

    def secret_arn(self, reference: str) -> str:
        """Build the ARN of a secret by its name, to which Secrets Manager adds a dash and six characters; keep an ARN.

        Its user guide, "Secrets Manager ARN".
        """
        return reference if reference.startswith("arn:") else self.arn("secretsmanager", f"secret:{reference}-??????")

    def managed_policy_arn(self, path: str) -> str:
        """Build the ARN of a policy that AWS manages, such as `AmazonEBSCSIDriverPolicyV2`."""
        return f"arn:{self.partition}:iam::aws:policy/{path}"


def account_root_arn(partition: str, account_id: str) -> str:
    """Build the principal that stands for all of ``account_id``."""
    return f"arn:{partition}:iam::{account_id}:root"
