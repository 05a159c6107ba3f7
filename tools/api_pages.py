"""Sphinx extension for ``book/api/``: docstrings as pages.

A page of ``book/api/`` documents each public name of a room, as ``probmcl.loss.overlap``. This

* links a name that is called by its file, ``probmcl.loss.overlap.overlap``, to its place in the room;
* leaves a name that exists, but that no room offers, without a link (a name that does not exist still warns);
* begins with what most people come for, and ends with constants, which have the text that stands below them
  in their file;
* takes ``|z|`` in a docstring for what it says and not for one of reStructuredText's substitutions.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import PycodeError
from sphinx.ext.autodoc import DataDocumenter, Documenter, ModuleDocumenter
from sphinx.pycode import ModuleAnalyzer

PACKAGES = ("probmcl", "probmcl_book")
LONGEST_VALUE = 300
"""Characters of a constant that a page shows."""
FIRST = (
    *("LabelledImages", "TwoViews", "digit_scenes", "make_loader"),
    *("MixtureDensityHead", "GaussianMixture", "build_encoder"),
    *("ProbMCLLoss", "SupConLoss", "AsymmetricLoss", "KMCLLoss", "MulSupConLoss"),
    *("two_stages", "contrastive_stage", "linear_probe", "fit"),
    *("multilabel_metrics", "mean_average_precision", "paired_bootstrap_difference"),
)
"""Names that stand before the others of their room, in this order."""
LITERAL_OR_BAR = re.compile(r"(``.*?``)|(?<!\\)\|")


@cache
def files() -> frozenset[str]:
    """Return the dotted names of all files below the rooms."""
    found = (
        file.name
        for package in PACKAGES
        for file in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
        if not file.name.endswith("__main__")
    )
    return frozenset(name for name in found if name.count(".") > 1)


def in_its_room(target: str) -> str | None:
    """Return the name in a room that belongs to a name in one of the room's files.

    >>> in_its_room("probmcl.loss.overlap.overlap"), in_its_room("probmcl.data.labelled.LabelledImages.to")
    ('probmcl.loss.overlap', 'probmcl.data.LabelledImages.to')
    >>> in_its_room("probmcl.data.scenes.digits.digit_scenes"), in_its_room("probmcl.loss.overlap")
    ('probmcl.data.digit_scenes', None)
    """
    parts = target.split(".")
    for length in range(len(parts) - 1, 2, -1):
        if ".".join(parts[:length]) in files():
            return ".".join([*parts[:2], *parts[length:]])
    return None


def room_of(module: str) -> str | None:
    """Return the room that a file belongs to.

    >>> room_of("probmcl.loss.overlap"), room_of("probmcl.loss"), room_of("torch.nn.functional")
    ('probmcl.loss', None, None)
    """
    return ".".join(module.split(".")[:2]) if module in files() else None


def exists(target: str) -> bool:
    """Tell whether ``target`` names something in the package.

    >>> exists("probmcl.loss.overlap.INDICES"), exists("probmcl.loss.overlap.NOTHING"), exists("torch.Tensor")
    (True, False, False)
    """
    parts = target.split(".")
    if parts[0] not in PACKAGES:
        return False
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                return name in getattr(found, "__annotations__", ())  # a field of a dataclass
            found = getattr(found, name)
        return True
    return False


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contents: nodes.TextElement
) -> nodes.Node | None:
    """Answer Sphinx's event ``missing-reference``."""
    target = str(node.get("reftarget", ""))
    if node.get("refdomain") != "py":
        return None
    room_name = room_of(target) if node.get("reftype") == "mod" else in_its_room(target)
    if room_name:
        domain = env.get_domain("py")
        found = domain.resolve_xref(
            env, node["refdoc"], app.builder, node["reftype"], room_name, node, contents
        )
        if found is not None:
            return found
    return contents if exists(target) else None


def place(name: str) -> tuple[int, int]:
    """Return a sort key for a public name of a room: what people come for, classes, functions, constants.

    >>> sorted(["RULES", "overlap", "LabelSets", "SupConLoss", "ProbMCLLoss"], key=place)
    ['ProbMCLLoss', 'SupConLoss', 'LabelSets', 'overlap', 'RULES']
    """
    first = FIRST.index(name) if name in FIRST else len(FIRST)
    return first, 2 if name.isupper() else int(name[0].islower())


class RoomDocumenter(ModuleDocumenter):
    """Documents a room in the order of :func:`place`."""

    def sort_members(
        self, documenters: list[tuple[Documenter, bool]], order: str
    ) -> list[tuple[Documenter, bool]]:
        """Sort the members; those of equal place stay as ``__all__`` has them."""
        return sorted(
            super().sort_members(documenters, order), key=lambda one: place(one[0].name.split("::")[-1])
        )


class ConstantDocumenter(DataDocumenter):
    """Shows the constants of a room; Sphinx alone shows those whose text stands in the room's own file."""

    @classmethod
    def can_document_member(cls, member: Any, membername: str, isattr: bool, parent: Any) -> bool:
        """Take constants of a room, by their capital letters."""
        return isinstance(parent, ModuleDocumenter) and (isattr or membername.isupper())

    def should_suppress_value_header(self) -> bool:
        """Leave out a value that is long, or that tells an address in memory."""
        value = repr(self.object)
        return len(value) > LONGEST_VALUE or " at 0x" in value or super().should_suppress_value_header()


def keep_constants(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Answer ``autodoc-skip-member``: a room offers a constant, so it is shown."""
    return False if what == "module" and name.isupper() else None


def constant_text(name: str) -> list[str]:
    """Return what stands below a constant in the file that defines it.

    >>> constant_text("probmcl_book.pages.PROFILES")[0][:9]
    'The sizes'
    """
    room, _, constant = name.rpartition(".")
    package = importlib.import_module(room)
    for file in pkgutil.walk_packages(getattr(package, "__path__", []), f"{room}."):
        try:
            texts = ModuleAnalyzer.for_module(file.name).find_attr_docs()
        except PycodeError:
            continue
        if ("", constant) in texts:
            return list(texts["", constant])
    return []


def plain_bars(line: str) -> str:
    r"""Escape the bars of a line that stand outside code.

    >>> plain_bars("|z| is 1, see ``a | b``")
    '\\|z\\| is 1, see ``a | b``'
    """
    return LITERAL_OR_BAR.sub(lambda match: match[1] or r"\|", line)


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Answer ``autodoc-process-docstring``, before napoleon does."""
    if what == "data":
        lines[:] = [*constant_text(name), ""]
    in_example = False
    for number, line in enumerate(lines):
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>>"))
        if not in_example:
            lines[number] = plain_bars(line)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_autodocumenter(RoomDocumenter, override=True)
    app.add_autodocumenter(ConstantDocumenter, override=True)
    app.connect("missing-reference", resolve)
    app.connect("autodoc-skip-member", keep_constants)
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
