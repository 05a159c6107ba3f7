import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from probmcl.train import EpochLog, History
from probmcl_book.pages.figures import classification, objective, training

P = torch.tensor([0.1, 0.5, 0.9])


def history(watched: list[float]) -> History:
    logs = [
        EpochLog(
            i + 1, 2.0, {"contrastive": 2.0 - i}, {"effective_rank": 1.0 + i}, 0.1, 1.0, 100.0, 0.2, value
        )
        for i, value in enumerate(watched)
    ]
    return History(logs, best_epoch=1)


def test_step_times_stacks_the_parts_in_their_order(drawn) -> None:
    seconds = {"SupCon": {"views": 0.001, "encoder": 0.002}, "ProbMCL": {"views": 0.003, "encoder": 0.004}}
    bars = drawn(training.step_times(seconds)).axes[0].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([1, 3, 2, 4])
    assert [bar.get_x() for bar in bars] == pytest.approx([0, 0, 1, 3])


def test_schedules_draw_rate_and_decay(drawn, line) -> None:
    left, right = drawn(training.schedules([0.1, 0.2, 0.0], [0.0, 0.4, 0.5], 0.9)).axes
    assert line(left, linestyle="-")[1] == [0.1, 0.2, 0.0]
    assert line(right, linestyle="-")[1] == [0.0, 0.4, 0.5]
    assert line(right, linestyle="--")[1] == [0.9, 0.9]


def test_precision_errors_draw_one_named_line_a_format(drawn, line) -> None:
    axes = drawn(training.precision_errors([0.1, 1.0], {"a": [1.0, 0.1], "b": [0.1, 0.01]})).axes[0]
    colour = {text.get_text(): text.get_color() for text in axes.texts}
    assert line(axes, color=colour["a"])[1] == [1.0, 0.1]
    assert line(axes, color=colour["b"])[1] == [0.1, 0.01]


@pytest.mark.parametrize("epochs", [1, 3])
def test_stage_logs_put_the_start_at_epoch_zero(drawn, line, epochs) -> None:
    watched = [0.5, 0.6, 0.7][:epochs]
    figure = training.stage_logs({"letters": history(watched)}, {"letters": 0.4}, (4.8, 2.3))
    loss, rank, metric = drawn(figure).axes
    assert [one.get_ydata()[0] for one in loss.lines if one.get_linestyle() == "--"] == [4.8, 2.3]
    assert line(metric, label="letters") == (list(range(epochs + 1)), [0.4, *watched])
    assert line(loss, label="letters")[0] == list(range(1, epochs + 1))
    assert line(rank, label="letters")[1] == [1.0, 2.0, 3.0][:epochs]


def test_feature_by_mode_draws_every_image_in_every_panel(drawn, line) -> None:
    figure = drawn(classification.feature_by_mode(P, {"random": P + 1, "sorted": 2 * P}))
    assert [axes.get_title("left") for axes in figure.axes] == ["random", "sorted"]
    assert line(figure.axes[1], marker="o")[1] == pytest.approx((2 * P).tolist())


def test_loss_shapes_and_absent_label_draw_value_and_gradient(style, drawn, line) -> None:
    curves = {"cross-entropy": (2 * P, P), "asymmetric": (P, P / 2)}
    left, right = drawn(classification.loss_shapes(P, curves)).axes
    assert line(left, label="asymmetric")[1] == pytest.approx(P.tolist())
    assert line(right, color=style.categorical[0])[1] == pytest.approx(P.tolist())
    frame = drawn(classification.absent_label(4.0, P, {4.0: (P, P / 2)}, (2 * P, P)))
    assert line(frame.axes[1], color=style.negative)[1] == pytest.approx((P / 2).tolist())


def test_probability_histograms_draw_each_classifier_with_its_thresholds(drawn, line) -> None:
    labels = torch.tensor([[1, 0], [0, 1], [1, 0]])
    probabilities = {"one": torch.rand(3, 2), "two": torch.rand(3, 2)}
    thresholds = {"one": torch.tensor([0.2, 0.3]), "two": torch.tensor([0.6, 0.7])}
    figure = drawn(classification.probability_histograms(probabilities, labels, thresholds))
    assert line(figure.axes[1], marker="|")[0] == pytest.approx([0.6, 0.7])


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
