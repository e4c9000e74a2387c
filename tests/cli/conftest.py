"""Real git for the commands that deliver."""

from tests.delivery.conftest import git_folder, git_on_path, remote

__all__ = ["git_folder", "git_on_path", "remote"]
