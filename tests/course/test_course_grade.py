"""A class is graded on one machine: downloads as they come, a table row by row, pages, copies, resumption."""

import csv
import io
import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("resource", reason="students' kernels are forked")

from course import build
from course_grade import main
from course_gradebook import gradebook
from course_submissions import Submission, submissions
from course_table import copies, quoted, read_table, write_table


def notebook_of(*sources: str) -> bytes:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()


def zip_of(files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(content := io.BytesIO(), "w") as bundle:
        for name, text in files.items():
            bundle.writestr(name, text)
    return content.getvalue()


def test_a_class_is_graded_stopped_and_taken_up_again(root: Path, tmp_path: Path) -> None:
    built = build("a2_positive_sets", tmp_path)
    folder, out = tmp_path / "submissions", tmp_path / "graded"
    for name in ("ada", "grace"):
        (folder / name).mkdir(parents=True)
    solution = built.solution.read_bytes()
    (folder / "ada" / "a2.ipynb").write_bytes(solution)
    (folder / "grace" / "a2.ipynb").write_bytes(solution)
    (folder / "empty.zip").write_bytes(
        zip_of({"__MACOSX/._a2.ipynb": b"\0", "a2.ipynb": built.student.read_bytes()})
    )
    (folder / "broken.ipynb").write_text("no notebook", encoding="utf-8")
    (folder / "ends.ipynb").write_bytes(notebook_of("import os\nos.kill(os.getppid(), 9)\nos._exit(0)"))
    command = [sys.executable, str(root / "tools" / "course_grade.py"), str(built.autograder), str(folder)]
    command += ["--out", str(out), "--at-once", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if line.startswith("broken:"):
                first.send_signal(signal.SIGKILL)
    assert [row["submission"] for row in read_table(out / "points.csv")] == ["ada", "broken"]
    rows = read_table(out / "points.csv")
    rows[0]["q7 by hand"] = "4.5"
    write_table(out / "points.csv", list(rows[0]), rows)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "5 submissions, 2 of them graded before" in done.stdout
    table = {row["submission"]: row for row in read_table(out / "points.csv")}
    points = {name: int(row["automatic"]) for name, row in table.items()}
    assert points == {"ada": 22, "broken": 0, "empty": 0, "ends": 0, "grace": 22}
    assert table["ada"]["q7 by hand"] == "4.5"
    assert table["ada"]["flags"] == "same id as grace; answers of grace"
    assert "is no notebook" in table["broken"]["what_happened"]
    assert "its kernel ended" in table["ends"]["what_happened"]
    page = (out / "empty.html").read_text(encoding="utf-8")
    assert "not answered yet" in page
    assert "22 of 22 points; 5 more are given by hand" in (out / "ada.html").read_text(encoding="utf-8")


class TestSubmissions:
    def test_downloads_of_platforms(self, tmp_path: Path) -> None:
        one = notebook_of("x = 1")
        downloads = {
            "moodle.zip": {
                "Ada L_123_assignsubmission_file_/a1.ipynb": one,
                "Grace H_9_assignsubmission_file_/a1.ipynb": one,
            },
            "canvas.zip": {
                "lovelaceada_1_22_a4-2.ipynb": one,
                "lovelaceada_1_23_search-1.json": b"{}",
                "hoppergrace_LATE_5_6_a4.ipynb": one,
            },
            "gradescope.zip": {
                "all/submission_7/a1.ipynb": one,
                "all/submission_8/a1.zip": zip_of({"x/a1.ipynb": one}),
            },
            "single.zip": {"._a1.ipynb": b"\0", "deep/er/a1.ipynb": one, "deep/er/record.json": b"[]"},
        }
        for name, files in downloads.items():
            (tmp_path / name).write_bytes(zip_of(files))
        found = {each.name: each for each in submissions(sorted(tmp_path.glob("*.zip")))}
        assert {name: sorted(each.files) for name, each in found.items()} == {
            "Ada L": ["a1.ipynb"],
            "Grace H": ["a1.ipynb"],
            "lovelaceada_1": ["a4.ipynb", "search.json"],
            "hoppergrace_5": ["a4.ipynb"],
            "submission_7": ["a1.ipynb"],
            "submission_8": ["a1.ipynb"],
            "single": ["a1.ipynb", "record.json"],
        }
        assert [name for name, each in found.items() if each.late] == ["hoppergrace_5"]
        assert all(each.notebook().cells for each in found.values())

    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ({"a.ipynb": b"x"}, "a.ipynb is no notebook"),
            ({"a.ipynb": b"[" * 100_000}, "a.ipynb is no notebook"),
            ({"a.ipynb": b"\xff\xfe"}, "a.ipynb is no notebook"),
            ({"a.txt": b""}, "expected one notebook, got none"),
            (
                {"a.ipynb": notebook_of(), "b.ipynb": notebook_of()},
                "expected one notebook, got a.ipynb, b.ipynb",
            ),
        ],
    )
    def test_what_is_no_submission_is_told(self, files: dict[str, bytes], told: str) -> None:
        with pytest.raises(ValueError, match=told):
            Submission("ada", files).notebook()

    def test_a_broken_zip_is_its_students_problem_alone(self, tmp_path: Path) -> None:
        (tmp_path / "ada.zip").write_bytes(b"PK broken")
        (tmp_path / "grace.ipynb").write_bytes(notebook_of())
        ada, grace = submissions([tmp_path])
        assert "no zip" in ada.problem
        assert grace.notebook().cells == []

    def test_names_have_to_differ(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "Ada.ipynb").touch()
        with pytest.raises(ValueError, match="more than one ada"):
            submissions([tmp_path / "one", tmp_path / "two" / "Ada.ipynb"])
        (tmp_path / "none").mkdir()
        with pytest.raises(ValueError, match="got none"):
            submissions([tmp_path / "none"])


