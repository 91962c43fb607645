"""Which tool wrote a log, and where the texts and times are in one that no preset describes."""

from __future__ import annotations

import difflib
import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Any

from hayflick.core.display_text import display_text
from hayflick.core.errors import DataError, listed
from hayflick.corpus.dates import moments
from hayflick.corpus.labels import json_inside, label_of
from hayflick.corpus.logs.preset import LogPreset, presets
from hayflick.corpus.paths import FieldPath, attributes_of

_MOST_PATHS = 8
_DEEPEST, _MOST_PLACES, _MOST_SHOWN, _LONGEST_EXCERPT = 12, 400, 5, 60


def recognised(lines: Sequence[Mapping[str, Any]]) -> LogPreset | None:
    """Return the preset of the tool that wrote most of some lines; None if that is not clear.

    Examples
    --------
    >>> call = {"startTime": 1.7e9, "messages": [], "response": {"choices": []}}
    >>> recognised([call]).name, recognised([{"round": "1", "answer": "Yes"}])
    ('litellm', None)
    """
    found = _candidates(lines)
    return found[0].afresh() if len(found) == 1 else None


def _candidates(lines: Sequence[Mapping[str, Any]]) -> list[LogPreset]:
    """Return the presets that recognise most lines, the special instead of the general."""
    found = [
        preset
        for preset in presets().values()
        if 2 * sum(map(preset.recognises, lines)) > len(lines)
    ]
    beaten = {name for preset in found for name in preset.over}
    return [preset for preset in found if preset.name not in beaten]


def advice(
    lines: Sequence[Mapping[str, Any]],
    *,
    name: str,
    arguments: Sequence[str] | None = None,
    times_more: float = 1.0,
) -> str:
    """Return where the texts and the times of an unknown table are, and a command to copy.

    Parameters
    ----------
    lines
        Its first records.
    name
        What to call the table.
    arguments
        The words that name it on a command line; None for its name, none for one in memory.
    times_more
        About how many times as many records the table has.

    Examples
    --------
    >>> reply = {"choices": [{"message": {"content": "The river is high today."}}]}
    >>> print(advice([{"id": 7, "response": reply, "created": 1790086400}], name="app.jsonl"))
    app.jsonl: this is not a log that hayflick recognises. Texts are at
      response.choices[0].message.content  "The river is high today."
    and times at
      created  1790086400
    Say what to read:
      hayflick watch app.jsonl --text 'response.choices[0].message.content' --by created --every 1d
    """
    several = [preset.name for preset in _candidates(lines)]
    if len(several) > 1:
        choices = " or ".join(f"--log {one}" for one in several)
        return f"{name}: this can be the log of several tools; say which: {choices}"
    places = _places(lines)
    texts, times = _text_places(places, len(lines)), _time_places(places)
    if not texts:
        return f"{name}: no column, and no path into one, holds sentences; name one with --text"
    said = [f"{name}: this is not a log that hayflick recognises. Texts are at"]
    said += [f'  {place.path}  "{_excerpt(place.texts)}"' for place in texts[:_MOST_SHOWN]]
    words = ["hayflick", "watch", *((name,) if arguments is None else arguments)]
    words += ["--text", texts[0].path]
    if times:
        said.append("and times at")
        said += [f"  {place.path}  {display_text(place.texts[0])}" for place in times[:_MOST_SHOWN]]
        words += ["--by", times[0].path, "--every", _every(times[0], times_more)]
    else:
        words += [word for place in _round_places(places)[:1] for word in ("--by", place.path)]
    if arguments is not None and not arguments:
        named = zip(words[2::2], words[3::2], strict=True)
        shown = ", ".join(f"{option.removeprefix('--')}={value!r}" for option, value in named)
        return "\n".join([*said, "Say what to read:", f"  hf.watch(table, {shown})"])
    known = [preset for preset in presets().values() if any(map(preset.recognises, lines))]
    said += [f"Some records are as {one.title} writes them (--log {one.name})." for one in known]
    command = " ".join(map(_shell_word, words))
    return "\n".join([*said, "Say what to read:", f"  {command}"])


