"""The book's tools stand in ``book/_ext``, outside the package; playgrounds are opened in Chromium."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from check_pages import PageCheck, browser, find_browser, served
from patience import PATIENCE, open_page
from playwright.sync_api import Browser, Page, expect

sys.path[:0] = [str(Path(__file__).parents[2] / "book" / "_ext"), str(Path(__file__).parent)]
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page for each playground."""
    from playground_driver import write_site

    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if find_browser() is None:
        pytest.skip("no Chromium is installed")
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as found:
        yield found


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open a page in a new tab; whatever the browser complains about fails the test."""
    checks: list[PageCheck] = []

    def opened(name: str, **options: Any) -> Page:
        checks.append(PageCheck(open_page(chromium, **options), address))
        checks[-1].page.goto(f"{address}/{name}")
        return checks[-1].page

    yield opened
    for check in checks:
        check.page.close()
        assert check.problems == []
