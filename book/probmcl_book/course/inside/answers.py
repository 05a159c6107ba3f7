"""What is asked of an answer, where the answer is: its value, a result, its gradients, its steps.

The checks in a student's notebook call these functions; the grader has them called in the student's kernel
(:func:`reply`) and reads plain values.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from . import plain


def gradients(answer: Callable[..., Any], arguments: Sequence[Tensor]) -> list[Tensor | None] | None:
    """The gradient of a result for each of ``arguments``, or None if the result has none."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in arguments]
    value = answer(*leaves)
    if not isinstance(value, Tensor) or not value.requires_grad:
        return None
    value.backward()  # type: ignore[no-untyped-call]
    return [leaf.grad for leaf in leaves]


class _Calls(TorchFunctionMode):
    """Counts calls of PyTorch, also those that no line of Python makes, as of ``map``."""

    count = 0

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


def steps(answer: Callable[..., Any], arguments: Sequence[Any]) -> int:
    """How many steps a call takes: of Python, and calls of PyTorch. A loop takes more for a longer input.

    Example:
        >>> one, two = torch.ones(4), torch.ones(8)
        >>> steps(torch.exp, [one]) == steps(torch.exp, [two])
        True
        >>> steps(lambda x: sum(x), [one]) < steps(lambda x: sum(x), [two])
        True
    """
    answer(*arguments)  # what happens once, such as an import
    taken = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal taken
        frame.f_trace_opcodes = True
        taken += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with _Calls() as calls:
            answer(*arguments)
    finally:
        sys.settrace(before)
    return int(taken + calls.count)


class Reply:
    """A text that IPython passes on as it is."""

    def __init__(self, content: Mapping[str, Any]):
        self.text = plain.dumps(content)

    def __repr__(self) -> str:
        return self.text


def reply(names: Mapping[str, Any], request: str) -> Reply:
    """Answer the grader: the value of a name, or what came of calling it."""
    wanted = plain.loads(request)
    if wanted["name"] not in names:
        return Reply({"missing": True})
    answer, arguments = names[wanted["name"]], wanted.get("arguments", ())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            match wanted["kind"]:
                case "value" if callable(answer):
                    return Reply({"function": True})
                case "value":
                    return Reply({"value": answer})
                case "result":
                    return Reply({"value": answer(*arguments)})
                case "gradients":
                    return Reply({"value": gradients(answer, arguments)})
                case _:
                    return Reply({"value": steps(answer, arguments)})
    except Exception as error:
        return Reply({"error": traceback.format_exception_only(error)[-1].strip()[:1000]})
