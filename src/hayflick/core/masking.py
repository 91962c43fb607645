"""Hide keys in text that comes from outside, in whatever form they stand there.

An endpoint knows the key that it was sent, and may repeat it: in an answer, in an error, percent-
encoded, in base64, in pieces. The search works on the letters and digits of a text alone, in lower
case, after escapes are decoded and with and without its HTML tags; so a key is found whatever
stands between its characters. What is found is replaced by "…".

A key that is an ordinary word ("ollama", "none", "1234") is a placeholder, not a secret: it is
hidden in messages, where it stands alone, but not in answers, which it would damage.
"""

from __future__ import annotations

import base64
import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote

HIDDEN = "…"

_SHORTEST_SPREAD, _SHORTEST_ENCODED = 10, 8
"""Letters and digits of a key that is also found with others between them, and of an encoding."""

_LONGEST_SEARCHED = 100_000
"""A longer text that holds a key in an unusual form is hidden as a whole."""

_SHORTEST_PIECE, _LONGEST_WORD, _SHORTEST_SECRET = 10, 16, 4
_FURTHER_PIECE = 6
"""Letters and digits of a part of a key that is hidden beside one that was found."""

_TAG = re.compile(r"<[^<>]{0,500}>")
_SEPARATORS = re.compile(r"[\W_]+")
_ESCAPE = re.compile(
    r"%u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|=[0-9A-F]{2}"
    # From the first backslash of several, so that none is looked at twice.
    r"|(?<!\\)\\++(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{3}|[abfnrtv0])"
    r"|&\#?\w{1,31};"
)
_MOST_PASSES = 4

Span: TypeAlias = tuple[int, int]
Spelling: TypeAlias = tuple[str, list[Span]]
"""Characters, and where each of them stands in the text."""


def masked(text: str, keys: Iterable[str], *, words: bool = False) -> str:
    """Return a text without keys.

    Parameters
    ----------
    text
        From outside.
    keys
        The keys to hide.
    words
        Whether keys that are ordinary words are hidden too, where they stand alone.

    Examples
    --------
    >>> masked("you sent sk-Not4Anyone", ["sk-Not4Anyone"])
    'you sent …'
    >>> masked("it is s k - n o t 4 % 6 1 nyone", ["sk-Not4anyone"])[:6]
    'it is '
    >>> masked("a test", ["test"]), masked("a test", ["test"], words=True)
    ('a test', 'a …')
    """
    for key in keys:
        if not is_placeholder(key):
            text = _without_secret(text, key)
        elif words and key:
            text = re.sub(_alone(key), HIDDEN, text)
    return text


def _without_secret(text: str, key: str) -> str:
    text = re.sub(re.escape(key), HIDDEN, text) if len(key) > _SHORTEST_SECRET else text
    text = re.sub(_alone(key), HIDDEN, text, flags=re.IGNORECASE)
    # Most texts hold no key: a plain search is fast, and knows no places.
    found = _readings_with(text, key)
    if not found:
        return text
    hidden = HIDDEN
    if len(text) <= _LONGEST_SEARCHED:
        hidden = _without(text, [span for how in found for span in _places(text, key, *how)])
    return HIDDEN if _readings_with(hidden, key) else hidden


def _readings_with(text: str, key: str) -> list[tuple[bool, bool]]:
    """Return the ways to read a text (without tags, with escapes decoded) that show the key."""
    found = []
    for stripped in (False, True) if "<" in text else (False,):
        for escapes in (True, False):
            letters = _letters(text, stripped=stripped, escapes=escapes)
            if any(form in letters for form in _forms(key)):
                found.append((stripped, escapes))
    return found


def is_placeholder(key: str) -> bool:
    """Return whether a key is an ordinary word or number, which hides nothing.

    Examples
    --------
    >>> [is_placeholder(key) for key in ("ollama", "1234", "sk-1", "hunter2", "sk-Not4Anyone")]
    [True, True, False, False, False]
    """
    word = key.isalpha() and (key.islower() or key.isupper() or key.istitle())
    return len(key) < _SHORTEST_SECRET or ((word or key.isdigit()) and len(key) < _LONGEST_WORD)


def _alone(key: str) -> str:
    return rf"(?<![^\W_]){re.escape(key)}(?![^\W_])"


