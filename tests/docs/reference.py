"""The parts of the documents that are made from the code: tables of the vocabulary, commands."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import typer.main
from pydantic.fields import FieldInfo

from etlgen.cli import app
from etlgen.kinds.database.spec import DatabaseResource, DatabaseSource
from etlgen.kinds.rest_api.spec import (
    AUTH_KEYS,
    PAGE_KEYS,
    AuthSpec,
    PagesSpec,
    QuerySpec,
    RestResource,
    RestSource,
)
from etlgen.pycode import code
from etlgen.spec.models import ResourceSpec, SourceSpec
from etlgen.spec.strict import Model
from etlgen.vocabulary.adjust import SCHEMAS as ADJUSTMENTS
from etlgen.vocabulary.adjust import adjusted, adjustment, read_clip, read_round
from etlgen.vocabulary.checks import RULES, check_expression, read_check
from etlgen.vocabulary.clean import OPERATIONS, clean_text, cleaned, read_clean
from etlgen.vocabulary.column import Column, Notation
from etlgen.vocabulary.table_checks import TABLE_RULES, read_table_check
from etlgen.vocabulary.types import SYNONYMS, TYPES, read_type, spell, sqlalchemy_type
from tests.docs.markdown import DOCS

COMMAND = "python -m tests.docs.regen"
NOTE = f"<!-- made by `{COMMAND}` -->"

FORMATS = {
    "strptime": "strptime pattern",
    "words": "two words: `J/N`",
    "encoding": "`hex` or `base64`",
    None: "",
}
# A new operation or check gets its row here; without one the tests fail.
TEXTS_TO_CLEAN: Mapping[str, tuple[object, str]] = {
    "strip": ("strip", "  Ada "),
    "collapse_spaces": ("collapse_spaces", "Ada   Lovelace"),
    "lower": ("lower", "Paid"),
    "upper": ("upper", "de"),
    "null_if": ({"null_if": ["n/a", "-"]}, "n/a"),
    "replace": ({"replace": {"Cups": "mugs"}}, "Cups"),
    "extract": ({"extract": "No ([0-9]+)"}, "Order No 17"),
    "strip_affixes": ({"strip_affixes": ["€", "EUR"]}, "12.50 EUR"),
    "hash": ("hash", "ada@example.com"),
    "mask": ({"mask": "email"}, "ada@example.com"),
    "trailing_minus": ("trailing_minus", "12.50-"),
}
NUMBERS_TO_ADJUST: Mapping[str, tuple[object, str, Any]] = {
    "round": ({"round": 1}, "double", 12.34),
    "clip": ({"clip": {"at_least": 0, "at_most": 100}}, "integer", 130),
}
CHECKS: Mapping[str, tuple[object, str]] = {
    "at_least": (0, "numeric(12,2)"),
    "at_most": (100, "integer"),
    "between": ([1, 1440], "integer"),
    "one_of": (["new", "paid"], "text"),
    "matches": ("[A-Z]{2}", "text"),
    "length": ({"at_most": 40}, "text"),
    "not_in_future": (True, "timestamptz"),
}


TABLE_CHECKS: Mapping[str, tuple[object, str]] = {
    "unique": (["email"], "no two rows have the same value; NULL is none"),
    "row_count": ({"at_least": 1, "at_most": 5000}, "so many rows are loaded"),
    "freshness": (
        {"field": "updated_at", "within": "2d"},
        "the newest value, also of what the table has already, is not older",
    ),
    "null_share": ({"column": "email", "at_most": 0.05}, "so many of the rows, at most, have none"),
    "references": (
        {"column": "country", "table": "countries", "key": "code"},
        "each value is in another table of the destination; without `key`, in its column of the "
        "same name",
    ),
    "sql": (
        "SELECT * FROM rows WHERE updated_at < created_at",
        "the query finds no rows; it needs a `message`, the rule in words",
    ),
}


def pages() -> dict[Path, str]:
    """Every page that has such parts, as it should be."""
    spec = DOCS / "spec.md"
    text = spec.read_text(encoding="utf-8")
    for name, table in {
        "types": types(),
        "clean": clean(),
        "checks": checks(),
        "table checks": table_checks(),
        "database": database(),
        "rest_api": rest_api(),
    }.items():
        text = _filled(text, name, table)
    return {spec: text, DOCS / "cli.md": commands()}


def types() -> str:
    rows = []
    for name, row in TYPES.items():
        type = read_type("numeric(12,2)" if name == "numeric" else name)
        value = next(islice(row.samples(type), 1))
        is_cursor = row.is_ordered and name != "time"
        rows.append(
            [
                _code("numeric(p,s)" if name == "numeric" else name),
                _code(sqlalchemy_type(type).text),
                _code(spell(value, type)),
                FORMATS[row.takes_format],
                _yes(row.is_key),
                _yes(is_cursor),
            ]
        )
    other = ", ".join(f"{_code(word)} ({_code(name)})" for word, name in SYNONYMS.items())
    head = ["type", "in SQLAlchemy", "for example", "`format`", "in a primary_key", "as a cursor"]
    return f"{_table(head, rows)}\nNames from elsewhere are refused with the right one: {other}.\n"


def clean() -> str:
    rows = []
    for name in OPERATIONS:
        raw, text = TEXTS_TO_CLEAN[name]
        step = read_clean(raw)
        after = clean_text(text, [step])
        becomes = f"{_quoted(text)} → {'NULL' if after is None else _quoted(after)}"
        expression = cleaned(code("rows[{name}]", name="name"), [step]).text
        rows.append([_code(_yaml(raw)), becomes, _code(expression)])
    rows += map(_adjusting, ADJUSTMENTS)
    return _table(["clean", "for example", "generated code"], rows)


def _adjusting(name: str) -> list[str]:
    raw, type_name, value = NUMBERS_TO_ADJUST[name]
    type, step = read_type(type_name), read_clean(raw)
    notation = Notation(round_to=read_round([step], type))
    column = Column("x", type, notation=notation, clip=read_clip([step], type))
    made = adjustment(column, code("rows[{name}]", name="x"))
    assert made is not None
    becomes = f"{_code(str(value))} → {_code(str(adjusted(column, value)))}"
    return [_code(_yaml(raw)), becomes, _code(made.text)]


def checks() -> str:
    rows = []
    for name, rule in RULES.items():
        argument, type_name = CHECKS[name]
        type = read_type(type_name)
        check = read_check({name: argument}, type)
        expression = check_expression(check, code("rows[{name}]", name="x"), type).text
        fitting = ", ".join(name for name, row in TYPES.items() if rule.fits(row))
        rows.append([_code(_yaml({name: argument})), fitting, _code(expression), check.message])
    return _table(["check", "fits", "generated code", "in words"], rows)


def table_checks() -> str:
    types = {"email": "text", "updated_at": "timestamptz", "country": "text"}
    columns = {name: Column(name, read_type(type)) for name, type in types.items()}
    rows = []
    for name, rule in TABLE_RULES.items():
        argument, meaning = TABLE_CHECKS[name]
        raw = {name: argument, **({"message": "…"} if rule.is_named else {})}
        check = read_table_check(raw, columns)
        made = f"{check.class_name}({', '.join(part.text for part in check.arguments)})"
        rows.append([_code(_yaml({name: argument})), _code(made), meaning])
    return _table(["check of all rows", "generated code", "what it asks"], rows)


def database() -> str:
    source = _keys(DatabaseSource, of="source", without=SourceSpec)
    return source + "\n" + _keys(DatabaseResource, of="resource", without=ResourceSpec)


def rest_api() -> str:
    return "\n".join(
        [
            _keys(RestSource, of="source", without=SourceSpec),
            _keys(RestResource, of="resource", without=ResourceSpec),
            _variants("auth", "type", AUTH_KEYS),
            _keys(AuthSpec, of="`auth`"),
            _variants("pages", "style", PAGE_KEYS),
            _keys(PagesSpec, of="`pages`"),
            _keys(QuerySpec, of="`since` and `until`"),
        ]
    )


def _variants(
    key: str, name: str, known: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
) -> str:
    rows = [
        [_code(one), ", ".join(map(_code, needed)), ", ".join(map(_code, also))]
        for one, (needed, also) in known.items()
    ]
    return _table([f"`{name}` of `{key}`", "needs", "may have"], rows)


def _keys(model: type[Model], *, of: str, without: type[Model] | None = None) -> str:
    """What a model asks for beyond what another one does."""
    common = without.model_fields if without else {}
    rows = [
        [_code(_key(name, one)), _default(one), (one.description or "").replace("|", "\\|")]
        for name, one in model.model_fields.items()
        if name not in common
    ]
    assert all(meaning for _, _, meaning in rows), f"a key of {of} has no description: {rows}"
    return _table([f"key of {'a ' if '`' not in of else ''}{of}", "default", "meaning"], rows)


def _key(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias or field.alias
    return alias if isinstance(alias, str) else name


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.default
    if isinstance(value, timedelta):
        return _code(f"{value // timedelta(seconds=1)}s")
    if isinstance(value, bool):
        return _code(str(value).lower())
    return _code(str(value)) if isinstance(value, str | int | float) and value else "none"


def commands() -> str:
    """The page about the command line."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("etlgen", [], resilient_parsing=True)
    parts = [
        f"# Commands\n\n{NOTE}\n",
        f"{group.help}\n",
        _options(group, context),
        "The exit codes are in the [reference of the spec](spec.md#errors-and-exit-codes).\n",
    ]
    for name, command in group.commands.items():
        assert command.help, f"etlgen {name} has no help"
        assert (command.epilog or "").startswith("Example: etlgen "), f"etlgen {name}: no example"
        example = command.epilog.removeprefix("Example: ")
        parts += [
            f"## etlgen {name}\n",
            f"{command.help}\n",
            f"```sh\n{example}\n```\n",
            _options(command, command.make_context(name, [], context, resilient_parsing=True)),
        ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _options(command: Any, context: Any) -> str:
    """What `--help` says of arguments and options."""
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    assert all(help for _, help in records), f"{command.name}: an option has no help"
    rows = [[_code(term), help.replace("|", "\\|")] for term, help in records]
    return _table(["argument or option", ""], rows)


def _filled(text: str, name: str, table: str) -> str:
    start, end = f"<!-- {name}: made by `{COMMAND}` -->\n", f"<!-- end of {name} -->\n"
    pattern = re.compile(f"(?<={re.escape(start)}).*?(?={re.escape(end)})", re.DOTALL)
    filled, count = pattern.subn(lambda _: f"\n{table}\n", text)
    assert count == 1, f"spec.md does not have the lines {start!r} and {end!r} once"
    return filled


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(re.sub(r"(?<=\|) +(?=\|)", " ", f"| {' | '.join(one)} |\n") for one in lines)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _quoted(text: str) -> str:
    return _code(f'"{text}"')


def _yes(answer: bool) -> str:
    return "yes" if answer else ""


def _yaml(raw: object) -> str:
    """A value in YAML's flow style, as a person would write it."""
    if isinstance(raw, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(value)}" for key, value in raw.items()) + "}"
    if isinstance(raw, list):
        return "[" + ", ".join(map(_yaml, raw)) + "]"
    text = "true" if raw is True else str(raw)
    return text if re.fullmatch(r"[\w/]+", text) else f"'{text}'"
