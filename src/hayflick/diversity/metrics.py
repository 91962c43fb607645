"""Every metric by name: its meaning, its healthy direction and what it is measured on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol, Self

from hayflick.core.errors import ArgumentError


class Summary(Protocol):
    """A mergeable summary of answers: a small frozen record.

    Summaries of parts of the answers, merged in any order and grouping, give the summary of all
    of them. `of` makes one from answers, and `empty` is the one of no answer.
    """

    def merge(self, other: Self) -> Self:
        """Return the summary of both sets of answers together.

        Raises
        ------
        DataError
            If the two cannot be merged: vectors of different dimensions, texts that were split
            in different ways.
        """

    def numbers(self) -> dict[str, float]:
        """Return the numbers of the answers by metric; what is undefined is left out."""


def defined(numbers: Mapping[str, float | None]) -> dict[str, float]:
    """Return the numbers that are not None.

    Examples
    --------
    >>> defined({"entropy": 0.5, "mean_cosine": None})
    {'entropy': 0.5}
    """
    return {name: value for name, value in numbers.items() if value is not None}


class Direction(StrEnum):
    """Which change of a metric is a loss of diversity."""

    HIGHER = "higher is healthier"
    LOWER = "lower is healthier"
    STEADY = "steady is healthy"


class Unit(StrEnum):
    """Unit of a metric."""

    SHARE = "share"
    NUMBER = "number"


class MetricSource(StrEnum):
    """What a metric is measured on."""

    VECTORS = "vectors"
    GROUPS = "vectors by group"
    TEXTS = "texts"
    BASELINE_VECTORS = "vectors and a baseline"
    BASELINE_TEXTS = "texts and a baseline"
    LIST = "texts and a must-keep list"


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that is measured on a round of answers.

    Parameters
    ----------
    name
        Its name in readings and on the command line.
    meaning
        Its meaning in a few words.
    healthy
        The healthy direction, unless the user says otherwise.
    unit
        A share from 0 to 1, or a number.
    needs
        What it is measured on.
    function
        For a metric of texts or of vectors that has a function of its own: ``module:function``.
        It is called with the answers of a round and returns a number, or None if it is undefined.
        Empty for a metric that comes from a summary of the round.
    """

    name: str
    meaning: str
    healthy: Direction
    unit: Unit
    needs: MetricSource
    function: str = ""


_UP, _DOWN, _STEADY = Direction.HIGHER, Direction.LOWER, Direction.STEADY
_SHARE, _NUMBER = Unit.SHARE, Unit.NUMBER
_VECTORS, _GROUPS, _TEXTS = MetricSource.VECTORS, MetricSource.GROUPS, MetricSource.TEXTS

METRICS: tuple[Metric, ...] = (
    Metric("spread", "mean score of disjoint pairs of answers", _UP, _SHARE, _VECTORS),
    Metric("between_prompts", "mean score of answers to different prompts", _UP, _SHARE, _VECTORS),
    Metric("effective_answers", "vendi_1 at a fixed number of answers", _UP, _NUMBER, _VECTORS),
    Metric("frobenius_norm", "root of the sum of all squared distances", _UP, _NUMBER, _VECTORS),
    Metric("rms_distance", "root mean square distance of two answers", _UP, _NUMBER, _VECTORS),
    Metric("mean_cosine", "mean cosine of two answers", _DOWN, _NUMBER, _VECTORS),
    Metric("effective_rank", "equal directions as spread as these", _UP, _NUMBER, _VECTORS),
    Metric(
        "participation_ratio", "effective_rank, small directions weigh less", _UP, _NUMBER, _VECTORS
    ),
    Metric("generalised_variance", "log det of the covariance", _UP, _NUMBER, _VECTORS),
    Metric("vendi_1", "unlike answers as diverse as these", _UP, _NUMBER, _VECTORS),
    Metric("near_duplicate_rate", "answers with a close neighbour", _DOWN, _SHARE, _VECTORS),
    Metric("within", "mean squared distance from the group's mean", _UP, _NUMBER, _GROUPS),
    Metric("between", "mean squared distance between groups' means", _UP, _NUMBER, _GROUPS),
    Metric("group_frobenius_norm", "norm of the groups' distances", _UP, _NUMBER, _GROUPS),
    Metric("noise_floor", "group_frobenius_norm if groups are alike", _STEADY, _NUMBER, _GROUPS),
    Metric("distinct_1", "different words per word", _UP, _SHARE, _TEXTS),
    Metric("distinct_2", "different pairs of words per pair", _UP, _SHARE, _TEXTS),
    Metric("distinct_3", "different triples of words per triple", _UP, _SHARE, _TEXTS),
    Metric("type_token_ratio", "distinct_1 by its older name", _UP, _SHARE, _TEXTS),
    Metric("hill_0", "different words", _UP, _NUMBER, _TEXTS),
    Metric("hill_1", "equally frequent words as diverse as these", _UP, _NUMBER, _TEXTS),
    Metric("hill_2", "hill_1, rare words weigh less", _UP, _NUMBER, _TEXTS),
    Metric("effective_words", "hill_1 at a fixed number of words", _UP, _NUMBER, _TEXTS),
    Metric("entropy", "Shannon entropy of the words, in nats", _UP, _NUMBER, _TEXTS),
    Metric(
        *("compression_ratio", "bytes per compressed byte", _DOWN, _NUMBER, _TEXTS),
        function="hayflick.diversity.repetition:compression_ratio",
    ),
    Metric("duplicate_rate", "answers that another one equals", _DOWN, _SHARE, _TEXTS),
    Metric(
        "vocabulary_kept", "baseline's words still in use", _UP, _SHARE, MetricSource.BASELINE_TEXTS
    ),
    Metric(
        "tail_mass", "share of the baseline's rare words", _UP, _SHARE, MetricSource.BASELINE_TEXTS
    ),
    Metric("retention", "share of the must-keep list in use", _UP, _SHARE, MetricSource.LIST),
    Metric("drift", "distance from the baseline", _DOWN, _NUMBER, MetricSource.BASELINE_VECTORS),
    Metric("drift_p", "p-value of no drift", _UP, _SHARE, MetricSource.BASELINE_VECTORS),
)


def measured(answers: Any, *, on: MetricSource) -> dict[str, float]:
    """Return the metrics that have a function of their own.

    Parameters
    ----------
    answers
        The texts or the vectors of a round.
    on
        Which of the two they are.

    Examples
    --------
    >>> measured(["the same answer"] * 100, on=MetricSource.TEXTS)["compression_ratio"] > 30.0
    True
    """
    found: dict[str, float | None] = {}
    for metric in METRICS:
        if metric.function and metric.needs is on:
            module, _, function = metric.function.partition(":")
            found[metric.name] = getattr(import_module(module), function)(answers)
    return defined(found)


_BY_NAME = {metric.name: metric for metric in METRICS}


def metric_named(name: str) -> Metric:
    """Return the metric of a name.

    Raises
    ------
    ArgumentError
        If there is no such metric; the message suggests the nearest names.

    Examples
    --------
    >>> metric_named("vendi_1").meaning
    'unlike answers as diverse as these'
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(name, list(_BY_NAME), n=3)
    remedy = f"did you mean {' or '.join(near)}?" if near else ""
    raise ArgumentError("metric", got=name, takes=f"one of {', '.join(_BY_NAME)}", remedy=remedy)
