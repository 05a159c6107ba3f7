"""Tables of results that read well on the page, in Jupyter and in Colab."""

from collections.abc import Mapping, Sequence
from html import escape

from probmcl_book.pages.output import emit, some_words
from probmcl_book.records import Cell, Table


def table(
    rows: Sequence[Sequence[Cell]],
    columns: Sequence[str],
    *,
    caption: str,
    highlight: Mapping[str, str] | None = None,
    decimals: int = 3,
) -> None:
    """Display a :class:`~probmcl_book.records.Table` of these parts.

    >>> table([["BCE", 0.922], ["ASL", None]], ["loss", "mAP"], caption="Test mAP.")  # doctest: +SKIP
    """
    show_table(Table(rows, columns, caption, highlight or {}, decimals))


def show_table(shown: Table) -> None:
    """Display a table of results, such as a :func:`~probmcl_book.records.comparison_table`."""
    caption = escape(some_words("caption", shown.caption))
    classes = [' class="pm-number"' if numeric else "" for numeric in shown.numeric]
    best = shown.best

    def cell(i: int, j: int, text: str) -> str:
        content = escape(text)
        if classes[j]:  # a narrow column breaks before an interval, never inside one
            content = content.replace(", ", ",&nbsp;")
        content = f"<strong>{content}</strong>" if (i, j) in best else content
        tag, scope = ("td", "") if j else ("th", ' scope="row"')
        return f"<{tag}{scope}{classes[j]}>{content}</{tag}>"

    columns = zip(shown.columns, classes, strict=True)
    header = "".join(f'<th scope="col"{of}>{escape(name)}</th>' for name, of in columns)
    rows = ("".join(cell(i, j, text) for j, text in enumerate(row)) for i, row in enumerate(shown.texts))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    notes = "".join(f"<p>{escape(note)}</p>" for note in shown.notes)
    emit(
        f'<div class="pm-output pm-table" role="region" aria-label="{caption}" tabindex="0">'
        f"<table><caption>{caption}</caption><thead><tr>{header}</tr></thead>"
        f"<tbody>{body}</tbody></table>{notes}</div>",
        str(shown),
    )
