"""Rules of a spec are patterns and values, never code, and cost no more than the data is long."""

import ast
import json

import pytest

from tests.hostile.projects import Workshop, rows, shop

CATASTROPHIC = ["(a+)+$", "(a|a)*b?", "((((a*)*)*)*)*", "(a|aa)+"]


def with_rule(rule: str, **column: str) -> dict[str, object]:
    return {"id": {"type": "text", "checks": [{"matches": rule}], **column}}


@pytest.mark.parametrize(
    "regex",
    ["(?P<x>", r"[\u0000-", "(a", "a**", r"(a)\1", "(?=a)", "a{1001}", "(a{99}){99}", "[b-a]"],
)
def test_I19_a_bad_regex_is_refused(workshop: Workshop, regex: str) -> None:
    said = workshop.refused(shop("hostile", with_rule(regex, example="a")))
    assert "is not a regex of the RE2 syntax" in said
    assert "spec.yaml:13:22: " in said


@pytest.mark.parametrize("regex", CATASTROPHIC)
def test_I19_a_catastrophic_regex_is_linear(
    workshop: Workshop, postgres_url: str, regex: str
) -> None:
    name = "hostile-regex"
    columns = with_rule(regex) | {"key": {"type": "bigint"}}
    project = workshop.project(shop(name, columns, path="things.jsonl"))  # type: ignore[arg-type]
    (project.root / "data").mkdir()
    long = "a" * 50_000
    records = [{"id": long, "key": 1}, {"id": f"{long}!", "key": 2}]
    text = "\n".join(map(json.dumps, records))
    (project.root / "data/things.jsonl").write_text(text, encoding="utf-8")
    # In a process of its own: a backtracking engine would not end before the timeout.
    script = "from hostile_regex.cli import main; main()"
    done = project.python("-c", script, "run", HOSTILE_REGEX_DATABASE_URL=postgres_url)
    assert done.returncode == 0, done.stderr
    assert [row.key for row in rows(postgres_url, "SELECT key FROM things")] == [1]


def test_I20_no_text_is_ever_evaluated(workshop: Workshop) -> None:
    text = "__import__('os').system('touch canary_I20')"
    for key in ("expression", "derived", "sql", "eval"):
        said = workshop.refused(shop("hostile", {"id": {"type": "text", key: text}}))
        assert f"unknown key '{key}'" in said
    project = workshop.project(shop("hostile-eval", {"id": {"type": "text", "default": text}}))
    for path in project.root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                assert name not in ("eval", "exec", "compile", "__import__", "query", "system"), path
                assert all(keyword.arg != "shell" for keyword in node.keywords), path
