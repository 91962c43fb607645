"""Whether all answers of a stream are still made of the same voices: groups that fell silent.

A group that does not answer any more, or comes anew, changes the numbers of all answers together
by itself. What is measured then is in `hayflick.diversity.group_mix`; here it is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hayflick.core.records import Reading
from hayflick.diversity.observing import LEFT_OUT

Kind: TypeAlias = Literal["silent", "sparse", "left out", "gone", "new", "unanswered"]

_COUNTS = {"answers", "empty_answers", LEFT_OUT}
_LESS, _MUCH_LESS = 0.95, 0.9
_NAMED_SHARE = 0.05
"""Share of the rows from which on a group that is gone or new is named."""


@dataclass(frozen=True, slots=True)
class MixChange:
    """A change of what all answers together are made of.

    Parameters
    ----------
    kind
        ``silent``: rows of the group lack so many answers that all answers together have no
        reading; ``sparse``: they are measured on fewer answers of each group, at the baseline's
        mix; ``left out``: silent in most of the baseline, and in no number of all answers; ``gone``
        and ``new``: rounds without rows of a group of the baseline, or with rows of one that the
        baseline lacks, measured as they are; ``unanswered``: many more rows than in the baseline
        hold no answer, and no group says whose.
    group
        Its name; empty for ``unanswered``.
    rounds
        Names of the rounds.
    since
        Name of the round from which on that is so to the end; None if it is over.
    """

    kind: Kind
    group: str
    rounds: tuple[str, ...]
    since: str | None


def mix_changes(
    readings: Mapping[str, Sequence[Reading]], *, baseline: int
) -> tuple[MixChange, ...]:
    """Return how the mix of groups has changed.

    Parameters
    ----------
    readings
        One per round, by group; the empty name stands for all answers together.
    baseline
        Number of rounds in the baseline.

    Examples
    --------
    >>> def reading(number, answers, empty):
    ...     return Reading(number, {"answers": answers, "empty_answers": empty})
    >>> found = mix_changes({"": [reading(1, 9, 0), reading(2, 9, 3)]}, baseline=1)
    >>> [(one.kind, one.since) for one in found]
    [('unanswered', '2')]
    """
    groups = {name: series for name, series in readings.items() if name}
    whole = readings[""]
    if not groups:
        return tuple(_unanswered(whole, baseline))
    return (*_lacking(whole, groups, baseline), *_moved(whole, groups, baseline))


def is_unread(reading: Reading) -> bool:
    """Return whether a round has no reading of all answers, since groups lack answers."""
    return LEFT_OUT in reading.values and reading.values.keys() <= _COUNTS


def _rows(reading: Reading) -> float:
    return reading.values.get("answers", 0.0)


def _answered(reading: Reading) -> float:
    """Return the number of rows with an answer; a number of it, where there are only numbers."""
    if "empty_answers" in reading.values:
        return _rows(reading) - reading.values["empty_answers"]
    return _rows(reading) if len(reading.values) > 1 else 0.0


def _share(series: Sequence[Reading]) -> float:
    """Return the share of rows with an answer in the rounds that have any; 0 for none."""
    speaking = [one for one in series if _answered(one)]
    rows = sum(map(_rows, speaking))
    return sum(map(_answered, speaking)) / rows if rows else 0.0


def _unanswered(whole: Sequence[Reading], baseline: int) -> Iterator[MixChange]:
    if any("empty_answers" in one.values for one in whole):
        share = _MUCH_LESS * _share(whole[:baseline])
        short = {one.round for one in whole if _answered(one) < share * _rows(one)}
        yield from _among("unanswered", "", whole, short)


def _lacking(
    whole: Sequence[Reading], groups: Mapping[str, Sequence[Reading]], baseline: int
) -> Iterator[MixChange]:
    """Yield the groups whose answers are lacking in rounds that were not measured as they are."""
    unread = {one.round for one in whole if is_unread(one)}
    sampled = {one.round for one in whole if LEFT_OUT in one.values} - unread
    if not unread and not sampled:
        return
    for name, series in groups.items():
        known = [one for one in series[:baseline] if _rows(one)]
        if known and 2 * sum(_answered(one) > 0.0 for one in known) < len(known):
            yield from _among("left out", name, series, {one.round for one in series if _rows(one)})
            continue
        share = _LESS * _share(known)
        short = {one.round for one in series if _answered(one) < share * _rows(one)}
        yield from _among("silent", name, series, short & unread)
        yield from _among("sparse", name, series, short & sampled)


def _moved(
    whole: Sequence[Reading], groups: Mapping[str, Sequence[Reading]], baseline: int
) -> Iterator[MixChange]:
    """Yield the groups without a row to the end, and those that the baseline lacks."""
    before, last = sum(map(_rows, whole[:baseline])), _rows(whole[-1])
    for name, series in groups.items():
        known = list(map(_rows, series[:baseline]))
        if sum(known) >= _NAMED_SHARE * before and 2 * sum(map(bool, known)) >= len(known):
            silent = {one.round for one in series[baseline:] if not _rows(one)}
            found = list(_among("gone", name, series, silent))
            yield from (one for one in found if one.since is not None)
        elif not any(known) and _rows(series[-1]) >= _NAMED_SHARE * last:
            yield from _among("new", name, series, {one.round for one in series if _rows(one)})


def _among(
    kind: Kind, group: str, series: Sequence[Reading], rounds: set[int]
) -> Iterator[MixChange]:
    """Yield the change in some rounds, by their numbers; nothing for none."""
    if not rounds:
        return
    since = None
    for one in reversed(series):
        if one.round not in rounds:
            break
        since = one.name
    yield MixChange(kind, group, tuple(one.name for one in series if one.round in rounds), since)
