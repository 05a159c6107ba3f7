from dataclasses import replace

import pytest
import torch
from matplotlib.colors import to_hex

from probmcl.evaluate import Interval, label_tree
from probmcl_book.pages.figures import doubt, heat, studies, topology
from probmcl_book.records import Code, DataIdentity, Difference, Hardware, Record, Row
from probmcl_book.records.making import Making


def near(value: float, half: float = 0.02) -> Interval:
    return Interval(value, value - half, value + half, 0.95, "t")


def record_of(rows: list[Row]) -> Record:
    data = DataIdentity("tiny", "-", {"test": 1}, "sha256:" + 64 * "0", "-", "-")
    making = Making("-", (Code("0", None, None), Hardware("cpu", 1, 1, "cpu", "2")))
    return making.record("tiny", "study", recipe={}, seeds=(0, 1), data=data, rows=rows)


METHODS = {"Start (linear probe)": 0.4, "BCE": 0.8, "ProbMCL": 0.6, "SupCon": 0.7}
MEANS = [Row(name, None, {"mAP": near(v)}, 10.0 * i, 0) for i, (name, v) in enumerate(METHODS.items(), 1)]


def test_differences_have_both_their_intervals_and_the_look_of_their_method(style, drawn, line) -> None:
    gains = {"BCE": (0.05, 0.01, 0.02), "SupCon": (-0.03, 0.02, 0.06)}  # of ProbMCL: gain, half widths
    differences = [
        Difference("ProbMCL", name, metric, near(gain, half))
        for name, (gain, *halves) in gains.items()
        for metric, half in zip(("mAP", "mAP over seeds"), halves, strict=True)
    ]
    record = replace(record_of(MEANS), differences=differences)
    (axes,) = drawn(studies.differences_to(record, "ProbMCL")).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["BCE", "SupCon"]  # from below
    assert [text.get_text() for text in axes.texts] == ["-0.050", "+0.030"]
    for width, ends in ((4, [-0.06, -0.04]), (1.2, [-0.07, -0.03])):
        found = line(axes, marker="None", linewidth=width, color=style.categorical[0])[0]
        assert found == pytest.approx(ends)


def test_sensitivity_draws_the_band_and_the_count(drawn, line) -> None:
    values, found = [0.2, 0.5, 1.0], [near(0.6), near(0.7), near(0.65)]
    upper, lower = drawn(studies.sensitivity(values, found, [40, 20, 5], setting="α", default=0.5)).axes
    assert line(upper, marker="o")[1] == [0.6, 0.7, 0.65]
    (band,) = upper.collections
    edges = band.get_datalim(upper.transData).intervaly
    assert tuple(edges) == pytest.approx((0.58, 0.72))
    assert line(lower, marker="s")[1] == [40, 20, 5]
    assert line(lower, linestyle=":")[0] == [0.5, 0.5]


def test_precision_of_classes_is_the_mean_over_seeds(drawn, line) -> None:
    by_seed = {0: [0.2, 0.8], 1: [0.4, 0.6], None: [9.0, 9.0]}
    rows = [Row("A", seed, {}, 1.0, 0, {"average_precision": values}) for seed, values in by_seed.items()]
    figure = studies.precision_of_classes(record_of(rows), torch.tensor([0.1, 0.3]), ["sea", "tree"], ["A"])
    (axes,) = drawn(figure).axes
    assert line(axes, label="A")[1] == pytest.approx([0.3, 0.7])
    assert [text.get_text() for text in axes.texts] == ["sea", "tree"]


def test_seconds_stand_beside_the_accuracy_of_their_method(style, drawn, line) -> None:
    left, right = drawn(studies.accuracy_and_seconds(record_of(MEANS))).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["ProbMCL", "SupCon", "BCE"]
    assert line(left, linestyle=":")[0] == [0.4, 0.4]  # the start
    assert line(left, marker="D", color=style.accent) == ([0.6], [0])
    assert line(right, marker="D", color=style.accent) == ([30.0], [0])


def doubts() -> Record:
    rows = []
    for name, area in (("within variance", 0.4), ("entropy", 0.3)):
        metrics = {f"{c} {s} AUROC": near(area + s / 10) for c in CORRUPTIONS for s in range(1, 6)}
        series = {"coverage": [0.5, 1.0], "risk": [area, 0.5]}
        rows.append(Row(name, None, {"AURC": near(area), **metrics}, 1.0, 0, series))
    return record_of(rows)


