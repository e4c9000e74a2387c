"""Text to Markdown that stays text: nothing in it becomes a link, a mention, a tag or the end of its block. Pure.

GitLab runs a line such as `/close` of a comment as a command, unless it stands in code: so all text of others does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")  # and what reorders text
_LAST_SENTENCE = 400  # characters kept for it
_NAME = 200  # characters of a name in running text


def code(text: str) -> str:
    """Render a text of one line as a code span, shortened to 200 characters."""
    line = " ".join(_CONTROL.sub("", text).split())
    line = line if len(line) <= _NAME else f"{line[: _NAME - 1]}…"
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def cell(text: str) -> str:
    """Render a text as a code span in a table: code or not, a bar ends a cell."""
    return code(text).replace("|", "\\|")


def fence(text: str, language: str = "", limit: int = 4000) -> str:
    """Render a text as a fenced block; past ``limit`` characters it is cut at a line, and the rest counted."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n")).rstrip("\n")
    if len(text) > limit:
        kept = text[:limit].rpartition("\n")[0] or text[:limit]
        rest = text[len(kept) :].strip("\n").count("\n") + 1
        text = f"{kept}\n… {rest} more line{'' if rest == 1 else 's'}"
    marks = "`" * max(3, _longest_run(text) + 1)
    return f"{marks}{language}\n{text}\n{marks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


@dataclass(frozen=True)
class Section:
    """A collapsed part of a comment; ``noun`` names its entries when they are counted."""

    title: str
    noun: str
    entries: Sequence[str]

    def render(self, count: int) -> str:
        """Render the first ``count`` entries."""
        if not count:
            return ""
        body = "\n\n".join(self.entries[:count])
        return f"<details><summary>{self.title}</summary>\n\n{body}\n\n</details>\n"


def fit(header: str, sections: Sequence[Section], limit: int, elsewhere: str) -> str:
    """Join ``header`` and as many entries of ``sections``, in order, as ``limit`` characters hold.

    What does not fit is left out whole and counted in a last sentence; ``elsewhere`` says where it is to be found. When
    there is too much, a section leaves half of the room to those after it: findings must not hide the changes.
    """
    filled = [section for section in sections if section.entries]
    whole = "\n".join([header, *(section.render(len(section.entries)) for section in filled)])
    if len(whole) <= limit:
        return whole
    left = limit - len(header) - len(elsewhere) - _LAST_SENTENCE
    parts, missing = [header], []
    for section in filled:
        count = _fitting(section, left if section is filled[-1] else left // 2)
        text = section.render(count)
        left -= len(text) + 1
        parts += [text] if text else []
        if count < len(section.entries):
            missing.append(f"{len(section.entries) - count} of {len(section.entries)} {section.noun}")
    if missing:
        parts.append(f"**Left out** to stay below {limit:,} characters: {', '.join(missing)}. {elsewhere}\n")
    return "\n".join(parts)


def _fitting(section: Section, room: int) -> int:
    used = len(section.render(1)) - len(section.entries[0])
    for count, entry in enumerate(section.entries):
        used += len(entry) + len("\n\n")
        if used > room:
            return count
    return len(section.entries)
