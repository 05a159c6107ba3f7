"""One HTML output of a cell: the style sheet that all outputs share, and how one is handed to the reader."""

import hashlib
import itertools
from textwrap import fill

from IPython.display import display

_IN_DARK = (
    'html[data-theme="dark"]',  # sphinx-book-theme
    'body[data-jp-theme-light="false"]',  # JupyterLab
    'html[theme="dark"]',  # Colab
    "body.vscode-dark",
)
STYLE = (
    "<style>"
    ".pm-output{margin:1rem 0;padding:0}"
    ".pm-output img{display:block;max-width:100%;height:auto;margin:0;padding:0!important;"
    "background:none!important;border-radius:0}"
    ".pm-output figcaption,.pm-output caption{font-size:.95em;line-height:1.4;margin:.5rem 0;padding:0;"
    "color:inherit!important;text-align:left;caption-side:top}"
    ".pm-control{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center;margin:.5rem 0}"
    ".pm-control input{flex:1 1 14rem;max-width:28rem;min-height:1.6rem}"
    ".pm-control output{font-weight:bold;font-variant-numeric:tabular-nums}"
    ".pm-table{overflow-x:auto}"
    ".pm-table table{border-collapse:collapse;font-size:.95em;width:auto;margin:0}"
    ".pm-table th,.pm-table td{padding:.3rem .8rem;border:0;border-bottom:1px solid #8888;background:none;"
    "text-align:left;vertical-align:baseline}"
    ".pm-table thead th{border-bottom:2px solid currentColor}"
    ".pm-table tbody th{font-weight:normal}"
    ".pm-table .pm-number{text-align:right;font-variant-numeric:tabular-nums}"
    ".text_html:has(>.pm-output){background:none!important;color:inherit!important;padding:0!important}"
    + ",".join(f"{host} .pm-light" for host in _IN_DARK)
    + "{display:none!important}"
    + ",".join(f"{host} .pm-dark" for host in _IN_DARK)
    + "{display:block!important}"
    "</style>"
)

_count = itertools.count(1)


def emit(html: str, plain: str) -> None:
    """Display ``html`` with its style sheet; where HTML is not shown, ``plain``."""
    display({"text/html": STYLE + html, "text/plain": plain}, raw=True)  # type: ignore[no-untyped-call]


def say(words: str) -> None:
    """Print a sentence in lines that fit a page."""
    print(fill(words, 110, break_long_words=False, break_on_hyphens=False))


def unique_name(*parts: str) -> str:
    """Return a name that no other output of the page has, and that the next build of the page repeats.

    >>> unique_name("slider") != unique_name("slider")
    True
    """
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
    return f"pm-{digest}-{next(_count)}"


def some_words(name: str, text: object) -> str:
    """Return ``text`` if it says something.

    >>> some_words("alt", " ")
    Traceback (most recent call last):
    ...
    ValueError: alt: expected some words, got ' '
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name}: expected some words, got {text!r}")
    return text
