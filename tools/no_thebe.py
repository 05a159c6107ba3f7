"""Sphinx extension that leaves thebe's scripts out of the pages.

Jupyter Book always adds them. The book has no thebe button, they name another host, and they declare a
constant twice, which a browser reports as an error on every page.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def leave_out(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Answer Sphinx's event ``html-page-context``."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe"
        not in str(getattr(script, "filename", "")) + getattr(script, "attributes", {}).get("body", "")
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("html-page-context", leave_out, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