def _shell_word(word: str) -> str:
    """Return a word as a shell takes it; one with unprintable characters can be copied, too."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_shell_letter, word))}'"


def _shell_letter(letter: str) -> str:
    if letter.isprintable():
        return f"\\{letter}" if letter in "\\'" else letter
    # Bytes of a file's name that are no text are kept as halves of letters.
    errors = "surrogateescape" if "\udc80" <= letter <= "\udcff" else "replace"
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", errors))


_LENGTHS = {"1d": 86_400, "6h": 21_600, "1h": 3_600, "10m": 600, "1m": 60}
_LEAST_ROUNDS = 12
"""Rounds of a baseline, and two to judge."""


def _every(place: _Place, times_more: float) -> str:
    """Return the longest length that cuts about enough rounds; a day where no one knows."""
    try:
        times = [one.wall for one in moments(place.texts, digits=True) if one is not None]
    except DataError:
        return "1d"
    span = (max(times) - min(times)).total_seconds() if times else 0.0
    if span <= 0:
        return "1d"
    enough = (
        length
        for length, seconds in _LENGTHS.items()
        if span * times_more >= _LEAST_ROUNDS * seconds
    )
    return next(enough, "1m")


def instead_of(name: str, lines: Sequence[Mapping[str, Any]]) -> str:
    """Return what to say where no line has a column: a name like it, or the paths that there are.

    Examples
    --------
    >>> lines = [{"round": 1, "reply": {"text": "The river is high today."}}]
    >>> instead_of("reply.txt", lines), instead_of("answer", lines)
    ("did you mean 'reply.text'?", "it has: 'reply.text', 'round'")
    """
    places = _places(lines)
    texts = [place.path for place in _text_places(places, len(lines))]
    paths = list(dict.fromkeys([*texts, *(place.path for place in places)]))
    near = [
        one for some in (texts, paths) for one in difflib.get_close_matches(name, some, cutoff=0.7)
    ]
    if near:
        return f"did you mean {near[0]!r}?"
    return f"it has: {listed(paths, most=_MOST_PATHS)}" if paths else "it has no text and no number"


def _excerpt(texts: Sequence[str]) -> str:
    """Return the beginning of the longest text."""
    longest = " ".join(max(texts, key=len)[: 4 * _LONGEST_EXCERPT].split())
    cut = longest if len(longest) <= _LONGEST_EXCERPT else f"{longest[:_LONGEST_EXCERPT]}…"
    return display_text(cut)


@dataclass
class _Place:
    """A path that leads to cells, and what they hold."""

    path: str
    steps: tuple[str | int, ...]
    texts: list[str] = field(default_factory=list)
    has_numbers: bool = False


def _places(lines: Sequence[Mapping[str, Any]]) -> list[_Place]:
    """Return all paths that lead to texts and numbers in some records."""
    found: dict[tuple[str | int, ...], _Place] = {}
    for line in lines:
        for steps, cell in _leaves(line, ()):
            if steps not in found:
                path = _written(steps)
                if len(found) >= _MOST_PLACES or not FieldPath(path).cells(line):
                    continue
                found[steps] = _Place(path, steps)
            place = found[steps]
            place.texts.append(label_of(cell) or "")
            place.has_numbers |= not isinstance(cell, str)
    return list(found.values())


def _leaves(
    value: Any, steps: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the texts and numbers inside a value with the way to them.

    Of a list these are the first item and, as in a conversation, the last.
    """
    inside = json_inside(value) if isinstance(value, str) and steps else None
    value = value if inside is None else inside
    if isinstance(value, (list, tuple)):
        pairs = attributes_of(value)
        if pairs is None:
            ends = {0: value[0], -1: value[-1]} if len(value) > 1 else dict(enumerate(value))
            value = ends
        else:
            value = pairs
    if isinstance(value, Mapping):
        if len(steps) < _DEEPEST:
            for name, inner in value.items():
                yield from _leaves(inner, (*steps, name))
    elif isinstance(value, (str, int, float, date)) and not isinstance(value, bool) and value != "":
        yield steps, value


_PLAIN_NAME = re.compile(r"[^.\[\]*\"\\]+")


def _written(steps: tuple[str | int, ...]) -> str:
    """Return a path as a user writes it."""
    if len(steps) == 1:
        return str(steps[0])
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif all(map(_PLAIN_NAME.fullmatch, step.split("."))):
            path += f".{step}" if path else step
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            path += f'["{quoted}"]'
    return path


