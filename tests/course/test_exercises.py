"""Answers in the chapters that name a checker pass it: `feedback` would only print that they do not."""

import ast
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

BOOK = Path(__file__).parents[2] / "book"


def cells(notebook: Path) -> list[ast.Module]:
    code = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    return [ast.parse(cell.source) for cell in code if not cell.source.startswith(("%", "!"))]


def checks_something(cell: ast.Module) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "feedback" for node in ast.walk(cell))


def light(cell: ast.Module) -> Iterator[ast.stmt]:
    """Imports, functions and classes: what an answer may use, without the chapter's computations."""
    for statement in cell.body:
        plain = isinstance(statement, ast.FunctionDef) and not statement.decorator_list
        if plain or isinstance(statement, ast.Import | ast.ImportFrom | ast.ClassDef):
            yield statement


def run(statement: ast.stmt, names: dict[str, Any]) -> None:
    exec(compile(ast.Module([statement], []), "<chapter>", "exec"), names)


WITH_CHECKS = [path for path in sorted(BOOK.glob("*.ipynb")) if any(map(checks_something, cells(path)))]


def test_chapters_name_checkers() -> None:
    named = {path.stem[:2] for path in WITH_CHECKS}
    assert {"04", "05", "06", "07", "09"} <= named


@pytest.mark.parametrize("notebook", WITH_CHECKS, ids=lambda path: path.stem)
def test_the_answers_of_a_chapter_pass(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    calls = 0
    for cell in cells(notebook):
        for statement in light(cell):
            with contextlib.suppress(NameError):  # a default that the chapter computed
                run(statement, names)
        for statement in cell.body:
            if isinstance(statement, ast.Expr) and ast.unparse(statement).startswith("feedback("):
                run(statement, names)
                calls += 1
    said = capsys.readouterr().out.splitlines()
    assert calls
    assert [line for line in said if line.startswith("[x]")] == said
    assert len(said) == calls