class TestTable:
    @pytest.mark.parametrize("cell", ["=1+2", "+1", "-1", "@x", "\t=1", "\r=1"])
    def test_no_cell_is_a_formula(self, cell: str, tmp_path: Path) -> None:
        write_table(tmp_path / "t.csv", ["a", "b"], [{"a": cell, "b": -1.0}])
        with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
            assert list(csv.reader(file))[1] == [f"'{cell}", "-1"]
        assert quoted("a=b") == "a=b"

    def test_copies_are_flagged(self) -> None:
        ids = {"ada": "1", "grace": "2", "alan": "1 ", "no": ""}
        answers = map(frozenset, ("abcdef", "abcdeg", "xyz", ""))
        flags = copies(ids, dict(zip(ids, answers, strict=True)))
        assert flags == {
            "ada": ["answers of grace", "same id as alan"],
            "grace": ["answers of ada"],
            "alan": ["same id as ada"],
            "no": [],
        }


def test_wrong_arguments_are_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "a2_positive_sets_autograder.zip"
    bundle.write_bytes(zip_of({"otter_config.json": json.dumps({"plugins": []}).encode()}))
    with pytest.raises(SystemExit):
        main([str(bundle), str(tmp_path), "--out", str(tmp_path / "graded")])
    assert "expected an autograder that make course built" in capsys.readouterr().err
    assert not (tmp_path / "graded").exists()


def test_a_term_is_merged_into_one_table(tmp_path: Path) -> None:
    common = ["submission", "student_id", "q1", "q7 by hand", "automatic", "late", "flags"]
    for name, rows in {
        "a1": [["x", "Ada", "3", "2", "3", "", ""], ["y", "", "1", "", "1", "late", ""]],
        "a2": [
            ["x", "ada ", "4", "", "4", "", "same id as z"],
            ["z", "ada", "1", "1", "1", "", "same id as x"],
        ],
    }.items():
        (tmp_path / name).mkdir()
        rows_by_name = [dict(zip(common, row, strict=True)) for row in rows]
        write_table(tmp_path / name / "points.csv", common, rows_by_name)
    columns, students = gradebook([tmp_path / "a1" / "points.csv", tmp_path / "a2" / "points.csv"])
    assert columns == ["student_id", "a1", "a1, look at", "a2", "a2, look at", "total"]
    assert [(row["student_id"], row.get("a1"), row.get("a2"), row["total"]) for row in students] == [
        ("ada", 5, 4, 9),
        ("no id: y", 1, None, 1),
    ]
    assert students[1]["a1, look at"] == "late; points by hand are missing"
    assert "handed in twice, also as z" in str(students[0]["a2, look at"])
    with pytest.raises(ValueError, match="expected a table of points"):
        gradebook([tmp_path / "none" / "points.csv"])
