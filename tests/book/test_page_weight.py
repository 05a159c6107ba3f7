import gzip
import os
from pathlib import Path

import page_weight
import pytest

NOISE = os.urandom(40_000).hex()
PAGES = {
    "text.html": f"<p>{NOISE}</p>",
    "inline.html": f'<img alt="" src="data:image/png;base64,{NOISE}">',
    "figure.html": '<img alt="" src="figure.svg">',
    "script.html": '<script defer src="script.js"></script>',
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for name, body in PAGES.items():
        text = f'<!doctype html><title>t</title><link rel="icon" href="data:,">{body}'
        (folder / name).write_text(text)
    (folder / "script.js").write_text(f"// {NOISE}")
    (folder / "figure.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {NOISE} --></svg>')
    return folder


@pytest.mark.parametrize(
    ("name", "heavy"),
    [("text.html", True), ("script.html", True), ("inline.html", False), ("figure.html", False)],
)
def test_text_and_scripts_weigh_and_figures_do_not(chromium, address, name, heavy) -> None:
    kilobytes, _ = page_weight.measure(chromium, f"{address}/{name}")
    expected = len(gzip.compress(NOISE.encode())) / 1000 if heavy else 0.0
    assert expected <= kilobytes <= expected + 1


def test_what_is_too_much_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([3.0, 0.4, 2.0, 1.9, 1.5])
    monkeypatch.setattr(page_weight, "measure", lambda *_: (1300.0, next(times)))
    problems = ["weight: 1300 kB compressed, without figures; at most 1200"]
    assert [page_weight.cost(None, "")[1:] for _ in range(2)] == [(0.4, problems), (1.5, problems)]
