"""Open every built page in headless Chromium: ``python tools/check_pages.py [--screenshots DIR] [pages]``.

A page passes if nothing is written to the console as an error, no script fails, every request goes to the
book itself, every formula is rendered, no name is cut off in the list of contents, a phone 390 pixels wide
shows it without scrolling sideways, and axe-core finds nothing serious in light or dark
(:mod:`accessibility`). The command also measures what each page weighs on its way to a reader and how soon it
answers (:mod:`page_weight`).
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from accessibility import violations
from page_weight import GOAL_SECONDS, cost
from patience import PATIENCE, open_page
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
TALLEST = 6000  # pixels of a page that a screenshot shows
NOT_PAGES = ("_static", "_sources", "_modules")
BROWSERS_AT_ONCE = min(4, os.cpu_count() or 1)

MATH = """async () => {
  const formulas = document.querySelectorAll(".bd-article .math").length;
  if (formulas === 0) return {formulas, rendered: 0, broken: []};
  await window.MathJax?.startup?.promise;
  const broken = [...document.querySelectorAll("mjx-merror, [data-mjx-error]")];
  return {formulas, rendered: document.querySelectorAll("mjx-container").length,
          broken: broken.map(node => node.getAttribute("data-mjx-error") || node.textContent)};
}"""
WIDTH = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return null;
  const scrolls = box => getComputedStyle(box).overflowX !== "visible";
  const inside = box => { // in a box of its own that scrolls
    for (let outer = box.parentElement; outer && outer !== document.body; outer = outer.parentElement)
      if (scrolls(outer)) return true;
    return false;
  };
  const shown = box => getComputedStyle(box).visibility === "visible";
  const boxes = [...document.querySelectorAll("body *")].filter(shown);
  const wide = boxes.filter(box => box.getBoundingClientRect().right > width + 1 && !inside(box)).at(-1);
  const text = wide?.textContent.trim().slice(0, 60);
  const name = wide ? `${wide.tagName.toLowerCase()}.${wide.className}: ${text}` : "an element";
  return `${document.documentElement.scrollWidth} pixels wide at ${width}, because of ${name}`;
}"""
CLIPPED = """() => [...document.querySelectorAll(".bd-sidebar-secondary")].flatMap(bar => {
  const edge = Math.min(bar.getBoundingClientRect().right, document.documentElement.clientWidth);
  return [...bar.querySelectorAll("a")].filter(name => {
    const text = document.createRange();
    text.selectNodeContents(name);
    return text.getBoundingClientRect().right > edge + 1;
  }).map(name => name.textContent.trim());
})"""


def find_browser() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def pages_of(site: Path) -> list[str]:
    """Return the pages of ``site``, as paths inside it; pages that only lead on are left out."""
    found = ((path, path.relative_to(site)) for path in sorted(site.rglob("*.html")))
    return [
        inside.as_posix()
        for path, inside in found
        if inside.parts[0] not in NOT_PAGES
        and 'http-equiv="refresh"' not in path.read_text(encoding="utf-8")[:2000].lower()
    ]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder on this machine; gives the address."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Give a headless Chromium.

    Raises:
        RuntimeError: none is installed.
    """
    path = find_browser()
    if path is None:
        raise RuntimeError(f"no Chromium found; looked for {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE)
        try:
            yield chromium
        finally:
            chromium.close()


class PageCheck:
    """One browser tab that keeps to one address and writes down what goes wrong.

    Args:
        page: the tab.
        address: where the book is served; every other host is refused.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.problems: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("response", self._response)
        page.route("**/*", self._route)

    def check(self, name: str) -> list[str]:
        """Open the page ``name`` and return what is wrong with it."""
        self.problems = []
        self.page.set_viewport_size(DESKTOP)
        self.page.goto(f"{self.address}/{name}", wait_until="load")
        self._formulas()
        if clipped := self.page.evaluate(CLIPPED):
            self.problems.append(f"cut off in the list of contents: {clipped[0]}")
        self.page.set_viewport_size(PHONE)
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        if too_wide := self.page.evaluate(WIDTH):
            self.problems.append(f"scrolls sideways: {too_wide}")
        self.page.set_viewport_size(DESKTOP)
        self.problems += violations(self.page)
        return list(dict.fromkeys(self.problems))

    def _formulas(self) -> None:
        math = self.page.evaluate(MATH)
        if math["rendered"] < math["formulas"]:
            self.problems.append(f"formulas: {math['rendered']} of {math['formulas']} are rendered")
        self.problems += [f"formula: {message}" for message in math["broken"]]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _is_ours(self, request: Request) -> bool:
        parts = urlsplit(request.url)
        return parts.scheme in ("data", "blob") or f"{parts.scheme}://{parts.netloc}" == self.address

    def _route(self, route: Route) -> None:
        if self._is_ours(route.request):
            route.continue_()
            return
        self.problems.append(f"request to another host: {route.request.url}")
        route.abort()

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not response.url.endswith("/favicon.ico"):
            self.problems.append(f"answer {response.status}: {response.url}")


