"""Build the coursework: ``python tools/course.py [--term NAME] [--secret WORD] [--check | --notebooks]``.

An assignment is one master, ``book/assignments/masters/<name>.md``: MyST Markdown with otter-grader's blocks.
From it come, in ``_build/course/<name>/``: the student's notebook, the solution, the autograder's zip for
Gradescope, and the instructor's sheet. ``--notebooks`` writes the students' notebooks of the public term into
``book/assignments/``, ``--check`` fails if one of those is stale. They hold no solution and no hidden test.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook
from nbformat import NotebookNode
from quiet_otter import assign

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from chapters import Book  # noqa: E402
from course_sheet import instructor_sheet, questions  # noqa: E402
from export import write_atomically  # noqa: E402
from grading.bundle import ABOUT, about  # noqa: E402

MASTERS = ROOT / "book" / "assignments" / "masters"
NOTEBOOKS = ROOT / "book" / "assignments"
PUBLIC_TERM = PUBLIC_SECRET = "public"
BADGE = re.compile(r"^\[!\[Open in Colab\].*$", re.MULTILINE)
UPLOAD = "To use Colab, upload this file there: *File > Upload notebook*."
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class Built:
    """What was made of one master."""

    name: str
    student: Path
    solution: Path
    autograder: Path
    sheet: Path


def masters(folder: Path = MASTERS) -> list[str]:
    """Names of the assignments, in order."""
    return sorted(path.stem for path in folder.glob("*.md"))


def master_notebook(
    name: str, term: str = PUBLIC_TERM, secret: str = PUBLIC_SECRET, folder: Path = MASTERS
) -> NotebookNode:
    """Return a master as a notebook, with addresses, term and secret filled in.

    The term draws the students' data and stands in their notebooks. The secret draws the hidden cases; the
    tests hold a number that comes from it, not the word: a student may read the line of a test that failed.
    """
    book = Book(ROOT)
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    owner, repository = book.repository.split("/")[-2:]
    path = f"github/{owner}/{repository}/blob/{book.branch}/book/assignments/{name}.ipynb"
    for token, value in {
        "COLAB_URL": f"https://colab.research.google.com/{path}",
        "BOOK_URL": f"https://{owner}.github.io/{repository}",
        "REPOSITORY_URL": book.repository,
        "COURSE_TERM": term,
    }.items():
        text = text.replace(token, value)
    if term != PUBLIC_TERM:  # the badge opens the public notebook, whose data are not those of this term
        text = BADGE.sub(UPLOAD, text)
    text = re.sub(r"HIDDEN_SEED_(q\d+)", lambda found: str(_seed(secret, term, name, found[1])), text)
    notebook = read_myst_markdown_notebook(text)
    found = list(questions(notebook))
    points = {"ALL_POINTS": found, "WRITTEN_POINTS": [question for question in found if question.written]}
    for cell in notebook.cells:
        for token, counted in points.items():
            cell.source = cell.source.replace(token, f"{sum(question.total for question in counted):g}")
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    return notebook


def _seed(*parts: str) -> int:
    """A number that depends on all parts."""
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:4], "big")


def build(
    name: str,
    out: Path,
    term: str = PUBLIC_TERM,
    secret: str = PUBLIC_SECRET,
    source: Path = MASTERS,
) -> Built:
    """Make everything of one assignment, from its master in ``source``, in the folder ``out / name``."""
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        master = Path(work) / f"{name}.ipynb"
        notebook = master_notebook(name, term, secret, source)
        _add_requirements(notebook)
        shutil.copy(ROOT / "book" / "ledger.yml", work)  # for the assignment that audits it
        nbformat.write(notebook, master)
        assign(str(master), work, no_pdfs=True, no_run_tests=True)
        built = Built(name, *(folder / f"{name}{end}" for end in _ENDINGS))
        built.student.write_text(_student_text(name, Path(work, "student", master.name)), encoding="utf-8")
        shutil.copy(Path(work, "autograder", master.name), built.solution)
        (bundle,) = Path(work, "autograder").glob("*.zip")
        shutil.copy(bundle, built.autograder)
        _add_about(built, notebook)
    built.sheet.write_text(instructor_sheet(name, notebook), encoding="utf-8")
    return built


def _add_about(built: Built, master: NotebookNode) -> None:
    """Put into the autograder what is not otter's: points by hand, and which cells were handed out."""
    written = {question.name: question.total for question in questions(master) if question.written}
    cells = [cell.source for cell in nbformat.read(built.student, as_version=4).cells]
    with zipfile.ZipFile(built.autograder, "a") as bundle:
        bundle.writestr(ABOUT, json.dumps(about(built.name, written, cells)))


