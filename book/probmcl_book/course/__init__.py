"""Checkers for assignments and exercises: they compare with the reference loops and explain a failure.

One module per assignment, with the exercises on its topic, or a chapter; :func:`feedback` prints what a
checker says. A checker raises :class:`WrongAnswerError` with the smallest case that fails, what was expected,
what came, and a hint at the likely mistake.
"""

from probmcl_book.course.comparison import Mistake, WrongAnswerError, check_function, check_value, feedback
from probmcl_book.course.student import instance_seed

__all__ = ["Mistake", "WrongAnswerError", "check_function", "check_value", "feedback", "instance_seed"]
