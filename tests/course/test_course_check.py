"""What students may hand in for assignment 2 earns what it should, here and as Gradescope calls it."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("resource", reason="students' kernels are forked")

from course import build, masters
from course_check import Case, cases, changed, hostile, on_gradescope, problems
from course_grade import Result
from grading.bundle import read_bundle

CHEATS = (
    "an answer that equals everything",
    "hidden cases in an error",
    "the parent is killed",
    "sys.modules games",
)


def test_a_class_of_assignment_2_is_graded_as_it_should_be(root: Path) -> None:
    wrong = [case.name for case in cases("a2_positive_sets", "mutants")][::9]
    command = [sys.executable, str(root / "tools" / "course_check.py"), "a2_positive_sets", "--only"]
    command += ["solution", "empty", *wrong, *CHEATS]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{3 + len(wrong) + len(CHEATS)} submissions graded" in done.stdout


def test_a_submission_cannot_reach_otter_itself(tmp_path: Path) -> None:
    """Otter reads a log by unpickling it, and looks for modules where the submission lies."""
    built = build("a2_positive_sets", tmp_path)
    mark = tmp_path / "reached"
    code = f"open({str(mark)!r}, 'w')"
    files = {
        "a2.ipynb": built.student.read_bytes(),
        ".OTTER_LOG": f"cbuiltins\nexec\n(V{code}\ntR.".encode(),
        **{name: code.encode() for name in ("torch.py", "probmcl_book.py", "sitecustomize.py", "q1.py")},
    }
    shown = on_gradescope(built.autograder, files, {"email": "ada@example.org"})
    assert sum(test.get("score", 0) for test in shown["tests"]) == 0
    assert "not answered yet" in str(shown["tests"])
    assert not mark.exists()


def test_there_are_hostile_submissions_for_every_assignment() -> None:
    found = {name: [case.name for case in hostile(name)] for name in masters()}
    assert all(len(names) >= 5 for names in found.values())
    assert len({name for names in found.values() for name in names}) >= 40


def test_points_that_differ_a_hint_that_is_missing_and_a_leak_are_noticed(tmp_path: Path) -> None:
    bundle = read_bundle(build("a2_positive_sets", tmp_path).autograder)
    told = {"passed": False, "message": "the diagonal", "full": "the diagonal"}
    result: Result = {"outcomes": {"q1": [told, told]}, "stopped": [], "student_id": "", "cells": []}
    found = list(
        problems(bundle, Case("x", points={**bundle.possible, "q1": 1, "q2": 0}, hint="wrong axis"), result)
    )
    assert found[0] == "q0: earned 0, expected 1"
    assert "q1: earned 0, expected 1" in found
    assert not [line for line in found if line.startswith("q2")]
    assert found[-1] == "the hint 'wrong axis' is missing"


def test_a_change_that_fits_nowhere_is_an_error() -> None:
    solution = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    assert changed(solution, Case("", [["x = 1", "x = 2"]])).cells[0].source == "x = 2"
    assert solution.cells[0].source == "x = 1"
    with pytest.raises(ValueError, match="does not hold 'y = 1'"):
        changed(solution, Case("", [["y = 1", "y = 2"]]))
