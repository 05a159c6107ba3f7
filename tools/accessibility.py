"""What a keyboard or a screen reader cannot use on a page, found by axe-core, in light and in dark."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")
OPEN_ALL = """() => {
  for (const box of document.querySelectorAll("details")) box.open = true;
  for (const box of document.querySelectorAll(".quiz-feedback")) box.hidden = false;
  for (const box of document.querySelectorAll(".toggle-hidden")) box.classList.remove("toggle-hidden");
  return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
"""Opens what a reader may open: a check sees only what is shown, and paper has no buttons."""


def violations(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical on an open page, under both colour schemes.

    Everything that can be opened is opened first, and stays open.
    """
    page.evaluate(OPEN_ALL)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_function(
            "scheme => (document.documentElement.dataset.theme ?? scheme) === scheme", arg=scheme
        )
        report = Axe().run(page, options={"resultTypes": ["violations"]}).response
        for violation in report["violations"]:
            if violation["impact"] in GRAVE:
                first = violation["nodes"][0]
                where = f"{len(violation['nodes'])} times, first {first['html'][:80]}"
                found.append(f"accessibility, {scheme}: {violation['help']} ({violation['id']}): {where}")
    page.emulate_media(color_scheme="light")
    return found