_ASKED = re.compile(
    r"prompt|input|question|request|system|user|query|instruction|context"
    r"|history|document|tool|error|exception|traceback|schema",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"response|output|answer|completion|choice|reply|generat|assistant|candidate|result|prediction"
    r"|答|回复|응답",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]")
_ADDRESS = re.compile(r"\S*://\S*")
_NO_SENTENCE = re.compile(r"[\w.+/=:@-]+|[\d\s.,:;+/TZ-]+")


def _text_places(places: Sequence[_Place], lines: int) -> list[_Place]:
    """Return the places of sentences: those of answers first, then the longest.

    Without sentences these are other texts whose names say that they are answers.
    """
    found = []
    for place in places:
        natural = [text for text in place.texts if _is_natural(text)]
        if natural and 2 * len(natural) >= len(place.texts) and not place.has_numbers:
            is_rare = 2 * len(place.texts) < lines
            found.append((_kind(place), is_rare, -median(map(len, natural)), place))
    if not found:
        return [place for place in places if _kind(place) == 0 and not place.has_numbers]
    return [place for *_, place in sorted(found, key=lambda one: one[:3])]


def _is_natural(text: str) -> bool:
    """Return whether a text can be a sentence: several words, or as many letters without blanks."""
    shown = _ADDRESS.sub("", text).strip()
    if _NO_SENTENCE.fullmatch(shown) and shown.isascii():
        return False
    letters = len(_LETTERS.findall(shown[:2000]))
    several = len(shown.split()) >= 3 or (not shown.isascii() and letters >= 6)
    return several and 2 * letters >= len(shown[:2000])


def _kind(place: _Place) -> int:
    """Return 0 for a place whose name says that it is an answer, 2 for one of a prompt, else 1."""
    names = [one for one in place.steps if isinstance(one, str)]
    if place.steps[-2:-1] == (0,) and re.search("message|conversation|turn", str(names[:-1])):
        # A conversation begins with what was asked.
        return 2 if not _ANSWERED.search(".".join(names)) else 0
    for name in reversed(names):
        if _ANSWERED.search(name):
            return 0
        if _ASKED.fullmatch(name) or _ASKED.match(name):
            return 2
    return 1


_TIME_NAME = re.compile(r"time|date|created|start|\bts\b|_at$|At$|when|day|[日时時]", re.IGNORECASE)
_ROUND_NAME = re.compile(
    r"rounds?|step|iteration|generation|epoch|batch|week|day|version|release|run", re.IGNORECASE
)
_UPDATED = re.compile(r"updat|modif|delet|expir|end", re.IGNORECASE)
_SECONDS = (946_684_800, 4_102_444_800)
"""The years 2000 to 2100 as seconds since 1970."""


def _time_places(places: Sequence[_Place]) -> list[_Place]:
    """Return the places of times: those whose names say so first, then those nearest to the top."""
    found = [place for place in places if all(map(_is_time, place.texts[:20]))]
    distinct = [place for place in found if _named(place) or not _is_constant(place)]
    return sorted(
        distinct, key=lambda one: (_is_constant(one), not _named(one), _late(one), len(one.steps))
    )


def _is_constant(place: _Place) -> bool:
    """Return whether all of several records have the same."""
    return len(place.texts) > 1 and len(set(place.texts)) == 1


def _round_places(places: Sequence[_Place]) -> list[_Place]:
    """Return the places of rounds that are no times."""
    named = [place for place in places if _ROUND_NAME.fullmatch(str(place.steps[-1]))]
    return sorted(named, key=lambda one: len(one.steps))


def _named(place: _Place) -> bool:
    return _TIME_NAME.search(str(place.steps[-1])) is not None


def _late(place: _Place) -> bool:
    return _UPDATED.search(str(place.steps[-1])) is not None


def _is_time(text: str) -> bool:
    """Return whether a text is a date, or a time since 1970 in seconds or parts of them."""
    if len(text) > 64:
        return False
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        number = float(text)
        return math.isfinite(number) and any(
            _SECONDS[0] <= number / unit <= _SECONDS[1] for unit in (1, 1e3, 1e6, 1e9)
        )
    try:
        return moments([text])[0] is not None and any(map(str.isdigit, text))
    except DataError:
        return False
