"""What a student reads: one HTML page, with what was expected and what came, and no hidden case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from grading.bundle import Bundle
from grading.grade import Outcome

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap}"
)


def points_of(bundle: Bundle, outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, float]:
    """The points of each question; none for one without outcomes."""
    return {
        question: sum(
            case.points for case, one in zip(cases, outcomes.get(question, ()), strict=False) if one.passed
        )
        for question, cases in bundle.tests.items()
    }


def page(bundle: Bundle, name: str, outcomes: Mapping[str, Sequence[Outcome]], stopped: Sequence[str]) -> str:
    """The page for a student."""
    points = points_of(bundle, outcomes)
    total, possible = sum(points.values()), sum(bundle.possible.values())
    parts = [
        f"<h1>{escape(bundle.name)}: {escape(name)}</h1>",
        f"<p>{total:g} of {possible:g} points; {sum(bundle.written.values()):g} more are given by hand.</p>",
    ]
    if stopped:
        parts += ["<h2>Cells that stopped</h2>", f"<pre>{escape(chr(10).join(stopped))}</pre>"]
    for question, cases in bundle.tests.items():
        parts.append(f"<h2>{escape(question)}: {points[question]:g} of {bundle.possible[question]:g}</h2>")
        for case, one in zip(cases, outcomes.get(question, ()), strict=False):
            kind = "Check of the grader" if case.hidden else "Check of the notebook"
            parts.append(f"<p>{kind}, {case.points:g} points:</p><pre>{escape(one.message)}</pre>")
    head = f'<meta charset="utf-8"><title>{escape(bundle.name)}</title><style>{STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{chr(10).join(parts)}\n</body></html>\n'
    )


def report(bundle: Bundle, outcomes: Mapping[str, Sequence[Outcome]], stopped: Sequence[str]) -> str:
    """The text for the teacher, with hidden cases."""
    lines = list(stopped)
    for question, cases in bundle.tests.items():
        for case, one in zip(cases, outcomes.get(question, ()), strict=False):
            lines.append(
                f"{question}, {'hidden' if case.hidden else 'public'}, {case.points:g} points: {one.full}"
            )
    return "\n".join(lines) + "\n"
