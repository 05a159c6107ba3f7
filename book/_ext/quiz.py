"""Sphinx extension with the directive ``{quiz}``: a question that answers in the page, without a kernel.

:mod:`quiz_source` says how a question is written. On the page it is a form with radio buttons; the script
``quiz.js`` shows the feedback of the option that is chosen. Without the script all feedback stands in a box
that opens. A page that holds a quiz loads the script, and no other page does.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from myst_blocks import SourceError
from quiz_source import Option, Question, read_question
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SCRIPT = "quiz.js"


class Quiz(SphinxDirective):
    """The directive; its content is one question."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the question as a form; formats other than HTML show its parts one after the other."""
        try:
            question = read_question(list(self.content), self.lineno)
        except SourceError as error:
            raise self.error(str(error)) from None
        number = self.env.new_serialno("quiz") + 1
        name = f"quiz-{self.env.docname.rpartition('/')[2].replace('_', '-')}-{number}"
        return [
            _html(
                f'<form class="quiz" id="{name}"><div class="quiz-question" id="{name}-question">', quiz=name
            ),
            _html(f'<p class="quiz-number">Question {number}</p>'),
            *self._parsed(question.text, question.line),
            _html("</div>"),
            _html(f'<div class="quiz-options" role="radiogroup" aria-labelledby="{name}-question">'),
            *(node for option in question.options for node in self._option(name, option)),
            _html('</div><p class="quiz-check"><button type="submit">Check</button></p>'),
            *self._answers(question),
            _html("</form>"),
        ]

    def _option(self, name: str, option: Option) -> list[nodes.Node]:
        field = f"{name}-{option.letter}"
        letter = f'<span class="quiz-letter">{option.letter}</span> '
        button = f'<input type="radio" required id="{field}" name="{name}" value="{option.letter}">'
        return [
            _html(f'<div class="quiz-option">{button}<label for="{field}">{letter}'),
            *self._inline(option.text, option.line),
            _html("</label></div>"),
        ]

    def _answers(self, question: Question) -> list[nodes.Node]:
        found: list[nodes.Node] = [
            _html('<details class="quiz-answers"><summary>Answers</summary><div role="status">')
        ]
        for option in question.options:
            said = "right" if option.is_right else "wrong"
            word = "Right" if option.is_right else "Not so"
            found += [
                _html(f'<div class="quiz-feedback quiz-{said}" data-option="{option.letter}"><p><strong>'),
                _html(f"{escape(option.letter)}. {word}.</strong> "),
                *self._inline(option.feedback, option.line),
                _html("</p></div>"),
            ]
        return [*found, _html("</div></details>")]

    def _parsed(self, text: str, line: int) -> list[nodes.Node]:
        container = nodes.Element()
        lines = StringList(text.splitlines(), source=self.get_source_info()[0])
        self.state.nested_parse(lines, line, container)
        return list(container.children)

    def _inline(self, text: str, line: int) -> list[nodes.Node]:
        """Parse one paragraph, for a place where only text may stand."""
        parsed = self._parsed(text, line)
        if len(parsed) != 1 or not isinstance(parsed[0], nodes.paragraph):
            raise self.error(f"quiz: expected one paragraph, got {text!r}")
        return [nodes.inline("", "", *parsed[0].children)]


def _html(text: str, **attributes: str) -> nodes.raw:
    return nodes.raw("", text, format="html", **attributes)


def load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Answer ``html-page-context``: give a page with a quiz its script."""
    if doctree is not None and any(node.get("quiz") for node in doctree.findall(nodes.raw)):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_directive("quiz", Quiz)
    app.connect("html-page-context", load)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
