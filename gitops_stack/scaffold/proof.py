"""What `app …` announces, held against the render of every stack before and after it, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gitops_stack.config import find_stacks, load_stack_file
from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.delivery.announcement import describe_more, find_changes, is_image, list_images
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.scaffold.plan import Announcement, ProjectPlan
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.application_sets.repository import Listing
from gitops_stack.tree_check.applications import RenderedApplication, Tree, label_applications, load_tree
from gitops_stack.tree_check.judge import judge

_END = "nothing is written"
_NEVER_SYNCED = "project-", "shared-object"
_UNRENDERED = "render-failed", "dangling-path", "incomplete-source", "destination-invalid"


def prove(project: Path, plan: ProjectPlan) -> list[str]:
    """Hold what ``plan`` announces against the renders before and after it. Returns what could not be looked at.

    Raises :class:`GitOpsStackError` when something else would change, or what is announced would not.
    """
    if plan.announced is None:
        return []
    try:
        with _open_copy(project) as copy:
            stacks = {stack: load_stack_file(copy, stack) for stack in find_stacks(copy)}
            for stack in plan.stacks.keys() & stacks.keys():
                # What a stack file says since its last render is rendered along, and is not a change of this plan.
                write_tree(stacks[stack], copy / stacks[stack].tree_path)
            before = {stack: load_tree(copy, settings, installed=False) for stack, settings in stacks.items()}
            plan.write(copy)
            proofs = [
                _Proof(plan.announced, stack, settings, before[stack], load_tree(copy, settings, installed=False))
                for stack, settings in {stack: load_stack_file(copy, stack) for stack in stacks}.items()
            ]
    except EnvironmentProblem as problem:
        return [f"not held against the render: {problem}"]
    GitOpsStackError.raise_for(found for proof in proofs for found in proof.check())
    return [said for proof in proofs for said in proof.unseen()]


@contextmanager
def _open_copy(project: Path) -> Iterator[Path]:
    """Copy the files that git has or would take in, without what programs keep beside them."""
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        copy = Path(made).resolve() / project.resolve().name
        for name in Listing(project).files:
            source, target = project / name, copy / name
            kept = any(part.startswith(".") or part == "node_modules" for part in Path(name).parts[:-1])
            kept = kept or any((project / folder).is_symlink() for folder in Path(name).parents)  # git's index is older
            if kept or not (source.is_file() or source.is_symlink()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_file():
                shutil.copy2(source, target)
                continue
            real, top = Path(os.path.realpath(source)), project.resolve()
            if not real.is_relative_to(top):  # what is written in the copy would be written there
                raise EnvironmentProblem(Problem("is a link out of the project", place=name))
            target.symlink_to(copy / real.relative_to(top))
            if real.is_dir():  # of which git may hold nothing
                target.resolve().mkdir(parents=True, exist_ok=True)
        yield copy


class _Proof:
    """One stack before and after."""

    def __init__(self, announced: Announcement, stack: str, settings: StackSettings, before: Tree, after: Tree) -> None:
        self.announced, self.stack, self.settings, self.after = announced, stack, settings, after
        self.labels = label_applications([*before.applications, *after.applications])
        self.old, self.new = ({one.spec.object.name: one for one in tree.applications} for tree in (before, after))
        self.fresh = [one for name, one in self.new.items() if name not in self.old]
        self.gone = [one for name, one in self.old.items() if name not in self.new]

    def check(self) -> Iterator[Problem]:
        """Yield what differs from what is announced."""
        for made, word in ((self.fresh, "appear"), (self.gone, "go")):
            yield from self._check_listed(made, word)
        others = [line for name in self.old.keys() & self.new.keys() for line in self._find_others(name)]
        if others:
            yield describe_more(self.stack, self.announced.name, sorted(others), _END)

    def unseen(self) -> Iterator[str]:
        """Yield the new applications that are not rendered here, without that being their fault."""
        for one in self.fresh:
            if one.unread and not self._failures(one):
                yield f"{self.stack}: {self.labels[one.spec.object.name]}: is not rendered here, so not looked at"

    def _check_listed(self, made: Sequence[RenderedApplication], word: str) -> Iterator[Problem]:
        said = self.announced
        wanted = said.change == word and self.stack in said.stacks
        own = [one for one in made if wanted and (said.application_set or one.spec.name == said.name)]
        for one in made:
            if one not in own:
                where = one.spec.object.file
                yield Problem(
                    f"{self.labels[one.spec.object.name]} would {word} too, by {where}", _END, self.stack, said.name
                )
        if wanted and not own:
            by = f"ApplicationSet {said.application_set}" if said.application_set else "its entry"
            found = f"would not {word} with {by}"
            yield Problem(found, f"look for another place that decides it; {_END}", self.stack, said.name)
        for one in own if word == "appear" else ():
            yield from self._check_fresh(one)

    def _check_fresh(self, one: RenderedApplication) -> Iterator[Problem]:
        label, image = self.labels[one.spec.object.name], self.announced.image
        failures = self._failures(one)
        yield from (Problem(said, _END, self.stack, label) for said in failures)
        if failures or one.unread:
            return
        found = dict.fromkeys(list_images(found.manifest for found in one.objects))
        if image and not any(is_image(each, image) for each in found):
            runs = ", ".join(found) or "no image"
            yield Problem(f"would run {runs}, not {image}", f"look for the place that wins; {_END}", self.stack, label)

    def _failures(self, one: RenderedApplication) -> list[str]:
        """Return why a new application would not render or sync."""
        found = [each for each in self.after.findings if each.rule in _UNRENDERED]
        judged = judge(self.after, self.stack, self.settings.argocd.namespace)
        found += [each for each in judged if each.rule.startswith(_NEVER_SYNCED) and each.severity == "error"]
        return list(dict.fromkeys(each.sentence for each in found if each.application == one.spec.name))

    def _find_others(self, name: object) -> Iterator[str]:
        old, new = self.old[name], self.new[name]  # type: ignore[index]
        if old.unread or new.unread:
            if new.unread - old.unread:
                yield f"{self.labels[old.spec.object.name]} would no longer render"
            return
        sides = ([one.manifest for one in side.objects if not self._is_announced(one)] for side in (old, new))
        yield from (f"{self.labels[old.spec.object.name]}: {line}" for line in find_changes(*sides))

    def _is_announced(self, one: RenderedObject) -> bool:
        """Tell whether an object is one by which the announced applications come and go."""
        own = {("Application", self.announced.name), ("ApplicationSet", self.announced.application_set)}
        made = {("Application", each.spec.name) for each in (*self.fresh, *self.gone)}
        known = {*own, *made, *self.announced.along}
        return one.group in ("", ARGOCD_GROUP) and (one.kind, one.name.name) in known
