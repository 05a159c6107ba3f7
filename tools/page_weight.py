"""What a page costs its reader: bytes on the way, and time until it answers, from a local server."""

from __future__ import annotations

import gzip
import re

from patience import open_page
from playwright.sync_api import Browser, Response

LIMIT_KB = 1200
GOAL_SECONDS = 1.0
TRIES = 3
FIGURES = ("image", "media")
INLINE_FIGURE = re.compile(rb"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+")
COMPRESSED = ("font",)

ANSWERS = """() => new Promise(done => {
  const idle = () => requestIdleCallback(() => done(performance.now() / 1000));
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", idle, {once: true});
  else idle();
})"""
"""Seconds from the start until the scripts have run and the page is first idle: from then on it answers."""


def weight(response: Response) -> int:
    """Return the bytes of one answer, compressed as a web server would, without figures."""
    if response.request.resource_type in FIGURES or response.status != 200:
        return 0
    body = response.body()
    if response.request.resource_type in COMPRESSED:
        return len(body)
    return len(gzip.compress(INLINE_FIGURE.sub(b"", body)))


def measure(chromium: Browser, url: str) -> tuple[float, float]:
    """Open a page with an empty cache; return kilobytes and seconds until it answers."""
    page = open_page(chromium, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response))
    page.goto(url, wait_until="commit")
    seconds = float(page.evaluate(ANSWERS))
    page.wait_for_load_state("load")
    page.wait_for_load_state("networkidle")
    kilobytes = sum(weight(response) for response in answers) / 1000
    page.close()
    return kilobytes, seconds


def cost(chromium: Browser, url: str) -> tuple[float, float, list[str]]:
    """Return kilobytes, seconds and what is too much; a slow page is tried again, on a shared machine.

    Only the weight can be too much: seconds depend on the machine, so they are told and never a fault.
    """
    kilobytes, seconds = measure(chromium, url)
    for _ in range(TRIES - 1):
        if seconds <= GOAL_SECONDS:
            break
        seconds = min(seconds, measure(chromium, url)[1])
    found = []
    if kilobytes > LIMIT_KB:
        found.append(f"weight: {kilobytes:.0f} kB compressed, without figures; at most {LIMIT_KB}")
    return kilobytes, seconds, found
