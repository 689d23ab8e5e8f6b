"""Patterns of file names, some parts of which are values: `{plant}/*_{day:%Y%m%d}.csv`.

`*` and `?` stay within one folder, `**/` goes down any number of them, `{name}` takes a
text and `{name:%Y%m%d}` a date or a moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from .errors import ContractError

# What a strptime directive looks like; only those of a fixed length can be found in a name.
DIRECTIVES = {
    "%Y": "[0-9]{4}",
    "%j": "[0-9]{3}",
    **dict.fromkeys(("%y", "%m", "%d", "%H", "%M", "%S"), "[0-9]{2}"),
}
CLOCK = ("%H", "%M", "%S")
PART = re.compile(
    r"\{(?P<name>\w+)(?::(?P<format>[^{}]+))?\}"
    r"|(?P<deep>\*\*/)|(?P<any>\*)|(?P<one>\?)|\[(?P<set>!?[^\]]+)\]"
)
CAPTURE = re.compile(r"\{(\w+)(?::[^{}]+)?\}")


@dataclass(frozen=True)
class PathPattern:
    """A pattern of paths below a folder."""

    text: str

    @property
    def names_one_file(self) -> bool:
        """Whether it has no wildcard: then the file must be there."""
        return not set(self.text) & set("*?[{")

    @property
    def glob(self) -> str:
        """The pattern as `pathlib` knows it, with a `*` for each value."""
        parts = CAPTURE.sub(_stars, self.text).split("/")
        # `pathlib` takes no other `**` than a whole part.
        return "/".join(p if p == "**" else re.sub(r"\*+", "*", p) for p in parts)

    @property
    def names(self) -> list[str]:
        """What its values are called: `{plant}`, also where a format is said."""
        return [f"{{{name}}}" for name in self._formats]

    def values(self, name: str) -> dict[str, str] | None:
        """The values in a name that matches, by `names`, dates as ISO 8601; else None."""
        found = self._regex.fullmatch(name)
        if found is None:
            return None
        return {
            f"{{{key}}}": self._value(name, key, text)
            for key, text in found.groupdict().items()
        }

    def _value(self, name: str, key: str, text: str) -> str:
        format = self._formats[key]
        if format is None:
            return text
        try:
            moment = datetime.strptime(text, format)
        except ValueError:
            raise ContractError(
                f"{name}: {text!r} is no {key} in the format {format}"
            ) from None
        has_clock = any(directive in format for directive in CLOCK)
        return moment.isoformat() if has_clock else moment.date().isoformat()

    @cached_property
    def _formats(self) -> dict[str, str | None]:
        found = (part for part in PART.finditer(self.text) if part["name"])
        return {part["name"]: part["format"] for part in found}

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        pieces, end = [], 0
        for part in PART.finditer(self.text):
            pieces += [re.escape(self.text[end : part.start()]), _piece(part)]
            end = part.end()
        return re.compile("".join([*pieces, re.escape(self.text[end:])]), re.DOTALL)


def _stars(capture: re.Match[str]) -> str:
    """A star for each part of the path that a value takes: `{day:%Y/%m}` takes two."""
    return "/".join("*" for _ in capture.group().split("/"))


def _piece(part: re.Match[str]) -> str:
    if part["name"]:
        looks_like = _looks_like(part["format"]) if part["format"] else "[^/]+"
        return f"(?P<{part['name']}>{looks_like})"
    if part["set"]:
        negated, listed = part["set"][0] == "!", part["set"].removeprefix("!")
        listed = re.sub(r"([\\\[\]^&~|])", r"\\\1", listed)
        return f"[{'^/' if negated else ''}{listed}]"
    return "(?:[^/]+/)*" if part["deep"] else "[^/]*" if part["any"] else "[^/]"


def _looks_like(format: str) -> str:
    pieces = re.split("(%.)", format)
    return "".join(DIRECTIVES.get(piece, re.escape(piece)) for piece in pieces)