def check_site(site: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """Check pages of ``site``; return the problems of each."""
    with served(site) as address, browser() as chromium:
        check = PageCheck(open_page(chromium, reduced_motion="reduce"), address)
        return {name: check.check(name) for name in names}


def weigh_site(site: Path, names: Sequence[str]) -> dict[str, tuple[float, float, list[str]]]:
    """Measure pages of ``site``; return kilobytes, seconds and what is too much of each."""
    with served(site) as address, browser() as chromium:
        return {name: cost(chromium, f"{address}/{name}") for name in names}


def _check_and_weigh(site: Path, names: Sequence[str]) -> dict[str, tuple[float, float, list[str]]]:
    """Return what pages of ``site`` cost and all that is wrong with them, by name."""
    found = check_site(site, names)
    return {
        name: (size, seconds, found[name] + excess)
        for name, (size, seconds, excess) in weigh_site(site, names).items()
    }


def side_by_side(site: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """Check and weigh pages of ``site``, a browser per core; print the costs, return the problems of each.

    Raises:
        FileNotFoundError: there are no pages.
        RuntimeError: no Chromium is installed.
    """
    if not names:
        raise FileNotFoundError(f"no pages in {site}: run make book first")
    shares = [names[place::BROWSERS_AT_ONCE] for place in range(min(BROWSERS_AT_ONCE, len(names)))]
    pages: dict[str, tuple[float, float, list[str]]] = {}
    with ProcessPoolExecutor(len(shares)) as pool:
        for found in pool.map(_check_and_weigh, [site] * len(shares), shares):
            pages |= found
    for place, unit in ((0, "kB"), (1, "s")):
        most = max(pages, key=lambda name: pages[name][place])
        print(f"most: {most}, {pages[most][place]:.{2 * place}f} {unit}")
    slow = [f"{name} {seconds:.1f}" for name, (_, seconds, _) in pages.items() if seconds > GOAL_SECONDS]
    print(
        f"answer after more than {GOAL_SECONDS:g} s, which is told and no fault: {', '.join(slow) or 'none'}"
    )
    return {name: pages[name][2] for name in names}


def screenshots(site: Path, folder: Path, names: Sequence[str]) -> None:
    """Write one light and one dark picture of each page, at desktop width, and a light one at phone width."""
    folder.mkdir(parents=True, exist_ok=True)
    with served(site) as address, browser() as chromium:
        for look in ("light", "dark", "phone"):
            scheme = "dark" if look == "dark" else "light"
            size = PHONE if look == "phone" else DESKTOP
            page = open_page(chromium, color_scheme=scheme, viewport=size, reduced_motion="reduce")
            check = PageCheck(page, address)
            for name in names:
                check.page.goto(f"{address}/{name}", wait_until="load")
                check.page.evaluate(MATH)
                target = folder / f"{Path(name).stem}-{look}.png"
                height = min(check.page.evaluate("document.documentElement.scrollHeight"), TALLEST)
                clip = {"x": 0, "y": 0, "width": size["width"], "height": height}
                check.page.screenshot(path=target, full_page=True, clip=clip)
                print(target)
            page.close()


def main() -> int:
    """Check the built book, or write screenshots of it; return the exit status."""
    parser = argparse.ArgumentParser(description="Open every built page of the book in headless Chromium.")
    parser.add_argument("pages", nargs="*", help="pages such as book/index.html (default: all)")
    parser.add_argument("--site", type=Path, default=SITE, help="the built book (default: _build/html)")
    parser.add_argument("--screenshots", type=Path, metavar="DIR", help="write pictures into DIR instead")
    arguments = parser.parse_args()
    try:
        if arguments.screenshots:
            screenshots(arguments.site, arguments.screenshots, arguments.pages or pages_of(arguments.site))
            return 0
        result = side_by_side(arguments.site, arguments.pages or pages_of(arguments.site))
    except (RuntimeError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    for name, problems in result.items():
        for problem in problems:
            print(f"{name}: {problem}", file=sys.stderr)
    failed = sum(bool(problems) for problems in result.values())
    print(f"{len(result)} pages opened, {failed} with problems")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
