"""Check whole trees before they are merged: find the applications, render them, hold them against schemas and rules.

Reads files and starts kustomize, Helm and git; the rules themselves are pure and live in ``policies``.
"""
