"""What the tests of figures share: both styles, and a check that a figure is drawn in one of them."""

from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from probmcl_book.pages import output
from probmcl_book.pages.style import DARK, LIGHT, Colours, drawing_in


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def style(request: pytest.FixtureRequest) -> Iterator[Colours]:
    with drawing_in(request.param):
        yield request.param
    plt.close("all")


@pytest.fixture
def drawn(style: Colours) -> Callable[[Figure], Figure]:
    """Draw a figure, and check that it has the style's background and fits a page."""

    def draw(figure: Figure) -> Figure:
        figure.canvas.draw()
        assert to_hex(figure.get_facecolor()) == style.background
        assert figure.get_figwidth() <= 7
        return figure

    return draw


@pytest.fixture
def line() -> Callable[..., tuple[list[float], list[float]]]:
    """Where the one line runs that a reader knows by its label, colour, line style or marker: x and y."""

    def find(axes: Axes, **look: str) -> tuple[list[float], list[float]]:
        alike = [one for one in axes.get_lines() if look.items() <= one.properties().items()]
        assert len(alike) == 1, f"{len(alike)} lines with {look}"
        return list(alike[0].get_xdata()), list(alike[0].get_ydata())

    return find


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What the calls of a test display."""
    bundles: list[dict[str, str]] = []

    def display(bundle: dict[str, str], *, raw: bool) -> None:
        assert raw
        bundles.append(bundle)

    monkeypatch.setattr(output, "display", display)
    return bundles
