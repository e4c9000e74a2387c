"""What the library asks of the forge that holds the repository: GitHub or GitLab. The only place that calls one.

Five REST calls each, over the HTTP client lightkube already brings; why no client library: docs/adr/0007.
"""

from gitops_stack.forge.detection import detect_forge
from gitops_stack.forge.forge import Comment, Forge, write_marked_comment

__all__ = ["Comment", "Forge", "detect_forge", "write_marked_comment"]
