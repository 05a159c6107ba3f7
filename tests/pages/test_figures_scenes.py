import pytest
import torch

from probmcl_book.pages.figures import metrics, scenes

pytestmark = pytest.mark.usefixtures("style")


def test_frequencies_are_ranked(style, line) -> None:
    (axes,) = metrics.class_frequencies({"a": torch.tensor([0.1, 0.5, 0.2]), "b": torch.tensor([0.3])}).axes
    assert line(axes, color=style.categorical[0])[1] == pytest.approx([0.5, 0.2, 0.1])
    assert [text.get_text() for text in axes.texts] == ["a", "b"]


def test_the_columns_of_average_precision() -> None:
    _, steps = metrics.ranking_and_steps([0.9, 0.8, 0.7], [True, False, True]).axes
    assert [patch.get_height() for patch in steps.patches] == pytest.approx([1, 2 / 3])
    assert [patch.get_width() for patch in steps.patches] == [0.5, 0.5]


def test_chance_is_the_diagonal(style, line) -> None:
    frequency, precision = torch.tensor([0.2, 0.1]), torch.tensor([0.6, 0.4])
    (axes,) = metrics.same_detector(frequency, precision, torch.tensor([0.8, 0.9])).axes
    assert line(axes, color=style.muted)[1] == pytest.approx([0.9, 0.8])
    assert line(axes, color=style.accent)[1] == pytest.approx([0.4, 0.6])
    x, y = line(axes, linestyle="--")
    assert x == pytest.approx(y)


def test_flattery_draws_means(style, line) -> None:
    validation, test = torch.tensor([[0.3, 0.4], [0.4, 0.4]]), torch.tensor([[0.5, 0.5], [0.4, 0.5]])
    (axes,) = metrics.flattery([10, 20], validation, test).axes
    assert line(axes, color=style.negative, linestyle="-")[1] == pytest.approx([0.5, 0.45])
    assert line(axes, color=style.positive, linestyle="-")[1] == pytest.approx([0.35, 0.4])


def test_a_contact_sheet_holds_every_image_and_word() -> None:
    rows = {"one": torch.rand(2, 1, 8, 8), "two": torch.rand(2, 8, 8)}
    (axes,) = scenes.contact_sheet(rows, [["a", "b"], ["", ""]], value_range=(0, 1)).axes
    assert len(axes.images) == 4
    lowest_right = max(axes.images, key=lambda image: (image.get_extent()[2], image.get_extent()[0]))
    assert torch.equal(torch.as_tensor(lowest_right.get_array().data), rows["two"][1])
    assert {"one", "two", "a", "b"} <= {text.get_text() for text in axes.texts}


def test_the_label_graph_draws_strong_edges_only() -> None:
    lift = torch.tensor([[1.0, 2.0, 0.25], [2.0, 1.0, 1.0], [0.25, 1.0, 1.0]])
    together, apart = scenes.label_graph(lift, torch.tensor([0.5, 0.5, 0.1]), "xyz").axes
    assert [line.get_linewidth() for line in together.lines] == [4]  # 2 times chance
    assert [line.get_linewidth() for line in apart.lines] == [8]  # a quarter of chance


def test_label_graphs_draw_what_all_have_through_and_the_rest_dashed() -> None:
    exact = torch.tensor([[1.0, 0.9, 0.8], [0.9, 1.0, 0.1], [0.8, 0.1, 1.0]])
    learned = torch.tensor([[1.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 1.0]])
    panels = scenes.label_graphs({"exact": exact, "learned": learned}, 2, torch.ones(3), "xyz").axes
    assert [[line.get_linestyle() for line in axes.lines] for axes in panels] == [["-", "--"]] * 2
    ends = [sorted(axes.lines[1].get_xdata()) for axes in panels]  # x with z, y with z
    assert ends == [pytest.approx([-(0.75**0.5), 0], abs=1e-9), pytest.approx([-(0.75**0.5), 0.75**0.5])]


def test_conditional_probabilities_leave_out_the_diagonal() -> None:
    values = torch.tensor([[1.0, 0.2], [0.4, 1.0]])
    left, right, _ = scenes.conditional_probabilities({"a": values, "b": values / 2}, ["x", "y"]).axes
    (map_a,), (map_b,) = left.images, right.images
    assert map_a.get_clim() == map_b.get_clim() == pytest.approx((0, 0.4))
    assert values.tolist() == [[1.0, pytest.approx(0.2)], [pytest.approx(0.4), 1.0]]  # untouched
    assert map_a.get_array().mask.tolist() == [[True, False], [False, True]]
