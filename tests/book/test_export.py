"""Chapters become notebooks: every kind of MyST block and role, and what the command promises."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import nbformat
import pytest
import yaml
from chapters import Book
from export import ExportError, export, main

SAMPLE = Path(__file__).with_name("sample")
CASES = yaml.safe_load(Path(__file__).with_name("export_cases.yml").read_text("utf-8"))
CODE = "@str\ndef square(x):\n    return x * x\n\n\nclass A:\n    def f(self):\n        return 1\n"
COLAB = "https://colab.research.google.com/github/someone/thebook/blob/main/book"
PAGES = "https://someone.github.io/thebook/book"

Plain = Callable[[str], str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small book with one chapter before the one under test."""
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "code.py").write_text(CODE)
    return tmp_path


def write(root: Path, text: str) -> Path:
    path, header = root / "book" / "04_second.md", "file_format: mystnb\nkernelspec:\n  name: python3"
    path.write_text(f"---\n{header}\n---\n\n{text}\n", encoding="utf-8")
    return path


def notebook(root: Path, text: str) -> nbformat.NotebookNode:
    write(root, text)
    book = Book(root)
    return nbformat.reads(export(book, book.chapters["04_second"]), as_version=4)


@pytest.fixture
def plain(root: Path) -> Plain:
    """Returns the Markdown that a chapter's text becomes."""

    def convert(text: str) -> str:
        cells = notebook(root, text).cells[2:-1]  # without badge, set-up and last cell
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")

    return convert


@pytest.mark.parametrize("case", CASES["becomes"], ids=lambda case: case["myst"])
def test_myst_becomes_markdown(plain: Plain, case: dict[str, str]) -> None:
    assert plain(case["myst"]) == case["markdown"].replace("COLAB", COLAB).replace("PAGES", PAGES)


def test_formulas_are_numbered_by_chapter_and_referred_to(plain: Plain) -> None:
    text = plain(
        "$$ a = 1 $$ (eq-a)\n\n```{math}\n:label: eq-b\nb = 2\n```\n\n$$\nc\n$$\n\n"
        "{eq}`eq-b` after {eq}`eq-a`."
    )
    assert "$$\na = 1 \\tag{4.1}\n$$" in text
    assert "$$\nb = 2 \\tag{4.2}\n$$" in text
    assert "$$\nc\n$$" in text
    assert text.endswith("(4.2) after (4.1).")


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["message"])
def test_what_cannot_be_exported_names_file_and_line(root: Path, case: dict[str, Any]) -> None:
    with pytest.raises(ExportError, match=re.escape(case["message"])) as caught:
        notebook(root, case["myst"])
    assert str(caught.value).startswith(f"book/04_second.md:{case['line']}: ")


def test_tags_choose_where_a_cell_appears(root: Path) -> None:
    cells = notebook(
        root,
        "```{code-cell} ipython3\n:tags: [page-only]\n'page'\n```\n"
        "```{code-cell} ipython3\n:tags: [notebook-only, remove-cell, skip-execution]\n'notebook'\n```\n"
        "```{code-cell} ipython3\n:tags: [hide-cell]\n'both'\n```\n",
    ).cells[2:-1]
    tagged = [(cell.source, cell.metadata.tags) for cell in cells]
    assert tagged == [("'notebook'", ["notebook-only"]), ("'both'", ["hide-cell"])]
    assert cells[1].metadata.cellView == "form"
    assert cells[1].metadata.jupyter.source_hidden


def test_sections_begin_cells_of_their_own(root: Path) -> None:
    cells = notebook(root, "# Title\nOne.\n\n## Part\nTwo.\n\n```\n# no heading\n```").cells[2:-1]
    assert [cell.source for cell in cells] == ["# Title\nOne.", "## Part\nTwo.\n\n```\n# no heading\n```"]


def test_the_first_cells_open_colab_and_install_without_touching_torch(root: Path) -> None:
    badge, setup = notebook(root, "# Title").cells[:2]
    assert f"({COLAB}/04_second.ipynb)" in badge.source
    assert f"({PAGES}/04_second.html)" in badge.source
    assert (setup.cell_type, setup.source.count("\n")) == ("code", 0)
    assert "torch" not in setup.source


