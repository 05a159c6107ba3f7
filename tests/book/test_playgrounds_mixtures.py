import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playground_driver import NOISE, SETTINGS, Shown, assert_same, drive, number, shown
from playwright.sync_api import Page
from torch import Tensor

from probmcl.loss import SIMILARITIES, log_expected_likelihood_kernel, similarity_scores
from probmcl.model import GaussianMixture

PARTS = ("x", "y", "sigma", "weight")
EXPONENTIALS = ("expected_likelihood", "bhattacharyya")


def assert_mixtures(found: Shown, a: list[dict[str, float]], b: list[dict[str, float]], tau: float) -> None:
    def tensor(*names: str) -> Tensor:
        rows = [[[part[name] for name in names] for part in mixture] for mixture in (a, b)]
        return torch.tensor(rows, dtype=torch.float64)

    share = tensor("weight").squeeze(-1)  # (2, K)
    log_weights = share.log() - share.sum(1, keepdim=True).log()
    pair = GaussianMixture(log_weights, tensor("x", "y"), tensor("sigma").squeeze(-1))
    for name in SIMILARITIES:
        score = similarity_scores(name, pair)  # (2, 2)
        noise = 0.0 if name in EXPONENTIALS else NOISE
        assert_same(found[name], score[0, 1].item(), noise)
        assert_same(found[f"{name}-logit"], score[0, 1].item() / tau, noise)
        assert_same(found[f"{name}-odds"], ((score[0, 1] - score[0, 0]) / tau).exp().item())
    kernel = log_expected_likelihood_kernel(pair)
    for name, (i, j) in {"ab": (0, 1), "aa": (0, 0), "bb": (1, 1)}.items():
        assert_same(found[f"kappa-{name}"], kernel[i, j].item(), NOISE)
    assert found["words-sim"] == found["log_expected_likelihood"]
    assert found["words-logit"] == found["log_expected_likelihood-logit"]


def random_component(draw: random.Random) -> dict[str, float]:
    return {
        "x": draw.uniform(-3, 3),
        "y": draw.uniform(-3, 3),
        "sigma": math.exp(draw.uniform(math.log(0.05), math.log(2))),
        "weight": draw.uniform(0.01, 1),
    }


def test_two_mixtures_agree_on_random_settings(visit: Callable[..., Page]) -> None:
    draw = random.Random(1)
    drawn, settings = [], []
    for _ in range(SETTINGS):
        k, tau = draw.randint(1, 3), draw.uniform(0.05, 1)
        a, b = [random_component(draw) for _ in range(k)], [random_component(draw) for _ in range(k)]
        steps: list[tuple[str, Any]] = [("k", str(k)), ("tau", repr(tau))]
        for letter, mixture in (("A", a), ("B", b)):
            for number_, part in enumerate(mixture, start=1):
                steps.append(("part", f"{letter}{number_}"))
                steps += [(name, repr(value)) for name, value in part.items()]
        drawn.append((a, b, tau))
        settings.append(steps)
    for (a, b, tau), found in zip(drawn, drive(visit("mixtures.html"), settings), strict=True):
        assert_mixtures(found, a, b, tau)


def mixtures_on(page: Page) -> tuple[Shown, tuple[list[dict[str, float]], list[dict[str, float]], float]]:
    """What the page shows, and the components that its fields hold, looked up one by one."""
    chosen = shown(page)["fields"]
    parts: dict[str, list[dict[str, float]]] = {"A": [], "B": []}
    names = [f"{letter}{k + 1}" for letter in "AB" for k in range(int(chosen["k"]))]
    for name, found in zip(names, drive(page, [[("part", name)] for name in names]), strict=True):
        parts[name[0]].append({part: number(found["fields"][part]) for part in PARTS})
    return drive(page, [[("part", chosen["part"])]])[0], (parts["A"], parts["B"], number(chosen["tau"]))


def test_every_control_of_the_two_mixtures(visit: Callable[..., Page]) -> None:
    page = visit("mixtures.html")

    def changes(act: Callable[[], object]) -> Shown:
        _, before = mixtures_on(page)
        act()
        found, after = mixtures_on(page)
        assert_mixtures(found, *after)
        assert before != after
        return found

    for label, field in {"Mean, x": "x", "Mean, y": "y", "Width σ": "sigma", "Share": "weight"}.items():
        changes(lambda label=label: page.get_by_label(f"{label}, slider").press("PageUp"))
        found = changes(lambda label=label: page.get_by_label(label, exact=True).fill("0.37"))
        assert found["fields"][field] == "0.37"
    changes(lambda: page.get_by_label("Temperature τ, slider").press("ArrowLeft"))
    changes(lambda: page.get_by_label("Temperature τ", exact=True).fill("0.5"))
    for count in ("3", "1", "2"):
        changes(lambda count=count: page.get_by_label("Components of each").select_option(count))
    page.get_by_label("Component", exact=True).select_option("A2")
    changes(lambda: page.get_by_label("Mean, x, slider").press("Home"))
    for name in ("equal", "equal, reordered", "same mean", "same places, wide", "far apart"):
        button = page.get_by_role("button", name=name, exact=True)
        changes(button.click)
        assert button.get_attribute("aria-pressed") == "true"
    found = changes(lambda: page.get_by_role("slider", name="component A1").press("ArrowUp"))
    assert (found["fields"]["part"], found["fields"]["y"]) == ("A1", "0.05")
    page.locator("[data-plane]").scroll_into_view_if_needed()
    box = page.locator("[data-plane]").bounding_box()
    grip = page.get_by_role("slider", name="component A2").locator(".pg-grip").bounding_box()
    assert box
    assert grip

    def dragged() -> None:
        page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75, steps=4)
        page.mouse.up()

    fields = changes(dragged)["fields"]
    assert fields["part"] == "A2"
    assert (number(fields["x"]), number(fields["y"])) == pytest.approx((-1.5, -1.5), abs=0.02)
    changes(lambda: page.get_by_role("button", name="Reset").click())
