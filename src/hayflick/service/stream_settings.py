"""How a stream is cut into rounds, measured, charted and kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hayflick.core.errors import ArgumentError
from hayflick.corpus.windows import shortest_length, zone_named
from hayflick.detection.evidence import FALSE_ALARMS

Kind = Literal["answers", "vectors", "counts", "values"]
"""What the items of a stream hold."""


Line: TypeAlias = Annotated[str, Field(max_length=500)]
"""Text of a bounded length."""

MOST_VALUES = 100
"""Numbers of an item, and of a stream: each has charts of its own, also in every group."""

_MOST_CHARTS, _MOST_WORDS = 200, 1000


class StreamSettings(BaseModel):
    """The settings of a stream; those of measuring are the arguments of `hayflick.watch`.

    Parameters
    ----------
    every
        A round: so many answers (a number), or a window of time (``15m``, ``1h``, ``1d``, ``1w``).
    time_zone
        The zone in which windows begin, by its IANA name.
    grace_s
        Seconds after its end in which a window still takes answers.
    baseline, charts, false_alarms, form, embedder, tokenizer, must_keep, metrics, seed
        See `hayflick.watch`.
    values
        Names of the numbers that items carry.
    rules
        Name of the project's rule file that decides about the readings; None for none.
    silent_after
        Rounds' lengths without an answer after which the stream is called silent, of a window of
        time; hours of a number of answers. 0 for never.
    review
        Answers of every round that people are asked to check.
    keep_text
        Whether texts are kept after they were measured.
    keep_days
        Days that answers are kept; their readings stay.
    keep_sample
        Share of the answers whose text is kept after they were measured.
    most_groups
        Groups that the stream may have.
    capacity
        Answers of a round that are stored at most: of a larger one a random sample is, with exact
        totals. None to store all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: Annotated[int, Field(ge=2, le=1_000_000)] | Line = "1h"
    time_zone: Line = "UTC"
    grace_s: Annotated[float, Field(ge=0.0, le=604_800.0)] = 60.0
    baseline: Annotated[int, Field(ge=2, le=1000)] = 10
    charts: Annotated[tuple[Line, ...], Field(max_length=_MOST_CHARTS)] | None = None
    false_alarms: Annotated[float, Field(gt=0.0, lt=1.0)] = FALSE_ALARMS
    form: Literal["sum", "product"] = "sum"
    embedder: Line = "hashing"
    tokenizer: Line = "auto"
    must_keep: Annotated[dict[Line, float], Field(max_length=_MOST_WORDS)] = Field(
        default_factory=dict
    )
    metrics: Annotated[tuple[Line, ...], Field(max_length=MOST_VALUES)] = ()
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    values: Annotated[tuple[Line, ...], Field(max_length=MOST_VALUES)] = ()
    rules: Line | None = None
    silent_after: Annotated[float, Field(ge=0.0, le=10_000.0)] = 3.0
    review: Annotated[int, Field(ge=0, le=1000)] = 0
    keep_text: bool = True
    keep_days: Annotated[float, Field(gt=0.0, le=36_500.0)] = 30.0
    keep_sample: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    most_groups: Annotated[int, Field(ge=1, le=10_000)] = 100
    capacity: Annotated[int, Field(ge=100, le=50_000)] | None = None

    @field_validator("every", mode="before")
    @classmethod
    def _check_every(cls, every: object) -> object:
        if isinstance(every, str) and every.isascii() and every.isdecimal():
            return int(every)
        # No length has so many letters, and no message repeats more.
        if isinstance(every, str) and _shortest(every[:40]) > _LONGEST:
            raise ValueError("takes a window of at most ten years")
        return every

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        try:
            return zone_named(name).key
        except ArgumentError as fault:
            raise ValueError(str(fault)) from None


_LONGEST = timedelta(days=3660)


def _shortest(every: str) -> timedelta:
    try:
        return shortest_length(every)
    except ArgumentError as fault:
        raise ValueError(str(fault)) from None
