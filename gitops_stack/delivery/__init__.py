"""From an image to a reviewed change in Git: which file and value, the edit, the branch, the pull request's text.

The core (`image_reference`, `edits`, `images`, `plan`, `message`, `pull_request`) is pure text in, text out. The edges
are `tree_reader` (reads a checkout) and `git_branch` (runs git). Forges are called by `gitops_stack.forge`, stack files
are read by `gitops_stack.config`, workloads are rendered by `gitops_stack.tree_check`: all are handed in.
"""
