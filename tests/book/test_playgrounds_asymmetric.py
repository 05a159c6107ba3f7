import math
import random
from collections.abc import Callable

import torch
from playground_driver import SETTINGS, Shown, assert_same, drive, number, shown
from playwright.sync_api import Page, expect

from probmcl.loss import asymmetric_loss


def assert_asymmetric(
    found: Shown, gamma_positive: float, gamma_negative: float, margin: float, p: float
) -> None:
    ours = {"gamma_positive": gamma_positive, "gamma_negative": gamma_negative, "margin": margin}
    plain = dict.fromkeys(ours, 0.0)
    for word, label in (("present", 1), ("absent", 0)):
        for name, parameters in ((word, ours), (f"{word}-plain", plain)):
            probability = torch.tensor([[p]], dtype=torch.float64, requires_grad=True)
            logit = probability.logit()
            loss = asymmetric_loss(logit, torch.tensor([[label]]), **parameters)
            by_logit, by_probability = torch.autograd.grad(loss, (logit, probability))
            assert_same(found[f"{name}-value"], loss.item())
            assert_same(found[f"{name}-byLogit"], by_logit.item())
            assert_same(found[f"{name}-byProbability"], by_probability.item())


def test_the_asymmetric_loss_agrees_on_random_settings(visit: Callable[..., Page]) -> None:
    draw = random.Random(2)
    drawn, settings = [], []
    for _ in range(SETTINGS):
        gammas = [draw.choice([0.0, 1.0, draw.uniform(0, 8), draw.uniform(0, 1)]) for _ in range(2)]
        margin, s = draw.choice([0.0, draw.uniform(0, 0.5)]), draw.uniform(-6.9, 6.9)
        p = 1 / (1 + math.exp(-s))
        place = draw.choice([("p", repr(p)), ("logit", repr(s))])
        names = ("gammaPositive", "gammaNegative", "margin")
        values = zip(names, map(repr, (*gammas, margin)), strict=True)
        drawn.append((*gammas, margin, p))
        settings.append([*values, place, ("over", draw.choice(["p", "logit"]))])
    for setting, found in zip(drawn, drive(visit("asymmetric.html"), settings), strict=True):
        assert_asymmetric(found, *setting)


def test_every_control_of_the_asymmetric_loss(visit: Callable[..., Page]) -> None:
    page = visit("asymmetric.html")

    def changes(act: Callable[[], object], *, by_logit: bool = False) -> Shown:
        before = shown(page)
        act()
        after = shown(page)
        fields = {name: number(text) for name, text in after["fields"].items() if name != "over"}
        p = 1 / (1 + math.exp(-fields["logit"])) if by_logit else fields["p"]
        assert_asymmetric(after, fields["gammaPositive"], fields["gammaNegative"], fields["margin"], p)
        assert before["fields"] != after["fields"]
        return after

    for label in ("Exponent γ₊ of present labels", "Exponent γ₋ of absent labels", "Margin m"):
        changes(lambda label=label: page.get_by_label(f"{label.split(' of')[0]}, slider").press("PageUp"))
        changes(lambda label=label: page.get_by_label(label, exact=True).fill("0.31"))
    changes(lambda: page.get_by_label("Predicted probability p, slider").press("PageDown"))
    changes(lambda: page.get_by_label("Predicted probability p", exact=True).fill("0.123"))
    changes(lambda: page.get_by_label("Logit s, slider").press("ArrowRight"), by_logit=True)
    changes(lambda: page.get_by_label("the same as a logit s").fill("-1.5"), by_logit=True)
    for name, words in (("binary", "binary cross-entropy"), ("focal", "focal loss with γ = 2"), ("asym", "")):
        found = changes(page.get_by_role("button", name=name).click, by_logit=True)
        assert words in found["case"]
        assert bool(words) == bool(found["case"])
    curve = page.locator("#pg-plot-loss path").first
    by_probability = curve.get_attribute("d")
    page.get_by_label("Draw over").select_option("logit")
    expect(curve).not_to_have_attribute("d", by_probability)
    page.locator("#pg-plot-gradient").scroll_into_view_if_needed()
    box = page.locator("#pg-plot-gradient").bounding_box()
    assert box
    changes(lambda: page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2))
    changes(page.get_by_role("button", name="Reset").click)
