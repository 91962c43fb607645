"""The text of HTML and Markdown files: what a reader of the page sees.

Left out are tags with their attributes (also the targets of links and the descriptions of
pictures), comments, scripts, styles, the title, which is not on the page, readings above
characters (``<rt>``), and in Markdown the front matter and the language of a block of code. Code is
text. Block elements and line breaks separate words; ``<b>``, ``<a>`` or ``<span>`` do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from typing_extensions import override

from hayflick.core.errors import DataError

_LONGEST_TAG = 1 << 26
_MARKDOWN_AT_ONCE = 1 << 20
_INLINE = frozenset(
    (
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn"),
        *("em", "font", "i", "ins", "kbd", "label", "mark", "nobr", "output", "q", "rb", "ruby"),
        *("s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u"),
        *("var", "wbr"),
    )
)
_UNSEEN = frozenset(
    (
        *("script", "style", "title", "template", "noscript", "noembed", "noframes", "iframe"),
        *("rt", "rp"),
    )
)
# The body of a page ends a title that has no end of its own.
_ENDS_UNSEEN = frozenset(("body", "html", "head"))
_RUBY = frozenset(("rt", "rp"))


class _Page(HTMLParser):
    """Collects the text of a page as it is parsed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[str] = []
        self._unseen: list[str] = []
        self._begun = self._new_line = False

    def taken(self) -> str:
        """Return the text found since the last call."""
        found, self._found = "".join(self._found), []
        return found

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ENDS_UNSEEN:
            self._unseen.clear()
        if tag in _RUBY:
            self._leave_ruby()
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag not in _INLINE:
            self._new_line = True

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE and tag not in _UNSEEN:
            self._new_line = True

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in ("ruby", "rb"):
            self._leave_ruby()
        if tag in _ENDS_UNSEEN:
            self._unseen.clear()
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag not in _INLINE:
            self._new_line = True

    def _leave_ruby(self) -> None:
        self._unseen = [tag for tag in self._unseen if tag not in _RUBY]

    @override
    def handle_data(self, data: str) -> None:
        # Blanks between elements are no text, and there are no empty lines.
        if self._unseen or ((self._new_line or not self._begun) and not data.strip()):
            return
        if self._new_line and self._begun:
            self._found.append("\n")
        self._found.append(data)
        self._begun, self._new_line = True, False


# A tag or a comment that the end of the page cuts; a browser leaves it out too.
_UNENDED = re.compile(r"<[/!?a-zA-Z]")


def html_text(texts: Iterable[str], *, name: str = "text") -> Iterator[str]:
    r"""Yield the text of HTML that comes in pieces.

    Parameters
    ----------
    texts
        The page, cut anywhere.
    name
        Name of the page in messages.

    Raises
    ------
    DataError
        If a tag or comment is longer than 64 MB.

    Examples
    --------
    >>> "".join(html_text(["<p>Fish &am", "p; <b>ch</b>ips<br>to", " go<script>x()</script></p>"]))
    'Fish & chips\nto go'
    """
    page = _Page()
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        # What the parser holds is parsed again each time: only once it has doubled.
        if size < len(page.rawdata):
            continue
        page.feed("".join(waiting))
        waiting, size = [], 0
        if len(page.rawdata) > _LONGEST_TAG:
            raise DataError(f"{name}: a tag or comment is longer than 64 MB; check that it is HTML")
        if found := page.taken():
            yield found
    page.feed("".join(waiting))
    if _UNENDED.match(page.rawdata):
        page.rawdata = ""
    page.close()
    if found := page.taken():
        yield found


_FRONT_MATTER = re.compile(
    r"\ufeff?(---|\+\+\+)[ \t]*\r?\n(?:.*\r?\n)*?(?:\1|\.\.\.)[ \t]*(?:\r?\n|$)"
)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def markdown_text(texts: Iterable[str]) -> Iterator[str]:
    r"""Yield the text of Markdown that comes in pieces; HTML inside it is read as such.

    Examples
    --------
    >>> "".join(markdown_text(["# Fi", "sh\n\n*ch*ips and [peas](x.html)"])).split()
    ['Fish', 'chips', 'and', 'peas']
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for number, part in enumerate(_parts(texts)):
        if number == 0:
            front = _FRONT_MATTER.match(part)
            part = part[front.end() :] if front else part
        if number:
            yield "\n"
        yield from html_text([parser.render(part)])


def _parts(texts: Iterable[str]) -> Iterator[str]:
    """Yield Markdown in parts of about a million characters, cut between paragraphs."""
    rest = ""
    for text in texts:
        rest += text
        while len(rest) > _MARKDOWN_AT_ONCE:
            cut = _cut(rest)
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def _cut(text: str) -> int:
    """Return the last place after an empty line that is not inside a block of code."""
    head = text[:_MARKDOWN_AT_ONCE]
    fences = [found.start() for found in _FENCE.finditer(head)]
    outside = len(head) if len(fences) % 2 == 0 else fences[-1]
    blank = head.rfind("\n\n", 0, outside)
    line = head.rfind("\n")
    return blank + 2 if blank > 0 else line + 1 if line > 0 else len(head)