@lru_cache(maxsize=64)
def _forms(key: str) -> tuple[str, ...]:
    """Return the forms of a key among letters and digits, long ones first."""
    plain = _letters(key)
    forms = {
        _letters(encoded)
        for spelt in (key, key[::-1], key.upper(), key.lower(), key.swapcase(), quote(key, safe=""))
        for encoded in _encoded(spelt)
    }
    found = {form for form in forms if len(form) >= _SHORTEST_ENCODED}
    if len(plain) >= _SHORTEST_SPREAD:
        found |= {plain, plain[::-1]}
    for whole in (plain, plain[::-1]):
        found |= set(_pieces(whole, _SHORTEST_PIECE))
    return tuple(sorted(found, key=len, reverse=True))


def _pieces(letters: str, length: int) -> list[str]:
    return [letters[start : start + length] for start in range(len(letters) - length + 1)]


def _encoded(key: str) -> Iterator[str]:
    yield codecs.encode(key, "rot13")
    for codec in ("utf-8", "utf-16-le", "utf-16-be"):
        data = key.encode(codec)
        yield data.hex()
        yield data.hex()[::-1]
        for byte in ("0x{:02x}", "{}", "{:08b}"):
            yield "".join(map(byte.format, data))
        yield base64.b85encode(data).decode()
        yield base64.a85encode(data).decode()
        yield base64.b32encode(data).decode().rstrip("=")
        for first in _in_base64(data):
            yield first
            if codec == "utf-8":
                yield from _in_base64(first.encode())


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield what base64 makes of bytes that stand at each place of a group of three."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        # The first characters, and the last one, hold bits of neighbours as well.
        inner = whole[(0, 2, 3)[before] :]
        yield inner if (len(data) + before) % 3 == 0 else inner[:-1]


def _letters(text: str, *, stripped: bool = False, escapes: bool = True) -> str:
    """Return the letters and digits of a text in lower case, after escapes were decoded."""
    for _ in range(_MOST_PASSES if escapes else 0):
        decoded = _ESCAPE.sub(lambda found: _decoded(found[0]), text)
        if decoded == text:
            break
        text = decoded
    if stripped:
        text = _TAG.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _SEPARATORS.sub("", text).casefold()


def _decoded(escape: str) -> str:
    if escape[0] == "&":
        return html.unescape(escape)
    digits = escape.lstrip("\\")
    if escape[0] == "\\" and digits[0] not in "ux":
        return chr(int(digits, 8)) if len(digits) == 3 else " "
    return _character(int(digits.lstrip("%=ux{").rstrip("}"), 16))


def _character(code: int) -> str:
    return chr(code) if code < 0x110000 else " "


def _places(text: str, key: str, stripped: bool, escapes: bool) -> Iterator[Span]:  # noqa: FBT001
    """Yield where the forms of a key stand in a text."""
    spelling: Spelling = text, [(place, place + 1) for place in range(len(text))]
    for _ in range(_MOST_PASSES if escapes else 0):
        before = spelling[0]
        spelling = _rewritten(spelling, _ESCAPE, _decoded)
        if spelling[0] == before:
            break
    if stripped:
        spelling = _rewritten(spelling, _TAG, lambda _: "")
    kept, places = [], []
    for character, place in zip(*spelling, strict=True):
        for one in unicodedata.normalize("NFKC", character).casefold():
            if one.isalnum():
                kept.append(one)
                places.append(place)
    letters = "".join(kept)
    for form in (*_forms(key), *_pieces(_letters(key), _FURTHER_PIECE)):
        start = letters.find(form)
        while start >= 0:
            yield places[start][0], places[start + len(form) - 1][1]
            start = letters.find(form, start + 1)


def _rewritten(
    spelling: Spelling, pattern: re.Pattern[str], replace: Callable[[str], str]
) -> Spelling:
    """Return a spelling in which what a pattern matches is replaced."""
    text, spans = spelling
    parts: list[str] = []
    places: list[Span] = []
    last = 0
    for found in pattern.finditer(text):
        start, end = found.span()
        new = replace(found[0])
        parts += [text[last:start], new]
        places += spans[last:start]
        places += [(spans[start][0], spans[end - 1][1])] * len(new)
        last = end
    return "".join([*parts, text[last:]]), places + spans[last:]


def _without(text: str, spans: Iterable[Span]) -> str:
    parts: list[str] = []
    last = 0
    for start, end in sorted(spans):
        if start > last or not parts:
            parts += [text[last:start], HIDDEN]
        last = max(last, end)
    return "".join([*parts, text[last:]])
