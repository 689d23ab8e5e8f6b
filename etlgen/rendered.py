"""A generated file as a value: what rendering makes, style finishes and the workspace writes."""

import hashlib
import unicodedata
from dataclasses import dataclass

from etlgen.errors import Finding, InternalError


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file of the generated project.

    `unit` names the spec file that owns it, as its path without the suffix (`etlgen`,
    `sources/crm`); None means written once and then the team's own, as the spec files are.
    `verbatim` text is copied byte for byte: no style, no normalising.
    """

    path: str
    text: str
    unit: str | None
    template: str
    resource: str | None = None
    verbatim: bool = False
    unstyled_sha256: str | None = None
    """Hash of the text before Black, so that a newer Black is told from a newer template."""

    def __post_init__(self) -> None:
        require_inside(self.path, self.template)
        if self.unit is not None:
            require_inside(self.unit, self.template)


def require_inside(path: str, template: str) -> None:
    """Refuse a path that could leave the project: absolute, `..`, a drive, a control character."""
    parts = path.split("/")
    unsafe = (
        any(part in ("", ".", "..") for part in parts)
        or any(char in '\\:*?"<>|' or unicodedata.category(char)[0] == "C" for char in path)
        or any(part.endswith((".", " ")) for part in parts)
    )
    if unsafe:
        message = f"{path!r} is not a plain path inside the project"
        raise InternalError(Finding(template, None, None, "unsafe-path", message))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
