"""Which digits appear together: a label distribution that is known exactly.

A scene has a theme. Theme t is drawn with weight w_t; given the theme, digit k enters on its own with
probability q_tk, on condition that 1 to 6 digits enter. There are only 2^10 = 1,024 label sets, so P(y) is
enumerated, not estimated, and so is every dependency between two labels.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl import _check

DIGITS = 10
MOST_DIGITS = 6  # on one scene
STRAY = 0.06  # chance that a digit which is no member of the theme enters all the same


@dataclass(frozen=True)
class Theme:
    """A weight, and the digits that tend to appear together under it.

    Attributes:
        weight: How often the theme is drawn, relative to the other themes.
        members: Digit -> probability that it enters.

    >>> Theme(weight=1.0, members={2: 0.8, 3: 0.8}).inclusion().tolist()[:4]
    [0.06, 0.06, 0.8, 0.8]
    """

    weight: float
    members: dict[int, float]

    def inclusion(self) -> Tensor:
        """Return the probability that each digit enters, float64 (10,)."""
        chances = torch.full((DIGITS,), STRAY, dtype=torch.float64)
        for digit, chance in self.members.items():
            chances[digit] = chance
        return chances


THEMES: dict[str, Theme] = {
    "primes": Theme(0.30, {2: 0.80, 3: 0.75, 5: 0.60, 7: 0.50}),
    "powers of two": Theme(0.26, {1: 0.75, 2: 0.80, 4: 0.70, 8: 0.45}),
    "squares": Theme(0.20, {0: 0.60, 1: 0.80, 4: 0.70, 9: 0.65}),
    "odd": Theme(0.16, {1: 0.70, 3: 0.65, 5: 0.60, 7: 0.60, 9: 0.60}),
    "even": Theme(0.08, {0: 0.60, 2: 0.65, 4: 0.55, 6: 0.75, 8: 0.60}),
}
"""Families of numbers that share members, so that the label graph has clusters with bridges between them. 6
belongs to the rarest theme alone: the rare class. 1 and 2 belong to the most: the common ones."""


def label_sets() -> Tensor:
    """Return all label sets, uint8 (1024, 10); row r holds digit k when bit k of r is set.

    >>> label_sets()[5].tolist()
    [1, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    """
    rows = torch.arange(2**DIGITS).unsqueeze(1)  # (1024, 1)
    return (rows >> torch.arange(DIGITS) & 1).to(torch.uint8)


def label_distribution(themes: Collection[str] | None = None, *, most: int = MOST_DIGITS) -> Tensor:
    """Return the exact probability of every label set, float64 (1024,), in the order of ``label_sets``.

    P(y) = sum_t w_t / sum(w) * prod_k q_tk^y_k (1 - q_tk)^(1 - y_k) / Z_t for 1 <= sum(y) <= most, else 0,
    where Z_t makes each theme sum to one.

    Args:
        themes: Names out of ``THEMES``; all of them by default. Leaving one out makes a held-out theme.
        most: Largest number of digits in a set, 1 to 6.

    Raises:
        ValueError: If no theme is named, or an unknown one, or ``most`` is not in 1 to 6.

    >>> probability = label_distribution()
    >>> f"{probability.sum():.3f} on {(probability > 0).sum()} label sets"
    '1.000 on 847 label sets'
    """
    names = THEMES if themes is None else _check.several("themes", themes)
    named = {_check.one_of("themes", name, THEMES) for name in names}
    _check.count("most", most, high=MOST_DIGITS)
    present = label_sets().bool()  # (1024, 10)
    size = present.sum(1)
    allowed = (size >= 1) & (size <= most)
    total = torch.zeros(len(present), dtype=torch.float64)
    for theme in (theme for name, theme in THEMES.items() if name in named):  # each once, in one order
        inclusion = theme.inclusion()
        likelihood = torch.where(present, inclusion, 1 - inclusion).prod(1) * allowed  # (1024,)
        total += theme.weight * likelihood / likelihood.sum()
    return total / total.sum()


def co_occurrence(themes: Collection[str] | None = None, *, most: int = MOST_DIGITS) -> Tensor:
    """Return the exact P(y_i = 1, y_j = 1), float64 (10, 10), of ``label_distribution(themes, most=most)``.

    The diagonal holds P(y_i = 1).

    >>> graph = co_occurrence()
    >>> lift = graph / graph.diagonal().outer(graph.diagonal())  # 1 for independent digits
    >>> f"3 with 5: {lift[3, 5]:.1f}, 3 with 4: {lift[3, 4]:.1f}"
    '3 with 5: 1.8, 3 with 4: 0.3'
    """
    sets = label_sets().double()  # (1024, 10)
    return sets.T @ (label_distribution(themes, most=most).unsqueeze(1) * sets)


def draw_label_sets(
    count: int, themes: Collection[str] | None, generator: torch.Generator, *, most: int = MOST_DIGITS
) -> Tensor:
    """Draw label sets from ``label_distribution``, uint8 (count, 10)."""
    chances = label_distribution(themes, most=most)
    return label_sets()[torch.multinomial(chances, count, replacement=True, generator=generator)]
