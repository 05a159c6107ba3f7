"""The labels of a study's world: their names, how frequent they are, which of them come together."""

from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl.data import co_occurrence
from probmcl.evaluate import co_occurrence_similarity
from probmcl_book.records.record import Record
from probmcl_book.replicate.datasets import DigitsData
from probmcl_book.studies import study_in


@dataclass(frozen=True, eq=False)
class WorldLabels:
    """Labels and their graph."""

    classes: tuple[str, ...]
    frequency: Tensor  #: share of the images that carry each class, ``(K,)``
    similarity: Tensor  #: correlation of every two, ``(K, K)``
    origin: str  #: where the graph comes from


def labels_record_name(world: str) -> str:
    """Name of the record that counts a world's labels, where they are not known exactly.

    >>> labels_record_name("mirflickr14")
    'labels_mirflickr14'
    """
    return f"labels_{world}"


def world_labels(record: Record, counted: Record | None = None, *, group: str = "") -> WorldLabels:
    """The labels of a group of a study: exact for DigitScenes, elsewhere of the record that counted them.

    The first group stands in for one that the study does not have.
    """
    trials = study_in(record).trials
    recipe = next((trial.recipe for trial in trials if trial.group == group), trials[0].recipe)
    if isinstance(recipe.data, DigitsData):
        graph = co_occurrence(recipe.data.themes, most=recipe.data.most)
        return _of(graph, tuple(str(digit) for digit in range(len(graph))), "the exact graph of the themes")
    if counted is None:
        raise ValueError(
            f"counted: expected the record that counts the labels of {record.data.name}, got none"
        )
    row = next(row for row in counted.rows if "images of pair" in row.series)
    classes = tuple(counted.recipe["classes"])
    pairs = torch.tensor(row.series["images of pair"], dtype=torch.float64).view(len(classes), -1)
    return _of(pairs / row.metrics["images"].value, classes, f"counted on {counted.data.name}")


def _of(graph: Tensor, classes: tuple[str, ...], origin: str) -> WorldLabels:
    return WorldLabels(classes, graph.diagonal(), co_occurrence_similarity(graph), origin)
