"""Sphinx extension with the directive ``{playground} name``: a page to try things out, without a kernel.

The markup stands in ``book/playgrounds/<name>.html``, the scripts in ``book/_static/playgrounds``. They are
plain scripts, not ES modules, which a browser refuses to load from a file; they share one global name,
``probmcl``. A page that holds a playground loads its scripts, and no other page does. On the page
``book/playgrounds/<name>`` the settings stand in the address; elsewhere a link leads to that page.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = "book/playgrounds"
TITLES = {
    "positive_sets": "Positive sets",
    "dozen": "A dozen points",
    "mixtures": "Two mixtures",
    "asymmetric": "Asymmetric loss",
    "draw": "Draw a scene",
    "watch": "Watch it learn",
}
NEEDS = {
    "dozen": ("positive_sets",),
    "draw": (
        "positive_sets",
        "tensors",
        "recorded/scenes",
        "recorded/weights",
        "encoder",
        "neighbours",
        "pen",
    ),
    "watch": ("positive_sets", "tensors", "recorded/scenes", "recorded/training"),
}
"""Scripts that a playground takes from others, or data of its own."""
STYLE = "playgrounds/playgrounds.css"


def scripts(name: str) -> list[str]:
    """Return the scripts of a playground in the order in which they load, as paths inside ``_static``.

    >>> scripts("mixtures")[-2:]
    ['playgrounds/mixtures.js', 'playgrounds/mixtures_view.js']
    """
    return [
        f"playgrounds/{file}.js" for file in ("controls", "plot", *NEEDS.get(name, ()), name, f"{name}_view")
    ]


def markup(name: str, fragment: str, page: str = "") -> str:
    """Return the HTML of a playground around its ``fragment``.

    Args:
        name: one of ``TITLES``.
        fragment: the text of ``book/playgrounds/<name>.html``.
        page: address of the playground's own page, where it is embedded elsewhere.

    >>> 'data-page="../p.html"' in markup("mixtures", "<p>x</p>", "../p.html")
    True
    """
    own, link = "", ""
    if page:
        own = f' data-page="{escape(page)}"'
        words = "Open these settings on a page of their own"
        link = f'<p class="pg-hint"><a data-link href="{escape(page)}">{words}</a></p>'
    label = f"Playground: {TITLES[name]}"
    return (
        f'<section class="playground" data-playground="{name}" aria-label="{label}"{own}>\n'
        "<noscript><p>This playground needs JavaScript.</p></noscript>\n"
        f'<div class="pg-body">\n{fragment}{link}</div>\n</section>\n'
    )


class Playground(SphinxDirective):
    """The directive; its argument is the playground's name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the playground as HTML; other formats have none."""
        name = self.arguments[0]
        if name not in TITLES:
            raise self.error(f"playground: expected one of {', '.join(TITLES)}, got {name!r}")
        file = Path(self.env.srcdir) / FOLDER / f"{name}.html"
        self.env.note_dependency(str(file))
        page, here = f"{FOLDER}/{name}", self.env.docname
        assert self.env.app.builder is not None
        address = "" if here == page else self.env.app.builder.get_relative_uri(here, page)
        html = markup(name, file.read_text(encoding="utf-8"), address)
        return [nodes.raw("", html, format="html", playground=name)]


def load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Answer ``html-page-context``: give a page the scripts of its playgrounds."""
    if doctree is None:
        return
    for node in doctree.findall(nodes.raw):
        if name := node.get("playground"):
            app.add_css_file(STYLE)
            for file in scripts(name):
                app.add_js_file(file, loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_directive("playground", Playground)
    app.connect("html-page-context", load)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
