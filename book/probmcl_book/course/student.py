"""Who answers: a student's own instance of every question, and the account that handed it in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

from probmcl_book.course.comparison import WrongAnswerError

PLACEHOLDER = "your-id"
"""What a notebook holds until its student writes an id."""


def instance_seed(student_id: str, term: str, question: str = "") -> int:
    """The seed of a student's own data: the same for notebook and grader, another for each student and term.

    Upper and lower case and spaces around the id do not matter.

    Example:
        >>> instance_seed("Ada ", "public") == instance_seed("ada", "public")
        True
        >>> instance_seed("ada", "public") == instance_seed("grace", "public")
        False
    """
    if not isinstance(student_id, str) or not student_id.strip():
        raise WrongAnswerError(
            '`student_id`: not set yet. Write your id between the quotes, such as "ab123".'
        )
    key = f"{term}/{student_id.strip().lower()}/{question}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")


def generator_of(student_id: str, term: str, question: str = "") -> torch.Generator:
    """A generator of random numbers with :func:`instance_seed`."""
    return torch.Generator().manual_seed(instance_seed(student_id, term, question))


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
        raise WrongAnswerError(
            '`student_id`: not set yet. Write your id between the quotes, such as "ab123".'
        )
    users = json.loads(metadata.read_text(encoding="utf-8")).get("users", []) if metadata.is_file() else []
    known = {str(user[key]).lower() for user in users for key in ("sid", "email") if user.get(key)}
    known |= {name.split("@")[0] for name in known}
    if known and student_id.strip().lower() not in known:
        raise WrongAnswerError(
            f"`student_id`: {student_id!r} is neither the id nor the address of the one who submitted."
        )
