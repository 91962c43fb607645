"""Which texts of the pool an agent reads in a round.

A rule samples from the texts that the agent may read, without replacement, and returns their
positions in reading order. Of m texts, a share β takes k = ⌊β m⌋; a number k takes all if there
are fewer.

References
----------
Wang et al., *LLM Web Dynamics*, 2025, Algorithm 1: k_t = ⌊β |A_t|⌋ texts, uniformly.

Efraimidis and Spirakis, *Weighted random sampling with a reservoir*, Information Processing
Letters 97, 2006: the largest keys of u^(1/w) are a weighted sample without replacement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number, share, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.grammar import Entry, number, parse, whole

REAL = -1
"""The author of texts that no agent owns."""

_ROUNDING = 1e-9
"""β m may fall short of a whole number by rounding, as 0.29 · 100 does."""


@dataclass(frozen=True, eq=False)
class PoolView:
    """The columns of the pool's texts that retrieval works on.

    Parameters
    ----------
    authors
        Number of the agent that each text belongs to, -1 for none, shape ``(texts,)``.
    rounds
        The round that it was added in, 0 for the first pool, shape ``(texts,)``.
    synthetic
        Whether a model wrote it, shape ``(texts,)``.
    vectors
        Its embedding, shape ``(texts, d)``; None if no rule needs one.

    Raises
    ------
    DataError
        If the shapes differ.
    """

    authors: Integers
    rounds: Integers
    synthetic: NDArray[np.bool_]
    vectors: Floats | None = None

    def __post_init__(self) -> None:
        columns: list[NDArray[Any]] = [self.authors, self.rounds, self.synthetic]
        if self.vectors is not None:
            columns.append(self.vectors)
        if len({len(column) for column in columns}) != 1:
            raise DataError("pool: authors, rounds, synthetic and vectors take the same length")

    @property
    def size(self) -> int:
        """Number of texts."""
        return len(self.authors)


@dataclass(frozen=True, eq=False)
class Reader:
    """An agent that reads for a query.

    Parameters
    ----------
    agent
        Its number.
    readable
        Positions of the texts that it may read, in order.
    target
        Embedding of the query, shape ``(d,)``; None if no rule needs one.
    """

    agent: int
    readable: Integers
    target: Floats | None = None


class Retrieval(Protocol):
    """Decides which texts an agent reads."""

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        """Return distinct positions of texts, in reading order."""

    def expected_count(self, readable: Floats, own: Floats) -> Floats:
        """Return how many texts are read of so many, of which `own` belong to the reader."""

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""


def readable_texts(pool: PoolView, *, may_read: NDArray[np.bool_]) -> Integers:
    """Return the positions of the texts that an agent may read: real ones, and some agents'.

    Parameters
    ----------
    pool
        The texts.
    may_read
        Whose texts it may read, shape ``(agents,)``.

    Examples
    --------
    >>> pool = PoolView(np.array([-1, 0, 1]), np.array([0, 1, 1]), np.array([False, True, True]))
    >>> readable_texts(pool, may_read=np.array([False, True])).tolist()
    [0, 2]
    """
    # The last entry is for texts that no agent owns, of which the author is -1.
    return np.flatnonzero(np.append(may_read, True)[pool.authors])


@final
@dataclass(frozen=True, slots=True)
class UniformShare(Retrieval):
    """A share of the texts, uniformly: the paper's rule.

    Parameters
    ----------
    beta
        The share β, from 0 to 1.

    Raises
    ------
    ArgumentError
        If it is no share; when reading, if it is too small to take a single text.

    Examples
    --------
    >>> pool = PoolView(np.full(20, -1), np.zeros(20, int), np.zeros(20, bool))
    >>> reader = Reader(0, np.arange(20))
    >>> UniformShare(beta=0.5).read(np.random.default_rng(7), pool, reader).size
    10
    """

    beta: float

    def __post_init__(self) -> None:
        share("beta", self.beta)

    @override
    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        k = _taken(self.beta, reader.readable.size)
        return rng.choice(reader.readable, size=k, replace=False)

    @override
    def expected_count(self, readable: Floats, own: Floats) -> Floats:
        return np.floor(self.beta * readable + _ROUNDING)

    @override
    def describe(self) -> str:
        return f"uniform:beta={self.beta:g}"


@final
@dataclass(frozen=True, slots=True)
class FixedCount(Retrieval):
    """The same number of texts in every round, uniformly; all if there are fewer.

    Parameters
    ----------
    k
        Number of texts, at least 1.
    """

    k: int

    def __post_init__(self) -> None:
        whole_number("k", self.k, at_least=1)

    @override
    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        size = min(self.k, reader.readable.size)
        return rng.choice(reader.readable, size=size, replace=False)

    @override
    def expected_count(self, readable: Floats, own: Floats) -> Floats:
        return np.minimum(self.k, np.floor(readable))

    @override
    def describe(self) -> str:
        return f"fixed:k={self.k}"


@final
@dataclass(frozen=True, slots=True)
class NearestTexts(Retrieval):
    """The texts nearest to the query, by distance of embeddings, the nearest first.

    Texts at the same distance are in random order, so that position in the pool does not matter.

    Parameters
    ----------
    k
        Number of texts, at least 1; all if there are fewer.
    """

    k: int

    def __post_init__(self) -> None:
        whole_number("k", self.k, at_least=1)

    @override
    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        if pool.vectors is None or reader.target is None:
            takes = "embeddings of the texts and of the query"
            raise ArgumentError("nearest", got=None, takes=takes, remedy="name an embedder")
        apart = pool.vectors[reader.readable] - reader.target
        distances = np.einsum("td,td->t", apart, apart)
        order = np.lexsort((rng.random(distances.size), distances))
        return reader.readable[order[: self.k]]

    @override
    def expected_count(self, readable: Floats, own: Floats) -> Floats:
        return np.minimum(self.k, np.floor(readable))

    @override
    def describe(self) -> str:
        return f"nearest:k={self.k}"


@final
@dataclass(frozen=True, slots=True)
class RecentTexts(Retrieval):
    """A share of the texts, sampled with weights that halve with age.

    Parameters
    ----------
    beta
        The share β, from 0 to 1.
    half_life
        Number of rounds in which the weight of a text halves.
    """

    beta: float
    half_life: float

    def __post_init__(self) -> None:
        share("beta", self.beta)
        positive_number("half-life", self.half_life)

    @override
    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        k = _taken(self.beta, reader.readable.size)
        rounds = pool.rounds[reader.readable]
        age = rounds.max(initial=0) - rounds
        # Keys log(-log u) + log(1/w) are those of u^(1/w), reversed, and never underflow.
        keys = np.log(rng.exponential(size=age.size)) + age * (np.log(2.0) / self.half_life)
        return reader.readable[np.argsort(keys, kind="stable")[:k]]

    @override
    def expected_count(self, readable: Floats, own: Floats) -> Floats:
        return np.floor(self.beta * readable + _ROUNDING)

    @override
    def describe(self) -> str:
        return f"recent:beta={self.beta:g},half-life={self.half_life:g}"


@final
@dataclass(frozen=True, slots=True)
class OwnTexts(Retrieval):
    """Texts that belong to the reader, uniformly: its own silo.

    Parameters
    ----------
    k
        Number of texts, at least 1, all if there are fewer; None for all.
    """

    k: int | None = None

    def __post_init__(self) -> None:
        if self.k is not None:
            whole_number("k", self.k, at_least=1)

    @override
    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        own = reader.readable[pool.authors[reader.readable] == reader.agent]
        size = own.size if self.k is None else min(self.k, own.size)
        chosen: Integers = rng.choice(own, size=size, replace=False)
        return chosen

    @override
    def expected_count(self, readable: Floats, own: Floats) -> Floats:
        return np.floor(own if self.k is None else np.minimum(self.k, own))

    @override
    def describe(self) -> str:
        return "own" if self.k is None else f"own:k={self.k}"


@final
@dataclass(frozen=True, slots=True)
class CombinedRetrieval(Retrieval):
    """Several rules in order: each reads from what the previous ones left.

    Parameters
    ----------
    parts
        Two rules or more.
    """

    parts: Sequence[Retrieval]

    @override
    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        read = np.empty(0, np.int64)
        for part in self.parts:
            left = reader.readable[~np.isin(reader.readable, read)]
            rest = Reader(reader.agent, left, reader.target)
            read = np.concatenate([read, part.read(rng, pool, rest)])
        return read

    @override
    def expected_count(self, readable: Floats, own: Floats) -> Floats:
        count = np.zeros_like(readable)
        for part in self.parts:
            count = count + part.expected_count(np.maximum(readable - count, 0.0), own)
        return count

    @override
    def describe(self) -> str:
        return "+".join(part.describe() for part in self.parts)


def _taken(beta: float, texts: int) -> int:
    """Return ⌊β m⌋, which may be 0 only if there are no texts."""
    k = int(beta * texts + _ROUNDING)
    if k == 0 and texts > 0:
        takes = f"a share that leaves at least one of {texts} texts: {1.0 / texts:.3g} or more"
        raise ArgumentError("beta", got=beta, takes=takes)
    return k


RETRIEVALS: Mapping[str, Entry[Retrieval]] = {
    "uniform": Entry(lambda beta: UniformShare(number("beta", beta)), ("beta",)),
    "fixed": Entry(lambda k: FixedCount(whole("k", k)), ("k",)),
    "nearest": Entry(lambda k: NearestTexts(whole("k", k)), ("k",)),
    "recent": Entry(
        lambda beta, half_life: RecentTexts(number("beta", beta), number("half-life", half_life)),
        ("beta", "half-life"),
    ),
    "own": Entry(lambda k=None: OwnTexts(k if k is None else whole("k", k)), (), ("k",)),
}


def parse_retrieval(text: str) -> Retrieval:
    """Return the rule that `text` names.

    Raises
    ------
    ArgumentError
        If a name, a key or a value is invalid; the nearest name is offered.

    Examples
    --------
    >>> parse_retrieval("uniform:0.5")
    UniformShare(beta=0.5)
    >>> parse_retrieval("nearest:5+own:3").describe()
    'nearest:k=5+own:k=3'
    """
    parts = text.split("+")
    if not all(parts):
        takes = "a rule on both sides of every +, such as nearest:5+fixed:3"
        raise ArgumentError("retrieval", got=text, takes=takes)
    rules = [parse("retrieval", part.strip(), RETRIEVALS) for part in parts]
    return rules[0] if len(rules) == 1 else CombinedRetrieval(tuple(rules))
