"""Print the book into one PDF: ``python tools/print_book.py [--site FOLDER] [--out FILE]``.

The whole book is built as one page by Sphinx (``make print`` does it first), and Chromium prints that page
with the style sheet ``book/_static/print.css``. Answers and hidden cells are opened, the pictures are those
of the light theme, and formulas are rendered before anything is printed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from accessibility import OPEN_ALL
from check_pages import MATH, browser, served
from patience import open_page

ROOT = Path(__file__).resolve().parents[1]
FOOTER = (
    '<div style="font-size: 8px; width: 100%; text-align: center; color: #555">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)


def print_book(site: Path, target: Path) -> int:
    """Print the book, built as one page in ``site``; return the number of formulas.

    Raises:
        FileNotFoundError: the book is not built as one page.
        RuntimeError: no Chromium is installed, or a formula is not rendered.
    """
    whole = site / "book" / "index.html"
    if not whole.is_file():
        raise FileNotFoundError(f"no page {whole}: run make print")
    shutil.copyfile(whole, site / "whole.html")  # Sphinx writes its links as seen from the top
    with served(site) as address, browser() as chromium:
        page = open_page(chromium, color_scheme="light", reduced_motion="reduce")
        page.goto(f"{address}/whole.html", wait_until="load")
        math = page.evaluate(MATH)
        if math["rendered"] < math["formulas"] or math["broken"]:
            raise RuntimeError(
                f"{math['rendered']} of {math['formulas']} formulas are rendered {math['broken']}"
            )
        page.evaluate(OPEN_ALL)
        page.emulate_media(media="print", color_scheme="light")
        target.parent.mkdir(parents=True, exist_ok=True)
        margin = {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"}
        page.pdf(
            path=target,
            format="A4",
            margin=margin,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
    return int(math["formulas"])


def main() -> int:
    """Print, say where the file is, and return the exit status."""
    parser = argparse.ArgumentParser(description="Print the book, built as one page, into a PDF.")
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "singlehtml")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "probmcl.pdf")
    options = parser.parse_args()
    try:
        formulas = print_book(options.site, options.out)
    except (FileNotFoundError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"The book on paper, {formulas} formulas: {options.out}, {options.out.stat().st_size / 2**20:.1f} MiB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
