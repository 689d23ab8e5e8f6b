"""Random edits of real generated files, by a team and by a new generation, merged.

Each line that a side writes has a token of its own, so that it can be told whether it was lost.
"""

import ast
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from etlgen.workspace.merging.markers import chosen, conflict_id, is_unresolved
from etlgen.workspace.merging.merge import Merged, merged
from etlgen.workspace.merging.sense import new_trouble
from etlgen.workspace.text import canonical, in_style

KINDS = (".py", ".toml", ".md", "Makefile", ".yml", ".yaml", ".env.example")
GOLDEN = Path(__file__).parents[2] / "golden"
FILES = [
    (path.name, path.read_text(encoding="utf-8"))
    for path in sorted(GOLDEN.glob("*/expected/**/*"))
    if path.name.endswith(KINDS)
]
# To look for more: ETLGEN_FUZZ_SEED=100000 pytest -m slow tests/workspace/test_merge_fuzz.py
FIRST_SEED = int(os.environ.get("ETLGEN_FUZZ_SEED", "0"))
PER_TEST = 50


SHAPES = ("# {}", "{} = 1", '"{}",', 'print("{}")', "def {}(): ...", 'rows["vat"] = "{}"')


@dataclass(frozen=True)
class Line:
    text: str
    origin: int | None
    """The line of the base that it is or replaces; None if it is a new one."""


class Edit:
    """A text on its way from the base to one side of the merge."""

    def __init__(self, base: str, side: str, random: Random) -> None:
        self.lines = [Line(text, at) for at, text in enumerate(base.split("\n")[:-1])]
        self._side = side
        self._random = random
        self._tokens = 0

    @property
    def text(self) -> str:
        return "".join(f"{line.text}\n" for line in self.lines)

    def replaced(self, base: list[str]) -> set[int]:
        here = [line for line in self.lines if line.origin is not None]
        return {line.origin or 0 for line in here if base[line.origin or 0] != line.text}

    def insert(self) -> None:
        at, indent = self._somewhere()
        for _ in range(self._random.choice([1, 1, 2, 5])):
            self._put(at, indent + self._random.choice(SHAPES).format(self._token()))

    def insert_at_the_start(self) -> None:
        self._put(0, f"# {self._token()}")

    def append(self) -> None:
        token = self._token()
        for text in ("", "", f"def {token}():", f'    return "{token}"'):
            self._put(len(self.lines), text)

    def import_more(self) -> None:
        imports = [at for at, line in enumerate(self.lines) if "import " in line.text]
        at = self._random.choice(imports) if imports else 0
        self._put(at, f"import {self._token()}  # noqa: F401")

    def add_entry(self) -> None:
        """A column, key, check or requirement more, made from one that there is."""
        entries = [at for at, line in enumerate(self.lines) if re.search(r'"\w[^"]*"', line.text)]
        if entries:
            at = self._random.choice(entries)
            text = re.sub(r'"(\w[^"]*)"', f'"{self._token()}"', self.lines[at].text, count=1)
            self._put(at + self._random.choice([0, 1]), text)

    def delete(self) -> None:
        at, _ = self._somewhere()
        del self.lines[at : at + self._random.choice([1, 1, 2, 4])]

    def replace(self) -> None:
        if self.lines:
            at, indent = self._somewhere()
            start = self._random.choice([f"{self.lines[at].text}  # ", f"{indent}two = "])
            self.lines[at] = replace(self.lines[at], text=start + self._token())

    def reindent(self) -> None:
        at, _ = self._somewhere()
        for index in range(at, min(at + 5, len(self.lines))):
            line = self.lines[index]
            self.lines[index] = replace(line, text=f"    {line.text}  # {self._token()}")

    def move_function(self) -> None:
        heads = [at for at, line in enumerate(self.lines) if line.text.startswith("def ")]
        if len(heads) > 1:
            which = self._random.randrange(len(heads) - 1)
            moved = self.lines[heads[which] : heads[which + 1]]
            del self.lines[heads[which] : heads[which + 1]]
            self.lines += [Line("", None), Line("", None)]
            self.lines += [replace(line, origin=None) for line in moved]

    def _somewhere(self) -> tuple[int, str]:
        at = self._random.randrange(len(self.lines)) if self.lines else 0
        text = self.lines[at].text if self.lines else ""
        return at, text[: len(text) - len(text.lstrip())]

    def _put(self, at: int, text: str) -> None:
        self.lines.insert(at, Line(text, None))

    def _token(self) -> str:
        self._tokens += 1
        return f"{self._side}_{self._tokens}_end"


BY_BOTH = ("insert", "insert_at_the_start", "import_more", "add_entry", "delete", "replace")
BY_THE_TEAM = (*BY_BOTH, "append", "reindent", "move_function", "delete", "replace")


@dataclass(frozen=True)
class Case:
    """A file that both sides changed; `raw` is how the team's lies on the disk."""

    path: str
    raw: bytes
    mine: Edit
    base: str
    theirs: Edit


