"""Who answers: every student has an own instance of every question."""

import hashlib

import torch

from probmcl_book.course.comparison import WrongAnswerError

NOT_SET = '`student_id`: not set yet. Write your id between the quotes, such as "ab123".'


def instance_seed(student_id: str, term: str, question: str = "") -> int:
    """The seed of a student's own data: the same for notebook and grader, another for each student and term.

    Upper and lower case and spaces around the id do not matter.

    >>> instance_seed("Ada ", "public") == instance_seed("ada", "public")
    True
    >>> instance_seed("ada", "public") == instance_seed("grace", "public")
    False
    """
    if not isinstance(student_id, str) or not student_id.strip():
        raise WrongAnswerError(NOT_SET)
    key = f"{term}/{student_id.strip().lower()}/{question}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")


def generator_of(student_id: str, term: str, question: str = "") -> torch.Generator:
    """A generator of random numbers with :func:`instance_seed`."""
    return torch.Generator().manual_seed(instance_seed(student_id, term, question))
