"""A round's answers as readings, and the mean of every agent's answers to every query.

X_i is the mean of the L embeddings of agent i's answers (not normalised, as in the paper), and
‖D‖_F of D_ij = ‖X_i - X_j‖ is `group_frobenius_norm`, beside its `noise_floor`. Empty answers are
counted and in no mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.records import Reading
from hayflick.diversity.observing import Observer, RoundAnswers
from hayflick.embed.protocol import Vectors
from hayflick.storage.runs import StoredAnswer


@dataclass(frozen=True, eq=False)
class Said:
    """What was said in a round.

    Parameters
    ----------
    number
        Of the round.
    answers
        All of them, in order.
    vectors
        Of the answers, shape ``(answers, d)``; NaN where one is empty.
    values
        Further numbers of the round; those that are None are left out.
    """

    number: int
    answers: Sequence[StoredAnswer]
    vectors: Vectors
    values: Mapping[str, float | None]

    @property
    def means(self) -> dict[tuple[str, int], Floats | None]:
        """The mean by agent's name and number of the query; None where all were empty."""
        places: dict[tuple[str, int], list[int]] = {}
        for place, one in enumerate(self.answers):
            places.setdefault((one.agent, one.query), []).append(place)
        return {
            key: _mean(self.vectors[chosen].astype(np.float64)) for key, chosen in places.items()
        }


def readings_of(said: Said, *, observer: Observer) -> tuple[Reading, ...]:
    """Return the reading of all answers, the only one with metrics of words, then each agent's."""
    answers = said.answers
    by_agent = RoundAnswers(
        round=said.number,
        vectors=said.vectors,
        prompts=[str(one.query) for one in answers],
        groups=[one.agent for one in answers],
    )
    # Words are counted once, for all: counting them agent by agent takes longer than the rest.
    texts = [one.text for one in answers]
    (words,) = observer.read(RoundAnswers(round=said.number, texts=texts))
    together, *groups = observer.read(by_agent)
    known = {name: value for name, value in said.values.items() if value is not None}
    values = {**words.values, **together.values, **known}
    return (Reading(said.number, values, together.scores), *groups)


def record(reading: Reading) -> dict[str, Any]:
    """Return a reading ready for JSON."""
    scores = {name: found.tolist() for name, found in reading.scores.items()}
    return {
        "round": reading.round,
        "group": reading.group,
        "values": dict(reading.values),
        "scores": scores,
    }


def restored(values: Mapping[str, Any]) -> Reading:
    """Return the reading of a record.

    Examples
    --------
    >>> restored(record(Reading(3, {"spread": 0.25}, {}, "anna"))).values
    {'spread': 0.25}
    """
    scores = {name: np.array(found) for name, found in values["scores"].items()}
    return Reading(values["round"], values["values"], scores, values["group"])


def _mean(vectors: Floats) -> Floats | None:
    whole = vectors[np.isfinite(vectors).all(axis=1)]
    return whole.mean(axis=0) if len(whole) else None