def case(seed: int) -> Case:
    random = Random(seed)
    name, base = random.choice(FILES)
    mine, theirs = Edit(base, "team", random), Edit(base, "gen", random)
    for edit, kinds in ((mine, BY_THE_TEAM), (theirs, BY_BOTH)):
        for _ in range(random.randint(1, 4)):
            getattr(edit, random.choice(kinds))()
    raw = mine.text.encode("utf-8")
    if random.random() < 0.2:
        raw = raw.replace(b"\n", b"\r\n")
    if random.random() < 0.2:
        raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    if random.random() < 0.1:
        raw = b"\xef\xbb\xbf" + raw
    return Case(name, raw, mine, base, theirs)


def tokens(side: str, text: str) -> Counter[str]:
    return Counter(re.findall(rf"{side}_\d+_end", text))


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def require_sound(one: Case) -> Merged:
    mine, style = canonical(one.raw)
    theirs, _ = canonical(one.theirs.text.encode("utf-8"))
    result = merged(one.path, mine, one.base, theirs)
    assert not tokens("team", mine) - tokens("team", result.text)
    assert not tokens("gen", theirs) - tokens("gen", result.text)
    assert canonical(in_style(result.text, style))[0] == result.text
    assert result.is_conflict == bool(result.reasons)
    assert is_unresolved(result.text, conflict_id(mine, theirs)) == result.is_conflict
    (require_choices if result.is_conflict else require_clean)(one, mine, theirs, result)
    return result


def require_choices(one: Case, mine: str, theirs: str, result: Merged) -> None:
    id = conflict_id(mine, theirs)
    by_team, by_etlgen = (chosen(result.text, id, side) for side in ("mine", "new"))
    assert not tokens("team", mine) - tokens("team", by_team)
    assert not tokens("gen", theirs) - tokens("gen", by_etlgen)
    assert not is_unresolved(by_team, id)
    assert not is_unresolved(by_etlgen, id)
    is_overlap = "overlapping" in result.reasons[0]
    if one.path.endswith(".py") and not is_overlap and parses(mine):
        assert parses(by_team)


def require_clean(one: Case, mine: str, theirs: str, result: Merged) -> None:
    base = one.base.split("\n")
    mine_lines, their_lines, lines = (set(t.split("\n")) for t in (mine, theirs, result.text))
    for line in only_once(base):
        assert (line in lines) == (line in mine_lines and line in their_lines), line
    if one.path.endswith(".py") and parses(mine) and parses(theirs):
        assert parses(result.text)
    both = one.mine.replaced(base) & one.theirs.replaced(base)
    unique = only_once(base)
    assert not [at for at in both if base[at] in unique], "overlapping edits, and no conflict"


def only_once(lines: Iterable[str]) -> set[str]:
    return {line for line, count in Counter(lines).items() if count == 1 and line.strip()}


def test_no_edit_is_lost_in_a_few_random_merges() -> None:
    results = [require_sound(case(FIRST_SEED + seed)) for seed in range(PER_TEST)]
    assert 10 < sum(result.is_conflict for result in results) < 40


def few_lines(random: Random, count: int) -> list[str]:
    return random.choices(["A=1\n", "A=2\n", "B=1\n", "C=1\n", "\n", "\n", "# x\n"], k=count)


def few_edits(random: Random, base: list[str]) -> str:
    lines = list(base)
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(lines))
        lines[at : at + random.choice([0, 0, 1, 2])] = few_lines(
            random, random.choice([0, 1, 1, 2])
        )
    return canonical("".join(lines).encode())[0]


def require_sound_repetitions(seed: int) -> None:
    """Lines that are alike, so that nothing tells which of them was edited."""
    random = Random(seed)
    base = few_lines(random, random.randint(0, 12))
    mine, theirs = few_edits(random, base), few_edits(random, base)
    result, id = merged(".env", mine, "".join(base), theirs), conflict_id(mine, theirs)
    assert canonical(result.text.encode())[0] == result.text
    assert result.is_conflict == bool(result.reasons) == is_unresolved(result.text, id)
    by_team, by_etlgen = (chosen(result.text, id, side) for side in ("mine", "new"))
    known = {line.removesuffix("\n") for line in base}
    assert set(mine.split("\n")) - known <= set(by_team.split("\n"))
    assert set(theirs.split("\n")) - known <= set(by_etlgen.split("\n"))
    if result.is_conflict and "overlapping" not in result.reasons[0]:
        assert new_trouble(".env", mine, theirs, by_team) == []


def test_lines_that_are_alike_are_not_mixed_up() -> None:
    for seed in range(4 * PER_TEST):
        require_sound_repetitions(FIRST_SEED + seed)


@pytest.mark.slow
def test_lines_that_are_alike_are_not_mixed_up_in_many_merges() -> None:
    for seed in range(4 * PER_TEST, 2000):
        require_sound_repetitions(FIRST_SEED + seed)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(1, 51))
def test_no_edit_is_lost_in_many_random_merges(chunk: int) -> None:
    for seed in range(chunk * PER_TEST, (chunk + 1) * PER_TEST):
        require_sound(case(FIRST_SEED + seed))


@pytest.mark.slow
def test_the_same_texts_merge_to_the_same_bytes() -> None:
    for seed in range(PER_TEST):
        assert require_sound(case(FIRST_SEED + seed)) == require_sound(case(FIRST_SEED + seed))
