"""`python -m tests.docs.regen`: write the parts of the documents that are made from the code."""

from tests.docs.markdown import ROOT
from tests.docs.reference import pages


def main() -> None:
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
        print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
