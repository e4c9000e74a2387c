"""Real git for the commands that deliver."""

from tests.delivery.conftest import git, git_folder, remote

__all__ = ["git", "git_folder", "remote"]
