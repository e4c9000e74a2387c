"""The writing actions of an update, as lists: which of them stand under which condition is said by ``up_policies``."""

from __future__ import annotations

EC2_CHANGE = (
    "ec2:AllocateAddress",
    "ec2:AssociateRouteTable",
    "ec2:AssociateVpcCidrBlock",
    "ec2:AttachInternetGateway",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateFlowLogs",
    "ec2:CreateInternetGateway",
    "ec2:CreateLaunchTemplate",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:CreateNatGateway",
    "ec2:CreateRoute",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "ec2:DisassociateAddress",
    "ec2:DisassociateVpcCidrBlock",
    "ec2:ModifySecurityGroupRules",
    "ec2:ModifySubnetAttribute",
    "ec2:ModifyVpcAttribute",
    "ec2:ModifyVpcEndpoint",
    "ec2:ReplaceRoute",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:RunInstances",  # EKS asks it of whoever makes a node group with a launch template, and starts none by it
)
EC2_DELETE = (
    "ec2:CreateTags",
    "ec2:DeleteFlowLogs",
    "ec2:DeleteInternetGateway",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteNatGateway",
    "ec2:DeleteRoute",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteTags",
    "ec2:DeleteVpc",
    "ec2:DeleteVpcEndpoints",
    "ec2:DetachInternetGateway",
    "ec2:DisassociateRouteTable",
    "ec2:ModifyLaunchTemplate",
    "ec2:ReleaseAddress",
)
# Of a node's network plugin that did not come to it: they would hold a subnet for good.
EC2_INTERFACES = ("ec2:DeleteNetworkInterface", "ec2:DetachNetworkInterface")
# An interface endpoint answers by the service's own name: AWS ties a hosted zone of its own to the VPC.
ROUTE53 = ("route53:AssociateVPCWithHostedZone", "route53:DisassociateVPCFromHostedZone")
LOGS = (
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DeleteRetentionPolicy",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "logs:UntagResource",
)
# Flow logs into a bucket; a delivery has no name and no tag.
DELIVERIES = ("logs:CreateLogDelivery", "logs:DeleteLogDelivery")
EKS = (
    "eks:AssociateAccessPolicy",
    "eks:CreateAccessEntry",
    "eks:CreateAddon",
    "eks:CreateCluster",
    "eks:CreateNodegroup",
    "eks:CreatePodIdentityAssociation",
    "eks:DeleteAccessEntry",
    "eks:DeleteAddon",
    "eks:DeleteCluster",
    "eks:DeleteNodegroup",
    "eks:DeletePodIdentityAssociation",
    "eks:DisassociateAccessPolicy",
    "eks:TagResource",
    "eks:UntagResource",
    "eks:UpdateAccessEntry",
    "eks:UpdateAddon",
    "eks:UpdateClusterConfig",
    "eks:UpdateClusterVersion",
    "eks:UpdateNodegroupConfig",
    "eks:UpdateNodegroupVersion",
    "eks:UpdatePodIdentityAssociation",
)
KMS_MAKE = ("kms:CreateKey", "kms:TagResource")
KMS_USE = ("kms:CreateGrant", "kms:RetireGrant")  # EKS and ECR are given their use of a key by whoever names it
KMS_CHANGE = (
    "kms:DisableKeyRotation",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:UpdateAlias",
)
KMS_ALIAS = ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias")  # asked of the alias and of its key
ECR_MAKE = ("ecr:CreateRepository", "ecr:TagResource")
ECR_CHANGE = (
    "ecr:DeleteLifecyclePolicy",
    "ecr:DeleteRepository",
    "ecr:DeleteRepositoryPolicy",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:SetRepositoryPolicy",
    "ecr:TagResource",
    "ecr:UntagResource",
)
ECR_REGISTRY = (
    "ecr:CreatePullThroughCacheRule",
    "ecr:CreateRepositoryCreationTemplate",
    "ecr:DeletePullThroughCacheRule",
    "ecr:DeleteRegistryPolicy",
    "ecr:DeleteRepositoryCreationTemplate",
    "ecr:PutRegistryPolicy",
    "ecr:PutRegistryScanningConfiguration",
    "ecr:PutReplicationConfiguration",
    "ecr:UpdatePullThroughCacheRule",
    "ecr:UpdateRepositoryCreationTemplate",
)
IAM_BOUND = (  # of the role's own rights: IAM asks for the boundary with each
    "iam:AttachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
)
IAM_CHANGE = (
    "iam:DeleteRole",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
IAM_PROVIDER = (  # the cluster's own issuer, for IRSA
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:TagOpenIDConnectProvider",
    "iam:UntagOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint",
)
MACHINES_MAKE = ("iam:CreateInstanceProfile", "sqs:CreateQueue")
MACHINES_CHANGE = (
    "events:DeleteRule",
    "events:PutRule",  # makes and changes alike, and says the tags with the making alone
    "events:PutTargets",
    "events:RemoveTargets",
    "events:TagResource",
    "events:UntagResource",
    "iam:AddRoleToInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:UntagInstanceProfile",
    "sqs:DeleteQueue",
    "sqs:GetQueueUrl",
    "sqs:SetQueueAttributes",
    "sqs:TagQueue",
    "sqs:UntagQueue",
)
PASSED_TO = (
    "ec2.amazonaws.com",
    "ecr.amazonaws.com",
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
# Enhanced scanning is Inspector's: ECR switches it on for the caller (ECR user guide, "IAM permissions required for
# enhanced scanning in Amazon ECR").
SCANNING = ("inspector2:Disable", "inspector2:Enable", "inspector2:ListAccountPermissions")
INSPECTOR = "inspector2.amazonaws.com"
SERVICE_LINKED = (  # made by AWS at the first use of each in an account
    "autoscaling.amazonaws.com",
    "ec2-nat-gateway.amazonaws.com",  # of a regional gateway (VPC user guide, "Using service-linked roles for VPC")
    "eks-nodegroup.amazonaws.com",
    "eks.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "pullthroughcache.ecr.amazonaws.com",
    "replication.ecr.amazonaws.com",
    "spot.amazonaws.com",
)
