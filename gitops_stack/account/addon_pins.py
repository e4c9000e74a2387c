"""What a stack should pin of its EKS add-ons: what is pinned, what EKS offers, and which version to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops_stack.account.addon_versions import Offered, is_older, load_offered
from gitops_stack.account.session import Account
from gitops_stack.settings.eks_addons import is_addon_version


@dataclass(frozen=True)
class AddonPin:
    """One add-on: its pin in the stack file, None when it has none, and what EKS offers."""

    addon: str
    pinned: str | None
    offered: Offered

    @property
    def default(self) -> str | None:
        """What EKS would choose, or None when nothing is known to be offered."""
        return next(iter(self.offered.versions), None)

    @property
    def status(self) -> str:
        """`fits`; `missing`, without a pin; `not offered`; or `not listed`, by a source that does not list all.

        A pin that is not a version, such as `latest`, nobody offers.
        """
        if self.pinned is None:
            return "missing"
        if not is_addon_version(self.pinned):
            return "not offered"
        if self.pinned in self.offered.versions:
            return "fits"
        return "not offered" if self.offered.complete else "not listed"

    def choose(self, *, update: bool) -> str | None:
        """Return the version to write, or None to leave the pin.

        A pin that fits stays, a newer one than EKS's default included; ``update`` moves those that are older. A pin
        that is not listed stays unless it is older than all that is known.
        """
        default = self.default
        if default is None:
            return None
        if self.status in ("missing", "not offered"):
            return default
        outdated = self.status == "not listed" and is_older(str(self.pinned), self.offered.versions)
        if outdated or (update and is_older(str(self.pinned), (default,), builds=True)):
            return default
        return None


def load_pins(
    account: Account | None, pinned: Mapping[str, str], addons: Iterable[str], kubernetes: str
) -> list[AddonPin]:
    """Look up each of ``addons`` for Kubernetes version ``kubernetes``; ``pinned`` holds the stack's pins."""
    return [AddonPin(addon, pinned.get(addon), load_offered(account, addon, kubernetes)) for addon in addons]
