"""Grade what students may hand in, and say what is not as it should be: ``python tools/course_check.py``.

For each assignment the bundle is built (:mod:`course`), and a class is graded with it (:mod:`course_grade`):
the solution (full points), the student's notebook as it is handed out (no points), the wrong answers of
``<name>.mutants.yml`` (the points named there, and a hint that says what is wrong), other right answers of
``<name>.styles.yml`` (full points), and the hostile ones of ``hostile.yml`` (what an empty one earns). With a
term, a secret and a folder of private masters it checks these.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml
from course import MASTERS, PUBLIC_SECRET, PUBLIC_TERM, Built, build, masters
from course_feedback import points_of
from course_grade import Result, grade_each, outcomes_of
from course_submissions import Submission
from grading.bundle import Bundle, read_bundle
from grading.kernels import Limits
from nbclient import NotebookClient
from nbformat import NotebookNode

LIMITS = Limits(seconds=20, memory=2048)


@dataclass
class Case:
    """A submission whose points are known.

    Attributes:
        name: what is wrong, or otherwise, with it.
        change: pairs of texts, the solution's and this one's.
        points: what the questions named then earn; all others stay full, or empty of a hostile one.
        hint: a part of what the grader says.
        seen: ``student``, or ``grader`` for a hint that hidden tests give.
        cells: to add at its end.
        assignments: of a hostile notebook, all by default.
        files: of a hostile submission, by name.
    """

    name: str
    change: list[list[str]] = field(default_factory=list)
    points: dict[str, float] = field(default_factory=dict)
    hint: str = ""
    seen: str = "student"
    cells: list[str] = field(default_factory=list)
    assignments: list[str] = field(default_factory=masters)
    files: dict[str, str] = field(default_factory=dict)


def cases(name: str, kind: str, folder: Path = MASTERS) -> list[Case]:
    """The submissions of one kind for an assignment; none if there is no such file."""
    path = folder / f"{name}.{kind}.yml"
    return [Case(**entry) for entry in yaml.safe_load(path.read_text("utf-8"))] if path.is_file() else []


def hostile(name: str) -> list[Case]:
    """The hostile submissions for an assignment."""
    found = [Case(**entry) for entry in yaml.safe_load((MASTERS / "hostile.yml").read_text("utf-8"))]
    return [case for case in found if name in case.assignments]


def changed(solution: NotebookNode, case: Case) -> NotebookNode:
    """Return the solution with a case's changes.

    Raises:
        ValueError: if a text to change is not in the solution.
    """
    notebook = nbformat.from_dict(solution)
    for old, new in case.change:
        hits = [cell for cell in notebook.cells if cell.cell_type == "code" and old in cell.source]
        if not hits:
            raise ValueError(f"{case.name}: the solution does not hold {old!r}")
        for cell in hits:
            cell.source = cell.source.replace(old, new)
    return notebook


def with_cells(given: NotebookNode, case: Case, names: Sequence[str]) -> NotebookNode:
    """Return a notebook with the cells of a case at its end; ``NAMES`` stands for the names of answers."""
    notebook = nbformat.from_dict(given)
    sources = [cell.replace("NAMES", repr(list(names))) for cell in case.cells]
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in sources]
    return notebook


def names_of_answers(bundle: Bundle) -> list[str]:
    """The names that the tests of an assignment look up."""
    tests = [case.body.test_func for found in bundle.tests.values() for case in found]
    names = {name for test in tests for name in inspect.signature(test).parameters}
    return sorted(names - {"student_id"})


def submission(name: str, notebook: NotebookNode, files: Mapping[str, bytes]) -> Submission:
    """A notebook and other files as they are handed in."""
    return Submission(name, {"answers.ipynb": nbformat.writes(notebook).encode(), **files})


def written_files(solution: NotebookNode, beside: Mapping[str, bytes]) -> dict[str, bytes]:
    """Run a solution that writes JSON files and return these: every submission hands them in."""
    names = {name for cell in solution.cells for name in re.findall(r'"(\w+\.json)"', cell.source)}
    if not names:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in beside.items():
            Path(folder, name).write_bytes(content)
        NotebookClient(solution, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
        return {name: Path(folder, name).read_bytes() for name in sorted(names)}


def class_of(
    built: Built, bundle: Bundle, only: Sequence[str], folder: Path
) -> dict[str, tuple[Submission, Case]]:
    """Everything that is handed in for an assignment, or what ``only`` names, with what it should get."""
    solution = nbformat.read(built.solution, as_version=4)
    stub = nbformat.read(built.student, as_version=4)
    files = written_files(nbformat.from_dict(solution), bundle.files)
    nothing, names = dict.fromkeys(bundle.tests, 0.0), names_of_answers(bundle)
    found = [(submission("solution", solution, files), Case("solution"))]
    found.append((submission("empty", stub, {}), Case("empty", points=nothing, hint="not set yet")))
    for case in [*cases(built.name, "styles", folder), *cases(built.name, "mutants", folder)]:
        notebook = with_cells(changed(solution, case), case, names)
        found.append((submission(case.name, notebook, files), case))
    for case in hostile(built.name):
        handed_in = {name: text.encode() for name, text in case.files.items()}
        notebook = with_cells(stub, case, names)
        case.points = {**nothing, **case.points}
        found.append((submission(case.name, notebook, handed_in), case))
    return {each.name: (each, case) for each, case in found if not only or case.name in only}


def problems(bundle: Bundle, case: Case, result: Result) -> Iterator[str]:
    """What is not as it should be in the result of a case."""
    outcomes = outcomes_of(result)
    points = points_of(bundle, outcomes)
    expected = {**bundle.possible, **case.points}
    yield from (
        f"{q}: earned {points[q]:g}, expected {expected[q]:g}" for q in points if points[q] != expected[q]
    )
    told = [one for name, found in outcomes.items() for one in found]
    texts = [one.full if case.seen == "grader" else one.message for one in told]
    hidden = [part for part in bundle.secrets if any(part in one.message for one in told)]
    yield from (f"tells {part}, which is hidden" for part in hidden)
    if case.hint and not any(case.hint in text for text in texts):
        yield f"the hint {case.hint!r} is missing"
    if case.name == "solution":
        yield from result["stopped"]


def check(
    built: Built, only: Sequence[str], folder: Path, at_once: int
) -> list[tuple[str, dict[str, float], str]]:
    """Grade the class of an assignment; return names, points, and what is not as it should be."""
    bundle = read_bundle(built.autograder)
    handed_in = class_of(built, bundle, only, folder)
    rows: dict[str, tuple[str, dict[str, float], str]] = {}
    for each, result in grade_each(bundle, [each for each, _ in handed_in.values()], LIMITS, at_once):
        case = handed_in[each.name][1]
        rows[each.name] = (
            each.name,
            points_of(bundle, outcomes_of(result)),
            "; ".join(problems(bundle, case, result)),
        )
    ordered = [("possible", bundle.possible, ""), *(rows[name] for name in handed_in)]
    if "solution" in handed_in:
        shown = on_gradescope(built.autograder, handed_in["solution"][0].files, {"email": "solution"})
        points = {test["name"]: test["score"] for test in shown["tests"] if "score" in test}
        ordered.append(("solution, on Gradescope", points, "" if points == bundle.possible else "not full"))
    return ordered


def on_gradescope(bundle: Path, files: Mapping[str, bytes], user: Mapping[str, str]) -> dict[str, Any]:
    """Grade files as Gradescope's container does, with its folders, and return what it would show.

    Args:
        bundle: the autograder's zip.
        files: of the submission, by name.
        user: who submits, such as ``{"email": "ada@example.org"}``.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "autograder")
        for name in ("source", "submission", "results"):
            (folder / name).mkdir(parents=True)
        with zipfile.ZipFile(bundle) as content:
            content.extractall(folder / "source")
        for name, text in files.items():
            (folder / "submission" / name).write_bytes(text)
        (folder / "submission_metadata.json").write_text(json.dumps({"users": [user]}), encoding="utf-8")
        script = folder / "source" / "run_otter.py"  # as it is in the zip, but for the place of the folder
        script.write_text(
            script.read_text("utf-8").replace('"/autograder"', repr(str(folder))), encoding="utf-8"
        )
        command = [sys.executable, "-W", "ignore", str(script)]
        tools = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": tools}  # the grader, which the container has installed
        subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        results: dict[str, Any] = json.loads((folder / "results" / "results.json").read_text("utf-8"))
    return results


