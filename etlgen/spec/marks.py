"""The marks in numbers that a source writes."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from etlgen.names import shown
from etlgen.spec.problem import refusal

_THOUSANDS = ("", ".", ",", "'", "\u2019", "_", " ", "\u00a0", "\u202f")


def _mark(value: object) -> str:
    if value in (".", ","):
        return str(value)
    raise refusal("mark", f"{shown(str(value))} is not '.' or ','")


def _thousands(value: object) -> str:
    if isinstance(value, str) and value in _THOUSANDS:
        return value
    marks = " ".join(repr(mark) for mark in _THOUSANDS[1:])
    raise refusal("mark", f"{shown(str(value))} is not a thousands mark", f"marks: {marks}")


Mark = Annotated[str, PlainValidator(_mark), WithJsonSchema({"enum": [".", ","]})]
Thousands = Annotated[str, PlainValidator(_thousands), WithJsonSchema({"enum": list(_THOUSANDS)})]
