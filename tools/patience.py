"""A tab of the browser that waits for a slow machine: how long a page takes is nobody's fault."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page

PATIENCE = 600_000
"""Milliseconds until a page, or what a test waits for on it, is given up."""


def open_page(chromium: Browser, **options: Any) -> Page:
    """Open a tab, with the options of Playwright's ``new_page``; closing it forgets all that it loaded."""
    page = chromium.new_page(**options)
    page.set_default_timeout(PATIENCE)
    return page
