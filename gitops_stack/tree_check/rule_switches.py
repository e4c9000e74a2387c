"""`gitops/policies.yaml`: which rules hold where, each exception with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_yaml_file
from gitops_stack.patterns import match_glob
from gitops_stack.rules.fields import mapping, sequence
from gitops_stack.rules.finding import Finding
from gitops_stack.rules.known_rules import ADOPT, BY_ID, RULES, Profile, Switch

POLICIES_FILE = "gitops/policies.yaml"
_SWITCHES = ("error", "warning", "note", "off")
_KEYS = {"rule", "severity", "paths", "reason"}


@dataclass(frozen=True)
class Entry:
    """One switch: ``paths`` are globs relative to the project, none for everywhere."""

    rule: str
    switch: Switch
    paths: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Tell whether the entry is about a finding: by its file, or by the folder its application renders."""
        places = [place for place in (finding.file, finding.folder, f"{finding.folder}/") if place.strip("/")]
        return not self.paths or any(match_glob(path, place, "/") for path in self.paths for place in places)


def load_switches(project: Path, own_rules: Iterable[str] = ()) -> tuple[Entry, ...]:
    """Read the switches of a project; none when there is no file.

    ``own_rules`` are the ids of own policies. Raises :class:`GitOpsStackError` with every finding.
    """
    file = project / POLICIES_FILE
    if not file.is_file():
        return ()
    documents = load_yaml_file(file, POLICIES_FILE)
    document = mapping(documents[0] if documents else {})
    unknown = sorted(set(map(str, document)) - {"rules"})
    findings = [f"{POLICIES_FILE}: {key}: is not a known key; known here: rules" for key in unknown]
    entries = sequence(document.get("rules"))
    if document.get("rules") is not None and not isinstance(document["rules"], list):
        findings.append(f"{POLICIES_FILE}: rules: found no list; needs a list of rule, severity, paths and reason")
    rules = {*BY_ID, *own_rules}
    for index, entry in enumerate(entries):
        findings += [f"{POLICIES_FILE}: rules[{index}]{sentence}" for sentence in _check_entry(entry, rules)]
    GitOpsStackError.raise_for(findings)
    return tuple(_read_entry(mapping(entry)) for entry in entries)


def _check_entry(entry: object, rules: set[str]) -> Iterable[str]:
    if not isinstance(entry, dict):
        yield ": found no map; needs rule, severity and reason"
        return
    for key in sorted(set(map(str, entry)) - _KEYS):
        yield f".{key}: is not a known key; known here: {', '.join(sorted(_KEYS))}"
    if str(entry.get("rule")) not in rules:
        yield f".rule: found {entry.get('rule', 'nothing')}, which is not a rule; docs/checks.md lists them"
    if _switch(entry.get("severity")) not in _SWITCHES:
        yield f".severity: found {entry.get('severity', 'nothing')}; needs one of: {', '.join(_SWITCHES)}"
    if not isinstance(entry.get("reason"), str) or not entry["reason"].strip():
        yield ".reason: is missing; say why the rule does not hold here as it does elsewhere"
    paths = entry.get("paths", ["**"])
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) and path for path in paths):
        yield ".paths: needs a list of globs such as gitops/workloads/guestbook/**"


def _read_entry(entry: Any) -> Entry:  # noqa: ANN401 - a mapping from YAML
    switch = cast("Switch", _switch(entry["severity"]))
    return Entry(entry["rule"], switch, tuple(sequence(entry.get("paths"))), entry["reason"])


def _switch(value: object) -> object:
    return "off" if value is False else value  # YAML reads an unquoted off as false


def apply_switches(findings: Iterable[Finding], entries: Sequence[Entry], profile: Profile = "strict") -> list[Finding]:
    """Give every finding the severity that holds at its place; the last entry that covers it wins over the profile."""
    kept = []
    for finding in findings:
        rule = BY_ID.get(finding.rule)
        switch: Switch = "off" if rule is not None and rule.default == "off" else finding.severity
        if profile == "adopt" and switch != "off":
            switch = ADOPT.get(finding.rule, switch)
        for entry in entries:
            if entry.rule == finding.rule and entry.covers(finding):
                switch = entry.switch
        if switch != "off":
            kept.append(replace(finding, severity=switch))
    return kept


def render_rules_table() -> str:
    """Render every rule as a Markdown table, for the documentation."""
    rows = [
        f"| `{rule.id}` | {rule.default} | {ADOPT.get(rule.id, rule.default)} | {rule.finds} | {rule.reason} |"
        for rule in RULES
    ]
    head = ["| rule | strict | adopt | finds | why |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"
