from collections.abc import Callable
from typing import Any

import pytest
import torch
from pictures import contents, network, read
from playground_driver import drive, shown
from playwright.sync_api import Page

from probmcl.data import digit_scenes, plain_view
from probmcl.loss import overlaps_enough, similarity_scores

LOOK = """() => {
  const all = (what, read) => [...document.querySelectorAll(what)].map(read);
  const {data} = document.querySelector("[data-canvas]").getContext("2d").getImageData(0, 0, 32, 32);
  return {
    near: all("[data-scenes=near] button", ({dataset}) => [dataset.take - 1, Number(dataset.likeness)]),
    values: all("[data-value]", ({dataset}) => Number(dataset.value)),
    grey: [...data].filter((_, i) => i % 4 === 0),
  };
}"""


@pytest.fixture(scope="module")
def canvas() -> Callable[[Page], list[int]]:
    """Reads the canvas, and compares with the package all that the page says of it."""
    parts, data = network(read("weights")).double(), read("weights")
    gallery = parts["head"](data["features"].double() * data["features.scale"].unsqueeze(1)).mixture

    @torch.no_grad()
    def checked(page: Page) -> list[int]:
        found: dict[str, Any] = page.evaluate(LOOK)
        pixels = torch.tensor(found["grey"], dtype=torch.uint8).view(1, 1, 32, 32)
        feature = parts["encoder"](plain_view()(pixels).double())
        mixture = parts["head"](feature).mixture
        columns = parts["classifier"](feature).sigmoid(), mixture.log_weights.exp(), mixture.sigmas
        assert found["values"] == pytest.approx(torch.stack(columns, 2).flatten().tolist(), abs=1e-4)
        if shown(page)["fields"]["near"] == "mixtures":
            likeness = similarity_scores("log_expected_likelihood", mixture, gallery)[0]
            places, near = zip(*found["near"], strict=True)
            assert near == pytest.approx(likeness[list(places)].tolist(), abs=1e-4)
            assert near[-1] >= likeness.sort(descending=True).values[12] - 1e-4  # nobody nearer is left out
        return found["grey"]

    return checked


def test_the_files_hold_the_shipped_run_and_the_test_scenes() -> None:
    for file, values in contents().items():
        for name, value in values.items():
            torch.testing.assert_close(read(file)[name], value, rtol=1e-5, atol=1)


def test_200_scenes_agree_with_the_package(
    visit: Callable[..., Page], canvas: Callable[[Page], list[int]]
) -> None:
    page, scenes = visit("draw.html"), digit_scenes("test", 200)
    for scene, labels in enumerate(scenes.labels):
        found = drive(page, [[("scene", str(scene + 1)), ("alpha", "0.6")]])[0]
        assert canvas(page) == scenes.images[scene].flatten().tolist()
        assert int(found["positive"]) == overlaps_enough(labels[None], scenes.labels, threshold=0.6).sum() - 1


def test_every_control_of_the_drawing(
    visit: Callable[..., Page], canvas: Callable[[Page], list[int]]
) -> None:
    page = visit("draw.html")
    button, pictures = page.get_by_role, [canvas(page)]

    def press(act: Callable[[], object], **expected: str) -> None:
        act()
        pictures.append(canvas(page))
        found = shown(page)
        assert {name: found[name] for name in expected} == expected

    press(lambda: button("button", name="Another scene").click(), **{"from": "of the test scene"})
    press(lambda: button("button", name="Empty canvas").click(), **{"from": "read by the classifier"})
    assert sum(pictures[-1]) == 0
    page.locator("[data-canvas]").focus()
    press(
        lambda: [page.keyboard.press(key) for key in ("ArrowUp", "Space", *["ArrowDown"] * 5)],
        pen="Pen down in column 17, row 21.",
    )
    assert [place for place, ink in enumerate(pictures[-1]) if ink > 200] == [*range(496, 657, 32)]
    box = page.locator("[data-canvas]").bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    press(lambda: page.mouse.move(box["x"] + 140, box["y"] + 40, steps=5))
    page.mouse.up()
    assert pictures[-1] > pictures[-2]
    press(lambda: button("button", name="Undo").click())
    press(lambda: page.keyboard.press("Backspace"))
    press(lambda: button("button", name="label 7").click(), **{"from": "set by you"})
    for way in ("features", "pixels", "mixtures"):
        press(lambda way=way: page.get_by_label("Nearest by").select_option(way))
    press(lambda: page.get_by_label("Threshold α, slider").press("Home"))
    press(
        lambda: page.locator("[data-scenes=positives] button").first.click(), **{"from": "of the test scene"}
    )
    press(lambda: page.get_by_label("Test scene", exact=True).fill("200"))
