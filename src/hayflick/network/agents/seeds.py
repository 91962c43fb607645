"""Where in a run an answer stands, and the randomness that follows from it.

An answer's seed depends on nothing but its place: neither the order in which answers arrive nor
how many agents there are has a say, so a run that was stopped goes on as if it had not been.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from hayflick.core.checks import whole_number

_BITS = 53


@dataclass(frozen=True, slots=True)
class AnswerSeed:
    """The place of an answer in a run.

    Parameters
    ----------
    run
        The run's seed, at least 0.
    agent
        Name of the agent that answers.
    round
        Number of the round, from 1.
    query, index
        Number of the query, and of the agent's answer to it in this round, from 0.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> first = AnswerSeed(7, agent="anna", round=3)
    >>> first.number == AnswerSeed(7, agent="anna", round=3).number
    True
    >>> first.number == AnswerSeed(7, agent="anna", round=3, index=1).number
    False
    """

    run: int
    agent: str = ""
    round: int = 1
    query: int = 0
    index: int = 0

    def __post_init__(self) -> None:
        for name, least in (("run", 0), ("round", 1), ("query", 0), ("index", 0)):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), at_least=least))

    @property
    def number(self) -> int:
        """The seed as one whole number below 2^53."""
        place = f"{self.run} {self.round} {self.query} {self.index} {self.agent}"
        digest = blake2b(place.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") >> (64 - _BITS)

    def stream(self) -> np.random.Generator:
        """Return the generator that the answer is drawn with, at its beginning."""
        return np.random.Generator(np.random.Philox(self._sequence))

    @property
    def _sequence(self) -> np.random.SeedSequence:
        name = int.from_bytes(blake2b(self.agent.encode(), digest_size=8).digest(), "little")
        place = (name, self.round, self.query, self.index)
        return np.random.SeedSequence(self.run, spawn_key=place)
