"""Grade solutions, empty notebooks and typical wrong answers: ``python tools/course_check.py [names]``.

For each assignment the bundle is built (:mod:`course`), and otter-grader grades with it (``otter run``): the
solution (full points), the student's notebook as it is handed out (no points, no traceback), and each wrong
answer of ``book/assignments/masters/<name>.mutants.yml`` (the points named there, and a hint that says what
is wrong). Prints a table of points, and what is not as it should be.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml
from course import MASTERS, Built, build, masters
from nbclient import NotebookClient
from nbformat import NotebookNode
from quiet_otter import grade_submission
from warm_kernels import warm_kernels

MODULES = (
    "ipykernel.kernelapp",
    "otter.check.notebook",
    "otter.execute",
    "probmcl.data",
    "probmcl_book.replicate",
    "probmcl_book.course",
)
"""What a notebook of the course imports, in the order that a fork server loads it."""


@dataclass(frozen=True)
class Mutant:
    """A wrong answer.

    Attributes:
        name: what is wrong with it.
        change: pairs of texts, the solution's and the mutant's.
        points: what the questions it breaks then earn; all others stay full.
        hint: a part of what the grader says.
        seen: ``student``, or ``grader`` for a hint that hidden tests give.
    """

    name: str
    change: list[list[str]]
    points: dict[str, float]
    hint: str
    seen: str = "student"


@dataclass
class Graded:
    """What a submission earned."""

    assignment: str
    submission: str
    points: dict[str, float]
    possible: dict[str, float]
    public: str
    full: str
    errors: list[str]
    problems: list[str] = field(default_factory=list)


def mutants(name: str) -> list[Mutant]:
    """The wrong answers of an assignment."""
    text = (MASTERS / f"{name}.mutants.yml").read_text(encoding="utf-8")
    return [Mutant(**entry) for entry in yaml.safe_load(text)]


def mutate(solution: NotebookNode, mutant: Mutant) -> NotebookNode:
    """Return the solution with a mutant's changes.

    Raises:
        ValueError: if a text to change is not in the solution.
    """
    changed = nbformat.from_dict(solution)
    for old, new in mutant.change:
        hits = [cell for cell in changed.cells if cell.cell_type == "code" and old in cell.source]
        if not hits:
            raise ValueError(f"{mutant.name}: the solution does not hold {old!r}")
        for cell in hits:
            cell.source = cell.source.replace(old, new)
    return changed


def grade(built: Built, name: str, notebook: NotebookNode, files: Sequence[Path] = ()) -> Graded:
    """Grade one notebook, with other files of the submission, through otter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{built.name}.ipynb")
        nbformat.write(notebook, path)
        if files:
            path = _zipped(path, files)
        return grade_file(built.name, name, path, built.autograder)


def grade_file(assignment: str, name: str, path: Path, bundle: Path) -> Graded:
    """Grade a submission as it was handed in, a notebook or a zip of it and other files, with a bundle.

    Raises:
        RuntimeError: if otter cannot run it.
    """
    results = grade_submission(str(path), str(bundle), quiet=True)
    if results.catastrophic_error:
        raise RuntimeError(f"{assignment}, {name}: otter could not grade: {results.catastrophic_error}")
    outputs = (output for cell in results.notebook.cells for output in cell.get("outputs", ()))
    return Graded(
        assignment,
        name,
        {question: float(result.score) for question, result in results.results.items()},
        {question: float(result.possible) for question, result in results.results.items()},
        results.summary(public_only=True),
        results.summary(),
        [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"],
    )


def _zipped(notebook: Path, files: Sequence[Path]) -> Path:
    path = notebook.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as bundle:
        for file in (notebook, *files):
            bundle.write(file, file.name)
    return path


def written_files(built: Built, solution: NotebookNode, folder: Path) -> list[Path]:
    """Run a solution that writes JSON files and return these: every submission hands them in."""
    names = {name for cell in solution.cells for name in re.findall(r'"(\w+\.json)"', cell.source)}
    if names:
        NotebookClient(solution, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return [path for name in sorted(names) if (path := folder / name).is_file()]


def check(built: Built, only: Sequence[str] = ()) -> Iterator[Graded]:
    """Grade solution, empty notebook and every mutant (or those named); problems stand in the results."""
    solution = nbformat.read(built.solution, as_version=4)
    for cell in solution.cells:  # a student's notebook has none, so that all its checks run at the end
        cell.metadata = nbformat.from_dict({})
    files = written_files(built, nbformat.from_dict(solution), built.sheet.parent)
    stub = nbformat.read(built.student, as_version=4)
    chosen = [mutant for mutant in mutants(built.name) if not only or mutant.name in only]
    graded = grade(built, "solution", solution, files)
    graded.problems += [f"{q}: not full" for q, p in graded.points.items() if p != graded.possible[q]]
    graded.problems += graded.errors
    yield graded
    graded = grade(built, "empty", stub)
    graded.problems += [f"{q}: earned {p:g}" for q, p in graded.points.items() if p]
    if "not answered yet" not in graded.full and "not set yet" not in graded.full:
        graded.problems.append("does not say that nothing is answered")
    graded.problems += graded.errors
    yield graded
    for mutant in chosen:
        graded = grade(built, mutant.name, mutate(solution, mutant), files)
        graded.problems += mutant_problems(graded, mutant)
        yield graded


def mutant_problems(graded: Graded, mutant: Mutant) -> Iterator[str]:
    """Yield what a wrong answer earned or was told that is not as its list says."""
    for question, earned in graded.points.items():
        expected = mutant.points.get(question, graded.possible[question])
        if earned != expected:
            yield f"{question}: earned {earned:g}, expected {expected:g}"
    if unknown := set(mutant.points) - set(graded.points):
        yield f"no questions {sorted(unknown)}"
    told = graded.public if mutant.seen == "student" else graded.full
    if mutant.hint not in told:
        yield f"the hint {mutant.hint!r} is missing"


def table(results: Sequence[Graded]) -> str:
    """The points of one assignment's submissions, one a line."""
    names = list(results[0].possible)
    width = max(len(result.submission) for result in results)
    possible = results[0].possible

    def numbers(points: dict[str, float]) -> str:
        return f"{'  '.join(f'{points[name]:4g}' for name in names)}  {sum(points.values()):5g}"

    lines = [
        f"{results[0].assignment}",
        f"  {'':{width}}  {'  '.join(f'{name:>4}' for name in names)}  total  hint",
        f"  {'possible':{width}}  {numbers(possible)}",
    ]
    for result in results:
        points = numbers(result.points)
        verdict = "ok" if not result.problems else "; ".join(result.problems)
        lines.append(f"  {result.submission:{width}}  {points}  {verdict}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Grade solutions, empty notebooks and wrong answers.")
    parser.add_argument("names", nargs="*", help="assignments, all of them by default")
    parser.add_argument("--only", nargs="*", default=(), help="only the wrong answers with these names")
    parser.add_argument("--verbose", action="store_true", help="show what the grader says")
    options: Any = parser.parse_args(arguments)
    failed = submissions = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as out, warm_kernels(MODULES):
        for name in options.names or masters():
            results = list(check(build(name, Path(out)), options.only))
            print(table(results), flush=True)
            if options.verbose:
                print("\n\n".join(f"-- {result.submission}\n{result.full}" for result in results))
            failed += sum(bool(result.problems) for result in results)
            submissions += len(results)
    seconds = time.monotonic() - start
    print(f"{submissions} submissions graded in {seconds:.0f} s, {failed} not as they should be.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