def table(rows: Sequence[tuple[str, dict[str, float], str]]) -> str:
    """Points of every submission by question, and what is not as it should be."""
    width = max(len(name) for name, _, _ in rows)
    lines = [f"  {'':{width}}  {'  '.join(f'{question:>4}' for question in rows[0][1])}  total"]
    for name, points, wrong in rows:
        numbers = "  ".join(f"{value:4g}" for value in points.values())
        lines.append(f"  {name:{width}}  {numbers}  {sum(points.values()):5g}  {wrong or 'ok'}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description="Grade solutions, empty notebooks, wrong and hostile answers."
    )
    parser.add_argument("names", nargs="*", help="assignments, all of them by default")
    parser.add_argument("--only", nargs="*", default=(), help="only the submissions with these names")
    parser.add_argument("--term", default=PUBLIC_TERM)
    parser.add_argument("--secret", default=PUBLIC_SECRET)
    parser.add_argument("--masters", type=Path, default=MASTERS, help="a folder with masters of your own")
    parser.add_argument("--at-once", type=int, default=2)
    options: Any = parser.parse_args(arguments)
    failed = graded = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        for name in options.names or masters(options.masters):
            built = build(name, Path(out), options.term, options.secret, options.masters)
            rows = check(built, options.only, options.masters, options.at_once)
            print(f"{name}\n{table(rows)}", flush=True)
            failed += sum(bool(wrong) for _, _, wrong in rows)
            graded += len(rows) - 1
    print(f"{graded} submissions graded in {time.monotonic() - start:.0f} s, {failed} not as they should be.")
    return 1 if failed or not graded else 0


if __name__ == "__main__":
    sys.exit(main())
