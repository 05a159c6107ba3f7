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

SHELL = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>Playground</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/{style}">{scripts}</head>
<body>{markup}</body>
</html>"""

# Types every [name, value] of a setting into its field, one setting after the other, and reads the page.
DRIVE = """settings => {
  const root = document.querySelector(".playground");
  const text = node => node.textContent;
  const put = (name, value) => {
    if (name === "labels") {
      root.querySelector("[data-text]").value = value;
      return root.querySelector("[data-change=load]").click();
    }
    const input = root.querySelector(`[data-name="${name}"]:not([type=range])`);
    if (input.type === "checkbox") input.checked = value;
    else input.value = value;
    for (const event of ["input", "change"]) input.dispatchEvent(new Event(event, {bubbles: true}));
  };
  const cells = (row, read) => [...row.children].map(read);
  const rows = (table, read) => [...root.querySelectorAll(`[data-${table}] tr`)].map(row => cells(row, read));
  return settings.map(setting => {
    setting.forEach(([name, value]) => put(name, value));
    const outputs = [...root.querySelectorAll("[data-out]")].map(node => [node.dataset.out, text(node)]);
    const fields = [...root.querySelectorAll("[data-name]:not([type=range])")];
    const valueOf = field => field.type === "checkbox" ? field.checked : field.value;
    return {
      ...Object.fromEntries(outputs),
      fields: Object.fromEntries(fields.map(field => [field.dataset.name, valueOf(field)])),
      positives: rows("positives", cell => cell.classList.contains("pg-positive")),
      counts: rows("positives", text).map(row => row.at(-1)),
      labels: root.querySelector("[data-text]")?.value,
      plateaus: rows("plateaus", text),
      points: rows("points", text),
      digits: rows("digits", text),
      current: [...root.querySelectorAll("[data-plateaus] tr")].findIndex(row => row.ariaCurrent),
    };
  });
}"""

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
