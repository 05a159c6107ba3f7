"""Evidence becomes pages: set-up, figures in :mod:`probmcl_book.pages.figures`, sliders and tables."""

from probmcl_book.pages.display import show, slide
from probmcl_book.pages.memory import kept_for_backward
from probmcl_book.pages.notebook import PROFILES, Page, data_folder, setup
from probmcl_book.pages.style import Colours, colours
from probmcl_book.pages.tables import show_table, table

__all__ = [
    "PROFILES", "Colours", "Page", "colours", "data_folder", "kept_for_backward", "setup", "show",
    "show_table", "slide", "table",
]  # fmt: skip
