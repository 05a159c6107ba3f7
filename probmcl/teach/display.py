"""Figures, sliders and tables that read well on the page, in Jupyter and in Colab, in light and in dark.

Each call gives one HTML output that needs no kernel and no network. Pictures are embedded twice, drawn once
in the light style and once in the dark one (:mod:`probmcl.teach.style`); a style sheet shows the one that
suits its surroundings. Where no style sheet is obeyed, the light one is seen alone.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from probmcl import _check
from probmcl.teach.style import DARK, LIGHT, Colours, drawing_in

MOST_FRAMES = 16
CSS_PIXELS_PER_INCH = 96

_IN_DARK = (
    'html[data-theme="dark"]',  # sphinx-book-theme
    'body[data-jp-theme-light="false"]',  # JupyterLab
    'html[theme="dark"]',  # Colab
    "body.vscode-dark",
)
_STYLE = (
    "<style>"
    ".pm-output{margin:1rem 0;padding:0}"
    ".pm-output img{display:block;max-width:100%;height:auto;margin:0;padding:0!important;"
    "background:none!important;border-radius:0}"
    ".pm-output figcaption,.pm-output caption{font-size:.95em;line-height:1.4;margin:.5rem 0;opacity:.9;"
    "text-align:left;caption-side:top}"
    ".pm-control{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center;margin:.5rem 0}"
    ".pm-control input{flex:1 1 14rem;max-width:28rem;min-height:1.6rem}"
    ".pm-control output{font-weight:bold;font-variant-numeric:tabular-nums}"
    ".pm-table{overflow-x:auto}"
    ".pm-table table{border-collapse:collapse;font-size:.95em;width:auto;margin:0}"
    ".pm-table th,.pm-table td{padding:.3rem .8rem;border:0;border-bottom:1px solid #8888;background:none;"
    "text-align:left;vertical-align:baseline}"
    ".pm-table thead th{border-bottom:2px solid currentColor}"
    ".pm-table tbody th{font-weight:normal}"
    ".pm-table .pm-number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".text_html:has(>.pm-output){background:none!important;color:inherit!important;padding:0!important}"
    + ",".join(f"{host} .pm-light" for host in _IN_DARK)
    + "{display:none!important}"
    + ",".join(f"{host} .pm-dark" for host in _IN_DARK)
    + "{display:block!important}"
    "</style>"
)
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

_outputs = itertools.count(1)

Number = int | float
Cell = str | Number | tuple[Number, Number, Number] | None


def show(
    make_figure: Callable[..., Figure], *args: Any, alt: str, caption: str | None = None, **kwargs: Any
) -> None:
    """Display ``make_figure(*args, **kwargs)``, drawn in the light and in the dark style.

    The function is called twice, so it only draws: it gets its data as arguments, asks
    :func:`~probmcl.teach.style.colours` for colours and returns a new matplotlib figure.

    Args:
        make_figure: returns a figure; it is closed here.
        *args: handed on.
        alt: what a reader who cannot see the figure should know, in a sentence or two.
        caption: a line under the figure.
        **kwargs: handed on.

    Raises:
        ValueError: ``alt`` is empty.
        TypeError: ``make_figure`` returns something else than a figure.

    >>> def line(values):
    ...     figure, axes = plt.subplots()
    ...     axes.plot(values)
    ...     return figure
    >>> show(line, [1, 2, 4], alt="A line that doubles at every step.")  # doctest: +SKIP
    """
    _not_empty("alt", alt)
    (light, width), (dark, _) = (_draw(style, make_figure, *args, **kwargs) for style in (LIGHT, DARK))
    body = _pictures(light, dark, alt, width) + _figcaption(caption)
    _display(f'{_STYLE}<figure class="pm-output">{body}</figure>', f"Figure: {alt}")


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

    Frames are ``make_frame(value, *args, **kwargs)``, all of the same size. Keep axes' limits fixed, so that
    only what depends on the value moves.

    Args:
        make_frame: a figure function as in :func:`show`; its first argument is the value.
        values: 2 to 16 values, in the order of the slider. Numbers are written short, others by ``str``.
        *args: handed on.
        label: what the slider sets, for instance ``"threshold α"``.
        alt: what the figure shows; ``{value}`` stands for the slider's value.
        caption: a line under the figure.
        start: position of the frame that is seen first.
        **kwargs: handed on.

    Raises:
        ValueError: ``label`` or ``alt`` is empty, or the number of values or ``start`` is out of range.
    """
    _not_empty("label", label)
    _not_empty("alt", alt)
    if not 2 <= len(values) <= MOST_FRAMES:
        raise ValueError(f"values: expected 2 to {MOST_FRAMES} values, got {len(values)}")
    if not 0 <= start < len(values):
        raise ValueError(f"start: expected a position from 0 to {len(values) - 1}, got {start}")
    frames, width = [], 0
    for value in values:
        (light, width), (dark, _) = (
            _draw(style, make_frame, value, *args, small=True, **kwargs) for style in (LIGHT, DARK)
        )
        text = f"{value:g}" if isinstance(value, float) else str(value)
        frames.append({"value": text, "alt": alt.replace("{value}", text), "light": light, "dark": dark})
    first = frames[start]
    name = _unique_name(label, first["light"])
    body = (
        _pictures(first["light"], first["dark"], first["alt"], width)
        + f'<div class="pm-control"><label for="{name}-range">{escape(label)}:</label>'
        f'<output for="{name}-range">{escape(first["value"])}</output>'
        f'<input type="range" id="{name}-range" min="0" max="{len(frames) - 1}" step="1" value="{start}" '
        f'aria-valuetext="{escape(first["value"])}"></div>' + _figcaption(caption)
    )
    script = _SCRIPT % {"name": name, "frames": json.dumps(frames).replace("<", "\\u003c")}
    _display(
        f'{_STYLE}<figure class="pm-output" id="{name}">{body}</figure>{script}',
        f"Slider over {label} ({frames[0]['value']} to {frames[-1]['value']}): {first['alt']}",
    )


