"""One record, one line, whatever the values hold."""

import json
from collections.abc import Iterator

import pytest
import structlog

from runtime.logs import configure_logs

FORGED = "ok\n2026-01-01 ERROR fake \x1b[2J"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_json_is_one_line_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")
    structlog.get_logger().info("loaded", file=FORGED, rows=3)
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    record = json.loads(line)
    assert (record["event"], record["file"], record["rows"]) == ("loaded", FORGED, 3)
    assert "\x1b" not in line


def test_the_console_shows_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console")
    structlog.get_logger().warning("loaded", file=FORGED)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "\x1b" not in line


def test_what_is_not_a_terminal_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("auto")
    structlog.get_logger().info("loaded")
    assert json.loads(capsys.readouterr().err)["event"] == "loaded"


def test_records_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "WARNING")
    structlog.get_logger().info("planned")
    assert capsys.readouterr().err == ""
