"""Light and dark: the two styles in which every figure of the book is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import seaborn as sns  # noqa: F401 - registers the colour maps mako, vlag and icefire
from matplotlib.rcsetup import cycler


@dataclass(frozen=True)
class Colours:
    """Named colours of one style, in hues of Okabe and Ito, told apart by most colour-blind readers."""

    anchor: str  #: the image that is compared with the others
    positive: str  #: its positive set
    negative: str  #: the rest of the batch
    muted: str  #: what stays in the background: reference lines, annotations
    accent: str  #: the one thing a reader should look at
    text: str  #: titles, labels and ticks
    background: str  #: the page behind the figure
    grid: str  #: grid lines and frames
    categorical: tuple[str, ...]  #: seven colours for lines and bars, in this order
    sequential: str  #: name of a colour map whose low end fades into the background
    diverging: str  #: name of a colour map whose middle fades into the background


LIGHT = Colours(
    anchor="#0072b2", positive="#00815f", negative="#c44e00", muted="#6b7280", accent="#a8457f",
    text="#222832", background="#ffffff", grid="#d8dce2", sequential="mako_r", diverging="vlag",
    categorical=("#0072b2", "#c44e00", "#00815f", "#a8457f", "#b07d00", "#3a9bd1", "#5b6470"),
)  # fmt: skip
DARK = Colours(
    anchor="#62bdf0", positive="#3ccfa0", negative="#ff9550", muted="#98a2b0", accent="#eb93c4",
    text="#ced6dd", background="#121212", grid="#3a434f", sequential="mako", diverging="icefire",
    categorical=("#62bdf0", "#ff9550", "#3ccfa0", "#eb93c4", "#f0c244", "#a9d8f5", "#b4bcc8"),
)  # fmt: skip

_current: ContextVar[Colours] = ContextVar("colours", default=LIGHT)


def colours() -> Colours:
    """Return the named colours of the style being drawn, for use inside a figure function.

    >>> colours().anchor
    '#0072b2'
    """
    return _current.get()


@contextmanager
def drawing_in(style: Colours) -> Iterator[None]:
    """Draw in ``style`` inside the block: :func:`colours` and matplotlib's parameters follow it.

    >>> with drawing_in(DARK):
    ...     colours().background
    '#121212'
    """
    token = _current.set(style)
    try:
        with mpl.rc_context(_parameters(style)):
            yield
    finally:
        _current.reset(token)


def _parameters(style: Colours) -> Any:  # matplotlib's type for this dictionary lists every key
    text = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.labelcolor", "ytick.labelcolor")
    frame = ("axes.edgecolor", "xtick.color", "ytick.color")
    behind = ("figure.facecolor", "savefig.facecolor", "axes.facecolor", "patch.edgecolor")
    sizes = ("axes.labelsize", "font.size", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
    off = ("axes.spines.top", "axes.spines.right", "axes.grid", "legend.frameon")
    return {
        **dict.fromkeys(text, style.text),
        **dict.fromkeys(frame, style.muted),
        **dict.fromkeys(behind, style.background),
        **dict.fromkeys(sizes, 11),
        **dict.fromkeys(off, False),
        "figure.figsize": (7.0, 3.8),
        "figure.dpi": 144,
        "savefig.dpi": 144,
        "figure.constrained_layout.use": True,
        "axes.prop_cycle": cycler(color=style.categorical),
        "axes.axisbelow": True,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "grid.color": style.grid,
        "lines.linewidth": 2.0,
        "image.cmap": style.sequential,
        "image.interpolation": "nearest",
        "hatch.color": style.text,
        "svg.hashsalt": "probmcl",
    }
