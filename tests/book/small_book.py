from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace


def build(folder: Path, pages: dict[str, str], **options: Any) -> Path:
    """Build a book of these pages, file by file; a warning is an error."""
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with docutils_namespace():  # another build registers the directives again
        out, trees = folder / "out", folder / "trees"
        Sphinx(folder, None, out, trees, "html", options, status=None, warningiserror=True).build()
    return out
