"""The GitOps tree of one stack as data: built, rendered, written, compared and locked.

``build_tree`` and ``manifest_set`` are pure. The outside is touched in three places only: ``kustomize`` and ``release``
run a program, ``files`` reads and writes the tree. The two functions below are imported when they are asked for: with
the settings they take a quarter of a second, which a module beside them such as ``cache_folder`` does without.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitops_stack.gitops_tree.installation import load_installation, load_manifests

__all__ = ["load_installation", "load_manifests"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - one of the above
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gitops_stack.gitops_tree import installation  # noqa: PLC0415 - see above

    return getattr(installation, name)
