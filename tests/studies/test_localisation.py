import pytest
import torch

from probmcl_book.studies.localisation import localisation

BOX = torch.tensor([[1.0, 2.0, 3.0, 5.0]])  # columns 1 and 2, rows 2 to 4


def point(row: int, column: int) -> torch.Tensor:
    maps = torch.zeros(1, 6, 8)
    maps[0, row, column] = 2.0
    return maps


@pytest.mark.parametrize(
    ("row", "column", "inside"),
    [(2, 1, True), (4, 2, True), (1, 1, False), (5, 2, False), (3, 0, False), (3, 3, False)],
)
def test_a_point_is_inside_up_to_the_edge_and_no_further(row: int, column: int, inside: bool) -> None:
    found = localisation(point(row, column), BOX)
    assert found.hit.item() is inside
    assert found.inside.item() == float(inside)


def test_a_map_without_knowledge_has_the_share_of_the_area() -> None:
    found = localisation(torch.full((1, 6, 8), 0.3), BOX)
    assert found.inside.item() == pytest.approx(6 / 48)
    assert found.area.item() == pytest.approx(6 / 48)


def test_a_map_of_zeros_has_missed() -> None:
    found = localisation(torch.zeros(1, 6, 8), torch.tensor([[0.0, 0.0, 8.0, 6.0]]))
    assert (found.inside.item(), found.hit.item(), found.area.item()) == (0.0, False, 1.0)


def test_every_map_has_its_own_box() -> None:
    maps = torch.cat([point(2, 1), point(2, 1), point(2, 1) + point(0, 0)])
    boxes = torch.cat([BOX, BOX + 4, BOX])
    found = localisation(maps, boxes)
    assert found.inside.tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("maps", "boxes", "message"),
    [
        (torch.zeros(2, 6, 8), BOX, r"boxes: expected \(2, 4\), one for each map, got \(1, 4\)"),
        (-point(0, 0), BOX, "maps: expected numbers from 0 on, got -2"),
        (point(0, 0), BOX * torch.nan, "boxes: expected finite"),
    ],
)
def test_bad_input_is_named(maps: torch.Tensor, boxes: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        localisation(maps, boxes)
