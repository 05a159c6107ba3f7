from pathlib import Path

import pytest
from chapters import Book
from myst_blocks import SourceError, split_blocks, walk
from quiz_source import read_question

BOOK = Book(Path(__file__).parents[2])
QUESTION = """\
What is
two and two?

- [ ] Three,
  or so.
  > One more.
- [x] Four.
  > As many as
  > legs on a dog.
"""


def test_a_question_is_read_with_its_options_and_their_lines() -> None:
    question = read_question(QUESTION.splitlines(), 10)
    assert question.text == "What is\ntwo and two?"
    assert [(o.letter, o.is_right, o.text, o.feedback, o.line) for o in question.options] == [
        ("a", False, "Three,\nor so.", "One more.", 13),
        ("b", True, "Four.", "As many as\nlegs on a dog.", 16),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("- [x]", "- [ ]", 10, "expected one right option .* got 0"),
        ("- [ ]", "- [x]", 10, "expected one right option .* got 2"),
        ("  > One more.\n", "", 13, "'Three,' has no feedback"),
        ("What is\ntwo and two?\n", "", 10, "expected a question above"),
        ("- [ ] Three,", "- ( ) Three,", 10, "expected two or more options .* got 1"),
        ("  > One more.", "  > One more.\nAnd then?", 16, "got 'And then\\?'"),
    ],
)
def test_a_question_that_is_not_whole_is_refused(old: str, new: str, line: int, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read_question(QUESTION.replace(old, new).splitlines(), 10)
    assert caught.value.line == line


@pytest.mark.parametrize("name", [name for name in BOOK.order if BOOK.chapters[name].number])
def test_a_chapter_but_the_opening_one_asks_three_questions(name: str) -> None:
    lines = BOOK.chapters[name].path.read_text(encoding="utf-8").splitlines()
    blocks = [block for block in walk(split_blocks(lines)) if block.name == "quiz"]
    # Each has one right answer and feedback for every option, or it is not read.
    found = [read_question(block.lines, block.body_line) for block in blocks]
    assert len(found) == 3
    right = {o.letter for question in found for o in question.options if o.is_right}
    assert len(right) > 1, "the right answer always stands in the same place"
