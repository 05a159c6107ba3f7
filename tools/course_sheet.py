"""The instructor's sheet of an assignment: questions, points, solutions, model answers, from its master."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from nbformat import NotebookNode
from quiet_otter import extract_all_fenced_otter_cells

BEGIN, END = "# BEGIN", "# END"


@dataclass
class Question:
    """One question of a master."""

    name: str
    points: list[float]
    written: bool
    text: list[str] = field(default_factory=list)
    solution: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The heading of the question."""
        found = re.search(r"^#+ (.+)$", "\n".join(self.text), re.MULTILINE)
        return found[1] if found else self.name

    @property
    def total(self) -> float:
        """All points."""
        return sum(self.points)


def questions(master: NotebookNode) -> Iterator[Question]:
    """Yield the questions of a master with their solutions."""
    question, block = None, ""
    for cell in extract_all_fenced_otter_cells(master.cells):
        source = cell.source.strip()
        if cell.cell_type == "raw" and source.startswith(f"{BEGIN} QUESTION"):
            config: dict[str, Any] = yaml.safe_load(source)
            points = config.get("points", 1)
            listed = points if isinstance(points, list) else [points]
            question = Question(config["name"], listed, config.get("manual", False))
        elif cell.cell_type == "raw" and source.startswith(f"{END} QUESTION"):
            if question:
                yield question
            question = None
        elif cell.cell_type == "raw" and source.startswith(BEGIN):
            block = source.removeprefix(BEGIN).strip()
        elif cell.cell_type == "raw" and source.startswith(END):
            block = ""
        elif question and block == "SOLUTION":
            question.solution.append(_fenced(source) if cell.cell_type == "code" else source)
        elif question and not block and cell.cell_type == "markdown":
            question.text.append(source)


def instructor_sheet(name: str, master: NotebookNode) -> str:
    """Return the sheet as Markdown."""
    found = list(questions(master))
    total = sum(question.total for question in found)
    written = sum(question.total for question in found if question.written)
    lines = [
        f"# Instructor's sheet: {name}",
        "",
        "For the instructor only: it holds solutions.",
        "",
        f"{total:g} points, of which {written:g} are given by hand.",
        "",
        "| question | public | hidden | by hand |",
        "|---|---|---|---|",
    ]
    for question in found:
        public, hidden = [*question.points, 0][:2]
        cells = ("", "", f"{public:g}") if question.written else (f"{public:g}", f"{hidden:g}", "")
        lines.append(f"| {question.name} · {question.title} | {' | '.join(cells)} |")
    for question in found:
        lines += ["", f"## {question.name} · {question.title}", ""]
        if question.written:
            lines += [re.sub(r"^#+ .+$", "", "\n\n".join(question.text), flags=re.MULTILINE).strip(), ""]
        lines.append("\n\n".join(question.solution))
    return "\n".join(lines) + "\n"


def _fenced(source: str) -> str:
    prompts = re.sub(
        r'^""" # BEGIN PROMPT\n.*?^""" # END PROMPT\n?', "", source, flags=re.DOTALL | re.MULTILINE
    )
    plain = re.sub(r"^\s*# (BEGIN|END) SOLUTION.*\n?|\s*# SOLUTION.*$", "", prompts, flags=re.MULTILINE)
    return f"```python\n{plain.rstrip()}\n```"
