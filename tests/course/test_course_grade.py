"""A class is graded without Gradescope: a table with ids and points, a text for each submission."""

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from course import build
from course_grade import main, stated_id, submissions


def notebook_of(student: str, quote: str = '"') -> nbformat.NotebookNode:
    source = f"student_id = {quote}{student}{quote}"
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])


@pytest.mark.skipif(sys.platform == "win32", reason="kernels start cold there, which takes minutes")
def test_solution_empty_and_broken_submissions(root: Path, tmp_path: Path) -> None:
    built = build("a2_positive_sets", tmp_path)
    folder, out = tmp_path / "submissions", tmp_path / "graded"
    folder.mkdir()
    (folder / "ada.ipynb").write_bytes(built.solution.read_bytes())
    (folder / "broken.ipynb").write_text("no notebook", encoding="utf-8")
    (folder / "notes.txt").write_text("not handed in", encoding="utf-8")
    with zipfile.ZipFile(folder / "grace.zip", "w") as bundle:
        bundle.write(built.student, built.student.name)
    command = [sys.executable, str(root / "tools" / "course_grade.py"), str(built.autograder), str(folder)]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "ada.ipynb: 22 of 22 points" in done.stdout
    assert "broken.ipynb: not graded" in done.stdout
    with (out / "points.csv").open(encoding="utf-8", newline="") as table:
        lines = {line["submission"]: line for line in csv.DictReader(table)}
    assert lines.keys() == {"ada.ipynb", "grace.zip"}
    assert [lines["ada.ipynb"][key] for key in ("student_id", "q4", "total")] == [
        "solution / your-id",
        "7.0",
        "22.0",
    ]
    assert [lines["grace.zip"][key] for key in ("student_id", "q4", "total")] == ["your-id", "0.0", "0.0"]
    assert "not answered yet" in (out / "grace.txt").read_text(encoding="utf-8")
    assert (out / "broken.txt").read_text(encoding="utf-8")
    assert not (out / "notes.txt").exists()


def test_the_id_that_a_notebook_states(tmp_path: Path) -> None:
    for quote in "\"'":
        nbformat.write(notebook_of("ada17", quote), tmp_path / "one.ipynb")
        assert stated_id(tmp_path / "one.ipynb") == "ada17"
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "none.ipynb")
    assert stated_id(tmp_path / "none.ipynb") == ""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as bundle:
        bundle.writestr("record.json", json.dumps({}))
        bundle.write(tmp_path / "one.ipynb", "one.ipynb")
    assert stated_id(tmp_path / "all.zip") == "ada17"


def test_submissions_need_names_that_differ(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got none"):
        submissions([tmp_path])
    for name in ("ada.zip", "ada.ipynb"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match="more than one ada"):
        submissions([tmp_path])


def test_a_folder_without_submissions_is_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, empty = tmp_path / "a2_positive_sets_autograder.zip", tmp_path / "empty"
    bundle.touch()
    empty.mkdir()
    with pytest.raises(SystemExit):
        main([str(bundle), str(empty), "--out", str(tmp_path / "graded")])
    assert "error: submissions: expected .ipynb or .zip files, got none" in capsys.readouterr().err
