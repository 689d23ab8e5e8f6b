"""Rules of a spec are patterns and values, never code, and cost no more than the data is long."""

import ast
import json

import pytest

from tests.hostile.projects import Workshop, rows, shop

EVALUATING = {"eval", "exec", "compile", "__import__"}
RUNNING = {"eval", "query", "system", "popen"}
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
    assert "spec.yaml:13:24: " in said


@pytest.mark.slow
def test_I19_a_catastrophic_regex_is_linear(workshop: Workshop, postgres_url: str) -> None:
    columns = {f"c{number}": with_rule(regex)["id"] for number, regex in enumerate(CATASTROPHIC)}
    project = workshop.project(shop("hostile-regex", columns, path="things.jsonl"))
    (project.root / "data").mkdir()
    good = dict.fromkeys(columns, "a" * 50_000)
    bad = dict.fromkeys(columns, "a" * 50_000 + "!")
    text = "\n".join(map(json.dumps, [good, bad]))
    (project.root / "data/things.jsonl").write_text(text, encoding="utf-8")
    # In a process of its own: a backtracking engine would not end before the timeout.
    done = project.python("-m", "hostile_regex", "run", HOSTILE_REGEX_DATABASE_URL=postgres_url)
    assert done.returncode == 0, done.stderr
    assert len(rows(postgres_url, "SELECT FROM things")) == 1
    (reasons,) = rows(postgres_url, "SELECT reasons FROM etl_hostile_regex.quarantine")[0]
    assert [reason["column"] for reason in reasons] == [*columns]


def test_I20_no_text_is_ever_evaluated(workshop: Workshop) -> None:
    text = "__import__('os').system('touch canary_I20')"
    for key in ("expression", "derived", "sql", "eval"):
        said = workshop.refused(shop("hostile", {"id": {"type": "text", key: text}}))
        assert f"unknown key '{key}'" in said
    project = workshop.project(shop("hostile-eval", {"id": {"type": "text", "default": text}}))
    for path in project.root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert getattr(node.func, "id", "") not in EVALUATING, path
                assert getattr(node.func, "attr", "") not in RUNNING, path
                assert all(keyword.arg != "shell" for keyword in node.keywords), path
