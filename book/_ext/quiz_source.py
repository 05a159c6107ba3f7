"""A question of a quiz as it is written in a chapter: the text, then options with their feedback.

::

    What happens to average precision if all scores are doubled?

    - [ ] It doubles.
      > It looks at the order of the scores, not at their values.
    - [x] Nothing.
      > Doubling keeps the order, and the order is all that counts.

Exactly one option is right, and each has feedback: a right answer may be a guess, a wrong one has a reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from myst_blocks import SourceError

OPTION = re.compile(r"^- \[(?P<mark>[ x])\] (?P<text>\S.*)$")
FEEDBACK = re.compile(r"^  > ?(?P<text>.*)$")
CONTINUED = re.compile(r"^  (?P<text>\S.*)$")
LETTERS = "abcdef"


@dataclass(frozen=True)
class Option:
    """One answer to choose."""

    letter: str  # its name on the page
    is_right: bool
    text: str  # in MyST, like the feedback
    feedback: str  # why it is right or wrong
    line: int  # its first line in the file


@dataclass(frozen=True)
class Question:
    """A question in MyST, with its options."""

    text: str
    options: tuple[Option, ...]
    line: int


def read_question(lines: Sequence[str], first_line: int) -> Question:
    """Read the lines of a directive ``quiz``, the first of which is line ``first_line`` of the file.

    Raises:
        SourceError: there is no question, fewer than two options, not exactly one right option, or an option
            without feedback.
    """
    starts = [number for number, line in enumerate(lines) if OPTION.match(line)]
    if len(starts) < 2:
        raise SourceError(first_line, f"quiz: expected two or more options '- [ ] ...', got {len(starts)}")
    text = "\n".join(lines[: starts[0]]).strip()
    if not text:
        raise SourceError(first_line, "quiz: expected a question above the options")
    ends = [*starts[1:], len(lines)]
    options = tuple(
        _option(letter, lines[start:end], first_line + start)
        for letter, start, end in zip(LETTERS, starts, ends, strict=False)
    )
    right = sum(option.is_right for option in options)
    if right != 1:
        raise SourceError(first_line, f"quiz: expected one right option '- [x] ...', got {right}")
    return Question(text, options, first_line)


def _option(letter: str, lines: Sequence[str], line: int) -> Option:
    first = OPTION.match(lines[0])
    assert first is not None
    text, feedback = [first["text"]], []
    for offset, follows in enumerate(lines[1:], start=1):
        if said := FEEDBACK.match(follows):
            feedback.append(said["text"])
        elif (more := CONTINUED.match(follows)) and not feedback:
            text.append(more["text"])
        elif follows.strip():
            raise SourceError(
                line + offset, f"quiz: expected an option or its feedback '  > ...', got {follows!r}"
            )
    if not any(part.strip() for part in feedback):
        raise SourceError(line, f"quiz: the option {first['text']!r} has no feedback '  > ...'")
    return Option(letter, first["mark"] == "x", "\n".join(text), "\n".join(feedback), line)
