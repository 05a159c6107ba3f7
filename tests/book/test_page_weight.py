"""A page is weighed without its figures, and one that is too heavy or too slow is named."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import page_weight
import pytest
from check_pages import served
from playwright.sync_api import Browser

NOISE = os.urandom(40_000).hex()
PAGES = {
    "text.html": f"<p>{NOISE}</p>",
    "inline.html": f'<img alt="" src="data:image/png;base64,{NOISE}">',
    "figure.html": '<img alt="" src="figure.svg">',
    "script.html": '<script defer src="script.js"></script>',
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("site")
    for name, body in PAGES.items():
        text = f'<!doctype html><title>t</title><link rel="icon" href="data:,">{body}'
        (folder / name).write_text(text)
    (folder / "script.js").write_text(f"// {NOISE}")
    (folder / "figure.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {NOISE} --></svg>')
    with served(folder) as found:
        yield found


@pytest.mark.parametrize(
    ("name", "heavy"),
    [("text.html", True), ("script.html", True), ("inline.html", False), ("figure.html", False)],
)
def test_text_and_scripts_weigh_and_figures_do_not(
    chromium: Browser, address: str, name: str, heavy: bool
) -> None:
    kilobytes, _ = page_weight.measure(chromium, f"{address}/{name}")
    expected = len(gzip.compress(NOISE.encode())) / 1000 if heavy else 0.0
    assert expected <= kilobytes <= expected + 1


def test_what_is_too_much_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([3.0, 0.4, 2.0, 1.9, 1.5])

    def measured(*_: object) -> tuple[float, float]:
        return 1300.0, next(times)

    cost: Callable[..., tuple[float, float, list[str]]] = page_weight.cost
    monkeypatch.setattr(page_weight, "measure", measured)
    assert cost(None, "")[1:] == (0.4, ["weight: 1300 kB compressed, without figures; at most 1200"])
    assert cost(None, "")[1:] == (
        1.5,
        [
            "weight: 1300 kB compressed, without figures; at most 1200",
            "time: answers after 1.5 s, in 3 tries; at most 1",
        ],
    )
