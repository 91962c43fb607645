"""The shared pool: texts with their author, round and embedding; no text is ever deleted.

A_t, the pool after t rounds, holds the texts that a policy leaves in force (in the paper: all of
them), without those that wait for a person's admission or were withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.core.grammar import Entry, parse, whole
from hayflick.network.retrieval import REAL, PoolView
from hayflick.storage.runs import StoredText


@final
@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """How the pool changes from round to round.

    Parameters
    ----------
    name
        In the grammar of the command line.
    adds
        Whether the ``first`` answer to each query is added, as in the paper, or ``all`` of them.
    window
        The number of latest rounds whose texts are in force, the first pool being round 0; None
        for all rounds.
    waits
        Whether a text of a model waits until a person admits it.

    Examples
    --------
    >>> parse_policy("window:2").in_force(np.array([0, 1, 2, 3]), after=3).tolist()
    [False, False, True, True]
    """

    name: str
    adds: Literal["first", "all"] = "first"
    window: int | None = None
    waits: bool = False

    def in_force(self, rounds: Integers, *, after: int) -> NDArray[np.bool_]:
        """Return which texts of these rounds the window leaves in force after a round."""
        if self.window is None:
            return np.ones(rounds.size, dtype=np.bool_)
        kept: NDArray[np.bool_] = rounds > after - self.window
        return kept


def _window(w: str) -> PoolPolicy:
    rounds = whole_number("w", whole("w", w), at_least=1)
    return PoolPolicy(f"window:w={rounds}", window=rounds)


POLICIES: Mapping[str, Entry[PoolPolicy]] = {
    "add-first": Entry(lambda: PoolPolicy("add-first")),
    "add-all": Entry(lambda: PoolPolicy("add-all", adds="all")),
    "replace": Entry(lambda: PoolPolicy("replace", adds="all", window=1)),
    "window": Entry(_window, ("w",)),
    "admit": Entry(lambda: PoolPolicy("admit", waits=True)),
}
"""All policies by name."""


def parse_policy(text: str) -> PoolPolicy:
    """Return the policy that `text` names.

    Raises
    ------
    ArgumentError
        If it is not understood; the nearest name is offered.

    Examples
    --------
    >>> parse_policy("add-all").adds, parse_policy("replace").window
    ('all', 1)
    """
    return parse("policy", text, POLICIES)


_STORED = "<f4"
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Pool:
    """All texts of a run.

    Parameters
    ----------
    texts
        In the order of their numbers.
    agents
        Names of the agents; an author's place among them is its number.
    policy
        Which texts are in force.

    Examples
    --------
    >>> pool = Pool((), agents=("anna",), policy=parse_policy("add-first"))
    >>> both = [NewText("It rains.", origin="first"), NewText("It snows.", author="anna")]
    >>> pool = pool.extended(both, vectors=np.eye(2, dtype=np.float32), after=0)
    >>> pool.in_force(after=0).tolist(), pool.synthetic_share(after=0)
    ([0, 1], 0.5)
    """

    texts: tuple[StoredText, ...]
    agents: tuple[str, ...]
    policy: PoolPolicy

    def extended(
        self, new: Sequence[NewText], *, vectors: Iterable[NDArray[np.float32]], after: int
    ) -> Pool:
        """Return the pool with texts that are added after a round."""
        start = len(self.texts)
        added = tuple(
            StoredText(
                number=start + place,
                author=one.author,
                round=after,
                synthetic=one.origin == "answer",
                origin=one.origin,
                text=one.text,
                embedding=np.asarray(vector, _STORED).tobytes(),
                admitted=None if one.origin == "answer" and self.policy.waits else after,
            )
            for place, (one, vector) in enumerate(zip(new, vectors, strict=True))
        )
        return Pool(self.texts + added, self.agents, self.policy)

    def in_force(self, *, after: int) -> Integers:
        """Return the numbers of the texts of A_t, t being the round `after`, in order."""
        chosen = self.policy.in_force(self._rounds, after=after)
        # What is admitted after its round counts from then on.
        chosen &= (self._rounds <= after) & (self._admitted <= after) & (self._withdrawn > after)
        return np.flatnonzero(chosen)

    def synthetic_share(self, *, after: int) -> float | None:
        """Return the share of A_t that models wrote; None if the pool is empty."""
        numbers = self.in_force(after=after)
        return float(self._synthetic[numbers].mean()) if numbers.size else None

    def view(self, numbers: Integers) -> PoolView:
        """Return the columns of some texts that retrieval works on."""
        return PoolView(
            authors=self._authors[numbers],
            rounds=self._rounds[numbers],
            synthetic=self._synthetic[numbers],
            vectors=self._vectors[numbers],
        )

    @cached_property
    def _rounds(self) -> Integers:
        return np.array([one.round for one in self.texts], dtype=np.int64)

    @cached_property
    def _admitted(self) -> Integers:
        return _moments([one.admitted for one in self.texts])

    @cached_property
    def _withdrawn(self) -> Integers:
        return _moments([one.withdrawn for one in self.texts])

    @cached_property
    def _synthetic(self) -> NDArray[np.bool_]:
        return np.array([one.synthetic for one in self.texts], dtype=np.bool_)

    @cached_property
    def _authors(self) -> Integers:
        numbers = {name: number for number, name in enumerate(self.agents)}
        found = [numbers.get(one.author, REAL) for one in self.texts]
        return np.array(found, dtype=np.int64)

    @cached_property
    def _vectors(self) -> Floats:
        if not self.texts:
            return np.empty((0, 0))
        stored = np.frombuffer(b"".join(one.embedding for one in self.texts), _STORED)
        return stored.reshape(len(self.texts), -1).astype(np.float64)


@dataclass(frozen=True, slots=True)
class NewText:
    """A text to be added to the pool.

    Parameters
    ----------
    text
        The text.
    author
        The agent that it belongs to; empty for none.
    origin
        ``first`` for the first pool, ``injected`` for further real texts, ``answer`` for a
        model's.
    """

    text: str
    author: str = ""
    origin: str = "answer"


def _moments(rounds: Sequence[int | None]) -> Integers:
    return np.array([_NEVER if one is None else one for one in rounds], dtype=np.int64)
