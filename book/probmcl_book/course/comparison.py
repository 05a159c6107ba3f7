"""Compare an answer with the truth, and explain the failure.

A checker knows the truth as a slow loop of :mod:`probmcl_book.reference`, and typical mistakes as functions:
where an answer gives on every case what a mistake gives, the hint names that mistake.
"""

import copy
import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from probmcl_book.course import measures
from probmcl_book.course.showing import shown, shown_case


class WrongAnswerError(AssertionError):
    """An answer is missing or wrong; the message is meant for the one who gave it."""


class AnswerStoppedError(RuntimeError):
    """An answer that runs in another process stopped there; the message is its own."""


@dataclass(frozen=True)
class Mistake:
    """A wrong way to an answer that people take: what to look at, and what it gives for the arguments."""

    hint: str
    answer: Callable[..., Any]


def feedback(checker: Callable[..., None], *answers: Any, **options: Any) -> None:
    """Run a checker and print what it says, without a traceback: the check cell of a notebook.

    ``[x]`` stands for an answer that passes, ``[ ]`` for one that is missing or wrong, and ``[?]`` for one
    that cannot be called right before grading: the checker has a switch ``tell``, and it is off.

    >>> from probmcl_book.course import positive_sets
    >>> feedback(positive_sets.jaccard, ...)
    [ ] `jaccard`: not answered yet. Replace the ... by your answer and run its cell.
    """
    try:
        checker(*answers, **options)
    except WrongAnswerError as wrong:
        print(f"[ ] {wrong}")
    else:
        if inspect.signature(checker).parameters.keys() & {"tell"} and not options.get("tell"):
            print(f"[?] {checker.__name__}: no common mistake found. Only the grader says if it is right.")
        else:
            print(f"[x] {checker.__name__}: passed")


def check_function(
    answer: Any,
    truth: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    mistakes: Sequence[Mistake] = (),
    *,
    name: str | None = None,
    tolerance: float = 1e-5,
) -> None:
    """Raise a WrongAnswerError unless ``answer`` gives on every case what ``truth`` gives.

    It says what is wrong on the smallest of the ``cases`` that fail, with the truth's argument names, and
    which of the ``mistakes``, in this order, explains all results. The answer's ``name`` is the truth's by
    default; ``tolerance`` is absolute plus relative.

    >>> def half(x): return x / 2
    >>> twice = Mistake("halved twice?", lambda x: x / 4)
    >>> check_function(lambda x: x / 4, half, [(1.0,), (3.0,)], [twice])
    Traceback (most recent call last):
    ...
    probmcl_book.course.comparison.WrongAnswerError: `half` is wrong on 2 of 2 cases. The smallest:
      x = 1
      expected 0.5
      got      0.25
      Hint: halved twice?
    """
    name = name or truth.__name__
    must_be_answered(answer, name)
    if not callable(answer):
        raise WrongAnswerError(f"`{name}`: expected a function, got {type(answer).__name__}.")
    ordered = sorted(cases, key=_size)
    results = [_call(answer, case) for case in ordered]
    for case, result in zip(ordered, results, strict=True):
        if isinstance(result, _Raised):
            told = f"{shown_case(truth, case)}\n  {result.error}"
            raise WrongAnswerError(f"`{name}` stopped with an error.\n{told}")
    if all(result is None or result is ... for result in results):
        raise WrongAnswerError(f"`{name}`: not answered yet. It returns nothing.")
    expected = [truth(*copy.deepcopy(case)) for case in ordered]
    answers = list(zip(ordered, results, expected, strict=True))
    if wrong := [one for one in answers if not same(*one[1:], tolerance, tolerance)]:
        case, got, right = wrong[0]
        hint = _explanation(ordered, results, mistakes, tolerance) or _shape_hint(got, right)
        raise WrongAnswerError(
            f"`{name}` is wrong on {len(wrong)} of {len(cases)} cases. The smallest:\n"
            f"{shown_case(truth, case)}\n  expected {shown(right)}\n  got      {shown(got)}"
            + (f"\n  Hint: {hint}" if hint else "")
        )


def check_value(
    name: str,
    value: Any,
    truth: Any,
    mistakes: Sequence[tuple[str, Any]] = (),
    *,
    tolerance: float = 1e-4,
    tell: bool = True,
) -> None:
    """Raise a WrongAnswerError unless ``value`` is the ``truth``: text, a number, a list or a tensor.

    ``mistakes`` are pairs of a hint and the value that this mistake gives. ``tolerance`` is absolute, as
    decimals are. Without ``tell`` is checked what may be said before grading: the kind of the answer, and
    that it is not what a known mistake gives.

    >>> check_value("share", 0.25, 0.5, [("of the wrong half", 0.25)], tell=False)
    Traceback (most recent call last):
    ...
    probmcl_book.course.comparison.WrongAnswerError: `share` is not right.
      Hint: of the wrong half
    """
    must_be_answered(value, name)
    if not _alike(value, truth):
        raise WrongAnswerError(f"`{name}`: expected {_kind(truth)}, got {shown(value)}.")
    if same(value, truth, atol=tolerance):
        return
    for hint, wrong in mistakes:
        if same(value, wrong, atol=tolerance) and not same(wrong, truth, atol=tolerance):
            raise WrongAnswerError(f"`{name}` is not right.\n  Hint: {hint}")
    if tell:
        raise WrongAnswerError(f"`{name}` is not right: got {shown(value)}.")


