import random
from collections.abc import Callable

import torch
from playground_driver import NOISE, SETTINGS, Shown, assert_same, drive, number, shown
from playwright.sync_api import Page, expect
from torch import Tensor

from probmcl.loss import contrastive_loss, overlap, positive_weights


def assert_dozen(found: Shown, steps: int = 0) -> Tensor:
    """The page shows the package's loss, gradient and cosines; return its angles after more such steps."""
    names, tau = {"print": lambda *_: None}, number(found["fields"]["tau"])
    exec(found["python"], names)  # all digits of the angles stand there
    labels, angles = names["labels"], names["angles"]
    weights = positive_weights(labels, found["fields"]["rule"], threshold=number(found["fields"]["alpha"]))
    expected = []
    for _ in range(steps + 1):
        z = torch.stack([angles.cos(), angles.sin()], 1)
        loss = contrastive_loss(z @ z.T / tau, weights)
        expected.append((loss, z @ z.T, angles, *torch.autograd.grad(loss, angles)))
        angles = (angles - 1.8 * tau * expected[-1][-1]).detach().requires_grad_()
    loss, cosines, *columns = expected[0]
    assert_same(found["loss"], loss.item())
    texts = [text for row in found["points"] for text in row[2:]]
    for text, value in zip(texts, torch.stack(columns, 1).flatten().tolist(), strict=True):
        assert_same(text, value, NOISE)
    jaccard, pairs = overlap(labels), torch.ones(12, 12).triu(1) > 0
    for name, (low, high) in {"equal": (1, 1), "overlapping": (0.1, 0.9), "disjoint": (0, 0)}.items():
        assert_same(found[name], cosines[(low <= jaccard) & (jaccard <= high) & pairs].mean().item(), NOISE)
    return expected[-1][2].detach()


def test_the_dozen_agrees_on_random_settings_and_descends_as_the_package(visit: Callable[..., Page]) -> None:
    draw, settings = random.Random(3), []
    for _ in range(SETTINGS // 2):
        start = {"alpha": draw.randint(1, 100) / 100, "rule": draw.choice(["any", "exact", "threshold"])}
        start |= {"tau": draw.randint(100, 2000) / 1000, "seed": draw.randint(1, 999), "step": 0}
        settings += [
            [(name, str(value)) for name, value in start.items()],
            [("step", str(draw.randint(0, 30)))],
        ]
    found = drive(visit("dozen.html"), settings)
    for before, after in zip(found[::2], found[1::2], strict=True):
        expected = assert_dozen(before, int(after["step"]))
        torch.testing.assert_close(assert_dozen(after), expected, rtol=0, atol=1e-6)


def test_every_control_of_the_dozen(visit: Callable[..., Page]) -> None:
    page = visit("dozen.html")
    step, label, button = page.locator("[data-out=step]"), page.get_by_label, page.get_by_role
    for act, same in (
        (lambda: label("Positives", exact=True).select_option("exact"), "above ½"),
        (lambda: label("Threshold α", exact=True).fill("0.5"), "above ⅓"),
        (lambda: label("Threshold α, slider").press("Home"), "up to ⅓"),
        (lambda: label("Temperature τ, slider").press("Home"), "up to ⅓"),
        (lambda: label("Temperature τ", exact=True).fill("0.7"), "up to ⅓"),
        (lambda: button("button", name="Another start").click(), "up to ⅓"),
        (lambda: label("Start", exact=True).fill("9"), "up to ⅓"),
    ):
        before = shown(page)["python"]
        act()
        expect(step).to_have_text("120")  # it has settled anew
        assert_dozen(found := shown(page))
        assert (found["python"] != before, found["same"].startswith(same)) == (True, True)
    label("Step, slider").press("Home")
    page.clock.install()
    for name in ("Play", "Pause"):
        button("button", name=name).click()
        page.clock.run_for(1000)  # of four seconds for 120 steps
        assert 25 < int(step.text_content() or "") < 35
    page.locator("#pg-plot-descent").click(position={"x": 300, "y": 60})
    page.locator("[data-point='7']").dispatch_event("click", {"bubbles": True})
    page.clock.run_for(100)
    found = shown(page)
    assert (int(found["step"]) > 50, found["fields"]["anchor"]) == (True, "7")
    assert page.locator(".pg-pair").count() == 9  # of BC at the threshold 0.01: all but A
