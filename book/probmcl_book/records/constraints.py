"""What a declared field must be beyond its type: functions of its name and its value, which raise."""

import re
from collections.abc import Callable, Hashable, Sequence, Sized
from functools import partial
from typing import Annotated

from probmcl import _check


def text(name: str, value: str) -> None:
    """Not empty, and without a path that exists on one machine only."""
    if not value:
        raise ValueError(f"{name}: expected words, got none")
    if re.search(r"""(^|[\s="'(])(/\w|~/|[A-Za-z]:\\)""", value):
        raise ValueError(f"{name}: {value!r} holds a path that exists on one machine only")


def filled(name: str, value: Sized) -> None:
    """At least one entry."""
    if not len(value):
        raise ValueError(f"{name}: expected at least one entry, got none")


def different(name: str, values: Sequence[Hashable]) -> None:
    """No entry twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{name}: expected different ones, got {', '.join(map(str, values))}")


def like(pattern: str, words: str) -> Callable[[str, str], None]:
    """All of a text is as a pattern says, and ``words`` say in a message."""

    def check(name: str, value: str) -> None:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{name}: expected {words}, got {value!r}")

    return check


Text = Annotated[str, text]
Whole = Annotated[int, partial(_check.count, low=0)]
Positive = Annotated[int, _check.count]
Share = Annotated[float, partial(_check.number, low=0.0, high=1.0)]
Seconds = Annotated[float, partial(_check.number, low=0.0)]
