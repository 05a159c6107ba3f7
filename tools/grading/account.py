"""Whose account handed a notebook in."""

from __future__ import annotations

import json
from pathlib import Path

from probmcl_book.course.comparison import WrongAnswerError
from probmcl_book.course.student import NOT_SET

PLACEHOLDER = "your-id"
"""What a notebook holds until its student writes an id."""


def student_is(student_id: str, metadata: Path = Path("../submission_metadata.json")) -> None:
    """Raise if no id is set, or if the submission came from somebody else.

    Gradescope writes who submitted to a file beside the submission; elsewhere there is none, and every id
    passes.

    Args:
        student_id: as the notebook states it.
        metadata: Gradescope's file.

    Raises:
        WrongAnswerError: if the id is missing, or is neither the id, nor the address, nor the address's first
            part of one of those who submitted.
    """
    if not isinstance(student_id, str) or student_id.strip().lower() in ("", PLACEHOLDER):
        raise WrongAnswerError(NOT_SET)
    users = json.loads(metadata.read_text(encoding="utf-8")).get("users", []) if metadata.is_file() else []
    known = {str(user[key]).lower() for user in users for key in ("sid", "email") if user.get(key)}
    known |= {name.split("@")[0] for name in known}
    if known and student_id.strip().lower() not in known:
        raise WrongAnswerError(
            f"`student_id`: {student_id!r} is neither the id nor the address of the one who submitted."
        )
