"""How long a chapter is, and the minutes on its card: ``python book/_ext/reading.py`` writes them.

Prose is all text outside code cells: answers, quizzes and notes that open, too. A minute is 200 words, or two
code cells that stand open on the page.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from chapters import Book, Chapter
from export import ROOT, write_atomically
from myst_nb.core.read import read_myst_markdown_notebook

WORDS_PER_MINUTE, CELLS_PER_MINUTE, STEP = 200, 2, 5
CLOSED = {"hide-input", "hide-cell", "remove-cell", "remove-input"}
CARD = re.compile(r"Reading: (\d+) minutes")


@dataclass(frozen=True)
class Length:
    """What a chapter asks of its reader."""

    words: int
    cells: list[str]  # code that stands open on the page

    @property
    def minutes(self) -> int:
        """Reading time, to the next five minutes."""
        exact = self.words / WORDS_PER_MINUTE + len(self.cells) / CELLS_PER_MINUTE
        return max(STEP, STEP * round(exact / STEP))


def length(chapter: Chapter) -> Length:
    """Count the words of a chapter's prose, and collect its open code cells."""
    notebook = read_myst_markdown_notebook(chapter.path.read_text(encoding="utf-8"))
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    words = sum(any(map(str.isalnum, word)) for text in prose for word in text.split())
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return Length(words, [cell.source for cell in code if not CLOSED & set(cell.metadata.get("tags", []))])


def timed(chapter: Chapter) -> str:
    """The chapter's text with the minutes that it takes on its card."""
    text = chapter.path.read_text(encoding="utf-8")
    return CARD.sub(f"Reading: {length(chapter).minutes} minutes", text)


def main(root: Path = ROOT) -> int:
    """Write the minutes into all chapters, and print a table."""
    for chapter in (chapter for chapter in Book(root).chapters.values() if chapter.is_notebook):
        write_atomically(chapter.path, timed(chapter))
        found = length(chapter)
        print(f"{chapter.name:26} {found.words:5} words {len(found.cells):3} cells {found.minutes:3} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