CORRUPTIONS = ("blur", "noise", "contrast", "occlusion")


def test_risk_is_drawn_over_coverage_between_nothing_and_everything(drawn, line) -> None:
    (axes,) = drawn(doubt.risk_coverage_curves(doubts(), ["entropy", "within variance"])).axes
    assert line(axes, gid="knows nothing")[1] == [0.5, 0.5]
    _, everything = line(axes, gid="knows every error")
    assert everything[-1] == pytest.approx(0.5)
    assert float(everything[49]) == pytest.approx(0, abs=1e-6)  # half of the images are right
    assert line(axes, label="entropy (0.30)")[1] == [0.3, 0.5]
    assert line(axes, label="within variance (0.40)")[1] == [0.4, 0.5]


def test_every_corruption_has_a_panel_with_one_line_a_score(drawn, line) -> None:
    figure = drawn(doubt.auroc_by_strength(doubts(), ["entropy", "within variance"]))
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(CORRUPTIONS)
    for axes in figure.axes:
        assert line(axes, label="entropy")[1] == pytest.approx([0.4, 0.5, 0.6, 0.7, 0.8])
        assert line(axes, label="within variance")[1] == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9])


def test_boxes_hold_the_scores_of_images_with_as_many_labels(style, drawn) -> None:
    count, score = torch.tensor([1, 1, 1, 2, 2, 2]), torch.tensor([0.0, 1, 2, 5, 6, 7])
    (axes,) = drawn(doubt.doubt_by_count(count, {"within": score})).axes
    medians = [one.get_ydata()[0] for one in axes.get_lines() if one.get_color() == style.text]
    assert medians == [1, 6]


def test_heat_maps_have_one_order_and_one_scale(drawn) -> None:
    similarity = torch.eye(4)
    for i, j in ((0, 2), (1, 3)):
        similarity[i, j] = similarity[j, i] = 0.9
    figure = drawn(topology.label_trees({"labels": similarity, "weights": similarity / 3}, list("abcd")))
    tree, _, left, right = figure.axes[:4]
    order = ["abcd"[label] for label in label_tree(similarity).order]
    for axes in (left, right):
        assert [label.get_text() for label in axes.get_xticklabels()] == order
    (one,), (other,) = left.images, right.images
    assert one.get_clim() == other.get_clim() == pytest.approx((-0.9, 0.9))
    assert (one.get_array()[0, 1], other.get_array()[0, 1]) == pytest.approx((0.9, 0.3))
    feet = sorted({x for line in tree.get_lines() for x, y in line.get_xydata() if y == 0})
    assert feet == pytest.approx([0, 1, 2, 3])


def test_every_method_has_a_row_and_every_scene_a_column(style, drawn) -> None:
    images = torch.arange(2 * 64, dtype=torch.uint8).view(2, 1, 8, 8)
    maps = {"ASL": torch.zeros(2, 8, 8), "ProbMCL": torch.rand(2, 8, 8)}
    boxes = torch.tensor([[0.0, 1.0, 4.0, 5.0], [2.0, 2.0, 6.0, 6.0]])
    figure = drawn(heat.heat_maps(images, maps, boxes, ["3?", "5?"]))
    panels = figure.axes
    assert [axes.get_title(loc="center") for axes in panels] == ["3?", "5?", "", "", "", ""]
    assert [axes.get_ylabel() for axes in panels if axes.get_ylabel()] == ["scene", "ASL", "ProbMCL"]
    lowest = panels[-1]  # ProbMCL, second scene
    scene, shown = lowest.get_images()
    assert torch.equal(torch.as_tensor(scene.get_array().data), images[1, 0])
    alpha = torch.as_tensor(shown.get_array()[..., 3].data).float()
    torch.testing.assert_close(alpha, 0.85 * maps["ProbMCL"][1])
    (square,) = lowest.patches
    assert square.get_bbox().extents.tolist() == [2.0, 2.0, 6.0, 6.0]
    assert to_hex(square.get_edgecolor()) != "#000000"
