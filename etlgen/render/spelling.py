"""The safe spelling of a value in each kind of file.

Every function takes a value of the plan and gives text that cannot leave the place it is put in:
a comment stays one comment, a quoted string one string. Templates reach them as filters, and only
those of their own kind of file (`DIALECTS`), so that the wrong one does not load.
"""

import inspect
import json as jsonlib
import keyword
import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etlgen.pycode import Py, is_visible, literal, raw_literal
from etlgen.visible import escape, escaped


class SpellingError(ValueError):
    """A value that has no safe spelling where the template puts it."""


class Spelled(str):
    """Text that is safe in one kind of file, and only there."""

    __slots__ = ()


class Toml(Spelled):
    __slots__ = ()


class Yaml(Spelled):
    __slots__ = ()


class Json(Spelled):
    __slots__ = ()


class Md(Spelled):
    __slots__ = ()


class Env(Spelled):
    __slots__ = ()


class Sh(Spelled):
    __slots__ = ()


class Make(Spelled):
    __slots__ = ()


class Lines(Spelled):
    __slots__ = ()


def comment(value: object) -> str:
    """One line after `#`: no line separator ends it, no backslash continues it."""
    text = re.sub(r"\\$", r"\\x5c", escaped(_text(value)))
    # PEP 263: `coding: utf-7` in a comment at the top changes how the rest is decoded.
    return re.sub(r"coding([:=])", lambda found: f"coding\\x{ord(found[1]):02x}", text)


def docstring(value: object, indent: int = 0) -> str:
    r"""The inside of `\"\"\"…\"\"\"`.

    Lines stay lines where Black leaves them as they are; otherwise all is spelled with escapes.
    """
    text = _text(value)
    pieces = []
    for at, char in enumerate(text):
        edge = at == 0 or at == len(text) - 1
        if char == "\\":
            pieces.append("\\\\")
        elif char == '"' and edge:
            pieces.append(
                "\\x22"
            )  # Black pads a docstring that ends in a quote mark, escaped or not
        elif char == '"' and '"' in (text[at - 1], text[at + 1]):
            pieces.append('\\"')
        elif char == " " and (edge or text[at + 1] == "\n"):
            pieces.append("\\x20")
        elif char == "\n" or is_visible(char):
            pieces.append(char)
        else:
            pieces.append(escape(char))
    spelled = "".join(pieces)
    if inspect.cleandoc(text) != text:
        return spelled.replace("\n", "\\n")
    return re.sub(r"\n(?=[^\n])", "\n" + " " * indent, spelled)


def ident(value: object) -> str:
    """A Python name that every reader and Python itself read the same way."""
    text = _text(value)
    if not (text.isascii() and text.isidentifier()) or keyword.iskeyword(text):
        raise SpellingError(f"{text!r} is not a Python name")
    return text


def py(value: object) -> str:
    """A Python literal."""
    return literal(value)


def regex(value: object) -> str:
    """A regular expression, as a raw string where that says the same."""
    return raw_literal(_text(value))


def word(value: object) -> str:
    """A name that is safe bare in any file: letters, digits, `_`, `-` and `.`."""
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", text):
        raise SpellingError(f"{text!r} is not a plain word")
    return text


def toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return _scalar(value, short="\\u{:04X}", null=None)


def yaml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(yaml(item) for item in value) + "]"
    return _scalar(value, short="\\u{:04X}", null="null")


def json(value: object) -> str:
    return jsonlib.dumps(value, ensure_ascii=True, sort_keys=True)


def md(value: object) -> str:
    """A stretch of running text in Markdown: no markup, no HTML, no new block, no table cell."""
    text = escaped(" ".join(_text(value).split()))
    text = re.sub(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", text)
    return re.sub(r"^([#+=-]|\d+(?=[.)]))", _opening, text)


def code(value: object) -> str:
    """A Markdown code span, also within a table."""
    text = escaped(" ".join(_text(value).split())).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def mermaid(value: object) -> str:
    """The inside of a quoted Mermaid label, everything but letters and digits as entity codes."""
    text = " ".join(_text(value).split())
    return "".join(char if char.isalnum() or char in " ._-" else f"#{ord(char)};" for char in text)


def sh(value: object) -> str:
    """One argument of a shell command."""
    text = _text(value)
    if not all(map(is_visible, text)):
        raise SpellingError(f"{text!r} cannot be typed into a shell")
    return shlex.quote(text)


def env(value: object) -> str:
    """The right-hand side in a `.env` file, as python-dotenv, Compose and a shell read it."""
    text = _text(value)
    if re.fullmatch(r"[A-Za-z0-9_./:@%+,-]*", text):
        return text
    if "${" not in text and all(map(is_visible, text)):
        if "'" not in text and "\\" not in text:
            return f"'{text}'"
        if "$" not in text and "`" not in text:
            return '"' + re.sub(r'[\\"]', r"\\\g<0>", text) + '"'
    raise SpellingError(f"{text!r} has no spelling in a .env file")


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """A kind of file: the mark that its safe text carries and the spellings it has."""

    mark: type[str]
    filters: Mapping[str, Callable[..., str]]


PYTHON = Dialect(
    Py,
    {"py": py, "ident": ident, "comment": comment, "docstring": docstring, "regex": regex},
)
YAML = Dialect(Yaml, {"yaml": yaml, "word": word, "comment": comment})
LINES = Dialect(Lines, {"word": word, "comment": comment})

DIALECTS: Mapping[str, Dialect] = {
    ".py": PYTHON,
    ".toml": Dialect(Toml, {"toml": toml, "word": word, "comment": comment}),
    ".yaml": YAML,
    ".yml": YAML,
    ".json": Dialect(Json, {"json": json}),
    ".md": Dialect(Md, {"md": md, "code": code, "mermaid": mermaid, "sh": sh, "word": word}),
    ".env.example": Dialect(Env, {"env": env, "word": word, "comment": comment}),
    ".sh": Dialect(Sh, {"sh": sh, "word": word, "comment": comment}),
    "Makefile": Dialect(Make, {"word": word, "comment": comment}),
    ".gitignore": LINES,
    ".gitattributes": LINES,
    ".dockerignore": LINES,
}


def dialect_of(template: str) -> Dialect:
    """The dialect of a template, from the name of the file that it makes."""
    name = template.rsplit("/", 1)[-1].removesuffix(".jinja")
    for ending, dialect in DIALECTS.items():
        if name.endswith(ending):
            return dialect
    raise SpellingError(f"{template}: no spelling is known for this kind of file")


def _text(value: object) -> str:
    if not isinstance(value, str) or isinstance(value, Spelled | Py):
        kind = type(value).__name__
        raise SpellingError(f"a plain text is needed here, not {kind}")
    return str(value)


def _scalar(value: object, short: str, null: str | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value is None and null is not None:
        return null
    pieces = []
    for char in _text(value):
        if unicodedata.category(char) == "Cs":
            raise SpellingError("a lone surrogate has no spelling in this file")
        if char in '"\\':
            pieces.append(f"\\{char}")
        elif is_visible(char):
            pieces.append(char)
        else:
            pieces.append(short.format(ord(char)) if ord(char) < 0x10000 else f"\\U{ord(char):08X}")
    return '"' + "".join(pieces) + '"'


def _opening(found: re.Match[str]) -> str:
    start = found[0]
    # A digit cannot be escaped, so the number of a list is kept from being one by its dot.
    return f"{start}\\" if start.isdigit() else f"\\{start}"
