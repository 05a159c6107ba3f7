"""Playgrounds in a page of their own, driven as by hand and read as by eye."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

import playgrounds

BOOK = Path(__file__).parents[2] / "book"
NOISE = 1e-12
"""Sums whose terms cancel leave this much rounding, as ``controls.js`` says."""
SETTINGS = 200
"""How many random settings of each playground are compared with the package."""

SHELL = Path(__file__).with_name("shell.html").read_text("utf-8")
DRIVE = Path(__file__).with_name("drive.js").read_text("utf-8").partition("\n")[2]
"""Types settings into their fields, and reads the page."""

Shown = dict[str, Any]
"""Everything that a playground shows: outputs by name, fields, and the rows of its tables."""


def write_site(folder: Path) -> Path:
    """Write one page a playground: the book's own markup and scripts, without the book around them.

    ``<name>.html`` is the playground's own page, ``in_<name>.html`` embeds it as a chapter does.
    """
    shutil.copytree(BOOK / "_static" / "playgrounds", folder / "_static" / "playgrounds")
    for name in playgrounds.TITLES:
        fragment = (BOOK / "playgrounds" / f"{name}.html").read_text(encoding="utf-8")
        tag = '<script defer src="_static/{}"></script>'
        scripts = "".join(map(tag.format, playgrounds.scripts(name)))
        for page, inside in ((name, ""), (f"in_{name}", f"{name}.html")):
            html = playgrounds.markup(name, fragment, inside)
            text = SHELL.format(style=playgrounds.STYLE, scripts=scripts, markup=html)
            (folder / f"{page}.html").write_text(text, encoding="utf-8")
    return folder


def drive(page: Page, settings: list[list[tuple[str, Any]]]) -> list[Shown]:
    return page.evaluate(DRIVE, settings)


def shown(page: Page) -> Shown:
    return drive(page, [[]])[0]


def number(text: str) -> float:
    return float(Fraction(text)) if "/" in text else float(text.replace("−", "-"))


def assert_same(text: str, expected: float, noise: float = 0.0) -> None:
    """The page shows a number, to six places; what is below its ``noise`` is rounding, and shown as 0."""
    found = number(text)
    assert found == 0 or abs(found) > noise, f"{text} is shown, which is rounding"
    allowed = 1e-6 * abs(expected) if 1e-300 < abs(expected) < 1e-4 else 1e-6
    assert abs(found - expected) <= max(allowed, noise), f"{text} is shown, expected {expected}"
