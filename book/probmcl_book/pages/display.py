"""Figures and sliders that read well on the page, in Jupyter and in Colab, in light and in dark.

Each call gives one HTML output that needs no kernel and no network. Pictures are embedded twice, drawn once
in the light style and once in the dark one (:mod:`probmcl_book.pages.style`); a style sheet shows the one
that suits its surroundings. Where no style sheet is obeyed, the light one is seen alone.
"""

import base64
import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from probmcl_book.pages.output import emit, some_words, unique_name
from probmcl_book.pages.style import DARK, LIGHT, drawing_in

MOST_FRAMES = 16
FRAME_COLOURS = 128
CSS_PIXELS_PER_INCH = 96

_SCRIPT = """<script>(function () {
  const root = document.getElementById("%(name)s"), frames = %(frames)s;
  const range = root.querySelector("input"), shown = root.querySelector("output");
  const light = root.querySelector(".pm-light"), dark = root.querySelector(".pm-dark");
  function draw() {
    const frame = frames[Number(range.value)];
    light.src = "data:image/png;base64," + frame.light;
    dark.src = "data:image/png;base64," + frame.dark;
    light.alt = dark.alt = frame.alt;
    shown.textContent = frame.value;
    range.setAttribute("aria-valuetext", frame.value);
  }
  range.addEventListener("input", draw);
  draw();  // a browser may have kept the position of the slider over a reload
})();</script>"""


def show(
    make_figure: Callable[..., Figure], *args: Any, alt: str, caption: str | None = None, **kwargs: Any
) -> None:
    """Display ``make_figure(*args, **kwargs)``, drawn in the light and in the dark style, and close it.

    The function is called twice, so it only draws: it asks :func:`~probmcl_book.pages.style.colours` for
    colours and returns a new figure. ``alt`` is what a reader who cannot see the figure should know.

    >>> def line(values):
    ...     figure, axes = plt.subplots()
    ...     axes.plot(values)
    ...     return figure
    >>> show(line, [1, 2, 4], alt="A line that doubles at every step.")  # doctest: +SKIP
    """
    some_words("alt", alt)
    frame, width = _drawn_twice(partial(make_figure, *args, **kwargs), palette=256)
    body = _pictures(frame, alt, width) + _figcaption(caption)
    emit(f'<figure class="pm-output">{body}</figure>', f"Figure: {alt}")


def slide(
    make_frame: Callable[..., Figure],
    values: Sequence[Any],
    *args: Any,
    label: str,
    alt: str,
    caption: str | None = None,
    start: int = 0,
    **kwargs: Any,
) -> None:
    """Display a slider over ``values`` that works without a kernel: every frame is drawn beforehand.

    Frames are ``make_frame(value, *args, **kwargs)`` as in :func:`show`, all with the same size and limits,
    for 2 to 16 ``values``. ``label`` says what the slider sets, such as ``"threshold α"``; in ``alt``
    ``{value}`` stands for its value; ``start`` is the position seen first.
    """
    some_words("label", label)
    some_words("alt", alt)
    if not 2 <= len(values) <= MOST_FRAMES:
        raise ValueError(f"values: expected 2 to {MOST_FRAMES} values, got {len(values)}")
    if not 0 <= start < len(values):
        raise ValueError(f"start: expected a position from 0 to {len(values) - 1}, got {start}")
    frames, width = [], 0
    for value in values:
        frame, width = _drawn_twice(partial(make_frame, value, *args, **kwargs), palette=FRAME_COLOURS)
        text = f"{value:g}" if isinstance(value, float) else str(value)
        frames.append({**frame, "value": text, "alt": alt.replace("{value}", text)})
    first = frames[start]
    name = unique_name(label, first["light"])
    body = (
        _pictures(first, first["alt"], width)
        + f'<div class="pm-control"><label for="{name}-range">{escape(label)}:</label>'
        f'<output for="{name}-range">{escape(first["value"])}</output>'
        f'<input type="range" id="{name}-range" min="0" max="{len(frames) - 1}" step="1" value="{start}" '
        f'aria-valuetext="{escape(first["value"])}"></div>' + _figcaption(caption)
    )
    script = _SCRIPT % {"name": name, "frames": json.dumps(frames).replace("<", "\\u003c")}
    told = f"Slider over {label} ({frames[0]['value']} to {frames[-1]['value']}): {first['alt']}"
    emit(f'<figure class="pm-output" id="{name}">{body}</figure>{script}', told)


def _drawn_twice(draw: Callable[[], Figure], palette: int) -> tuple[dict[str, str], int]:
    """Return the figure in the light and the dark style as base64 PNG, and its width in CSS pixels."""
    frame, width = {}, 0
    for name, style in (("light", LIGHT), ("dark", DARK)):
        with drawing_in(style):
            figure = draw()
            if not isinstance(figure, Figure):
                raise TypeError(f"figure function: expected a Figure from it, got {type(figure).__name__}")
            with io.BytesIO() as raw:
                figure.savefig(raw, format="png", pil_kwargs={"compress_level": 1})  # packed below
                width = round(figure.get_figwidth() * CSS_PIXELS_PER_INCH)
                plt.close(figure)
                frame[name] = _packed(Image.open(raw).convert("RGB"), palette)
    return frame, width


def _packed(image: Image.Image, palette: int) -> str:
    """Return ``image`` as base64 PNG; few colours leave a drawing as it looks at a quarter of its size."""
    if image.getcolors(maxcolors=20_000) is not None:  # photographs hold more and keep them
        image = image.quantize(palette, method=Image.Quantize.FASTOCTREE)
    with io.BytesIO() as packed:
        image.save(packed, format="png", optimize=True)
        return base64.b64encode(packed.getvalue()).decode("ascii")


def _pictures(frame: Mapping[str, str], alt: str, width: int) -> str:
    # the class "dark-light" tells the book's theme to leave the colours alone
    source = 'src="data:image/png;base64,'
    shared = f'alt="{escape(alt)}" width="{width}"'
    return (
        f'<img class="pm-light dark-light" {shared} {source}{frame["light"]}">'
        f'<img class="pm-dark dark-light" style="display:none" {shared} {source}{frame["dark"]}">'
    )


def _figcaption(caption: str | None) -> str:
    return f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
