"""Pure builders: settings in, Kubernetes objects as plain dicts out. Imports settings and conventions alone."""

from __future__ import annotations

from typing import Any

Manifest = dict[str, Any]
"""One Kubernetes object, as its YAML would be read."""
