import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playground_driver import SETTINGS, Shown, assert_same, drive, number, shown
from playwright.sync_api import Page

from probmcl.data import digit_scenes
from probmcl.loss import EMPTY, INDICES, positive_set, positive_statistics, two_view_labels


def assert_positive_sets(found: Shown) -> None:
    """The page shows what the package says about the labels and options that the page itself names."""
    fields = found["fields"]
    rows = [[int(label) for label in line.split()] for line in found["labels"].splitlines()]
    labels, images = torch.tensor(rows), torch.arange(len(rows))
    if fields["views"]:
        labels, images = two_view_labels(labels)
    alpha, index, empty = number(found["fraction"]), fields["index"], fields["empty"]  # alpha as it is read
    positives = positive_set(labels, index, alpha, empty, images)
    matrix = [row[1:-1] for row in found["positives"][1:]]
    assert matrix == positives.tolist(), f"{index} >= {fields['alpha']}, {empty}: {rows}"
    assert [int(count) for count in found["counts"][1:]] == positives.sum(1).tolist()

    def statistics(threshold: float) -> tuple[float, float]:
        of = positive_statistics(labels, [threshold], index, empty, images)
        return of.mean_positives[0], of.share_without[0]

    mean, share = statistics(alpha)
    assert_same(found["mean"], mean)
    assert_same(found["share"], share)
    assert int(found["alone"]) == round(share * len(labels))
    assert int(found["rows"]) == len(labels)
    assert (found["current"] < 0) == (alpha == 0)
    if alpha > 0:
        assert_same(found["plateaus"][found["current"]][2], mean)
    for low, high, *texts in found["plateaus"]:
        thresholds = [(number(low) + number(high)) / 2]
        if index != "cosine":  # the end of a plateau is no fraction there
            thresholds.append(number(high))
        for threshold in thresholds:
            for text, expected in zip(texts, statistics(threshold), strict=True):
                assert_same(text, expected)
    assert number(found["plateaus"][-1][1]) == 1


def random_positive_sets(draw: random.Random) -> list[tuple[str, Any]]:
    rows, columns, density = draw.randint(2, 9), draw.randint(1, 8), draw.choice([0.2, 0.4, 0.7])
    labels = [[int(draw.random() < density) for _ in range(columns)] for _ in range(rows)]
    denominator = draw.randint(1, 8)
    numerator = draw.randint(0, denominator)
    tie = f"{numerator}/{denominator}"
    above = repr(min(1.0, math.nextafter(numerator / denominator, 2)))  # rounding: read as the tie
    return [
        ("labels", "\n".join(" ".join(map(str, row)) for row in labels)),
        ("alpha", draw.choice([tie, above, f"{draw.random():.3f}", draw.choice(["0", "1", "0.1", "0.7"])])),
        ("index", draw.choice(INDICES)),
        ("empty", draw.choice(EMPTY)),
        ("views", draw.random() < 0.3),
    ]


def test_positive_sets_agree_on_random_settings(visit: Callable[..., Page]) -> None:
    draw = random.Random(0)
    settings = [random_positive_sets(draw) for _ in range(SETTINGS)]
    for setting, found in zip(settings, drive(visit("positive_sets.html"), settings), strict=True):
        wanted = dict(setting)
        assert found["labels"] == wanted.pop("labels")
        assert found["fields"]["data"] == "photographs"
        assert number(found["fields"]["alpha"]) == pytest.approx(number(wanted.pop("alpha")), abs=1e-15)
        assert {name: found["fields"][name] for name in wanted} == wanted
        assert_positive_sets(found)


def test_every_control_of_the_positive_sets(visit: Callable[..., Page]) -> None:
    page = visit("positive_sets.html")

    def changes(act: Callable[[], object]) -> Shown:
        before = shown(page)
        act()
        after = shown(page)
        assert_positive_sets(after)
        assert (before["labels"], before["fields"]) != (after["labels"], after["fields"])
        return after

    slider = page.get_by_label("Threshold α, slider")
    assert changes(lambda: slider.press("ArrowRight"))["fields"]["alpha"] == "0.51"
    assert changes(lambda: slider.press("End"))["fields"]["alpha"] == "1"
    assert changes(lambda: page.get_by_label("Threshold α", exact=True).fill("2/3"))["fraction"] == "2/3"
    for index in INDICES[1:]:
        changes(lambda index=index: page.get_by_label("Overlap index").select_option(index))
    scenes = changes(lambda: page.get_by_label("Images", exact=True).select_option("scenes"))["labels"]
    rows = [[int(label) for label in line.split()] for line in scenes.splitlines()]
    assert rows == digit_scenes("train", 10).labels.tolist()
    changes(lambda: page.get_by_label("Images", exact=True).select_option("nested"))
    changes(lambda: page.get_by_label("Images", exact=True).select_option("chest"))
    changes(lambda: page.get_by_label("two views").check())
    for policy in ("own_view", "drop"):
        changes(lambda policy=policy: page.get_by_label("Two images without").select_option(policy))
    for name in ("+ image", "− image", "+ label", "− label"):
        changes(lambda name=name: page.get_by_role("button", name=name).click())
    cell = page.get_by_role("button", name="image 1, effusion")
    assert changes(lambda: cell.press("Space"))["labels"].startswith("0 0 0 0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert changes(lambda: page.keyboard.press("Enter"))["labels"].splitlines()[1] == "1 0 0 0"

    def drawn() -> None:
        for step, column in enumerate(("effusion", "infiltration", "mass")):
            page.get_by_role("button", name=f"image 4, {column}").hover()
            if step == 0:
                page.mouse.down()
        page.mouse.up()

    assert changes(drawn)["labels"].splitlines()[3] == "1 0 1 1"
    page.locator("#pg-plot-mean").scroll_into_view_if_needed()
    box = page.locator("#pg-plot-mean").bounding_box()
    assert box

    def dragged() -> None:
        page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2, steps=3)
        page.mouse.up()

    assert 0.1 < number(changes(dragged)["fields"]["alpha"]) < 0.4
    assert changes(lambda: page.get_by_role("button", name="Reset").click())["labels"].startswith("1 1 0 0 0")


def test_a_matrix_that_is_none_is_refused_in_words(visit: Callable[..., Page]) -> None:
    page = visit("positive_sets.html")
    before = shown(page)["positives"]
    wrong = {
        "1 2": "zeros and ones",
        "11\n1": "same length",
        "1": "2 to 24 rows",
        "0\n" * 25: "2 to 24 rows",
        "1" * 13 + "\n" + "1" * 13: "1 to 12 columns",
    }
    found = drive(page, [[("labels", text)] for text in wrong])
    for message, after in zip(wrong.values(), found, strict=True):
        assert message in after["problem"]
        assert after["positives"] == before
