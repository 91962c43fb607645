"""What is kept of the answers of a round: sums that merge into those of an hour or a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hayflick.diversity.metrics import defined
from hayflick.diversity.observing import RoundAnswers
from hayflick.diversity.scatter import Scatter
from hayflick.monitor.state_file import array_of, array_text


@dataclass(frozen=True, eq=False, kw_only=True)
class RoundSummary:
    """Sums over the answers of a round, or of several.

    Parameters
    ----------
    answers, empty
        Number of answers, and of those that hold nothing.
    letters
        Letters of all texts.
    groups
        Number of answers by group.
    values
        Of each further number, how many answers have it, and their sum.
    scatter
        Count, mean and scatter of the vectors; None without any.

    Examples
    --------
    >>> one = RoundSummary.of(RoundAnswers(round=1, texts=["a cat", "", "a dog"]))
    >>> two = one.merge(RoundSummary.of(RoundAnswers(round=2, texts=["birds"])))
    >>> two.answers, two.empty, two.letters, two.numbers()["mean_letters"]
    (4, 1, 15, 5.0)
    """

    answers: int = 0
    empty: int = 0
    letters: int = 0
    groups: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    scatter: Scatter | None = None

    @classmethod
    def of(cls, batch: RoundAnswers) -> RoundSummary:
        """Return the sums of the answers of a round."""
        vectors = batch.with_direction().vectors
        values = {}
        for name, numbers in batch.values.items():
            known = numbers[np.isfinite(numbers)]
            values[name] = (int(known.size), float(known.sum()))
        return cls(
            answers=batch.size,
            empty=batch.size - int(batch.answered().sum()),
            letters=sum(map(len, batch.texts or ())),
            groups=dict(Counter(batch.groups or ())),
            values=values,
            scatter=None if vectors is None or not len(vectors) else Scatter.of(vectors),
        )

    def merge(self, other: RoundSummary) -> RoundSummary:
        """Return the sums of both together."""
        values = dict(self.values)
        for name, (number, total) in other.values.items():
            held, before = values.get(name, (0, 0.0))
            values[name] = (held + number, before + total)
        scatter = self.scatter or other.scatter
        if self.scatter is not None and other.scatter is not None:
            scatter = self.scatter.merge(other.scatter)
        return RoundSummary(
            answers=self.answers + other.answers,
            empty=self.empty + other.empty,
            letters=self.letters + other.letters,
            groups=dict(Counter(self.groups) + Counter(other.groups)),
            values=values,
            scatter=scatter,
        )

    def numbers(self) -> dict[str, float]:
        """Return what is told of it; numbers that are undefined are absent."""
        full = self.answers - self.empty
        means = {name: total / number for name, (number, total) in self.values.items() if number}
        return {
            "answers": float(self.answers),
            "empty_answers": float(self.empty),
            **defined({"mean_letters": self.letters / full if full else None}),
            **({} if self.scatter is None else self.scatter.numbers()),
            **means,
        }

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        scatter = self.scatter
        return {
            "answers": self.answers,
            "empty": self.empty,
            "letters": self.letters,
            "groups": dict(self.groups),
            "values": {name: list(one) for name, one in self.values.items()},
            "scatter": scatter
            and {
                "count": scatter.count,
                "mean": array_text(scatter.mean),
                "m2": scatter.m2,
                "unit": scatter.unit,
            },
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> RoundSummary:
        """Return the sums that `record` returned."""
        scatter = record["scatter"]
        if scatter is not None:
            mean = array_of(scatter["mean"])
            scatter = Scatter(scatter["count"], mean, scatter["m2"], unit=scatter["unit"])
        values = {name: (number, total) for name, (number, total) in record["values"].items()}
        return cls(**{**record, "values": values, "scatter": scatter})
