"""MyST Markdown to the plain Markdown that Jupyter and Colab show.

What has no plain counterpart and is not known here raises :class:`myst_blocks.SourceError` with its line, so
that nothing raw reaches a reader.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from html import escape
from pathlib import Path

from chapters import LABEL, Book, Chapter
from myst_blocks import Block, SourceError, split_blocks
from quiz_source import read_question

ADMONITIONS = {
    "note": "Note", "tip": "Tip", "hint": "Hint", "warning": "Warning", "important": "Important",
    "attention": "Attention", "caution": "Caution", "danger": "Danger", "error": "Error",
    "seealso": "See also", "admonition": "", "margin": "", "sidebar": "", "dropdown": "Show",
}  # fmt: skip
DROPPED = ("contents", "tableofcontents", "index")
API_ROLES = ("func", "class", "meth", "mod", "attr", "data", "obj", "exc", "const")
INLINE = re.compile(
    r"(?P<escaped>\\[`$\[])"
    r"|(?:\{(?P<role>[\w:.+-]+)\})?(?P<ticks>`+)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|(?P<math>\$\$.+?\$\$|\$(?![\s\d])[^$]+?(?<![\s\\])\$|\$\d[^$\s]*\$)"
    r"|(?P<footnote>\[\^[^\]]+\])"
    r"|(?P<image>!)?\[(?P<text>(?:[^\[\]\\]|\\.|\[[^\]]*\])*)\]"
    r"\((?P<target>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+\"[^\"]*\")?\)(?(image)(?:\{[^}]*\})?)"
    r"|<(?P<scheme>project|inv|path|doc):[^>]*>",
    re.DOTALL,
)
TITLED = re.compile(r"^(?P<title>.*?)\s*<(?P<target>[^<>]+)>$", re.DOTALL)


class PlainMarkdown:
    """Converts the Markdown of one chapter; labels, citations and addresses are looked up in the book."""

    def __init__(self, book: Book, chapter: Chapter) -> None:
        self.book = book
        self.chapter = chapter

    def convert(self, lines: Sequence[str], first_line: int = 1) -> str:
        """Return ``lines`` as plain Markdown; the first of them is line ``first_line`` of the file."""
        return "\n\n".join(self.sections(lines, first_line))

    def sections(self, lines: Sequence[str], first_line: int = 1) -> list[str]:
        """Return ``lines`` as plain Markdown, cut before headings, so that an outline can fold the parts."""
        parts: list[list[str]] = [[]]
        for block in split_blocks(lines, first_line):
            text = _indent(self._block(block), block.indent)
            for line in text.split("\n") if block.kind == "text" else [text]:
                if block.kind == "text" and re.match(r"#{1,3} ", line):
                    parts.append([])
                parts[-1].append(line)
        joined = (re.sub(r"\n{3,}", "\n\n", "\n".join(part)).strip("\n") for part in parts)
        return [part for part in joined if part.strip()]

    def _block(self, block: Block) -> str:
        if block.kind == "code":
            return "\n".join(block.lines)
        if block.kind == "math":
            return self._formula(block.lines, block.label)
        if block.kind == "text":
            kept = ["" if _is_dropped(line) else line for line in block.lines]
            return self.inline("\n".join(kept), block.line)
        return self._directive(block)

    def _directive(self, block: Block) -> str:
        if block.name in DROPPED or (block.name, block.argument) == ("include", "_ext/colab.md"):
            return ""
        if block.name == "container" and block.argument == "page-only":
            return ""
        if block.name in ADMONITIONS:
            return self._admonition(block)
        if block.name == "math":
            return self._formula(block.lines, block.options.get("label", ""))
        if block.name in ("figure", "image"):
            return self._figure(block)
        if block.name == "table":
            caption = self._caption(block, self.inline(block.argument, block.line))
            return "\n\n".join(part for part in (caption, self.convert(block.lines, block.body_line)) if part)
        if block.name in ("code-block", "code", "sourcecode"):
            return "\n".join([f"```{block.argument}", *block.lines, "```"])
        if block.name == "literalinclude":
            return self._include(block)
        if block.name == "playground":
            return f"**Playground**, for any browser: {self._page('', block.argument, block.line)}"
        if block.name == "quiz":
            return self._quiz(block)
        if block.name in ("code-cell", "raw-cell"):
            raise SourceError(block.line, f"a {block.name} has to stand outside other blocks")
        raise SourceError(
            block.line, f"unknown directive {block.name!r}: see _ext/plain_markdown.py for the known ones"
        )

    def _admonition(self, block: Block) -> str:
        title = self.inline(block.argument, block.line) or ADMONITIONS[block.name]
        body = self.convert(block.lines, block.body_line)
        if block.name == "dropdown" or "dropdown" in block.options.get("class", ""):
            return f"\n<details>\n<summary>{_summary(title)}</summary>\n\n{body}\n\n</details>\n"
        if block.name == "margin":  # its first line is text like the others
            title, body = "", "\n\n".join(part for part in (title, body) if part)
        heading = f"**{title}**\n\n" if title else ""
        return "\n" + _quote(heading + body) + "\n"

    def _quiz(self, block: Block) -> str:
        question = read_question(block.lines, block.body_line)
        options = [f"- **{o.letter}** {self.inline(o.text, o.line)}" for o in question.options]
        said = [
            f"- **{o.letter}. {'Right' if o.is_right else 'Not so'}.** {self.inline(o.feedback, o.line)}"
            for o in question.options
        ]
        text = self.convert(question.text.splitlines(), question.line)
        listed, answers = (
            "\n".join(part.replace("\n", "\n  ") for part in parts) for parts in (options, said)
        )
        box = f"<details>\n<summary>Answers</summary>\n\n{answers}\n\n</details>"
        return f"\n**Question.** {text}\n\n{listed}\n\n{box}\n"

    def _formula(self, lines: Sequence[str], label: str) -> str:
        tag = f" \\tag{{{self.chapter.equations[label]}}}" if label else ""
        body = "\n".join(line for line in lines if line.strip())
        return f"\n$$\n{body}{tag}\n$$\n"

    def _figure(self, block: Block) -> str:
        alt = block.options.get("alt", "")
        if not alt:
            raise SourceError(block.line, f"{block.name} {block.argument}: expected an :alt: text")
        caption = self.convert(block.lines, block.body_line).replace("\n", " ")
        image = f"![{alt}]({self._picture(block.argument, block.line)})"
        return "\n\n".join(part for part in (image, self._caption(block, caption)) if part)

    def _caption(self, block: Block, caption: str) -> str:
        number = self.chapter.captions.get(block.options.get("name", ""), "")
        return " ".join(part for part in (f"**{number}.**" if number else "", caption) if part)

    def _include(self, block: Block) -> str:
        path = self._file(block.argument, block.line)
        source = path.read_text(encoding="utf-8")
        unknown = set(block.options) - {"language", "pyobject", "caption", "name"}
        if unknown:
            raise SourceError(block.line, f"literalinclude: unknown option {sorted(unknown)[0]!r}")
        if wanted := block.options.get("pyobject"):
            source = _python_object(source, wanted, block.line)
        return f"From [{path.name}]({self.book.source(path)}):\n\n```python\n{source.strip()}\n```"

    def inline(self, text: str, line: int) -> str:
        """Return ``text`` with roles, links and pictures made plain; code and formulas stay."""

        def replace(match: re.Match[str]) -> str:
            at = line + text.count("\n", 0, match.start())
            if match["role"]:
                return self._role(match["role"], " ".join(match["code"].split()), at)
            if match["footnote"]:
                raise SourceError(at, "a footnote does not show in Colab: use a {margin} note")
            if match["scheme"]:
                raise SourceError(at, f"{match[0]}: write the link as [text](target)")
            if match["target"] is None:
                return match[0]
            if match["image"]:
                return f"![{match['text']}]({self._picture(match['target'], at)})"
            return self._link(self.inline(match["text"], at), match["target"], at)

        return INLINE.sub(replace, text)

    def _role(self, role: str, content: str, line: int) -> str:
        titled = TITLED.match(content)
        title, target = (titled["title"], titled["target"]) if titled else ("", content)
        if role in ("cite", "cite:p", "cite:t", "cite:ps", "cite:ts"):
            return self._citation(role, content, line)
        if role == "doc":
            return self._page(title, target, line)
        if role in ("ref", "numref", "eq"):
            return self._reference(title, target, line)
        if role == "term":
            anchor = "term-" + re.sub(r"\W+", "-", target)
            return f"[{title or target}]({self.book.published('glossary', anchor)})"
        if role.removeprefix("py:") in API_ROLES:
            return self._documented(role.removeprefix("py:"), title, target)
        if role == "math":
            return f"${content}$"
        if role in ("code", "file", "command", "kbd"):
            return f"`{content}`"
        if role in ("sub", "sup"):
            return f"<{role}>{content}</{role}>"
        if role == "abbr":
            return content
        raise SourceError(line, f"unknown role {role!r}: see _ext/plain_markdown.py for the known ones")

    def _documented(self, role: str, title: str, target: str) -> str:
        name = target.lstrip("~")
        shown = title or (name.split(".")[-1] if target.startswith("~") else name)
        package, *inside = name.split(".")
        if package not in ("probmcl", "probmcl_book"):
            return f"`{shown}`"
        anchor = "" if role == "mod" else name  # a file has no entry of its own on the page of its room
        page = self.book.published(f"api/{inside[0]}", anchor) if inside else self.book.published("api")
        return f"[`{shown}`]({page})"

    def _citation(self, role: str, content: str, line: int) -> str:
        page = self.book.published("references")
        entries = [self.book.cite(key.strip(), line) for key in content.split(",")]
        if role.startswith("cite:t"):
            return ", ".join(f"[{authors} ({year})]({page})" for authors, year in entries)
        return "(" + "; ".join(f"[{authors}, {year}]({page})" for authors, year in entries) + ")"

    def _page(self, title: str, target: str, line: int) -> str:
        name = Path(target).name.removesuffix(".md")
        if name not in self.book.chapters:
            raise SourceError(line, f"no page {target!r} in book/")
        return f"[{title or self.book.chapters[name].title}]({self.book.address(name)})"

    def _reference(self, title: str, label: str, line: int) -> str:
        owner = self.book.owner_of(label)
        if owner is None:
            raise SourceError(line, f"no label {label!r} in the book")
        if label in owner.equations:
            shown = title or f"({owner.equations[label]})"
        else:
            number = owner.captions.get(label, "")
            shown = re.sub(r"%s|\{number\}", number.split(" ")[-1], title) or number or owner.labels[label]
        return shown if owner is self.chapter else f"[{shown}]({self.book.address(owner.name)})"

    def _link(self, text: str, target: str, line: int) -> str:
        if re.match(r"[a-z][a-z+.-]*:", target):
            return f"[{text}]({target})"
        file, _, label = target.partition("#")
        if not file or self.book.owner_of(file):
            return self._reference(text, label or file, line)
        if file.endswith(".md") and Path(file).parent == Path("."):
            return self._page(text, file, line)
        return f"[{text}]({self.book.source(self._file(file, line))})"

    def _picture(self, target: str, line: int) -> str:
        return target if "://" in target else self.book.raw(self._file(target, line))

    def _file(self, target: str, line: int) -> Path:
        start = self.book.root if target.startswith("/") else self.chapter.path.parent
        path = start / target.lstrip("/")
        if not path.is_file():
            raise SourceError(line, f"no file {target!r}")
        return path


def _is_dropped(line: str) -> bool:
    return bool(re.match(r"^\s*%", line) or LABEL.match(line) or re.match(r"^\+\+\+(\s|$)", line))


def _indent(text: str, indent: str) -> str:
    return textwrap.indent(text, indent) if indent else text


def _quote(text: str) -> str:
    # Jupyter cuts formulas out before it reads the quotation marks: each has to stand on one line
    text = re.sub(r"\$\$\n(.*?)\n\s*\$\$", lambda m: f"$${' '.join(m[1].split())}$$", text, flags=re.DOTALL)
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _summary(title: str) -> str:
    """Return a title for HTML, where Markdown's code marks would be seen."""
    return re.sub(r"`([^`]+)`", lambda match: f"<code>{match[1]}</code>", escape(title, quote=False))


def _python_object(source: str, name: str, line: int) -> str:
    """Return the source of a function, a class or a method ``Class.method``."""
    body: list[ast.stmt] = ast.parse(source).body
    node: ast.stmt | None = None
    for part in name.split("."):
        node = next((item for item in body if getattr(item, "name", None) == part), None)
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            raise SourceError(line, f"literalinclude: no function or class {name!r}")
        body = node.body
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return textwrap.dedent("\n".join(source.splitlines()[start - 1 : node.end_lineno]))
