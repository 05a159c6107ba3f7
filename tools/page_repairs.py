"""Sphinx extension that leaves out scripts which no page needs, and repairs two pieces of the pages' markup.

* thebe, which Jupyter Book always adds: the book has no thebe button, the scripts name another host, and
  declare a constant twice, which a browser reports as an error on every page.
* Font Awesome as a script, half a megabyte of every page: its fonts come with the theme and draw the same
  icons.
* A signature over several lines is a definition list without terms, inside a term: it becomes a plain list.
* The references are a list whose entries are none to a screen reader: the list's role goes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PARAMETERS = re.compile(r'(<span class="sig-paren">[(\[]</span>\s*)<dl>(.*?)</dl>', re.DOTALL)


def repaired(body: str) -> str:
    """Return the HTML of a page, repaired.

    >>> repaired('<span class="sig-paren">(</span><dl><dd>n</dd></dl>').partition("</span>")[2]
    '<span class="sig-params" role="list"><span role="listitem">n</span></span>'
    >>> repaired('<div role="list" class="citation-list">')
    '<div class="citation-list">'
    """

    def as_list(found: re.Match[str]) -> str:
        items = found[2].replace("<dd>", '<span role="listitem">').replace("</dd>", "</span>")
        return f'{found[1]}<span class="sig-params" role="list">{items}</span>'

    return PARAMETERS.sub(as_list, body).replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )


def repair(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Answer Sphinx's event ``html-page-context``."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe"
        not in str(getattr(script, "filename", "")) + getattr(script, "attributes", {}).get("body", "")
    ]
    if "body" in context:
        context["body"] = repaired(context["body"])


def empty_icon_script(app: Sphinx, exception: Exception | None) -> None:
    """Answer ``build-finished``: the theme's template names the script, so it stays, without content."""
    script = Path(app.outdir) / "_static" / "scripts" / "fontawesome.js"
    if exception is None and script.is_file():
        script.write_text("// The icons come from fonts.\n", encoding="utf-8")


def load_everything(app: Sphinx) -> None:
    """Answer ``builder-inited``: the book as one page has formulas, whatever its first chapter has."""
    if app.builder is not None and app.builder.name == "singlehtml":
        app.set_html_assets_policy("always")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", load_everything)
    app.connect("html-page-context", repair, priority=900)
    app.connect("build-finished", empty_icon_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
