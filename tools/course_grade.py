"""Grade submissions on this machine: ``python tools/course_grade.py BUNDLE SUBMISSIONS... [--out DIR]``.

BUNDLE is an autograder that ``make course`` built; SUBMISSIONS are notebooks, zips of a notebook with its
records, or folders of such. The folder ``graded`` gets ``points.csv``, one line a submission with the id
that its notebook states, and for each submission a text with what the grader says. Written questions are
graded by hand.

The students' code runs on this machine with your rights; ``otter grade`` does the same in containers.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from course_check import MODULES, Graded, grade_file
from warm_kernels import warm_kernels

ENDINGS = (".ipynb", ".zip")
BUNDLE = "_autograder.zip"


def submissions(paths: Sequence[Path]) -> list[Path]:
    """Return the notebooks and zips that are meant.

    Raises:
        ValueError: if there is none, or if two have one name: the second would replace the first's text.
    """
    inside = (file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path]))
    found = [file for file in inside if file.suffix in ENDINGS]
    if not found:
        raise ValueError(f"submissions: expected {' or '.join(ENDINGS)} files, got none")
    names = [file.stem for file in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"submissions: expected different names, got more than one {', '.join(twice)}")
    return found


def stated_id(path: Path) -> str:
    """Return the id that a submission's notebook states, several if it states several, or an empty text."""
    text = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as bundle:
            text = bundle.read(next(name for name in bundle.namelist() if name.endswith(".ipynb")))
    cells = nbformat.reads(text.decode(), as_version=4).cells
    found = re.findall(
        r"^student_id *= *[\"'](.*?)[\"']", "\n".join(cell.source for cell in cells), re.MULTILINE
    )
    return " / ".join(dict.fromkeys(found))


def grade_each(bundle: Path, files: Sequence[Path]) -> Iterator[tuple[Path, Graded | Exception]]:
    """Yield every submission with what it earned, or with the reason why it could not be graded."""
    assignment = bundle.name.removesuffix(BUNDLE)
    with warm_kernels(MODULES):
        for file in files:
            try:
                yield file, grade_file(assignment, file.name, file, bundle)
            except Exception as error:  # one broken file does not stop a class
                yield file, error


def line(file: Path, graded: Graded) -> dict[str, float | str]:
    """Return a submission's line of the table."""
    identity = {"submission": file.name, "student_id": stated_id(file)}
    totals = {"total": sum(graded.points.values()), "possible": sum(graded.possible.values())}
    return {**identity, **graded.points, **totals}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Grade submissions on this machine.")
    parser.add_argument("bundle", type=Path, help=f"NAME{BUNDLE}, which make course builds")
    parser.add_argument("submissions", nargs="+", type=Path, help="notebooks, zips, or folders of them")
    parser.add_argument("--out", type=Path, default=Path("graded"))
    options = parser.parse_args(arguments)
    if not options.bundle.is_file():
        parser.error(f"{options.bundle} is missing: make course builds it")
    try:
        files = submissions(options.submissions)
    except ValueError as error:
        parser.error(str(error))
    options.out.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, float | str]] = []
    for file, graded in grade_each(options.bundle, files):
        text = options.out / f"{file.stem}.txt"
        if isinstance(graded, Exception):
            text.write_text(f"{type(graded).__name__}: {graded}\n", encoding="utf-8")
            print(f"{file.name}: not graded, see {text}", flush=True)
            continue
        lines.append(line(file, graded))
        text.write_text(f"{graded.full}\n", encoding="utf-8")
        print("{}: {total:g} of {possible:g} points, see {}".format(file.name, text, **lines[-1]), flush=True)
    if lines:
        with (options.out / "points.csv").open("w", newline="", encoding="utf-8") as table:
            writer = csv.DictWriter(table, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
    return 0 if len(lines) == len(files) else 1


if __name__ == "__main__":
    sys.exit(main())
