"""Every figure of the book, one function each, one module per topic.

A figure function only draws: :func:`probmcl_book.pages.show` calls it once in the light style and once in the
dark one. Colours come from :func:`colours`, never from a literal, so that both stay readable.
"""

from probmcl_book.pages.style import Colours, colours

__all__ = ["Colours", "colours"]
