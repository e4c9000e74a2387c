"""Authored ApplicationSets: find one, read its generator, and change the list of names it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops_stack import conventions
from gitops_stack.edits.text_edit import add_item, apply_checked, remove_item, replace_value
from gitops_stack.edits.yaml_source import Mapping, Node, Scalar, Sequence, find_node, load_source
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.files import is_generated
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest
from gitops_stack.patterns import match_glob, same_repository
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.settings import StackSettings

_LIST = ("spec", "generators", 0, "list")
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_FIELD = re.compile(r"(?<![\w.)\]])\.([A-Za-z_]\w*(?:\.\w+)*)")
_WORD = re.compile(r"\s*([\w.-]+)\s*")


@dataclass(frozen=True)
class AuthoredSet:
    """An ApplicationSet in ``path``, from the project's folder; ``text`` is the whole file's."""

    stack: str
    path: str
    text: str
    manifest: Manifest

    @property
    def name(self) -> str:
        """The set's name."""
        return text(dig(self.manifest, "metadata", "name"))

    @property
    def place(self) -> str:
        """What sentences about the set begin with."""
        return f"{self.path}: ApplicationSet {self.name}"

    @property
    def project(self) -> str:
        """The AppProject its template names; empty when a parameter decides."""
        named = text(dig(self.manifest, "spec", "template", "spec", "project"))
        return "" if "{{" in named else named

    def generator(self) -> str:
        """Tell which of the two generators it has: `list` or `directories`. Raises for any other."""
        generators = sequence(dig(self.manifest, "spec", "generators"))
        only = mapping(generators[0]) if len(generators) == 1 else {}
        if "list" in only and "elementsYaml" not in mapping(only["list"]):
            return "list"
        if "git" in only and sequence(dig(only, "git", "directories")):
            return "directories"
        found = ", ".join(kind for one in generators for kind in mapping(one) if kind != "selector") or "nothing"
        raise GitOpsStackError(
            Problem(
                f"found {found}",
                "only one list of elements, or one of Git directories, can be changed by a command, so edit the file",
                self.place,
                "spec.generators",
            )
        )

    def elements(self) -> list[dict[str, Any]]:
        """Return the elements of its list generator."""
        return [dict(mapping(one)) for one in sequence(dig(_first(self.manifest), "list", "elements"))]

    def template_keys(self) -> list[str]:
        """List the parameters the template uses, as `name` or `cluster.name`, each once."""
        parts = [dig(self.manifest, "spec", key) for key in ("template", "templatePatch")]
        expressions = [one for part in parts for shown in _texts(part) for one in _EXPRESSION.findall(shown)]
        if dig(self.manifest, "spec", "goTemplate") is True:
            found = [key for one in expressions for key in _FIELD.findall(_QUOTED.sub('""', one))]
        else:
            found = [word[1] for one in expressions if (word := _WORD.fullmatch(one))]
        return list(dict.fromkeys(found))

    def folder(self, name: str, repo_url: str) -> str:
        """Return the folder that makes the application ``name``. Raises when its directories do not say one."""
        git = mapping(_first(self.manifest)["git"])
        if not same_repository(text(git.get("repoURL")), repo_url):
            raise GitOpsStackError(
                Problem(
                    f"reads folders of {git.get('repoURL')}, which is not here",
                    "add it there",
                    self.place,
                    "spec.generators",
                )
            )
        entries = [mapping(one) for one in sequence(git["directories"])]
        patterns = [text(one.get("path")) for one in entries if one.get("exclude") is not True]
        parents = [pattern[: -len("/*")] for pattern in patterns if re.fullmatch(r"[^*?\[{]+/\*", pattern)]
        if len(parents) != 1 or len(patterns) != 1:
            raise GitOpsStackError(
                Problem(
                    f"found directories {', '.join(patterns) or 'none'}",
                    "needs one FOLDER/* to say where a new folder belongs, so make it by hand",
                    self.place,
                    "spec.generators",
                )
            )
        folder = f"{parents[0]}/{name}"
        excluded = [text(one.get("path")) for one in entries if one.get("exclude") is True]
        if denied := [pattern for pattern in excluded if match_glob(pattern, folder, "/")]:
            raise GitOpsStackError(
                Problem(f"excludes {folder} by {denied[0]}", "take another name", self.place, "spec.generators")
            )
        return folder

    def with_element(self, element: dict[str, str]) -> str:
        """Return the file's text with one more element; raises when nothing but that cannot be done."""
        node = self._node(*_LIST, "elements")
        if isinstance(node, Sequence):
            edits = [add_item(self.text, node, dict(element))]
        elif isinstance(node, Scalar) and not node.value:
            edits = [replace_value(self.text, node, [dict(element)])]
        else:
            raise GitOpsStackError(
                Problem("is not a list", "write one by hand", self.place, "spec.generators[0].list.elements")
            )

        def intended(documents: list[Any]) -> None:
            held = _first(self._own(documents))["list"]
            held["elements"] = [*(held["elements"] or ()), element]

        return apply_checked(self.text, edits, intended, self.path, what=f"the list of {self.name}")

    def without_element(self, name: str) -> str:
        """Return the file's text without the element ``name``, which is there."""
        index = next(place for place, one in enumerate(self.elements()) if one.get("name") == name)
        parent, node = self._node(*_LIST), self._node(*_LIST, "elements")
        entry = parent.entry("elements") if isinstance(parent, Mapping) else None
        if entry is None or not isinstance(node, Sequence):
            raise GitOpsStackError(
                Problem("is not a list", "edit it by hand", self.place, "spec.generators[0].list.elements")
            )

        def intended(documents: list[Any]) -> None:
            del _first(self._own(documents))["list"]["elements"][index]

        edits = remove_item(self.text, entry[0], node, index)
        return apply_checked(self.text, edits, intended, self.path, what=f"the list of {self.name}", with_comments=True)

    def _node(self, *path: str | int) -> Node | None:
        for document in load_source(self.text, self.path):
            kind, name = find_node(document, ("kind",)), find_node(document, ("metadata", "name"))
            named = (one.value if isinstance(one, Scalar) else "" for one in (kind, name))
            if tuple(named) == ("ApplicationSet", self.name):
                return find_node(document, path)
        return None

    def _own(self, documents: list[Any]) -> Any:  # noqa: ANN401 - a document of the file
        return next(one for one in documents if _is_set(one) and dig(one, "metadata", "name") == self.name)


