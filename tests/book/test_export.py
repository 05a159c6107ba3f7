"""Chapters become notebooks: every kind of MyST block and role, and what the command promises."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from unittest.mock import MagicMock

import nbformat
import pytest
from chapters import Book
from export import ExportError, export, main

CONFIG = """\
repository: {url: https://github.com/someone/thebook, branch: main}
parse: {myst_enable_extensions: [colon_fence, dollarmath]}
"""
TOC = """\
format: jb-book
root: book/index
parts:
  - caption: The method
    chapters:
      - file: book/03_first
      - file: book/04_second
  - caption: Appendices
    chapters: [{file: book/glossary}]
"""
BIB = """\
@article{khosla-2020-supcon, title={SupCon}, author={Khosla, P. and Teterwak, P. and Wang, C.}, year={2020}}
@article{bishop-1994-mdn, title={MDN}, author={Bishop, Christopher}, year={1994}}
@article{ho-1999-two, title={Two}, author={H{\\"o}rmander, L. and Ho, A.}, year={1999}}
"""
FIRST = """\
---
file_format: mystnb
---
(ch-first)=
# The first

$$
a = b
$$ (eq-first)

(sec-far)=
## A section far away

```{figure} _static/picture.png
:name: fig-far
:alt: A picture

Its caption.
```
"""
COLAB = "https://colab.research.google.com/github/someone/thebook/blob/main/book"
PAGES = "https://someone.github.io/thebook/book"

Plain = Callable[[str], str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small book with one chapter before the one under test."""
    code = "@str\ndef square(x):\n    return x * x\n\n\nclass A:\n    def f(self):\n        return 1\n"
    pages = {"playgrounds/sets": "# Sets\n", "index": "# Welcome\n", "glossary": "# Glossary\n"}
    files = {f"book/{name}.md": text for name, text in (pages | {"03_first": FIRST}).items()}
    files |= {"book/_static/picture.png": "", "book/references.bib": BIB}
    for name, text in (files | {"code.py": code, "_config.yml": CONFIG, "_toc.yml": TOC}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
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


@pytest.mark.parametrize(
    ("myst", "expected"),
    [
        ("```{note}\nMind.\n```", "> **Note**\n>\n> Mind."),
        (":::{warning}\nMind.\n:::", "> **Warning**\n>\n> Mind."),
        (":::{admonition} Own `title`\n:class: ledger\n\nMind.\n:::", "> **Own `title`**\n>\n> Mind."),
        ("```{margin} Aside\nMind.\n```", "> Aside\n>\n> Mind."),
        ("```{sidebar} Aside\nMind.\n```", "> **Aside**\n>\n> Mind."),
        (":::{admonition} The `answer` & why\n:class: dropdown tip\nFor $x$.\n:::",
         "<details>\n<summary>The <code>answer</code> &amp; why</summary>\n\nFor $x$.\n\n</details>"),
        (":::{dropdown} Answer\nYes.\n:::", "<details>\n<summary>Answer</summary>\n\nYes.\n\n</details>"),
        ("::::{tip}\nOuter.\n\n:::{dropdown} Answer\nInner.\n:::\n::::",
         "> **Tip**\n>\n> Outer.\n>\n> <details>\n> <summary>Answer</summary>\n>\n> Inner.\n>\n"
         "> </details>"),
        ("1. one\n\n   ```{tip}\n   In a list.\n   ```\n\n2. two",
         "1. one\n\n   > **Tip**\n   >\n   > In a list.\n\n2. two"),
        (":::{note}\n$$\na\n= b\n$$ (eq-in)\n:::", "> **Note**\n>\n> $$a = b \\tag{4.1}$$"),
        ("```{contents}\n:local:\n```\ntext", "text"),
        (":::{container} page-only\nNot here.\n:::\ntext", "text"),
        ("```{code-block} python\n:name: x\nx = `{role}`\n```", "```python\nx = `{role}`\n```"),
        ("```python\n% {ref}`kept`\n$$\n```", "```python\n% {ref}`kept`\n$$\n```"),
        ("% comment\ntext\n% comment", "text"),
        ("(label)=\n## Heading", "## Heading"),
        ("one\n\n+++\n\ntwo", "one\n\ntwo"),
        ("```{table} The caption\n:name: tab-x\n| a |\n|---|\n| 1 |\n```\nSee {numref}`tab-x`.",
         "**Table 4.1.** The caption\n\n| a |\n|---|\n| 1 |\nSee Table 4.1."),
        ("```{figure} _static/picture.png\n:name: fig-x\n:alt: Alt\n:width: 50%\n\n"
         "The {cite:t}`bishop-1994-mdn`.\n```",
         "![Alt](https://raw.githubusercontent.com/someone/thebook/main/book/_static/picture.png)\n\n"
         f"**Fig. 4.1.** The [Bishop (1994)]({PAGES}/references.html)."),
        ("```{playground} sets\n```",
         f"**Playground**, for any browser: [Sets]({PAGES}/playgrounds/sets.html)"),
        (":::{quiz}\nIs {term}`it` $x$?\n\n- [ ] No.\n  > It\n  > is.\n- [x] {math}`x`.\n  > Yes.\n:::",
         f"**Question.** Is [it]({PAGES}/glossary.html#term-it) $x$?\n\n- **a** No.\n- **b** $x$.\n\n"
         "<details>\n<summary>Answers</summary>\n\n- **a. Not so.** It\n  is.\n"
         "- **b. Right.** Yes.\n\n</details>"),
        ("```{literalinclude} ../code.py\n:pyobject: square\n```",
         "From [code.py](https://github.com/someone/thebook/blob/main/code.py):\n\n"
         "```python\n@str\ndef square(x):\n    return x * x\n```"),
        ("```{literalinclude} ../code.py\n:pyobject: A.f\n```",
         "From [code.py](https://github.com/someone/thebook/blob/main/code.py):\n\n"
         "```python\ndef f(self):\n    return 1\n```"),
    ],
)  # fmt: skip
def test_blocks(plain: Plain, myst: str, expected: str) -> None:
    assert plain(myst) == expected


@pytest.mark.parametrize(
    ("myst", "expected"),
    [
        ("{cite:t}`khosla-2020-supcon`", f"[Khosla et al. (2020)]({PAGES}/references.html)"),
        ("{cite}`ho-1999-two, bishop-1994-mdn`",
         f"([Hörmander and Ho, 1999]({PAGES}/references.html); [Bishop, 1994]({PAGES}/references.html))"),
        ("{doc}`03_first`", f"[The first]({COLAB}/03_first.ipynb)"),
        ("{doc}`before <03_first>`", f"[before]({COLAB}/03_first.ipynb)"),
        ("{doc}`glossary`", f"[Glossary]({PAGES}/glossary.html)"),
        ("[be `fore`](03_first.md)", f"[be `fore`]({COLAB}/03_first.ipynb)"),
        ("[far](03_first.md#sec-far)", f"[far]({COLAB}/03_first.ipynb)"),
        ("[far](#sec-far)", f"[far]({COLAB}/03_first.ipynb)"),
        ("[](#sec-far)", f"[A section far away]({COLAB}/03_first.ipynb)"),
        ("[out](https://a.org/b_(c))", "[out](https://a.org/b_(c))"),
        ("[code](../code.py)", "[code](https://github.com/someone/thebook/blob/main/code.py)"),
        ("{ref}`sec-far`", f"[A section far away]({COLAB}/03_first.ipynb)"),
        ("{ref}`there <sec-far>`", f"[there]({COLAB}/03_first.ipynb)"),
        ("{eq}`eq-first`", f"[(3.1)]({COLAB}/03_first.ipynb)"),
        ("{numref}`fig-far`", f"[Fig. 3.1]({COLAB}/03_first.ipynb)"),
        ("{numref}`figure %s <fig-far>`", f"[figure 3.1]({COLAB}/03_first.ipynb)"),
        ("{term}`positive sets <positive set>`", f"[positive sets]({PAGES}/glossary.html#term-positive-set)"),
        ("{func}`~probmcl.loss.overlap`", f"[`overlap`]({PAGES}/api/loss.html#probmcl.loss.overlap)"),
        ("{mod}`probmcl_book.reference`", f"[`probmcl_book.reference`]({PAGES}/api/reference.html)"),
        ("{mod}`probmcl`", f"[`probmcl`]({PAGES}/api.html)"),
        ("{class}`~torch.nn.Linear`", "`Linear`"),
        ("{math}`x_i`", "$x_i$"),
        ("{sub}`2`", "<sub>2</sub>"),
        ("two\n{cite:t}`bishop-1994-mdn`", f"two\n[Bishop (1994)]({PAGES}/references.html)"),
        ("`{role}` and ``{ref}`x` ``", "`{role}` and ``{ref}`x` ``"),
        ("$a_{[i]}(b)$ and \\$5", "$a_{[i]}(b)$ and \\$5"),
        ("![Alt](_static/picture.png){width=50%}",
         "![Alt](https://raw.githubusercontent.com/someone/thebook/main/book/_static/picture.png)"),
    ],
)  # fmt: skip
def test_inline(plain: Plain, myst: str, expected: str) -> None:
    assert plain(myst) == expected


def test_formulas_are_numbered_by_chapter_and_referred_to(plain: Plain) -> None:
    text = plain(
        "$$ a = 1 $$ (eq-a)\n\n```{math}\n:label: eq-b\nb = 2\n```\n\n$$\nc\n$$\n\n"
        "{eq}`eq-b` after {eq}`eq-a`."
    )
    assert "$$\na = 1 \\tag{4.1}\n$$" in text
    assert "$$\nb = 2 \\tag{4.2}\n$$" in text
    assert "$$\nc\n$$" in text
    assert text.endswith("(4.2) after (4.1).")


@pytest.mark.parametrize(
    ("myst", "line", "message"),
    [
        ("fine\n\n{rol}`x`", 9, "unknown role 'rol'"),
        ("fine\n\n```{tab-set}\nx\n```", 9, "unknown directive 'tab-set'"),
        (":::{note}\nfine\n\n{rol}`x`\n:::", 10, "unknown role 'rol'"),
        (":::{note}\n\n```{code-cell}\n1\n```\n:::", 9, "code-cell has to stand outside"),
        ("{cite}`nobody-1900`", 7, "no entry 'nobody-1900'"),
        ("{doc}`99_missing`", 7, "no page '99_missing'"),
        ("```{playground} missing\n```", 7, "no page 'missing'"),
        (":::{quiz}\nWell?\n\n- [x] {rol}`x`\n  > a\n- [ ] b\n  > c\n:::", 10, "unknown role 'rol'"),
        (":::{quiz}\nWell?\n\n- [x] a\n- [ ] b\n  > c\n:::", 10, "'a' has no feedback"),
        ("{eq}`eq-missing`", 7, "no label 'eq-missing'"),
        ("[x](missing.md)", 7, "no page 'missing.md'"),
        ("[x](../missing.py)", 7, "no file '../missing.py'"),
        ("![x](_static/missing.png)", 7, "no file '_static/missing.png'"),
        ("```{figure} _static/picture.png\n```", 7, "expected an :alt: text"),
        ("```{literalinclude} ../code.py\n:pyobject: cube\n```", 7, "no function or class 'cube'"),
        ("```{literalinclude} ../code.py\n:lines: 1\n```", 7, "unknown option 'lines'"),
        ("a[^1]\n\n[^1]: note", 7, "a footnote does not show in Colab"),
        ("<project:#sec-far>", 7, "write the link as"),
        ("text\n:::{note}\nnever closed", 8, "never closed"),
        ("$$\na\n\nb", 7, "never closed"),
        ("```{code-cell}\n:wrong: 1\n1\n```", 7, "unknown option 'wrong'"),
        ("```{code-cell}\n:tags: [notebook-only]\n1\n```", 7,
         "also needs the tags remove-cell and skip-execution"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_names_file_and_line(root: Path, myst: str, line: int, message: str) -> None:
    with pytest.raises(ExportError, match=re.escape(message)) as caught:
        notebook(root, myst)
    assert str(caught.value).startswith(f"book/04_second.md:{line}: ")


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


def test_a_chapter_can_ask_colab_for_a_gpu(root: Path) -> None:
    assert "accelerator" not in notebook(root, "# Title").metadata
    path = root / "book" / "04_second.md"
    path.write_text(path.read_text().replace("kernelspec:", "accelerator: GPU\nkernelspec:"))
    written = json.loads(export(Book(root), Book(root).chapters["04_second"]))["metadata"]
    assert (written["accelerator"], written["kernelspec"]["name"]) == ("GPU", "python3")


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
    (root / "book" / "03_first.md").write_text(FIRST + "\n:::{note}\nnever closed\n")
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
