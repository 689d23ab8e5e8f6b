"""The command line itself: help, usage, schema, pipes and start-up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from etlgen import __version__

from .conftest import Etlgen

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "fixtures/shop/shop.yaml"
HEAVY = {"black", "jinja2", "pandas", "pyarrow", "pydantic", "rich", "ruff", "sqlalchemy", "yaml"}


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "etlgen", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def imported(script: str) -> set[str]:
    names = "print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, etlgen.cli\n{script}\n{names}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_line_imports_nothing_heavy() -> None:
    assert not HEAVY & imported("")


def test_a_check_of_what_is_as_it_was_renders_nothing(etlgen: Etlgen, tmp_path: Path) -> None:
    assert etlgen("new", tmp_path / "shop", "--spec", SHOP, "--yes").code == 0
    command = ["check", "-C", str(tmp_path / "shop")]
    used = imported(f"assert etlgen.cli.run({command!r}) == 0")
    assert not (HEAVY - {"pydantic"}) & used  # Typer itself imports that


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(etlgen: Etlgen, arguments: list[str]) -> None:
    result = etlgen(*arguments)
    assert result.code == 0
    for command in ("new", "schema", "demo"):
        assert f"\n  {command} " in result.out


@pytest.mark.parametrize("command", ["new", "schema", "demo"])
def test_each_command_has_help_and_an_example(etlgen: Etlgen, command: str) -> None:
    result = etlgen(command, "--help")
    assert result.code == 0
    assert f"Example: etlgen {command}" in result.out


def test_version(etlgen: Etlgen) -> None:
    assert etlgen("--version").out == f"etlgen {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nwe"], "No such command 'nwe'. Did you mean 'new'?"),
        (["new", "--nope"], "; see etlgen new --help"),
        (
            ["generate", "--on-conflict", "x"],
            "'--on-conflict': 'x' is not one of 'markers', 'abort'",
        ),
        (["new", "a", "b"], "unexpected"),
        (["new", "--spec"], "--spec"),
        (["schema", "sauce"], "sauce"),
    ],
)
def test_a_mistake_on_the_command_line_exits_2(
    etlgen: Etlgen, arguments: list[str], says: str
) -> None:
    result = etlgen(*arguments)
    assert (result.code, result.out) == (2, "")
    assert says in result.err
    data = etlgen(arguments[0], "--json", *arguments[1:])
    assert (data.code, data.err) == (2, "")
    assert data.json["exit_code"] == 2
    assert data.json["findings"][0]["code"] == "usage"


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--json=1", "does not take a value"),
        ("--json=true", "does not take a value"),
        ("--json=", "does not take a value"),
        ("--no-json", "No such option"),
        ("--jso", "No such option"),
        ("--JSON", "No such option"),
    ],
)
def test_json_has_one_spelling(etlgen: Etlgen, option: str, says: str) -> None:
    for arguments in ((option,), ("--nope", option), (option, "extra")):
        result = etlgen("check", *arguments)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("etlgen: ")
        assert result.err.count("\n") == 1
    assert says in etlgen("check", option).err


@pytest.mark.parametrize("command", ["check", "generate", "diff", "new", "mv"])
def test_with_json_every_mistake_is_one_document(etlgen: Etlgen, command: str) -> None:
    for mistake in (["--nope"], ["--json=1"], ["-C"], ["-C", "/nonexistent"], ["--json", "a", "b"]):
        result = etlgen(command, "--json", *mistake)
        assert result.code in (2, 3)
        assert result.err == ""
        assert result.json["exit_code"] == result.code


def test_after_two_dashes_json_is_a_path(etlgen: Etlgen, tmp_path: Path) -> None:
    result = etlgen("diff", "-C", tmp_path, "--", "--json")
    assert (result.code, result.out) == (2, "")
    assert "is a project of etlgen" in result.err
    assert etlgen("diff", "-C", tmp_path, "--json", "--", "--json").json["exit_code"] == 2


@pytest.mark.parametrize("of", ["project", "source", "spec"])
def test_the_schema_is_a_json_schema(etlgen: Etlgen, of: str) -> None:
    result = etlgen("schema", of)
    assert (result.code, result.err) == (0, "")
    Draft202012Validator.check_schema(result.json)


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "etlgen", "--help"],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert done.returncode == 141
    assert done.stderr == b""


def test_without_a_terminal_there_is_no_colour_and_no_question() -> None:
    done = process("new")
    assert done.returncode == 3
    assert b"\x1b" not in done.stdout + done.stderr


def test_control_characters_are_shown_not_obeyed(tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text('name: "\\e[2J\\u202e"\n"k\\e[31m": 1\n')
    for option in ([], ["--json"]):
        done = process("new", "--spec", str(spec), *option)
        assert done.returncode == 3
        assert b"\x1b" not in done.stdout + done.stderr
        assert "\u202e".encode() not in done.stdout + done.stderr


def test_a_terminal_of_another_encoding_gets_escapes(tmp_path: Path) -> None:
    spec = tmp_path / "é.yaml"
    spec.write_text("naïve: 1\n")
    done = process("new", "--spec", str(spec), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 3
    assert rb"\xe9.yaml" in done.stderr


def test_a_secret_in_a_spec_is_not_repeated(tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text("name: shop\nurl: postgresql://u:S3cr3t-canary@h/db\n")
    for option in ([], ["--json"]):
        done = process("new", "--spec", str(spec), *option)
        assert done.returncode == 3
        assert b"S3cr3t-canary" not in done.stdout + done.stderr
