from pathlib import Path

import pytest
from chapters import Book
from myst_nb.core.read import read_myst_markdown_notebook

WIDTH = 84
BOOK = Book(Path(__file__).parents[2])
CHAPTERS = [chapter for chapter in BOOK.chapters.values() if chapter.is_notebook]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_no_line_of_a_cell_is_cut_at_the_right_edge(chapter) -> None:
    notebook = read_myst_markdown_notebook(chapter.path.read_text(encoding="utf-8"))
    lines = [line for cell in notebook.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert lines
    assert [line for line in lines if len(line) > WIDTH] == []
