"""Repositories that use this library: laid out, brought up to date, and edited by commands.

An edge like ``lab``: files are read and written here, git and the template engine are run here. Settings are read
through ``config``, trees are written through ``gitops_tree``; nothing is decided about Kubernetes objects beyond the
first manifests of an application, which are the team's own from then on.
"""
