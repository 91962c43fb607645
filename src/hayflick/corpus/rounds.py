"""Assign answers to rounds: in the order of numbers, of times, of numbers in names, or of the file.

Numbers and times are tried first, then names that differ in their numbers alone (``round 2`` comes
before ``round 10``, ``2nd`` before ``10th``, ``IX`` before ``X``). Names that give no order keep
that of the file, and a note says so.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import Note, translatable
from hayflick.corpus.dates import compact_moments, moments
from hayflick.corpus.instants import (
    instant,
    instants_of,
    listed_labels,
    moment_instants,
    short_label,
)
from hayflick.corpus.labels import matching_label
from hayflick.corpus.windows import MOST_PERIODS, Windows, earliest, zone_named


@dataclass(frozen=True, eq=False)
class RoundOrder:
    """The rounds of a stream.

    Parameters
    ----------
    names
        Their names, in order; round k is ``names[k - 1]``.
    places
        Number of the round of each label.
    notes
        How the order was found, and what else a reader should know of it.
    """

    names: tuple[str, ...]
    places: Mapping[str, int]
    notes: tuple[Note, ...] = ()

    def number_of(self, name: str) -> int | None:
        """Return the number of the round that a user names; None if there is no such round.

        A name counts as text first, else as a number or a date that equals a round's.

        Examples
        --------
        >>> round_order(["1.0", "2.0", "5.0"]).number_of("5")
        3
        >>> round_order(["2026/11/04", "2026/11/05"]).number_of("2026-11-05")
        2
        """
        label = matching_label(name, self.names)
        if label is not None:
            return self.names.index(label) + 1
        if name in self.places:
            return self.places[name]
        numbers = {**self.places, **{one: number for number, one in enumerate(self.names, 1)}}
        moment = _moment(name)
        if moment is None:
            return None
        return next((number for one, number in numbers.items() if _moment(one) == moment), None)


def round_order(
    labels: Sequence[str], *, every: str | None = None, time_zone: str | None = None
) -> RoundOrder:
    """Return the order of labels: numeric, chronological, by numbers in names, or that of the file.

    Parameters
    ----------
    labels
        The labels, each once, in the order of appearance.
    every
        Length of a round, if labels are times: ``1h``, ``1d``, ``1w``, ``1mo``. Periods without
        a label are rounds too. None makes each label a round.
    time_zone
        The zone in which days are counted, and which times without one are in, by its IANA name
        such as ``Asia/Tokyo``. None takes times as they stand if none names a zone, and in UTC if
        all do.

    Raises
    ------
    ArgumentError
        If `every` is not such a length, or there is no such zone.
    DataError
        If most labels are numbers or times but a few are not, or if some are not times although
        `every` or `time_zone` is given; if day and month cannot be told apart, a year has two
        digits or is out of range, or some times name a zone and others do not.

    Examples
    --------
    >>> round_order(["10", "9"]).names
    ('9', '10')
    >>> round_order(["round 10", "round 9"]).names
    ('round 9', 'round 10')
    >>> round_order(["20 Nov 2026", "3 Nov 2026"]).names
    ('3 Nov 2026', '20 Nov 2026')
    >>> round_order(["2026-11-03", "2026-11-01T08:00"], every="1d").names
    ('2026-11-01', '2026-11-02', '2026-11-03')
    """
    if every is not None or time_zone is not None:
        zone = None if time_zone is None else zone_named(time_zone)
        instants, notes = instants_of(pl.Series(labels, dtype=pl.String), zone)
        if every is not None:
            return _periods(labels, instants, notes, every, zone)
        return _chronological(labels, instants, notes)
    return _by_numbers(labels) or _by_times(labels) or _by_names(labels) or _by_appearance(labels)


def _by_numbers(labels: Sequence[str]) -> RoundOrder | None:
    """Return the order of labels as numbers; None if most are none, or they are months."""
    if all(map(_MONTH.fullmatch, labels)):
        return None
    keys = [_number(label) for label in labels]
    if None in keys:
        keys = _with_separators(labels)
    if not _are_all("number", labels, keys):
        return None
    days = compact_moments(labels)
    if days is not None:
        return _chronological(labels, *moment_instants(labels, days))
    _refuse_versions(labels)
    message = translatable(
        "the rounds are in the order of their numbers: the first is {first}, the last {last}"
    )
    return _sorted(labels, keys, message)


# Months that are written as numbers with a point, not tenths: 2026.10, 10.2026.
_MONTH = re.compile(r"(?:19|2[01])\d\d\.(?:1[0-2]|0?[1-9])|(?:1[0-2]|0?[1-9])\.(?:19|2[01])\d\d")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d{1,3}(?:\.\d+)?")
_COMMA = re.compile(r"[+-]?\d+(?:,\d+)?")


def _with_separators(labels: Sequence[str]) -> list[Decimal | None]:
    """Return numbers that are written as 1,000 or 0,5; None where a label is no number."""
    if all(map(_GROUPED.fullmatch, labels)):
        return [_number(label.replace(",", "")) for label in labels]
    if all(map(_COMMA.fullmatch, labels)):
        return [_number(label.replace(",", ".")) for label in labels]
    return [_number(label) for label in labels]


def _refuse_versions(labels: Sequence[str]) -> None:
    """Refuse labels such as 1.9 and 1.10, which are versions as likely as numbers."""
    parts = [re.fullmatch(r"(\d+)\.(\d+)", label.strip()) for label in labels]
    found = [one for one in parts if one is not None]
    widths = {len(one[2]) for one in found}
    hit = next((one[0] for one in found if len(one[2]) > 1 and one[2].endswith("0")), None)
    if hit is None or len(widths) == 1 or len(found) < len(labels):
        return
    versions = sorted(labels, key=lambda label: tuple(map(int, label.split("."))))
    if versions != sorted(labels, key=Decimal) or len(set(map(Decimal, labels))) < len(labels):
        number = Decimal(hit).normalize()
        raise DataError(
            f"by: {hit!r} is the number {number:f}, or a version that comes after"
            f" {versions[max(0, versions.index(hit) - 1)]!r}; write v{hit} for a version,"
            f" {number:f} for a number"
        )


def _by_times(labels: Sequence[str]) -> RoundOrder | None:
    found = moments(labels)
    if not _are_all("time", labels, found):
        return None
    known = [moment for moment in found if moment is not None]
    return _chronological(labels, *moment_instants(labels, known))


def _are_all(kind: str, labels: Sequence[str], keys: Sequence[object]) -> bool:
    """Return whether all labels have a key; a few that lack one are refused."""
    others = [label for label, key in zip(labels, keys, strict=True) if key is None]
    if others and 2 * len(others) < len(labels):
        # One odd label would put all rounds in the order of appearance.
        remedy = "fix or remove these rows"
        raise DataError(f"by: is no {kind}, as most rounds are: {listed_labels(others)}; {remedy}")
    return not others


def _sorted(labels: Sequence[str], keys: Sequence[Any], message: str) -> RoundOrder:
    """Return the order of labels by their keys; labels with equal keys are one round."""
    pairs = sorted(zip(keys, labels, strict=True), key=lambda pair: pair[0])
    names: list[str] = []
    places: dict[str, int] = {}
    merged: list[str] = []
    for _, same in itertools.groupby(pairs, key=lambda pair: pair[0]):
        together = [label for _, label in same]
        names.append(together[0])
        places |= dict.fromkeys(together, len(names))
        if len(together) > 1:
            merged.append(listed_labels(together, most=3))
    spelled = translatable("one round is spelled in several ways: {labels}")
    notes = [_order_note(message, names)]
    notes += [Note(spelled, labels=spellings) for spellings in merged[:_MOST_NOTES]]
    if len(merged) > _MOST_NOTES:
        more = len(merged) - _MOST_NOTES
        notes.append(Note("further rounds that are spelled in several ways: {number}", number=more))
    return RoundOrder(tuple(names), places, tuple(notes))


_MOST_NOTES = 3


def _order_note(message: str, names: Sequence[str]) -> Note:
    return Note(message, first=short_label(names[0]), last=short_label(names[-1]))


def _by_appearance(labels: Sequence[str]) -> RoundOrder:
    message = translatable(
        "the names of the rounds give no order, so they are in that of the file: the first is "
        "{first}, the last {last}; number the rounds if that is wrong"
    )
    places = {label: place for place, label in enumerate(labels, 1)}
    notes = (_order_note(message, labels),) if len(labels) > 1 else ()
    return RoundOrder(tuple(labels), places, notes)


_DIGITS = re.compile(r"(\d+)")
_KANJI = re.compile(r"([〇零一二三四五六七八九十百千]+)")
# Words of their own, also beside an underscore: round_ii.
_BEGIN, _END = r"(?<![^\W_])", r"(?![^\W_])"
_ROMAN = re.compile(
    rf"{_BEGIN}(?=[ivxlc])(c{{0,3}}(?:xc|xl|l?x{{0,3}})(?:ix|iv|v?i{{0,3}}))(?<=[ivxlc]){_END}"
)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|ère|e|ème)\b")
_CARDINALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen twenty"
)
_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
    " thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_NUMERALS = {
    word: place for words in (_CARDINALS, _ORDINALS) for place, word in enumerate(words.split())
}
_WORDS = re.compile(rf"{_BEGIN}({'|'.join(_NUMERALS)}){_END}")


@dataclass(frozen=True)
class _Name:
    """A label as texts with numbers between them."""

    label: str
    texts: tuple[str, ...]
    numbers: tuple[str, ...]

    @classmethod
    def of(cls, label: str, pattern: re.Pattern[str]) -> _Name:
        plain = _plain(label)
        pieces = pattern.split(" ".join(plain.split()))
        return cls(label, tuple(pieces[::2]), tuple(pieces[1::2]))

    @property
    def key(self) -> tuple[Decimal, ...]:
        return tuple(_whole(number) for number in self.numbers)

    @property
    def decimal_key(self) -> tuple[Decimal, ...]:
        """The numbers, two with a point between them taken as one: 0.25."""
        runs = [[self.numbers[0]]]
        for gap, number in zip(self.texts[1:-1], self.numbers[1:], strict=True):
            if gap == ".":
                runs[-1].append(number)
            else:
                runs.append([number])
        joined = ([".".join(run)] if len(run) == 2 else run for run in runs)
        return tuple(map(Decimal, itertools.chain.from_iterable(joined)))

    @property
    def fractions(self) -> list[str]:
        """The numbers after a point."""
        gaps = zip(self.texts[1:-1], self.numbers[1:], strict=True)
        return [number for gap, number in gaps if gap == "."]


def _plain(label: str) -> str:
    return unicodedata.normalize("NFKC", label).casefold()


_KANJI_DIGITS = {one: place % 10 for place, one in enumerate("〇一二三四五六七八九")} | {"零": 0}
_KANJI_UNITS = {"十": 10, "百": 100, "千": 1000}


def _whole(number: str) -> Decimal:
    """Return a number in digits, in kanji below 10,000 (十, 二十一, 一〇), in words or Roman."""
    if number.isdecimal():
        return Decimal(number)
    if number in _NUMERALS:
        return Decimal(_NUMERALS[number])
    if number.isascii():
        return Decimal(_roman(number))
    total = digit = 0
    seen = False
    for sign in number:
        if sign in _KANJI_UNITS:
            total += (digit if seen else 1) * _KANJI_UNITS[sign]
            digit, seen = 0, False
        else:
            digit, seen = 10 * digit + _KANJI_DIGITS[sign], True
    return Decimal(total + digit)


def _roman(number: str) -> int:
    values = [_ROMAN_DIGITS[one] for one in number]
    pairs = itertools.zip_longest(values, values[1:], fillvalue=0)
    return sum(-one if one < following else one for one, following in pairs)


_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


def _by_names(labels: Sequence[str]) -> RoundOrder | None:
    """Return the order of names by the numbers in them; None if they differ in other ways too."""
    bare = [_ORDINAL.sub("", _plain(label)) for label in labels]
    # 1st, 2nd, 3rd: of numbers some of which are no ordinals, "1e" is another name than "1".
    ordinal = all(one != _plain(label) for one, label in zip(bare, labels, strict=True))
    message = translatable(
        "the rounds are in the order of the numbers in their names: the first is {first}, the "
        "last {last}"
    )
    for pattern in (_DIGITS, _KANJI, _WORDS, _ROMAN):
        names = [_Name.of(label, pattern) for label in labels]
        if ordinal and pattern is _DIGITS:
            names = [
                replace(_Name.of(one, pattern), label=label)
                for one, label in zip(bare, labels, strict=True)
            ]
        if names[0].numbers and len({name.texts for name in names}) == 1:
            keys = [name.key for name in names]
            if pattern is _DIGITS:
                _refuse_decimals(names)
            return _sorted(labels, keys, message)
    _refuse_out_of_order([_Name.of(label, _DIGITS) for label in labels])
    return None


_VERSION = re.compile(r"\b(?:v(?:er(?:sion)?)?|rel(?:ease)?)[. _-]?$")


def _refuse_decimals(names: Sequence[_Name]) -> None:
    """Refuse names such as "t = 0.25" and "t = 0.5" whose order depends on what the point is."""
    fractions = [number for name in names for number in name.fractions]
    # No decimal ends in a zero where others have fewer digits: 1.9, 1.10.
    if any(one.endswith("0") and len(one) > 1 for one in fractions):
        return
    if not fractions or _VERSION.search(names[0].texts[0]):
        return
    versions = sorted(names, key=lambda name: name.key)
    decimals = sorted(names, key=lambda name: name.decimal_key)
    for version, decimal in zip(versions, decimals, strict=True):
        if version is not decimal:
            raise DataError(
                f"by: {version.label!r} comes before {decimal.label!r} if they are versions, and"
                " after it if they are decimals; write versions as v1.9, decimals with as many"
                " digits (0.25, 0.50)"
            )


def _refuse_out_of_order(names: Sequence[_Name]) -> None:
    """Refuse names most of which are numbered, in another order than the file's."""
    texts, number = Counter(name.texts for name in names).most_common(1)[0]
    alike = [name for name in names if name.texts == texts and name.numbers]
    if 2 * number <= len(names):
        return
    for one, following in itertools.pairwise(alike):
        if one.key > following.key:
            others = [name.label for name in names if name.texts != texts]
            raise DataError(
                f"by: {one.label!r} comes before {following.label!r} in the file, and"
                f" {listed_labels(others, most=3)} cannot be put between them; number all rounds,"
                " or remove the rows of the others"
            )


