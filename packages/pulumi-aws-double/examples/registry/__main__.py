"""A repository for images, and the role that may push to it."""

import json

import pulumi
import pulumi_aws as aws

repository = aws.ecr.Repository("images", name="shop/images", image_tag_mutability="IMMUTABLE")
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
role = aws.iam.Role("builder", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
aws.iam.RolePolicy(
    "push",
    role=role.id,
    policy=repository.arn.apply(
        lambda arn: json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:PutImage", "Resource": arn}]}
        )
    ),
)
pulumi.export("url", repository.repository_url)
