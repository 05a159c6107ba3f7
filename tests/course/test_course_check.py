"""Assignment 2 is graded through otter: solution, empty notebook, wrong answers."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from course_check import Graded, Mutant, mutant_problems, mutate


@pytest.mark.skipif(sys.platform == "win32", reason="kernels start cold there, which takes minutes")
def test_assignment_2_is_graded_as_it_should_be(root: Path) -> None:
    command = [sys.executable, str(root / "tools" / "course_check.py"), "a2_positive_sets"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 submissions graded" in done.stdout


def test_points_that_differ_and_a_hint_that_is_missing_are_noticed() -> None:
    mutant = Mutant("wrong", [], {"q1": 0}, "the diagonal")
    graded = Graded(
        "a", "wrong", {"q1": 1, "q2": 2}, {"q1": 1, "q2": 3}, "public", "hidden: the diagonal", []
    )
    assert list(mutant_problems(graded, mutant)) == [
        "q1: earned 1, expected 0",
        "q2: earned 2, expected 3",
        "the hint 'the diagonal' is missing",
    ]


def test_a_change_that_fits_nowhere_is_an_error() -> None:
    solution = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    assert mutate(solution, Mutant("", [["x = 1", "x = 2"]], {}, "")).cells[0].source == "x = 2"
    assert solution.cells[0].source == "x = 1"
    with pytest.raises(ValueError, match="does not hold 'y = 1'"):
        mutate(solution, Mutant("", [["y = 1", "y = 2"]], {}, ""))
