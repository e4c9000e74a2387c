"""Take over an Argo CD that is in the cluster already: what it is, what cannot work, what would be lost.

`reading` reads; everything else judges plain dicts.
"""

from gitops_stack.adoption.judgement import build_report
from gitops_stack.adoption.living import Living
from gitops_stack.adoption.reading import load_living, look
from gitops_stack.adoption.report import AdoptionFinding, AdoptionReport, Installation
from gitops_stack.adoption.wanted import Wanted, build_wanted

__all__ = [
    "AdoptionFinding", "AdoptionReport", "Installation", "Living", "Wanted",
    "build_report", "build_wanted", "load_living", "look",
]  # fmt: skip