def load_authored(project: Path, settings: StackSettings) -> Iterator[tuple[str, str, Any]]:
    """Yield (path from the project, text of the file, document) of what people wrote in a stack's `apps` folder."""
    folder = project / settings.tree_path / "apps"
    for file in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        path = file.relative_to(project).as_posix()
        try:
            shown = file.read_bytes().decode("utf-8")
            documents = [] if is_generated(file) else load_documents(shown)
        except (yaml.YAMLError, UnicodeDecodeError):
            raise GitOpsStackError(
                Problem("is not YAML", "correct it, `gitops-stack check` says where", path)
            ) from None
        yield from ((path, shown, document) for document in documents)


def load_sets(project: Path, settings: StackSettings) -> list[AuthoredSet]:
    """Read the authored ApplicationSets of a stack. Raises for a file that is not YAML."""
    return [
        AuthoredSet(settings.stack, path, shown, document)
        for path, shown, document in load_authored(project, settings)
        if _is_set(document)
    ]


def _is_set(document: object) -> bool:
    group = text(dig(document, "apiVersion")).partition("/")[0]
    return (group, dig(document, "kind")) == (conventions.ARGOCD_GROUP, "ApplicationSet")


def _first(manifest: Any) -> Any:  # noqa: ANN401 - a document of the file
    return dig(manifest, "spec", "generators")[0]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():
            yield from (*_texts(key), *_texts(held))
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)
