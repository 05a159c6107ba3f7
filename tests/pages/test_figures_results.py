from itertools import pairwise

import pytest
import torch

from probmcl.evaluate import Interval
from probmcl_book.pages.figures import curves, digits, label_space, scale


def test_a_curve_is_drawn_at_its_values_in_order_with_its_intervals(style, drawn, line) -> None:
    found = {"ProbMCL": {64.0: Interval(0.8, 0.7, 0.9), 32.0: Interval(0.6, 0.5, 0.7)}}
    (axes,) = drawn(curves.metric_over(found, setting="batch size")).axes
    assert line(axes, label="ProbMCL", color=style.accent) == ([32, 64], [0.6, 0.8])
    bars = {tuple(one.get_ydata()) for one in axes.get_lines() if set(one.get_xdata()) in ({32}, {64})}
    assert bars == {(0.5, 0.7), (0.7, 0.9)}


def test_a_line_goes_from_few_to_all_for_methods_that_have_both(drawn, line) -> None:
    few, many = ({"A": Interval(0.1), "B": Interval(0.2)}, {"A": Interval(0.5), "C": Interval(0.9)})
    (axes,) = drawn(curves.few_and_all(few, many, ["10 %", "100 %"])).axes
    assert line(axes, marker=".") == ([0, 1], [0.1, 0.5])
    assert [text.get_text() for text in axes.texts] == ["A"]


def test_names_of_lines_that_end_at_one_place_stand_apart(style, drawn) -> None:
    few = {name: Interval(0.1) for name in ("BCE", "ASL", "ProbMCL")}
    many = {name: Interval(0.5) for name in few}
    (axes,) = drawn(curves.few_and_all(few, many, ["few", "all"])).axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    colours = {text.get_text(): text.get_color() for text in axes.texts}
    assert (colours["BCE"], colours["ProbMCL"]) == (style.categorical[0], style.accent)


def test_a_small_difference_looks_small(drawn) -> None:
    few, many = ({"BCE": Interval(value), "ASL": Interval(value)} for value in (0.701, 0.702))
    (axes,) = drawn(curves.few_and_all(few, many, ["few", "all"])).axes
    low, high = axes.get_ylim()
    assert high - low == pytest.approx(0.05)


def test_the_observed_correlation_is_a_line_beside_the_permuted_ones(style, drawn, line) -> None:
    permuted = torch.tensor([-0.1, 0.0, 0.1, 0.1])
    (axes,) = drawn(label_space.permuted_correlations({"ProbMCL": (permuted, 0.7)})).axes
    assert line(axes, color=style.accent)[0] == [0.7, 0.7]
    assert sum(bar.get_height() for bar in axes.patches) == 4


def test_a_map_shows_each_point_once_in_its_group(drawn, line) -> None:
    points = torch.arange(8.0).view(4, 2)
    figure = drawn(label_space.label_maps({"PCA": points, "t-SNE": -points}, [0, 1, 1, 0], ["a", "b"]))
    left, right = figure.axes
    assert (line(left, label="a")[0], line(left, label="b")[0]) == ([0, 6], [2, 4])
    assert (line(right, label="a")[1], line(right, label="b")[1]) == ([-1, -7], [-3, -5])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_method_has_one_look_in_all_panels_and_the_legend_has_it_once(style, drawn) -> None:
    panels = {
        "letters": {"BCE": [[0.1, 0.2], [0.3, 0.4]], "ASL": [[0.5]]},
        "random": {"ASL": [[0.6]], "ProbMCL": [[0.7]]},
    }
    figure = drawn(digits.curves_by_epoch(panels, name="mAP"))
    left, right = (axes.get_lines() for axes in figure.axes)
    assert [list(line.get_ydata()) for line in left] == [[0.1, 0.2], [0.3, 0.4], [0.5]]
    assert left[0].get_color() == left[1].get_color() != left[2].get_color() == right[0].get_color()
    assert right[1].get_color() == style.accent
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["BCE", "ASL", "ProbMCL"]


def test_intervals_stand_at_their_values_with_a_line_at_the_reference(style, drawn, line) -> None:
    found = {"BCE": Interval(0.8, 0.7, 0.9, 0.95, "t"), "ProbMCL": Interval(0.6, 0.5, 0.7, 0.95, "t")}
    (axes,) = drawn(digits.intervals_by_method(found, reference="BCE")).axes
    assert line(axes, linestyle=":")[0] == [0.8, 0.8]
    looks = {"D": {"color": style.accent}, "o": {"color": style.categorical[0]}}
    assert [line(axes, marker=marker, **look)[0] for marker, look in looks.items()] == [[0.6], [0.8]]
    assert [line(axes, marker="None", **look)[0] for look in looks.values()] == [[0.5, 0.7], [0.7, 0.9]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ProbMCL", "BCE"]


def test_precision_is_drawn_over_frequency(drawn, line) -> None:
    (axes,) = drawn(digits.precision_by_frequency(torch.tensor([0.3, 0.1]), {"A": [0.9, 0.4]})).axes
    assert line(axes, label="A") == (pytest.approx([0.3, 0.1]), pytest.approx([0.9, 0.4]))
    assert [text.get_text() for text in axes.texts] == ["0", "1"]


def test_growth_draws_one_line_a_way(drawn, line) -> None:
    (axes,) = drawn(scale.growth([64, 128], {"dense": [1.0, 4.0], "tiled": [1.0, 2.0]})).axes
    assert line(axes, label="dense") == ([64, 128], [1.0, 4.0])
    assert line(axes, label="tiled") == ([64, 128], [1.0, 2.0])


def test_ratios_leave_out_what_was_not_measured(drawn) -> None:
    kinds = {"faster": [10.0, 0.8], "smaller": [200.0, None]}
    (axes,) = drawn(scale.ratios(["a", "b"], kinds, label="times")).axes
    assert sorted(round(bar.get_width() + bar.get_x(), 6) for bar in axes.patches) == [0.8, 10.0, 200.0]
    assert [text.get_text() for text in axes.texts] == ["10", "0.8", "200"]
