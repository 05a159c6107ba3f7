"""Answers in chapters: the checker that the exercise names accepts them."""

import ast
import re
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
CELL = re.compile(r"```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)```", re.DOTALL)
CHAPTERS = [path for path in sorted(BOOK.glob("*.md")) if "\nfeedback(" in path.read_text(encoding="utf-8")]


def is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def answers(chapter: Path) -> list[ast.stmt]:
    """A chapter's imports, and of each cell that checks an answer its functions and the check."""
    kept: list[ast.stmt] = []
    for code in CELL.findall(chapter.read_text(encoding="utf-8")):
        cell = ast.parse(code).body
        kept += [node for node in cell if is_import(node)]
        checks = [node for node in cell if ast.unparse(node).startswith("feedback(")]
        kept += [node for node in cell if isinstance(node, ast.FunctionDef) and checks] + checks
    return kept


def test_there_are_answers_to_check() -> None:
    assert {"07_objective", "09_classification_stage"} <= {chapter.stem for chapter in CHAPTERS}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_the_answer_passes(chapter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(ast.Module(answers(chapter), []), chapter.name, "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("[x]"), printed
    assert "[ ]" not in printed
