"""An autograder's zip, as ``tools/course.py`` and otter-grader build it: rules, tests, points and files."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otter.test_files.abstract_test import TestCase
from otter.test_files.exception_test import ExceptionTestFile

from grading.grade import Rules

PLUGIN = "grading.otter_plugin.Sandboxed"
ABOUT = "course.json"
"""The member of the zip that otter-grader does not know: what a class is graded with beside the tests."""


@dataclass(frozen=True)
class Bundle:
    """What an assignment is graded with.

    Attributes:
        name: of the assignment.
        rules: what its notebooks may import.
        tests: for each question otter-grader's test cases, with their points.
        written: points of the questions that are graded by hand.
        given: digests of the cells that were handed out.
        files: contents, by name, of what lies beside the notebook.
        secrets: numbers that draw the hidden cases.
        digest: of all this.
    """

    name: str
    rules: Rules
    tests: Mapping[str, list[TestCase]]
    written: Mapping[str, float]
    given: frozenset[str]
    files: Mapping[str, bytes]
    secrets: frozenset[str]
    digest: str

    @property
    def possible(self) -> dict[str, float]:
        """The points of the questions that are graded here."""
        return {question: sum(case.points for case in cases) for question, cases in self.tests.items()}


def read_bundle(path: Path) -> Bundle:
    """Read an autograder's zip.

    Raises:
        ValueError: if it is none, or was not built by this version of the course.
    """
    try:
        with zipfile.ZipFile(path) as content:
            members = {name: content.read(name) for name in sorted(content.namelist())}
        config, about = json.loads(members["otter_config.json"]), json.loads(members[ABOUT])
        rules = next(entry[PLUGIN] for entry in config["plugins"] if PLUGIN in entry)
    except (zipfile.BadZipFile, KeyError, ValueError, StopIteration, OSError) as error:
        raise ValueError(f"{path}: expected an autograder that make course built, got {error!r}") from None
    tests = [
        ExceptionTestFile.from_string(text.decode(), path=name)
        for name, text in members.items()
        if name.startswith("tests/") and name.endswith(".py")
    ]
    files = {name.removeprefix("files/"): text for name, text in members.items() if name.startswith("files/")}
    digest = hashlib.sha256(b"".join(members[name] for name in members if not name.endswith(".yml")))
    return Bundle(
        about["name"],
        Rules(**rules),
        {test.name: test.test_cases for test in tests},
        about["written"],
        frozenset(about["given"]),
        files,
        frozenset(seed for test in tests for seed in re.findall(r"seed=(\d+)\)", test.source)),
        digest.hexdigest(),
    )


def digest_of_cell(source: str) -> str:
    """A digest of a cell's text that spaces and empty lines do not change."""
    return hashlib.sha256("".join(source.split()).encode()).hexdigest()[:16]


def about(name: str, written: Mapping[str, float], cells: list[str]) -> dict[str, Any]:
    """The content of the zip's own member, see :class:`Bundle`."""
    return {"name": name, "written": dict(written), "given": sorted({digest_of_cell(cell) for cell in cells})}