def test_the_set_up_cell_installs_on_colab_alone(root: Path) -> None:
    colab, jupyter = MagicMock(), MagicMock()
    colab.__str__.return_value = "<google.colab._shell.Shell object>"
    jupyter.__str__.return_value = "<ipykernel.zmqshell.ZMQInteractiveShell object>"
    for shell in (colab, jupyter):
        exec(notebook(root, "# Title").cells[1].source, {"get_ipython": lambda shell=shell: shell})
    package = "'probmcl[book] @ git+https://github.com/someone/thebook'"
    colab.run_line_magic.assert_called_once_with("pip", f"install -q {package}")
    jupyter.run_line_magic.assert_not_called()


def test_the_last_cell_says_what_to_read_next(root: Path) -> None:
    assert f"[Glossary]({PAGES}/glossary.html)" in notebook(root, "# Title").cells[-1].source
    book = Book(root)
    first = nbformat.reads(export(book, book.chapters["03_first"]), as_version=4)
    assert f"[Title]({COLAB}/04_second.ipynb)" in first.cells[-1].source


def test_a_chapter_can_ask_colab_for_a_gpu(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = root / "colab.md"
    box.write_text(":::{admonition} In Colab\n:class: dropdown\n\nFirst [this](#sec-far).\n:::\n")
    monkeypatch.setattr("export.COLAB", box)
    assert "accelerator" not in notebook(root, "# Title").metadata
    path = root / "book" / "04_second.md"
    path.write_text(path.read_text().replace("kernelspec:", "accelerator: GPU\nkernelspec:"))
    written = nbformat.reads(export(Book(root), Book(root).chapters["04_second"]), as_version=4)
    assert (written.metadata["accelerator"], written.metadata["kernelspec"]["name"]) == ("GPU", "python3")
    assert written.cells[1].source.startswith("> **In Colab**\n>\n> First [this](https://")


def test_the_same_chapter_gives_the_same_bytes(root: Path) -> None:
    write(root, "# Title\n\n```{code-cell}\n1\n```\n\n```{code-cell}\n1\n```")
    once, again = (export(Book(root), Book(root).chapters["04_second"]) for _ in range(2))
    assert once == again
    assert once.endswith("}\n")
    identifiers = [cell["id"] for cell in json.loads(once)["cells"]]
    assert len(set(identifiers)) == len(identifiers)  # the two equal cells too


def test_an_edit_leaves_the_other_cells_names_alone(root: Path) -> None:
    before = {cell.id for cell in notebook(root, "# Title\n\n```{code-cell}\n1\n```").cells}
    after = {cell.id for cell in notebook(root, "# Title\n\n```{code-cell}\n2\n```").cells}
    assert len(before - after) == len(after - before) == 1


def test_check_names_missing_stale_and_orphaned_notebooks(root, capsys) -> None:
    path = write(root, "# Title")
    assert main(["--check"], root) == 1
    assert "book/04_second.ipynb is missing" in capsys.readouterr().err
    assert main([], root) == 0
    assert main(["--check"], root) == 0
    path.write_text(path.read_text() + "\nOne more sentence.\n")
    assert main(["--check"], root) == 1
    assert capsys.readouterr().err.splitlines()[0] == "book/04_second.ipynb is stale"
    assert main([str(path)], root) == 0
    (root / "book" / "old.ipynb").write_text("{}")
    assert main(["--check"], root) == 1
    assert "book/old.ipynb has no chapter" in capsys.readouterr().err
    assert main(["--check", str(path)], root) == 0


def test_a_broken_neighbour_does_not_stop_a_chapter(root: Path) -> None:
    first = root / "book" / "03_first.md"
    first.write_text(first.read_text() + "\n:::{note}\nnever closed\n")
    assert notebook(root, "# Title").cells[2].source == "# Title"
    with pytest.raises(ExportError, match="03_first"):
        export(Book(root), Book(root).chapters["03_first"])


def test_the_command_reports_a_bad_chapter_and_writes_nothing(root, capsys) -> None:
    write(root, "{rol}`x`")
    assert main([str(root / "book" / "04_second.md")], root) == 1
    assert "book/04_second.md:7: unknown role" in capsys.readouterr().err
    assert main(["book/index.md"], root) == 1
    assert "expected a chapter" in capsys.readouterr().err
    assert not list((root / "book").glob("*04_second.ipynb*"))
