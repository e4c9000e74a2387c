"""Real git for the commands that deliver, and a helm for those that pull charts."""

from tests.charts.conftest import helm
from tests.delivery.conftest import git_folder, git_on_path, remote

__all__ = ["git_folder", "git_on_path", "helm", "remote"]
