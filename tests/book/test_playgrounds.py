"""What the playgrounds share: the address, the chapter around them, Python, a finger, the theme."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from check_pages import PHONE, WIDTH
from patience import open_page
from playground_driver import assert_same, drive, number, shown
from playwright.sync_api import Browser, Page

CHANGES: dict[str, list[tuple[str, Any]]] = {
    "positive_sets": [
        ("labels", "1 1 0\n1 0 0\n0 0 0"),
        ("alpha", "2/3"),
        ("index", "cosine"),
        ("views", True),
    ],
    "dozen": [("alpha", "0.25"), ("rule", "exact"), ("tau", "0.3"), ("seed", "7"), ("step", "25")],
    "draw": [("scene", "7"), ("alpha", "0.3"), ("near", "pixels")],
    "watch": [("method", "cured"), ("step", "90"), ("scene", "7"), ("alpha", "0.3")],
    "mixtures": [("k", "3"), ("part", "A3"), ("x", "0.123456789"), ("tau", "0.3")],
    "asymmetric": [("gammaPositive", "1.5"), ("margin", "0.123456789"), ("logit", "1.25"), ("over", "logit")],
}
everywhere = pytest.mark.parametrize("name", CHANGES)


@everywhere
def test_the_address_keeps_the_settings(visit: Callable[..., Page], name: str) -> None:
    page = visit(f"{name}.html")
    found = drive(page, [CHANGES[name]])[0]
    page.wait_for_function("location.hash.length > 1")
    again = visit(page.url.rpartition("/")[2])
    assert shown(again) == found
    again.evaluate("location.hash = ''")
    changed = "before => document.querySelector('pre').textContent !== before"
    again.wait_for_function(changed, arg=found["python"])
    assert shown(again) == shown(visit(f"{name}.html"))


@everywhere
def test_an_address_without_sense_is_ignored(visit: Callable[..., Page], name: str) -> None:
    wrong = "alpha=7&labels=12/3&index=no&k=9&a=1,2&b=0,0,0,0&part=B3&tau=x&p=2&margin="
    found = shown(visit(f"{name}.html#{wrong}&constructor=1&__proto__=1"))
    usual = shown(visit(f"{name}.html"))
    if name == "mixtures":  # B3 is a component of other mixtures
        assert found["fields"].pop("part") == "A1"
        assert found["log_expected_likelihood"] == usual["log_expected_likelihood"]
    else:
        assert found == usual


@everywhere
def test_inside_a_chapter_the_address_is_left_alone(visit: Callable[..., Page], name: str) -> None:
    page = visit(f"in_{name}.html#a-heading")
    found = drive(page, [CHANGES[name]])[0]
    link = page.get_by_role("link")
    page.wait_for_function("document.querySelector('[data-link]').href.includes('=')")
    assert page.url.endswith("#a-heading")
    link.click()
    page.wait_for_url(f"**/{name}.html#*")
    page.wait_for_selector("[data-ready]")
    assert shown(page) == found


@everywhere
def test_a_page_opened_from_disk_works(chromium: Browser, site: Path, name: str) -> None:
    page = open_page(chromium)
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto((site / f"{name}.html").as_uri())
    before = shown(page)
    assert drive(page, [CHANGES[name]])[0]["python"] != before["python"]
    page.wait_for_function("location.hash.length > 1")
    page.close()
    assert errors == []


@everywhere
def test_the_python_on_the_page_gives_the_numbers_on_the_page(visit: Callable[..., Page], name: str) -> None:
    found = drive(visit(f"{name}.html"), [CHANGES[name]])[0]
    names: dict[str, Any] = {"print": lambda *_: None}
    exec(found["python"], names)
    if name == "positive_sets":
        assert names["positives"].tolist() == [row[1:-1] for row in found["positives"][1:]]
    elif name == "dozen":
        assert_same(found["loss"], names["loss"].item())
    elif name == "draw":
        assert names["scores"].tolist()[0] == pytest.approx(
            [number(row[1]) for row in found["digits"]], abs=1e-3
        )
    elif name == "watch":
        assert int(found["positive"]) == names["positives"].sum() - 1
        assert found["overlap"] == f"{names['overlap']:.3f}"
    elif name == "mixtures":
        for similarity, logit in names["logits"].items():
            assert_same(found[f"{similarity}-logit"], logit)
    else:
        for word, value, gradient in zip(
            ("present", "absent"), names["values"], names["gradients"], strict=True
        ):
            assert_same(found[f"{word}-value"], value)
            assert_same(found[f"{word}-byLogit"], gradient)


@everywhere
def test_a_value_out_of_range_is_marked_and_does_not_stay(visit: Callable[..., Page], name: str) -> None:
    page = visit(f"{name}.html")
    before = shown(page)
    fields = {
        "positive_sets": "alpha",
        "dozen": "heat",
        "draw": "enough",
        "watch": "share",
        "mixtures": "sigma",
        "asymmetric": "margin",
    }
    field = page.locator(f"#pg-{fields[name]}")
    field.fill("77")
    assert field.get_attribute("aria-invalid") == "true"
    field.press("Tab")
    assert field.get_attribute("aria-invalid") is None
    assert shown(page) == before


@everywhere
def test_a_phone_shows_it_and_a_finger_moves_it(visit: Callable[..., Page], name: str) -> None:
    page = visit(f"{name}.html", viewport=PHONE, has_touch=True, is_mobile=True)
    assert page.evaluate(WIDTH) is None
    before = shown(page)
    target = {
        "positive_sets": page.get_by_role("button", name="image 1, boat"),
        "dozen": page.locator("#pg-plot-descent"),
        "draw": page.get_by_role("button", name="Another scene"),
        "watch": page.locator("#pg-plot-overlap"),
        "mixtures": page.get_by_role("button", name="far apart"),
        "asymmetric": page.locator("#pg-plot-loss"),
    }[name]
    target.tap()
    assert shown(page) != before


def test_rounding_is_shown_as_zero(visit: Callable[..., Page]) -> None:
    page = visit("mixtures.html")
    show = "noise => [0, -5e-16, 2e-12, -0.5, 1e-40].map(value => probmcl.decimals(value, ...noise))"
    zero, tiny, half = "0.000000", "2.000000e−12", "−0.500000"
    assert page.evaluate(show, []) == [zero, zero, tiny, half, zero]
    assert page.evaluate(show, [0]) == [zero, "−5.000000e−16", tiny, half, "1.000000e−40"]


def test_the_densities_follow_the_theme(visit: Callable[..., Page]) -> None:
    page = visit("mixtures.html")
    pixels = """() => new Promise(done => requestAnimationFrame(() => setTimeout(
        () => done(document.querySelector("canvas").toDataURL()), 50)))"""
    light = page.evaluate(pixels)
    assert page.evaluate(pixels) == light
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(pixels) != light
