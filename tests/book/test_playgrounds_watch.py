import random
from collections.abc import Callable

import pytest
import torch
from pictures import read
from playground_driver import drive, shown
from playwright.sync_api import Page, expect
from training_pictures import RECIPE, SCENES, STEPS

from probmcl.loss import overlaps_enough

SEEN = read("training")
DOTS = """() => [...document.querySelectorAll("[data-points] circle")]
  .flatMap(dot => [dot.cx.baseVal.value, dot.cy.baseVal.value])"""


def test_the_record_is_of_these_methods_and_scenes() -> None:
    assert (SEEN["recipe"], SEEN["steps"][-1]) == (RECIPE.to_dict(), STEPS)
    sizes = {name: SEEN[f"{name}.places"].numel() for name in ("supcon", "first", "cured")}
    assert set(sizes.values()) == {len(SEEN["steps"]) * len(SCENES) * 2}
    assert len({SEEN[f"{name}.overlap"][0].item() for name in sizes}) == 1  # one start
    assert torch.equal(read("scenes")["labels"], SCENES.labels)


def test_the_page_shows_what_was_recorded(visit: Callable[..., Page]) -> None:
    page, draw = visit("watch.html"), random.Random(4)
    for _ in range(30):
        name, step = draw.choice(["supcon", "first", "cured"]), draw.randint(0, STEPS)
        scene, alpha = draw.randint(1, 200), draw.randint(1, 100) / 100
        setting = {"method": name, "step": step, "scene": scene, "alpha": alpha}
        found = drive(page, [[(key, str(value)) for key, value in setting.items()]])[0]
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        places = SEEN[f"{name}.places"].view(-1, 200, 2) / SEEN[f"{name}.places"].abs().max()
        look, share = step // 8, step % 8 / 8
        between = torch.lerp(places[look], places[min(look + 1, len(places) - 1)], share) * torch.tensor(
            [1, -1]
        )
        assert page.evaluate(DOTS) == pytest.approx(between.flatten().tolist(), abs=1e-4)
        labels = SCENES.labels
        assert (
            int(found["positive"]) == overlaps_enough(labels[[scene - 1]], labels, threshold=alpha).sum() - 1
        )
        if f"{name}.weights" in SEEN:
            weights = SEEN[f"{name}.weights"][look] / 255
            assert [row[1] for row in found["weights"]] == [
                f"{value:.3f}" for value in weights[scene - 1].tolist()
            ]
            mean = weights.mean(0) / weights.mean(0).sum()
            assert found["used"].startswith(f"{torch.special.entr(mean).sum().exp():.2f} of")


def test_every_control_of_the_training(visit: Callable[..., Page]) -> None:
    page = visit("watch.html", reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("[data-out=step]")).to_have_text(str(STEPS))  # at once
    page.get_by_label("Step of training, slider").press("Home")
    page.get_by_label("Threshold α, slider").press("Home")
    page.get_by_label("Method").select_option("first")
    page.get_by_label("Scene", exact=True).fill("9")
    found = shown(page)["fields"]
    assert found == {"method": "first", "step": "0", "scene": "9", "alpha": "0.01"}
    page.locator("[data-points] circle").nth(49).hover(force=True)
    page.locator("#pg-plot-overlap").click(position={"x": 300, "y": 60})
    found = shown(page)["fields"]
    assert (found["scene"], int(found["step"]) > 40) == ("50", True)
