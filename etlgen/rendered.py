"""A generated file as a value: what rendering makes, style finishes and the workspace writes."""

import hashlib
import unicodedata
from dataclasses import dataclass

from etlgen.errors import Finding, InternalError
from etlgen.names import DEVICES

PROJECT_UNIT = "etlgen"
RUNTIME_UNIT = "runtime"
KINDS = "kinds/"
SOURCES = "sources/"

_FORBIDDEN = frozenset('\\:*?"<>|')


def kind_unit(kind: str) -> str:
    """The unit of what all sources of a kind share."""
    return f"{KINDS}{kind}"


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file of the generated project.

    `unit` names what it is generated from: the spec file that owns it, as its path without the
    suffix (`etlgen`, `sources/crm`), or the part of the runtime that it is of.
    `verbatim` text is copied byte for byte: no style, no normalising.
    """

    path: str
    text: str
    unit: str
    template: str
    resource: str | None = None
    verbatim: bool = False
    unstyled_sha256: str | None = None
    """Hash of the text before Black, so that a newer Black is told from a newer template."""

    def __post_init__(self) -> None:
        require_inside(self.path, self.template)
        require_inside(self.unit, self.template)


def require_inside(path: str, template: str) -> None:
    """Refuse a path that could leave the project, or that not every system can hold."""
    if not is_inside(path):
        message = f"{path!r} is not a plain path inside the project"
        raise InternalError(Finding(template, None, None, "unsafe-path", message))


def is_inside(path: str) -> bool:
    """No absolute path, `..`, drive, control character or name that Windows keeps for a device."""
    parts = path.split("/")
    return not (
        any(part in ("", ".", "..") for part in parts)
        or not _FORBIDDEN.isdisjoint(path)
        or not _is_visible(path)
        or any(part.endswith((".", " ")) for part in parts)
        or any(part.partition(".")[0].lower() in DEVICES for part in parts)
    )


def _is_visible(path: str) -> bool:
    if path.isascii():
        return path.isprintable()  # the same at once, for the thousands of paths of a project
    return not any(unicodedata.category(char)[0] == "C" for char in path)


def sha256(text: str) -> str:
    """The hash of a text; one that is not UTF-8 is hashed as the bytes that it was read from."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