def same(got: Any, expected: Any, atol: float = 1e-5, rtol: float = 0.0) -> bool:
    """Whether two results are equal up to an absolute plus a relative tolerance; NaN equals NaN.

    >>> same(torch.tensor([1.0, 2.0]), [1.0, 2.0]), same(1.0, 1.1)
    (True, False)
    """
    if isinstance(expected, str | bool) and not isinstance(got, Tensor):
        return bool(got == expected)
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(
            k in got and same(got[k], expected[k], atol, rtol) for k in expected
        )
    if _in_parts(expected):
        return _are_parts(got, expected) and all(
            same(*pair, atol, rtol) for pair in zip(got, expected, strict=True)
        )
    try:
        found, wanted = as_tensor(got), as_tensor(expected)
    except (TypeError, ValueError, RuntimeError):
        return False
    if found.shape != wanted.shape:
        return False
    return torch.allclose(found, wanted, rtol=rtol, atol=atol, equal_nan=True)


def _in_parts(expected: Any) -> bool:
    """Whether a truth is a tuple of tensors."""
    return isinstance(expected, tuple) and isinstance(expected[0], Tensor)


def _are_parts(got: Any, expected: tuple[Tensor, ...]) -> bool:
    return isinstance(got, list | tuple) and len(got) == len(expected)


def as_tensor(value: Any) -> Tensor:
    """A number, an array of any library, or nested lists of those, as float64."""
    if isinstance(value, list | tuple) and any(hasattr(part, "ndim") for part in value):
        return torch.stack([as_tensor(part) for part in value])
    value = value.to_numpy(copy=True) if hasattr(value, "to_numpy") else value  # a table of pandas
    return torch.as_tensor(value).detach().cpu().double()


def measured(answer: Callable[..., Any], kind: str, arguments: Sequence[Any]) -> Any:
    """What a function of :mod:`probmcl_book.course.measures` says of an answer, where the answer is.

    Args:
        answer: a function, or one that runs in another process and has a method of this name.
        kind: the function: ``gradients`` or ``steps``.
        arguments: of the call.
    """
    elsewhere = getattr(answer, "measured", None)
    return elsewhere(kind, arguments) if elsewhere else getattr(measures, kind)(answer, arguments)


@dataclass(frozen=True)
class _Raised:
    """A call that ended with an error."""

    error: str


def _call(answer: Callable[..., Any], case: tuple[Any, ...]) -> Any:
    """The result for a copy of ``case``; a student's warnings are no failure, an error is reported."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return answer(*copy.deepcopy(case))
    except AnswerStoppedError as error:
        return _Raised(str(error))
    except Exception as error:
        return _Raised(f"{type(error).__name__}: {error}")


def _explanation(
    cases: Sequence[tuple[Any, ...]], results: Sequence[Any], mistakes: Sequence[Mistake], tolerance: float
) -> str:
    """The hint of the first mistake that gives all of ``results``, or an empty string."""
    for mistake in mistakes:
        given = [_call(mistake.answer, case) for case in cases]
        if all(
            same(result, wrong, tolerance, tolerance) for result, wrong in zip(results, given, strict=True)
        ):
            return mistake.hint
    return ""


def _shape_hint(got: Any, expected: Any) -> str:
    if _in_parts(expected):
        if not _are_parts(got, expected):
            return f"The result should be a tuple of {len(expected)} tensors."
        hints = [(n, _shape_hint(*pair)) for n, pair in enumerate(zip(got, expected, strict=True), 1)]
        return next((f"Part {n}: {hint}" for n, hint in hints if hint), "")
    if not isinstance(expected, Tensor | float | int):
        return ""
    if got is None or got is ...:
        return "Nothing is returned for this case."
    try:
        found, wanted = as_tensor(got), as_tensor(expected)
    except (TypeError, ValueError, RuntimeError):
        return f"Expected a tensor or a number, got {type(got).__name__}."
    if found.shape != wanted.shape:
        return f"The result should have shape {tuple(wanted.shape)}, not {tuple(found.shape)}."
    if not found.isfinite().all() and wanted.isfinite().all():
        return "There is a NaN or an infinity: look for 0/0, log 0, or an exponential that is too large."
    return ""


def must_be_answered(value: Any, name: str) -> None:
    """Raise a WrongAnswerError for what stands where an answer is wanted."""
    if value is None or value is ...:
        raise WrongAnswerError(
            f"`{name}`: not answered yet. Replace the ... by your answer and run its cell."
        )


def _alike(value: Any, truth: Any) -> bool:
    """Whether ``value`` is of the kind of ``truth``: text, or as many finite numbers."""
    if isinstance(truth, str):
        return isinstance(value, str)
    if isinstance(value, str):
        return False
    try:
        found, wanted = as_tensor(value), as_tensor(truth)
    except (TypeError, ValueError, RuntimeError):
        return False
    usable = found.isfinite() if found.dim() == 0 else ~found.isnan()  # a threshold may be infinite
    return found.shape == wanted.shape and bool(usable.all())


def _kind(truth: Any) -> str:
    count = 0 if isinstance(truth, str) else as_tensor(truth).numel()
    return ("a text", "a finite number")[count] if count < 2 else f"a tensor or list of {count} numbers"


def _size(case: tuple[Any, ...]) -> int:
    parts = [part for value in case for part in (value if isinstance(value, tuple) else (value,))]
    return sum(part.numel() if isinstance(part, Tensor) else 1 for part in parts)
