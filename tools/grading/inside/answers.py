"""What is asked of an answer, where the answer is: its value, a result, its gradients, its steps.

The grader has :func:`reply` called in the student's kernel, and reads plain values.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Mapping
from typing import Any

from probmcl_book.course import measures

from . import plain


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
                case measure:
                    return Reply({"value": getattr(measures, measure)(answer, arguments)})
    except Exception as error:
        return Reply({"error": traceback.format_exception_only(error)[-1].strip()[:1000]})
