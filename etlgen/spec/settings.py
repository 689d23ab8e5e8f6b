"""What the environment of the generated project says: literals and references to variables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from etlgen import names
from etlgen.pycode import is_visible
from etlgen.spec.fields import as_text
from etlgen.spec.problem import refusal

_REFERENCE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")
# One kind of quotes takes away the meaning of ' and \, the other that of $ and `; none of both.
_UNQUOTABLE = re.compile(r"\$\{|['\\].*[$`]|[$`].*['\\]")


@dataclass(frozen=True, slots=True)
class Setting:
    """A literal, `${NAME}` (no default) or `${NAME:-default}`."""

    env: names.EnvName | None
    default: str | None

    def __str__(self) -> str:
        if self.env is None:
            return self.default or ""
        return f"${{{self.env}}}" if self.default is None else f"${{{self.env}:-{self.default}}}"


def as_setting(value: object) -> Setting:
    """Refuses a text that holds more than the reference."""
    text = as_text(value)
    if "${" not in text:
        return Setting(None, text)
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise refusal(
            "reference",
            f"{names.shown(text)} is not a reference to the environment",
            "write a literal, ${NAME} or ${NAME:-default} for the whole value",
        )
    try:
        return Setting(names.env_name(found[1]), found[2])
    except names.BadName as problem:
        raise refusal("reference", problem.message, problem.hint) from None


def reference(whole: str, name: str) -> PlainValidator:
    """Refuses all but `${NAME}`, for what is or holds a secret: `whole` says what in a message."""

    def validate(value: object) -> Setting:
        setting = as_setting(value)
        if setting.env is None or setting.default is not None:
            hint = f"write ${{NAME}}, and the {name} into the environment"
            raise refusal("secret", f"{whole} does not stand in a spec", hint)
        return setting

    return PlainValidator(validate)


def _path_setting(value: object) -> Setting:
    setting = as_setting(value)
    folder = setting.default
    if folder is None:
        return setting
    if not folder.strip():
        raise refusal("path", "a path is missing", "write a folder, ${NAME} or ${NAME:-folder}")
    if not all(map(is_visible, folder)):
        raise refusal("path", f"{names.shown(folder)} is not a path with visible names")
    if setting.env and _UNQUOTABLE.search(folder):
        hint = "write only ${NAME} here, and the path into the environment"
        raise refusal("path", f"{names.shown(folder)} cannot stand in a .env file", hint)
    return setting


PathSetting = Annotated[Setting, PlainValidator(_path_setting), WithJsonSchema({"type": "string"})]
