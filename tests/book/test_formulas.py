from pathlib import Path

import pytest
from patience import open_page
from playwright.sync_api import Browser

SCRIPT = Path(__file__).parents[2] / "book" / "_static" / "formulas.js"
COUNT = 75
TYPESET = """async () => {
  const pieces = [];
  MathJax.typesetPromise = async (formulas) => pieces.push(formulas.map((formula) => formula.id));
  await MathJax.startup.pageReady();
  return pieces;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    rows = "".join(f'<p class="math" id="{number}">x</p>' for number in range(COUNT))
    style = "<style>body { margin: 0 } p { height: 300px; margin: 0 }</style>"
    head = f"<!doctype html><title>t</title>{style}<script src='formulas.js'></script>"
    (folder / "page.html").write_text(f"{head}<body>{rows}")
    (folder / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
    return folder


def pieces(chromium: Browser, url: str) -> list[list[str]]:
    page = open_page(chromium, viewport={"width": 800, "height": 900})
    page.goto(url, wait_until="commit")
    page.wait_for_function("document.querySelectorAll('.math').length === " + str(COUNT))
    found: list[list[str]] = page.evaluate(TYPESET)
    page.close()
    return found


def test_those_in_view_come_first_and_each_comes_once(chromium: Browser, address: str) -> None:
    found = pieces(chromium, f"{address}/page.html")
    assert found[0] == ["0", "1", "2"]
    assert [number for piece in found for number in piece] == [str(number) for number in range(COUNT)]
    assert all(len(piece) <= 20 for piece in found)


def test_a_link_to_a_place_waits_for_all_formulas_so_that_the_place_stays(chromium, address) -> None:
    assert pieces(chromium, f"{address}/page.html#60") == [[str(number) for number in range(COUNT)]]
