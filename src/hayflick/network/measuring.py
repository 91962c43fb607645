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
from hayflick.network.setting import Setting
from hayflick.storage.runs import StoredAnswer


@dataclass(frozen=True, eq=False)
class Measured:
    """A round's readings, and means by agent's name and number of the query.

    The first reading is of all answers, and the only one with metrics of their words.

    A mean is None where all answers were empty.
    """

    readings: tuple[Reading, ...]
    means: Mapping[tuple[str, int], Floats | None]


def measure(
    setting: Setting,
    observer: Observer,
    answers: Sequence[StoredAnswer],
    *,
    number: int,
    values: Mapping[str, float | None],
) -> Measured:
    """Return what a round's answers say.

    Parameters
    ----------
    setting, observer
        What embeds and measures.
    answers
        All answers of the round, in order.
    number
        Of the round.
    values
        Further numbers of the round; those that are None are left out.
    """
    texts = [one.text for one in answers]
    vectors = setting.embed(texts)
    prompts = [str(one.query) for one in answers]
    by_agent = RoundAnswers(
        round=number, vectors=vectors, prompts=prompts, groups=[one.agent for one in answers]
    )
    # Words are counted once, for all: counting them agent by agent takes longer than the rest.
    (said,) = observer.read(RoundAnswers(round=number, texts=texts))
    together, *groups = observer.read(by_agent)
    known = {name: value for name, value in values.items() if value is not None}
    whole = Reading(number, {**said.values, **together.values, **known}, together.scores)
    places: dict[tuple[str, int], list[int]] = {}
    for place, one in enumerate(answers):
        places.setdefault((one.agent, one.query), []).append(place)
    means = {key: _mean(vectors[chosen].astype(np.float64)) for key, chosen in places.items()}
    return Measured((whole, *groups), means)


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
