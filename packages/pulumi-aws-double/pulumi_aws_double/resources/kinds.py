"""The kinds of documents the store keeps for EKS, by the names its file has for them."""

from __future__ import annotations

from typing import Final

from pulumi_aws_double.aws_cli import ADMISSIONS

CLUSTERS: Final = "eks_clusters"
NODE_GROUPS: Final = "eks_node_groups"
ADDONS: Final = "eks_addons"
ENTRIES: Final = "eks_access_entries"
ASSOCIATIONS: Final = "eks_access_policies"
POD_IDENTITIES: Final = "eks_pod_identities"
OF_CLUSTER: Final = (NODE_GROUPS, ADDONS, ENTRIES, ASSOCIATIONS, POD_IDENTITIES, ADMISSIONS)
