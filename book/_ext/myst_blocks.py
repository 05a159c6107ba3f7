"""MyST text as a list of blocks: text, code, displayed formulas and directives, each with its line number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from myst_parser.parsers.options import options_to_items

INFO = re.compile(r"\{(?P<name>[\w:.-]+)\}(?P<argument>.*)")
MATH, FENCES = ("math_block", "math_block_label"), ("fence", "colon_fence")

VERBATIM = (
    "code-cell", "raw-cell", "code-block", "code", "sourcecode", "literalinclude", "eval-rst", "glossary",
)  # fmt: skip


class SourceError(ValueError):
    """Something in a chapter that the exporter cannot turn into plain Markdown, with its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Block:
    """A piece of a chapter."""

    kind: str  # ``text``, ``code`` (a fence without a directive), ``math`` or ``directive``
    line: int  # number of its first line in the file, from 1
    lines: tuple[str, ...]  # as written, code with its fences; of math and directives what stands inside
    indent: str = ""  # white space in front of the block, for blocks inside a list
    name: str = ""  # of the directive
    argument: str = ""  # what follows the name on its line
    options: dict[str, str] = field(default_factory=dict)  # of the directive
    label: str = ""  # of a formula
    body_line: int = 0  # number of the first of ``lines`` of a directive


@cache
def _parser() -> MarkdownIt:
    config = MdParserConfig(enable_extensions={"colon_fence", "dollarmath"})
    return create_md_parser(config, RendererHTML).disable("inline")


def split_blocks(lines: Sequence[str], first_line: int = 1) -> list[Block]:
    """Split ``lines``, the first of which is line ``first_line`` of the file."""
    blocks: list[Block] = []
    after = 0
    for token in _parser().parse("\n".join(lines)):
        if token.type in (*MATH, *FENCES) and token.map:
            start, end = token.map
            blocks += _text(lines[after:start], first_line + after)
            blocks.append(_block(token, lines[start:end], first_line + start))
            after = end
    return blocks + _text(lines[after:], first_line + after)


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield every block in reading order, and those inside directives that hold Markdown."""
    for block in blocks:
        if block.kind == "directive" and block.name == "math":
            yield Block("math", block.line, block.lines, block.indent, label=block.options.get("label", ""))
            continue
        yield block
        if block.kind == "directive" and block.name not in VERBATIM:
            yield from walk(split_blocks(block.lines, block.body_line))


def _text(lines: Sequence[str], line: int) -> list[Block]:
    for number, text in enumerate(lines, start=line):
        if text.lstrip().startswith("$$"):
            raise SourceError(number, "the formula opened with '$$' is never closed")
    return [Block("text", line, tuple(lines))] if lines else []


def _block(token: Token, lines: Sequence[str], line: int) -> Block:
    """A token as a block: ``lines`` are its own, the first of them line ``line`` of the file."""
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    content = token.content.splitlines()
    if token.type in MATH:
        body = tuple(part.strip() for part in content if part.strip())
        label = token.info if token.type == "math_block_label" else ""
        return Block("math", line, body, indent, label=label)
    if not re.fullmatch(rf"\s*{token.markup}+\s*", lines[-1]) or len(lines) == 1:
        raise SourceError(line, f"the block {lines[0].strip()!r} is never closed")
    info = INFO.fullmatch(token.info.strip())
    if info is None and token.type == "colon_fence":
        raise SourceError(line, f"expected a directive in braces after {token.markup!r}")
    if info is None:
        return Block("code", line, tuple(lines))
    options, skipped = _options(content, line + 1)
    body, argument = tuple(content[skipped:]), info["argument"].strip()
    return Block(
        "directive", line, body, indent, info["name"], argument, options, body_line=line + 1 + skipped
    )


def _options(lines: Sequence[str], first_line: int) -> tuple[dict[str, str], int]:
    """Return a directive's options and the number of lines that they take."""
    if lines[:1] == ["---"]:
        if "---" not in lines[1:]:
            raise SourceError(first_line, "the options opened with '---' are never closed")
        end = lines.index("---", 1)
        written, skipped = lines[1:end], end + 1
    else:
        written = [line[1:] for line in takewhile(lambda line: line.startswith(":"), lines)]
        skipped = len(written)
    return dict(options_to_items("\n".join(written))[0]), skipped
