"""What can be true or false in a Markdown page: fenced blocks, headings, links, tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "AGENTS.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted(DOCS.glob("*.md")),
]

_FENCE = re.compile(r"^```(\w*)(.*)$")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block. What stands behind the language says what the tests do with it:

    `title="…"` is a file to write, with `diff` one to change; `excerpt="…"` stands in that file;
    `part="…"` is a part of a spec. A `console` block is typed line by line.
    """

    language: str
    text: str
    line: int
    before: str
    attributes: dict[str, str] = field(default_factory=dict)


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order; `before` is the paragraph above each."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    start, head, body = 0, None, list[str]()
    paragraph: list[str] = []
    for number, line in enumerate(lines, start=1):
        if head is None:
            head = _FENCE.match(line)
            if head:
                start, body = number, []
            elif line.strip():
                paragraph = [*paragraph, line]
            elif paragraph and lines[number : number + 1] and not _FENCE.match(lines[number]):
                paragraph = []
        elif line == "```":
            attributes = dict(_ATTRIBUTE.findall(head[2]))
            text = "".join(f"{one}\n" for one in body)
            found.append(Block(head[1], text, start, "\n".join(paragraph), attributes))
            head, paragraph = None, []
        else:
            body.append(line)
    assert head is None, f"{page.name}:{start}: the block is not closed"
    return found


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """What a link can name behind `#`, made from the headings as GitHub does."""
    headings = re.findall(r"^#+ +(.+)$", prose(page), re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def links(page: Path) -> Iterator[tuple[str, str]]:
    """The relative links of a page as (path, anchor); either may be empty."""
    for target in _LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield path, anchor


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its own heading row."""
    _, found, below = page.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    assert found, f"{page.name} has no heading {heading!r}"
    table = re.search(r"^\|.*?(?=^[^|]|\Z)", below, re.M | re.S)
    assert table, f"{page.name}: there is no table below {heading!r}"
    lines = table[0].strip().splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def names(cells: list[list[str]]) -> list[str]:
    """What stands as code in the first column."""
    return [name for row in cells for name in re.findall(r"`([^`]+)`", row[0])]
