"""Kinds as an AppProject lists them."""

from __future__ import annotations


def build_group_kind(name: str) -> dict[str, str]:
    """Build the entry of a kind, written `GROUP/KIND`, or `KIND` of the core group."""
    group, _, kind = name.rpartition("/")
    return {"group": group, "kind": kind}
