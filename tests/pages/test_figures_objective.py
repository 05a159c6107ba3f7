import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from probmcl_book.pages.figures import objective

RUNS = {
    "a": {"step": [0, 5], "L_NLL": [1.0, -2.0], "rank z": [3.0, 1.0]},
    "b": {"step": [0, 5], "L_NLL": [1.0, 0.5], "rank z": [3.0, 2.0]},
}


def test_training_curves_draw_each_run_in_each_panel(style, drawn, line) -> None:
    panels = {"L_NLL": "Likelihood", "rank z": "Rank"}
    figure = drawn(objective.training_curves(RUNS, panels, {"rank z": [1.0]}))
    for axes, name in zip(figure.axes, panels, strict=True):
        for run, colour in zip(RUNS, style.categorical, strict=False):
            assert line(axes, label=run, color=colour)[1] == RUNS[run][name]
    assert line(figure.axes[1], linestyle="--")[1] == [1, 1]  # the reference


def test_circles_draw_the_step_asked_for(style, drawn) -> None:
    start, end = torch.eye(2)[[0, 1, 0]], torch.eye(2)[[0, 0, 0]]
    figure = drawn(objective.circles(5, {"a": {0: start, 5: end}}, torch.tensor([False, True, False])))
    others, positives, anchor = figure.axes[0].collections
    assert others.get_offsets().tolist() == positives.get_offsets().tolist() == [[1.0, 0.0]]
    assert to_hex(positives.get_facecolor()[0]) == style.positive
    assert to_hex(anchor.get_facecolor()[0]) == style.anchor


def test_gradient_norms_draw_one_dot_per_group_and_term(drawn, line) -> None:
    terms = {"L_PCL": {"means": 0.1, "encoder": 0.2}, "L_NLL": {"means": 0.01, "encoder": 0.02}}
    figure = drawn(objective.gradient_norms({"start": terms, "end": terms}))
    for axes in figure.axes:
        assert [line(axes, label=term)[0] for term in terms] == [[0.1, 0.2], [0.01, 0.02]]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["means", "encoder"]


def test_switch_effects_draw_loss_and_gradient_of_every_value(drawn) -> None:
    effects = {"rule": {"any": (2.0, 0.5), "all": (1.5, 0.25)}, "temperature": {"1.0": (3.0, 0.125)}}
    figure = drawn(objective.switch_effects(effects, (1.0, 1.0)))
    for axes, which in zip(figure.axes, (0, 1), strict=True):
        shown = [found[which] for values in effects.values() for found in values.values()]
        (points,) = [one for one in axes.collections if isinstance(one, PathCollection)]
        assert points.get_offsets().tolist() == [[value, row] for row, value in enumerate(shown)]
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["rule = any", "rule = all", "temperature = 1.0"]
