"""What is built of a master: a notebook without solution, a bundle with PyTorch for the CPU, a sheet."""

import json
import re
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from course import MASTERS, NOTEBOOKS, Built, build, master_notebook, masters
from course_check import cases
from course_sheet import questions

from probmcl_book.claims import read_ledger


def text_of(path: Path) -> str:
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def test_the_students_notebook_in_the_book_is_fresh(built: Built) -> None:
    committed = NOTEBOOKS / built.student.name
    assert committed.read_text(encoding="utf-8") == built.student.read_text(encoding="utf-8"), (
        "make notebooks"
    )


def test_the_students_notebook_holds_no_solution_no_hidden_test_and_no_grader(built: Built) -> None:
    student, notebook = text_of(built.student), nbformat.read(built.student, as_version=4)
    assert not [word for word in ("HIDDEN", "SOLUTION", "Model answer", "import otter") if word in student]
    for question in questions(master_notebook(built.name)):
        for part in question.solution:
            lines = [line.strip() for line in part.splitlines() if re.match(r"\s+(return|for|if) ", line)]
            assert not [line for line in lines if line in student]
    assert "otter" not in notebook.metadata
    assert all(not cell.get("outputs") for cell in notebook.cells)


def test_points_at_the_top_are_the_sum_of_the_questions_and_of_their_rubrics(built: Built) -> None:
    stated = re.search(r"\*\*Points\*\*: (\d+), of which (\d+)", text_of(built.student))
    found = list(questions(master_notebook(built.name)))
    written = [question for question in found if question.written]
    assert stated is not None
    assert int(stated[1]) == sum(question.total for question in found)
    assert int(stated[2]) == sum(question.total for question in written) > 0
    for question in written:
        rows = re.findall(r"^\| (\d+) \|", "\n".join(question.text), re.MULTILINE)
        assert sum(map(int, rows)) == question.total
    page = (NOTEBOOKS.parent / "assignments.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if f"{built.name}.ipynb" in line)
    assert f"| {stated[1]} |" in row


def test_the_instructors_page_counts_the_points_given_by_hand() -> None:
    found = [question for name in masters() for question in questions(master_notebook(name))]
    by_hand = sum(question.total for question in found if question.written)
    page = (NOTEBOOKS.parent / "instructor.md").read_text(encoding="utf-8")
    assert f"{by_hand:g} of {sum(question.total for question in found):g} points are given by hand" in page


def test_a_cell_that_a_written_question_needs_has_its_mark(built: Built) -> None:
    if "# Question 7" in text_of(built.solution):
        assert "# Question 7\n..." in text_of(built.student)


def test_the_bundle_installs_pytorch_for_the_cpu_from_its_own_index(built: Built) -> None:
    with zipfile.ZipFile(built.autograder) as bundle:
        environment = yaml.safe_load(bundle.read("environment.yml"))
        settings, names = json.loads(bundle.read("otter_config.json")), set(bundle.namelist())
    assert settings["show_hidden"]  # once grades are published
    assert settings["force_public_test_summary"]
    assert {"setup.sh", "run_autograder", "otter_config.json"} <= names
    assert ("files/ledger.yml" in names) == (built.name == "a4_replication")  # whose question audits it
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert next(line for line in pip if line.startswith("torch==")).endswith("+cpu")
    assert any(line.startswith("--extra-index-url") and line.endswith("/cpu") for line in pip)
    archive = r"https://github.com/.*/archive/([0-9a-f]{40}|refs/.*)\.tar\.gz"  # of the commit, in a checkout
    for wanted in (rf"probmcl\[book\] @ {archive}", rf"probmcl-grading @ {archive}#.*=tools/grading"):
        assert any(re.fullmatch(wanted, line) for line in pip)


def test_the_sheet_holds_solutions_and_rubric(built: Built) -> None:
    sheet = built.sheet.read_text(encoding="utf-8")
    assert "```python\n# Question 1\n" in sheet
    assert "| points | for |" in sheet
    assert "BEGIN" not in sheet


def test_at_least_ten_wrong_answers_per_assignment(built: Built) -> None:
    found = cases(built.name, "mutants")
    assert len(found) >= 10
    assert len({mutant.name for mutant in found}) == len(found)


def test_another_term_changes_notebook_and_grader(tmp_path: Path) -> None:
    built = build("a2_positive_sets", tmp_path, term="2031-autumn")
    assert 'term = "2031-autumn"' in text_of(built.student)
    with zipfile.ZipFile(built.autograder) as bundle:
        assert "2031-autumn" in bundle.read("tests/q3.py").decode()


def test_the_secret_changes_the_hidden_cases_and_stands_nowhere(tmp_path: Path) -> None:
    seeds = []
    for secret in ("heron", "stork"):
        built = build("a2_positive_sets", tmp_path / secret, secret=secret)
        assert secret not in built.student.read_text(encoding="utf-8")
        with zipfile.ZipFile(built.autograder) as bundle:
            tests = [bundle.read(f"tests/{question}.py").decode() for question in ("q1", "q2", "q4", "q6")]
        assert secret not in "".join(tests)
        seeds += [int(seed) for test in tests for seed in re.findall(r"seed=(\d+)\)", test)]
    assert len(seeds) == len(set(seeds)) == 8


def test_masters_stay_out_of_the_book(root: Path) -> None:
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    assert config["only_build_toc_files"]
    assert "book/assignments/**" in config["exclude_patterns"]
    assert not list(MASTERS.rglob("*.ipynb"))
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == masters()
    assert "masters" not in (root / "_toc.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", masters())
def test_the_badge_opens_the_public_notebook_and_another_term_has_none(name: str, root: Path) -> None:
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    address = config["repository"]["url"].removeprefix("https://github.com/")
    assert f"colab.research.google.com/github/{address}/blob/" in text_of(NOTEBOOKS / f"{name}.ipynb")
    own = "\n".join(cell.source for cell in master_notebook(name, "2031-autumn").cells)
    assert "colab.research.google.com" not in own
    assert "To use Colab, upload this file" in own


def test_on_colab_the_audit_has_what_the_tests_of_the_ledger_import(root: Path) -> None:
    rows = [entry for entry in read_ledger() if entry.kind == "M"]
    files = {root / test.partition("::")[0] for entry in rows for test in entry.tests}
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    imported = set(re.findall(r"^ *(?:import|from) (\w+)", text, re.MULTILINE)) - sys.stdlib_module_names
    colab_has = {"numpy", "probmcl", "probmcl_book", "pytest", "torch", "torchvision"}
    missing = imported - colab_has - {path.stem for path in (root / "tests" / "shared").glob("*.py")}
    lines = text_of(NOTEBOOKS / "a4_replication.ipynb").splitlines()
    set_up = next(line for line in lines if "google.colab" in line)
    assert all(name.replace("_", "-") in set_up for name in missing), missing
