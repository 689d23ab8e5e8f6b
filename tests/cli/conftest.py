"""Runs command lines in this process, with a use case in place of the real one where asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from etlgen.cli import run


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Etlgen = Callable[..., Result]


@pytest.fixture
def etlgen(capsys: pytest.CaptureFixture[str]) -> Etlgen:
    def etlgen(*arguments: object) -> Result:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return etlgen
