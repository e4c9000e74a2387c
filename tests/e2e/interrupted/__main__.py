"""The AWS side of a stack alone."""

import pulumi

from gitops_stack.components.aws_foundation import register_aws_foundation
from gitops_stack.config import load_settings

register_aws_foundation(load_settings(), pulumi.ComponentResource("test:index:Stack", "gitops-stack"))
