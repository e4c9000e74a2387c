"""A laptop-sized Kubernetes with a real Argo CD, run as plain host processes: no containers, no cloud account.

May import everything below it; nothing but the command line imports it. The engine that installs the stack, the Git
repositories and the demonstration itself are left to the callers.
"""
