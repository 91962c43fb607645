r"""How text that a user gave is shown: in a chart, on a page, in a table and on the terminal.

A label may hold anything: signs that move the cursor of a terminal, that no XML file may hold, that
turn the text around them from right to left, or a million letters. JSON keeps it whole; whatever is
made for a person to read shows what `display_text` returns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST_NAME, LONGEST_VALUE, LONGEST_TEXT = 80, 1000, 2000
"""Characters shown of a name in a chart, of a value in a sentence, and of a text of its own."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_FIRST_STRONG, _POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_PLANES = "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 17 << 16, 1 << 16)
)
# Controls, line and paragraph separators, bidirectional embeddings and overrides, deprecated and
# interlinear format characters, lone surrogates, noncharacters.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u206a-\u206f\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef"
    f"{_PLANES}]"
)
# What takes no room of its own; much of it is needed within words and emoji.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2069\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ISOLATES = re.compile("[\u2066-\u2069]")
_ISOLATED = re.compile("[\u2066-\u2068][^\u2066-\u2069]*\u2069")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def display_text(text: str, *, longest: int = 200, isolated: bool = True) -> str:
    r"""Return a text that is safe to show, and can be told from what stands around it.

    Control characters, line separators, bidirectional overrides, lone surrogates and noncharacters
    are replaced; so are invisible characters if there is nothing else. A second pass changes
    nothing.

    Parameters
    ----------
    text
        Any text.
    longest
        How many characters are shown; a longer text is cut in the middle.
    isolated
        Whether a text that runs from right to left is isolated from what stands around it, with
        U+2068 and U+2069.

    Examples
    --------
    >>> display_text("a\x1b[31mb\nc"), display_text("\u200b"), display_text("abcdefgh", longest=5)
    ('a�[31mb�c', '�', 'ab…gh')
    >>> ascii(display_text("\u05d0\u202e"))
    "'\\u2068\\u05d0\\ufffd\\u2069'"
    """
    if text.isascii() and text.isprintable() and len(text) <= longest:
        return text
    shown = _UNSAFE.sub(REPLACEMENT, _cut(text, longest))
    if not _INVISIBLE.sub("", shown):
        return REPLACEMENT * len(shown)
    shown = _balanced(shown)
    if isolated and _RIGHT_TO_LEFT.search(_outside_isolates(shown)):
        return f"{_FIRST_STRONG}{shown}{_POP}"
    return shown


def distinct_names(names: Iterable[str], *, longest: int = LONGEST_NAME) -> list[str]:
    r"""Return how names are shown side by side: different names never look the same.

    Parameters
    ----------
    names
        The names; one that occurs twice is shown the same both times.
    longest
        How many characters are shown of each.

    Examples
    --------
    >>> distinct_names(["a", "b\x00", "b\x01", "a\u200b", "a"])
    ['a', 'b�', '(2) b�', '(2) a\u200b', 'a']
    """
    shown: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        if name in shown:
            continue
        plain, number = display_text(name, longest=longest, isolated=False), 2
        unique = plain
        while _looks(unique) in taken:
            unique, number = f"({number}) {plain}", number + 1
        taken.add(_looks(unique))
        shown[name] = unique
    return [shown[name] for name in names]


def _looks(name: str) -> str:
    """Return what can be told apart of a name by eye."""
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", name)).split())


def _cut(name: str, longest: int) -> str:
    # What isolates a part does not count, or a second pass would cut again.
    if len(name) - len(_ISOLATES.findall(name)) <= longest:
        return name
    tail = (longest - 1) // 2
    return f"{name[: longest - 1 - tail]}…{name[len(name) - tail :]}"


def _balanced(text: str) -> str:
    """Return a text in which every isolate ends, and nothing ends that did not begin in it."""
    if not _ISOLATES.search(text):
        return text
    depth, parts = 0, []
    for sign in text:
        depth += (sign in "\u2066\u2067\u2068") - (sign == _POP)
        parts.append(REPLACEMENT if depth < 0 else sign)
        depth = max(depth, 0)
    return "".join(parts) + _POP * depth


def _outside_isolates(text: str) -> str:
    previous = None
    while text != previous:
        previous, text = text, _ISOLATED.sub("", text)
    return text
