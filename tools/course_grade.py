"""Grade a class on this machine: ``python tools/course_grade.py BUNDLE SUBMISSIONS... [--out DIR]``.

BUNDLE is an autograder that ``make course`` built; SUBMISSIONS are notebooks, zips, or what Moodle, Canvas
or Gradescope give for download. Each runs in a process and a sandbox of its own. The folder ``graded`` gets
``points.csv``, with a line as soon as one is graded, and for each submission a page for the student
(``.html``) and a text for the teacher (``.txt``). Run it again, and what is graded is kept: only what is new,
what has changed and what ``--again`` names is graded. Points by hand that stand in the table stay there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from course_feedback import page, points_of, report
from course_submissions import Submission, submissions
from course_table import BY_HAND, copies, read_table, write_table
from grading.account import PLACEHOLDER
from grading.apart import apart
from grading.bundle import Bundle, digest_of_cell, read_bundle
from grading.grade import Graded, Grader, Outcome
from grading.kernels import WAITING, Limits

Result = dict[str, Any]
"""What is kept of a graded submission, as JSON: a :class:`Graded`, digests of its cells, when it came."""

MARGIN = 60
"""Seconds for answers to be asked, beside those of the notebook."""


def grade_each(
    bundle: Bundle, submitted: Sequence[Submission], limits: Limits, at_once: int
) -> Iterator[tuple[Submission, Result]]:
    """Grade submissions, each in a process of its own; yield them as they get ready."""
    by_name = {each.name: each for each in submitted}
    with Grader(bundle.rules, limits) as grader:
        works: Mapping[str, Callable[[], Any]] = {
            name: partial(grade_one, grader, bundle, each) for name, each in by_name.items()
        }
        most = len(bundle.rules.kernels) * (WAITING * limits.seconds + MARGIN)
        for name, result in apart(works, at_once=at_once, seconds=most, memory=limits.memory):
            if isinstance(result, Exception):
                result = {**asdict(Graded(stopped=[f"not graded: {result}"])), "cells": []}
            yield by_name[name], result


def grade_one(grader: Grader, bundle: Bundle, submission: Submission) -> Result:
    """Grade a submission, in a process that may be lost."""
    notebook = submission.notebook()
    files = {name: content for name, content in submission.files.items() if not name.endswith(".ipynb")}
    graded = grader.grade(notebook, {**files, **bundle.files}, bundle.tests)
    cells = {digest_of_cell(cell.source) for cell in notebook.cells if cell.source} - bundle.given
    return {**asdict(graded), "cells": sorted(cells)}


def outcomes_of(result: Result) -> dict[str, list[Outcome]]:
    """The outcomes of a result that was kept."""
    return {question: [Outcome(**one) for one in found] for question, found in result["outcomes"].items()}


class Class:
    """The folder of a graded class."""

    def __init__(self, folder: Path, bundle: Bundle, deadline: datetime | None):
        self.folder, self.bundle, self.deadline = folder, bundle, deadline
        self.table = folder / "points.csv"
        self.kept = folder / "results"
        self.kept.mkdir(parents=True, exist_ok=True)
        paths = sorted(self.kept.glob("*.json"))
        self.results: dict[str, Result] = {path.stem: json.loads(path.read_text("utf-8")) for path in paths}

    def digest(self, submission: Submission) -> str:
        """A digest of what decides the points of a submission."""
        parts = [self.bundle.digest.encode(), submission.problem.encode()]
        parts += [part for name, text in sorted(submission.files.items()) for part in (name.encode(), text)]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def is_graded(self, submission: Submission) -> bool:
        """Whether there is a result of just this submission."""
        known = self.results.get(safe(submission.name), {})
        return bool(known.get("digest") == self.digest(submission))

    def add(self, submission: Submission, result: Result) -> None:
        """Keep a result, write its pages, and the table anew."""
        name, outcomes = safe(submission.name), outcomes_of(result)
        late = submission.late or (self.deadline is not None and submission.handed_in > self.deadline)
        result |= {"digest": self.digest(submission), "submission": submission.name, "late": late}
        result["handed_in"] = f"{submission.handed_in:%Y-%m-%d %H:%M}"
        for ending, text in (
            (".html", page(self.bundle, submission.name, outcomes, result["stopped"])),
            (".txt", report(self.bundle, outcomes, result["stopped"])),
        ):
            (self.folder / f"{name}{ending}").write_text(text, encoding="utf-8")
        new = self.kept / f".{name}.json"
        new.write_text(json.dumps(result), encoding="utf-8")
        new.replace(self.kept / f"{name}.json")
        self.results[name] = result
        self.write()

    def write(self) -> None:
        """Write the table; what was filled in by hand is kept."""
        by_hand = [f"{question}{BY_HAND}" for question in self.bundle.written]
        before = {row["submission"]: row for row in read_table(self.table)}
        odd = copies(
            {name: result["student_id"].replace(PLACEHOLDER, "") for name, result in self.results.items()},
            {name: frozenset(result["cells"]) for name, result in self.results.items()},
        )
        rows = []
        for name, result in self.results.items():
            points = points_of(self.bundle, outcomes_of(result))
            filled = {column: before.get(result["submission"], {}).get(column, "") for column in by_hand}
            row = {
                **result,
                **points,
                **filled,
                "automatic": sum(points.values()),
                "flags": "; ".join(odd[name]),
            }
            row |= {"late": "late" if result["late"] else "", "what_happened": "; ".join(result["stopped"])}
            rows.append(row)
        columns = ["submission", "student_id", *self.bundle.tests, *by_hand, "automatic"]
        write_table(self.table, [*columns, "handed_in", "late", "flags", "what_happened"], rows)


def safe(name: str) -> str:
    """A name of a file for the name of a submission."""
    return re.sub(r"[^\w@. -]", "_", name).lstrip(".") or "_"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 1 if a submission could not be graded."""
    standard = Limits()
    parser = argparse.ArgumentParser(description="Grade submissions on this machine.")
    parser.add_argument("bundle", type=Path, help="NAME_autograder.zip, which make course builds")
    parser.add_argument("submissions", nargs="+", type=Path, help="notebooks, zips, or folders of them")
    parser.add_argument("--out", type=Path, default=Path("graded"))
    parser.add_argument("--deadline", type=datetime.fromisoformat, help="such as 2027-03-01T23:59")
    parser.add_argument("--again", nargs="*", default=(), help="grade these once more, by their names")
    parser.add_argument("--seconds", type=int, default=standard.seconds, help="for the cells of a notebook")
    parser.add_argument("--memory", type=int, default=standard.memory, help="megabytes for a notebook")
    parser.add_argument("--at-once", type=int, default=2, help="submissions that are graded at a time")
    options = parser.parse_args(arguments)
    try:
        bundle, found = read_bundle(options.bundle), submissions(options.submissions)
    except ValueError as error:
        parser.error(str(error))
    graded = Class(options.out, bundle, options.deadline)
    todo = [each for each in found if each.name in options.again or not graded.is_graded(each)]
    print(
        f"{bundle.name}: {len(found)} submissions, {len(found) - len(todo)} of them graded before", flush=True
    )
    possible = sum(bundle.possible.values())
    limits = Limits(options.seconds, options.memory)
    for submission, result in grade_each(bundle, todo, limits, options.at_once) if todo else ():
        graded.add(submission, result)
        points = sum(points_of(bundle, outcomes_of(result)).values())
        what = "; ".join(result["stopped"]).partition("\n")[0][:150]
        print(f"{submission.name}: {points:g} of {possible:g} points {what}".rstrip(), flush=True)
    print(f"see {graded.table}, and for each submission a page and a text beside it")
    return int(any(not graded.results[safe(each.name)]["outcomes"] for each in found))


if __name__ == "__main__":
    sys.exit(main())
