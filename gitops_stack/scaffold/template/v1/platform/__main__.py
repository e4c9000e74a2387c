"""The Pulumi program of every stack: settings, checked tree, components, outputs."""

from pathlib import Path

import pulumi

from gitops_stack.components import GitOpsStack
from gitops_stack.config import check_kubeconfig, load_settings
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_stack_installation

try:
    settings = load_settings()
    check_kubeconfig(settings)
    manifests = load_stack_installation(settings, Path(settings.tree_path))
    stack = GitOpsStack("gitops-stack", {"settings": settings, "manifests": manifests})
except GitOpsStackError as error:
    raise pulumi.RunError(str(error)) from None

for name, value in stack.outputs.items():
    pulumi.export(name, value)
