import re
from pathlib import Path

import nbformat
import pytest
from chapters import Book
from export import orphans, stale
from myst_nb.core.read import read_myst_markdown_notebook

BOOK = Book(Path(__file__).parents[2])
CHAPTERS = [chapter for chapter in BOOK.chapters.values() if chapter.is_notebook]
MYST_ONLY = re.compile(r"^\s*(?:>\s*)*(?:```|~~~|:::+)\s*\{|^:::|\{[a-z][\w:-]*\}`|^\(\S+\)=$|^%", re.M)
WIDTH = 84
"""A page shows a code cell of so many columns without a bar to scroll."""

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)


@each_chapter
def test_the_notebook_is_fresh(chapter) -> None:
    assert stale(BOOK, [chapter]) == [], "run: python book/_ext/export.py"


@each_chapter
def test_no_line_of_a_cell_is_cut_at_the_right_edge_of_a_page(chapter) -> None:
    notebook = read_myst_markdown_notebook(chapter.path.read_text(encoding="utf-8"))
    lines = [line for cell in notebook.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert lines
    assert [line for line in lines if len(line) > WIDTH] == []


def test_every_notebook_has_a_chapter() -> None:
    assert orphans(BOOK) == []


@each_chapter
def test_the_notebook_is_plain_and_without_outputs(chapter) -> None:
    notebook = nbformat.read(chapter.path.with_suffix(".ipynb"), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            continue
        outside_code = re.sub(r"```.*?```|``.*?``|`(?<!\}`)[^`\n]*`", "", cell.source, flags=re.DOTALL)
        assert not MYST_ONLY.search(outside_code)


@each_chapter
def test_what_uses_a_gpu_asks_colab_for_one_and_says_first_how_to_get_it(chapter) -> None:
    page = chapter.path.read_text(encoding="utf-8")
    notebook = nbformat.read(chapter.path.with_suffix(".ipynb"), as_version=4)
    told = ("_ext/colab.md" in page, "%env PROBMCL_PROFILE=gpu" in notebook.cells[1].source)
    used = any(cell.cell_type == "code" and "page.device" in cell.source for cell in notebook.cells)
    assert (*told, "accelerator" in notebook.metadata) == 3 * (used,)
