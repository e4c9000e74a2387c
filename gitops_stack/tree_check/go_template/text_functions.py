"""sprig's functions of texts, and Argo CD's normalize and slugify."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from gitops_stack.tree_check.go_template.errors import TemplateError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.function import function
from gitops_stack.tree_check.go_template.values import Int64, StringList, StringMap, format_value, quote

_LONGEST_NAME = 253
_SPACES = " \t\n\v\f\r\x85\xa0"


def as_texts(value: Any) -> list[str]:
    """Turn a value into texts as sprig's strslice does."""
    if isinstance(value, list):
        return [format_value(one) for one in value if one is not None]
    return [] if value is None else [format_value(value)]


def sanitize_name(name: str) -> str:
    """Make a name a DNS name (Argo CD applicationset/utils, SanitizeName)."""
    return re.sub(r"[^-a-z0-9.]", "-", name.lower())[:_LONGEST_NAME].strip("-.")


function("normalize", takes="string")(sanitize_name)


@function("slugify", takes="any", variadic=True)
def _slugify(*arguments: Any) -> str:
    """Shorten a name at a dash (Argo CD SlugifyName over gosimple/slug, whose letters are ASCII by then)."""
    longest, smart = 50, True
    if len(arguments) > 1:
        longest = arguments[0]
    if len(arguments) > 2:  # noqa: PLR2004 - length, whether smart, name
        smart = arguments[1]
    name = arguments[-1] if arguments else ""
    if not isinstance(name, str) or isinstance(longest, (bool, Int64)) or not isinstance(longest, int):
        raise TemplateError("slugify takes a length, whether it is smart, and a name")
    if not isinstance(smart, bool):
        raise TemplateError("slugify takes a length, whether it is smart, and a name")
    slug = sanitize_name(name)
    if not smart and len(slug) >= longest:
        slug = slug[:longest]
    slug = re.sub(r"-+", "-", re.sub(r"[^a-z0-9_-]", "-", slug)).strip("-_")
    if not smart or not 0 < longest < len(slug):
        return slug
    cut = slug.rfind("-", 0, longest + 1)
    return slug[: cut if cut >= 0 else longest]


function("trim", takes="string")(lambda text: text.strip(_SPACES))
function("upper", takes="string")(str.upper)
function("lower", takes="string")(str.lower)
function("title", takes="string")(lambda text: re.sub(r"(?<![\w'])[^\W\d_]", lambda found: found[0].upper(), text))
function("untitle", takes="string")(lambda text: re.sub(r"(?<!\S)\S", lambda found: found[0].lower(), text))
function("swapcase", takes="string")(str.swapcase)
function("nospace", takes="string")(lambda text: re.sub(r"\s+", "", text))
function("repeat", takes="int string")(lambda count, text: text * _not_negative(count))
function("trimall", "trimAll", takes="string string")(lambda cut, text: text.strip(cut) if cut else text)
function("trimSuffix", takes="string string")(lambda end, text: text.removesuffix(end))
function("trimPrefix", takes="string string")(lambda start, text: text.removeprefix(start))
function("contains", takes="string string")(lambda part, text: part in text)
function("hasPrefix", takes="string string")(lambda start, text: text.startswith(start))
function("hasSuffix", takes="string string")(lambda end, text: text.endswith(end))
function("quote", takes="any", variadic=True)(
    lambda *values: " ".join(quote(format_value(value)) for value in values if value is not None)
)
function("squote", takes="any", variadic=True)(
    lambda *values: " ".join(f"'{format_value(value)}'" for value in values if value is not None)
)
function("cat", takes="any", variadic=True)(lambda *values: " ".join(as_texts(list(values))))
function("replace", takes="string string string")(lambda old, new, text: text.replace(old, new))
function("plural", takes="string string int")(lambda one, many, count: one if count == 1 else many)
function("toString", takes="any")(format_value)
function("toStrings", takes="any")(lambda value: StringList(as_texts(value)))
function("join", takes="string any")(lambda separator, value: separator.join(as_texts(value)))
function("hello")(lambda: "Hello!")


def base_name(path: str) -> str:
    """Return the last part of a path (Go's path.Base)."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def _clean(path: str) -> str:
    return posixpath.normpath(path).replace("//", "/") if path else "."


function("base", "osBase", takes="string")(base_name)
function("clean", "osClean", takes="string")(_clean)
function("dir", "osDir", takes="string")(lambda path: _clean(path[: path.rfind("/") + 1]))
function("isAbs", "osIsAbs", takes="string")(lambda path: path.startswith("/"))


def _not_negative(count: int) -> int:
    if count < 0:
        raise TemplateError("strings: negative Repeat count")
    return count


@function("ext", "osExt", takes="string")
def _extension(path: str) -> str:
    name = path.rpartition("/")[2]
    return name[name.rfind(".") :] if "." in name else ""


@function("indent", takes="int string")
def _indent(spaces: int, text: str) -> str:
    pad = " " * _not_negative(spaces)
    return pad + text.replace("\n", f"\n{pad}")


function("nindent", takes="int string")(lambda spaces, text: "\n" + _indent(spaces, text))


@function("trunc", takes="int string")
def _truncate(count: int, text: str) -> str:
    data = text.encode()
    if count < 0:
        return data[count:].decode(errors="replace") if len(data) + count > 0 else text
    return data[:count].decode(errors="replace")


@function("substr", takes="int int string")
def _substring(start: int, end: int, text: str) -> str:
    data = text.encode()
    if start < 0:
        return _cut(data, 0, end)
    return _cut(data, start, len(data) if end < 0 or end > len(data) else end)


def _cut(data: bytes, start: int, end: int) -> str:
    if not 0 <= start <= end <= len(data):
        raise TemplateError("slice bounds out of range")
    return data[start:end].decode(errors="replace")


@function("split", takes="string string")
def _split(separator: str, text: str) -> StringMap:
    return StringMap({f"_{number}": part for number, part in enumerate(split_text(text, separator))})


@function("splitn", takes="string int string")
def _split_at_most(separator: str, most: int, text: str) -> StringMap:
    parts = split_text(text, separator, most - 1) if most else []
    return StringMap({f"_{number}": part for number, part in enumerate(parts)})


function("splitList", takes="string string")(lambda separator, text: StringList(split_text(text, separator)))


def split_text(text: str, separator: str, most: int = -1) -> list[str]:
    """Split as Go's strings.SplitN does: an empty separator gives the characters."""
    if separator:
        return text.split(separator, max(most, -1))
    characters = list(text)
    return characters if most < 0 or len(characters) <= most else [*characters[:most], "".join(characters[most:])]


function("snakecase", takes="string")(lambda text: "_".join(_words(text)).lower())
function("kebabcase", takes="string")(lambda text: "-".join(_words(text)).lower())
function("camelcase", takes="string")(lambda text: "".join(word[:1].upper() + word[1:] for word in _words(text)))


def _words(text: str) -> list[str]:
    """Cut simple texts into words; how huandu/xstrings takes capitals and digits is not repeated here."""
    if not re.fullmatch(r"[a-z]+([-_ ][a-z]+)*|", text):
        raise UnsupportedTemplateError(f"the case of {text} is not changed here")
    return re.split(r"[-_ ]", text)