_ENDINGS = (".ipynb", "_solution.ipynb", "_autograder.zip", "_instructor.md")


def student_notebook(name: str) -> str:
    """Return the text of the student's notebook of the public term."""
    with tempfile.TemporaryDirectory() as out:
        return build(name, Path(out)).student.read_text(encoding="utf-8")


def _student_text(name: str, path: Path) -> str:
    """The notebook as Colab opens it: no traces of the grader, cell ids that depend on the content alone."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("otter", None)
    notebook.metadata["colab"] = {"provenance": [], "toc_visible": True}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    cells = []
    for cell in notebook.cells:
        if not cell.source.strip():
            continue
        cell.metadata = nbformat.from_dict({})
        content = f"{name}\n{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        cell["id"] = hashlib.sha256(f"{content}\n{seen[content]}".encode()).hexdigest()[:12]
        cells.append(cell)
    notebook.cells = cells
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _add_requirements(notebook: NotebookNode) -> None:
    """Tell otter what the grading machine installs: PyTorch for the CPU from its index, and our packages."""
    pins = dict(
        re.findall(
            r"^(torch|torchvision)==([\w.]+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE
        )
    )
    book = Book(ROOT)
    archive = f"{book.repository}/archive/{_commit() or 'refs/heads/' + book.branch}.tar.gz"
    wanted = [
        f"--extra-index-url {CPU_INDEX}",
        *(f"{package}=={version}+cpu" for package, version in pins.items()),
        f"probmcl[book] @ {archive}",
        f"probmcl-grading @ {archive}#subdirectory=tools/grading",
    ]
    config = next(cell for cell in notebook.cells if "# ASSIGNMENT CONFIG" in cell.source)
    lines = "\n".join(f"  - {line}" for line in wanted)
    config.source = config.source.replace(
        "# ASSIGNMENT CONFIG\n", f"# ASSIGNMENT CONFIG\nrequirements:\n{lines}\n", 1
    )


def _commit() -> str:
    """The commit of this checkout, which the autograder installs: a later one may grade otherwise."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def stale(names: Sequence[str]) -> list[str]:
    """Return which students' notebooks in the book are missing, not what the master gives, or without one."""
    problems = []
    for name in names:
        path = NOTEBOOKS / f"{name}.ipynb"
        if not path.is_file() or path.read_text(encoding="utf-8") != student_notebook(name):
            problems.append(f"{path.relative_to(ROOT)} is missing or stale")
    known = set(masters())
    extra = sorted(path for path in NOTEBOOKS.glob("*.ipynb") if path.stem not in known)
    return problems + [f"{path.relative_to(ROOT)} has no master" for path in extra]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Build the coursework.")
    parser.add_argument("names", nargs="*", help="assignments, all of them by default")
    parser.add_argument("--term", default=PUBLIC_TERM, help="another term gives every student other data")
    parser.add_argument("--secret", default=PUBLIC_SECRET, help="a word of yours that draws the hidden cases")
    parser.add_argument("--masters", type=Path, default=MASTERS, help="a folder with masters of your own")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "course")
    parser.add_argument(
        "--notebooks", action="store_true", help="write the students' notebooks into the book"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail if a student's notebook in the book is stale"
    )
    options = parser.parse_args(arguments)
    names = options.names or masters(options.masters)
    if options.check:
        problems = stale(names)
        if problems:
            print("\n".join([*problems, "Run: make notebooks"]), file=sys.stderr)
        return 1 if problems else 0
    for name in names:
        if options.notebooks:
            write_atomically(NOTEBOOKS / f"{name}.ipynb", student_notebook(name))
        else:
            built = build(name, options.out, options.term, options.secret, options.masters)
            print(f"{name}: {', '.join(sorted(path.name for path in built.sheet.parent.iterdir()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
