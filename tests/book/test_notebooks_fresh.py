import re
from pathlib import Path

import nbformat
import pytest
from chapters import Book
from export import orphans, stale

BOOK = Book(Path(__file__).parents[2])
CHAPTERS = [chapter for chapter in BOOK.chapters.values() if chapter.is_notebook]
MYST_ONLY = re.compile(
    r"^\s*(?:>\s*)*(?:```|~~~|:::+)\s*\{|^:::|\{[a-z][\w:-]*\}`|^\(\S+\)=$|^%", re.MULTILINE
)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_notebook_is_fresh(chapter) -> None:
    assert stale(BOOK, [chapter]) == [], "run: python book/_ext/export.py"


def test_every_notebook_has_a_chapter() -> None:
    assert orphans(BOOK) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_notebook_is_plain_and_without_outputs(chapter) -> None:
    notebook = nbformat.read(chapter.path.with_suffix(".ipynb"), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            continue
        outside_code = re.sub(r"```.*?```|``.*?``|`(?<!\}`)[^`\n]*`", "", cell.source, flags=re.DOTALL)
        assert not MYST_ONLY.search(outside_code)