def table(
    rows: Sequence[Sequence[Cell]],
    columns: Sequence[str],
    *,
    caption: str,
    highlight: Mapping[str, str] | None = None,
    decimals: int = 3,
) -> None:
    """Display a table of results. The first cell of a row names the row.

    Args:
        rows: cells in the order of ``columns``: text, a number, an estimate with its interval as
            ``(value, low, high)``, or None for what does not exist.
        columns: names of the columns.
        caption: what the table shows; stands above it.
        highlight: the columns in which the best value is set in bold, each with ``"max"`` or ``"min"``.
        decimals: digits after the point, for numbers that are not whole.

    Raises:
        ValueError: a row has the wrong length, ``caption`` is empty, or ``highlight`` names no column.

    >>> table([["BCE", 0.922], ["ASL", None]], ["loss", "mAP"], caption="Test mAP.")  # doctest: +SKIP
    """
    _not_empty("caption", caption)
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(f"rows: expected {len(columns)} cells in row {number}, got {len(row)}")
    best = _best_cells(rows, columns, highlight or {})
    texts = [[_cell_text(cell, decimals) for cell in row] for row in rows]
    numeric = [any(not isinstance(row[j], str | None) for row in rows) for j in range(len(columns))]
    header = "".join(
        f'<th scope="col"{_number_class(numeric[j])}>{escape(name)}</th>' for j, name in enumerate(columns)
    )
    body = "".join(
        f"<tr>{''.join(_cell_html(text, j, numeric[j], (i, j) in best) for j, text in enumerate(row))}</tr>"
        for i, row in enumerate(texts)
    )
    html = (
        f'{_STYLE}<div class="pm-output pm-table" role="region" aria-label="{escape(caption)}" tabindex="0">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{header}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
    _display(html, _plain_table(texts, list(columns), numeric, caption))


def _draw(
    style: Colours, make: Callable[..., Figure], *args: Any, small: bool = False, **kwargs: Any
) -> tuple[str, int]:
    """Return the figure as base64 PNG, and its width in CSS pixels."""
    with drawing_in(style):
        figure = make(*args, **kwargs)
        if not isinstance(figure, Figure):
            raise TypeError(
                f"{make.__name__}: expected it to return a matplotlib Figure, got {type(figure).__name__}"
            )
        with io.BytesIO() as raw, io.BytesIO() as packed:
            figure.savefig(raw, format="png")
            width = round(figure.get_figwidth() * CSS_PIXELS_PER_INCH)
            plt.close(figure)
            image = Image.open(raw).convert("RGB")
            if (
                small
            ):  # a slider holds dozens of frames: 64 colours keep lines smooth at a third of the weight
                image = image.quantize(64)
            image.save(packed, format="png", optimize=True)
            return base64.b64encode(packed.getvalue()).decode("ascii"), width


def _pictures(light: str, dark: str, alt: str, width: int) -> str:
    # "dark-light" tells the theme to leave the picture's colours alone
    return "".join(
        f'<img class="pm-{style} dark-light" alt="{escape(alt)}" width="{width}" '
        f"{'' if style == 'light' else 'style=' + chr(34) + 'display:none' + chr(34) + ' '}"
        f'src="data:image/png;base64,{data}">'
        for style, data in (("light", light), ("dark", dark))
    )


def _figcaption(caption: str | None) -> str:
    return f"<figcaption>{escape(caption)}</figcaption>" if caption else ""


def _unique_name(*parts: str) -> str:
    """Return a name that no other output of the page has, and that a second build of the page repeats."""
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
    return f"pm-{digest}-{next(_outputs)}"


def _not_empty(name: str, text: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name}: expected some words, got {text!r}")


def _display(html: str, plain: str) -> None:
    display({"text/html": html, "text/plain": plain}, raw=True)  # type: ignore[no-untyped-call]


def _value(cell: Cell) -> float | None:
    if isinstance(cell, tuple):
        return float(cell[0])
    return None if cell is None or isinstance(cell, str) else float(cell)


def _best_cells(
    rows: Sequence[Sequence[Cell]], columns: Sequence[str], highlight: Mapping[str, str]
) -> set[tuple[int, int]]:
    best: set[tuple[int, int]] = set()
    for name, which in highlight.items():
        j = columns.index(_check.one_of("highlight", name, columns))
        values = {i: value for i, row in enumerate(rows) if (value := _value(row[j])) is not None}
        choose = max if _check.one_of("highlight", which, ("max", "min")) == "max" else min
        best |= {(i, j) for i, value in values.items() if value == choose(values.values())}
    return best


def _cell_text(cell: Cell, decimals: int) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, tuple):
        value, low, high = (f"{part:.{decimals}f}" for part in cell)
        return f"{value} [{low}, {high}]"
    if isinstance(cell, float):
        return f"{cell:.{decimals}f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _number_class(numeric: bool) -> str:
    return ' class="pm-number"' if numeric else ""


def _cell_html(text: str, column: int, numeric: bool, bold: bool) -> str:
    content = f"<strong>{escape(text)}</strong>" if bold else escape(text)
    if column == 0:
        return f'<th scope="row"{_number_class(numeric)}>{content}</th>'
    return f"<td{_number_class(numeric)}>{content}</td>"


def _plain_table(texts: list[list[str]], columns: list[str], numeric: list[bool], caption: str) -> str:
    widths = [max(len(line[j]) for line in [columns, *texts]) for j in range(len(columns))]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in [columns, *texts]
    ]
    return "\n".join([caption, "", lines[0], "-" * sum(widths, 2 * (len(widths) - 1)), *lines[1:]])