_IN_TIME = translatable(
    "the rounds are in the order of time: the first is {first}, the last {last}"
)


def _chronological(labels: Sequence[str], instants: pl.Series, notes: list[Note]) -> RoundOrder:
    order = _sorted(labels, instants.to_list(), _IN_TIME)
    return replace(order, notes=(*order.notes, *notes))


def _periods(
    labels: Sequence[str], instants: pl.Series, notes: list[Note], every: str, zone: ZoneInfo | None
) -> RoundOrder:
    windows = Windows(every, zone, earliest(instants))
    starts = windows.starts_of(instants)
    occupied = starts.unique().sort()
    first, last = occupied[0], occupied[-1]
    if (last - first) / windows.shortest > MOST_PERIODS:
        takes = f"a length that gives at most {MOST_PERIODS:,} rounds"
        raise ArgumentError("every", got=every, takes=takes)
    begun = windows.between(first, last)
    names = tuple(map(windows.name, begun))
    numbers = starts.replace_strict(begun, range(1, len(begun) + 1), return_dtype=pl.Int64)
    order = _order_note(_IN_TIME, names)
    empty = len(names) - len(occupied)
    if empty:
        gaps = Note("{empty} of {rounds} rounds have no answer", empty=empty, rounds=len(names))
        notes = [*notes, gaps]
    places = dict(zip(labels, numbers.to_list(), strict=True))
    return RoundOrder(names, places, (order, *notes))


def _number(label: str) -> Decimal | None:
    """Return the exact number that a label spells."""
    try:
        number = Decimal(label.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(label: str) -> datetime | None:
    """Return the moment that a label spells, in UTC if it names a zone."""
    try:
        moment = moments([label])[0]
    except DataError:
        return None
    return None if moment is None else instant(moment)
