"""Evidence becomes pages.

A chapter's first cell calls :func:`setup`; its figures, sliders and tables go through :func:`show`,
:func:`slide` and :func:`table`; :func:`kept_for_backward` measures memory. Figure functions ask
:func:`colours` for colours and stand in :mod:`probmcl.teach.figures`. The assignments' checkers are
:mod:`probmcl.teach.checks`.
"""

from probmcl.teach.display import show, slide
from probmcl.teach.memory import kept_for_backward
from probmcl.teach.notebook import PROFILES, Page, data_folder, setup
from probmcl.teach.style import Colours, colours
from probmcl.teach.tables import table

__all__ = [
    "PROFILES",
    "Colours",
    "Page",
    "colours",
    "data_folder",
    "kept_for_backward",
    "setup",
    "show",
    "slide",
    "table",
]
