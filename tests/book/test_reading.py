"""Chapters keep their length: words of prose, lines of a cell, and the minutes that their card states."""

import re
from pathlib import Path

import pytest
from chapters import Book, Chapter, read_chapter
from reading import CARD, length, timed

MOST_WORDS, MOST_LINES = 3000, 25
BOOK = Book(Path(__file__).parents[2])
CHAPTERS = [chapter for chapter in BOOK.chapters.values() if chapter.is_notebook]
SHORT = [chapter for chapter in CHAPTERS if chapter.number in range(12) or chapter.name == "capstone"]


def named(chapter: Chapter) -> str:
    return chapter.name


@pytest.mark.parametrize("chapter", SHORT, ids=named)
def test_prose_is_short(chapter: Chapter) -> None:
    assert length(chapter).words <= MOST_WORDS


@pytest.mark.parametrize(("numbers", "most"), [(range(1, 12), 29_000), (range(12, 16), 10_000)], ids=str)
def test_chapters_together_are_short(numbers: range, most: int) -> None:
    assert sum(length(chapter).words for chapter in CHAPTERS if chapter.number in numbers) <= most


@pytest.mark.parametrize("chapter", CHAPTERS, ids=named)
def test_no_open_cell_is_longer_than_a_screen(chapter: Chapter) -> None:
    assert [cell for cell in length(chapter).cells if len(cell.splitlines()) > MOST_LINES] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=named)
def test_the_card_states_the_minutes(chapter: Chapter) -> None:
    text = chapter.path.read_text(encoding="utf-8")
    assert text == timed(chapter), "run: make notebooks"
    assert chapter.number is None or CARD.search(text)
    assert not re.search(r"\S\n\(\S+\)=\n", text), "a target right under a paragraph is a part of it"


def test_words_of_code_front_matter_and_fences_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "01_first.md"
    path.write_text(
        "---\nfile_format: mystnb\n---\n# One *two* -\n\n```{code-cell}\na = b\n```\n\n"
        "```{code-cell}\n:tags: [hide-input]\nc = d\n```\n\n:::{note}\nthree\n:::\n\nReading: 90 minutes\n",
        encoding="utf-8",
    )
    found = length(read_chapter(path))
    assert found.words == 2 + 2 + 3  # the directive's name counts as a word
    assert found.cells == ["a = b"]
    assert "Reading: 5 minutes" in timed(read_chapter(path))
