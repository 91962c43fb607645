"""Which texts of the pool an agent reads in a round.

A rule draws from the texts that the agent may read, without replacement, and returns their
positions in the order of reading. With m texts to read, a share β takes k = ⌊β m⌋ of them;
a number k takes all where there are fewer.

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

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number, share, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.grammar import (
    Entry,
    number,
    parse,
    whole,
)

REAL = -1
"""The author of texts that no agent owns."""

_ROUNDING = 1e-9
"""β m may fall short of a whole number by rounding: 0.29 · 100 does."""


@dataclass(frozen=True, eq=False)
class PoolView:
    """What retrieval knows of the pool's texts.

    Parameters
    ----------
    authors
        Number of the agent that each text belongs to, -1 for none, shape ``(texts,)``.
    rounds
        The round that it joined in, 0 for the first pool, shape ``(texts,)``.
    synthetic
        Whether a model wrote it, shape ``(texts,)``.
    vectors
        Its embedding, shape ``(texts, d)``; None where no rule needs one.

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
    """Who reads, and what is open to them.

    Parameters
    ----------
    agent
        Its number.
    readable
        Positions of the texts that it may read, in order.
    target
        Embedding of the query, shape ``(d,)``; None where no rule needs one.
    """

    agent: int
    readable: Integers
    target: Floats | None = None


class Retrieval(Protocol):
    """Decides what is read."""

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        """Return positions of texts, each once, in the order of reading."""

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""


def readable_texts(pool: PoolView, *, may_read: NDArray[np.bool_]) -> Integers:
    """Return the positions of the texts that an agent may read: the real ones, and others'.

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
    # The last place is that of texts that no agent owns.
    return np.flatnonzero(np.append(may_read, True)[pool.authors])


@final
@dataclass(frozen=True, slots=True)
class UniformShare:
    """A share of the texts, uniformly: the paper's rule.

    Parameters
    ----------
    beta
        The share β, from 0 to 1.

    Raises
    ------
    ArgumentError
        If it is no share; when reading, if it takes none of the texts that are there.

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

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:  # noqa: ARG002
        """Return k of the readable texts, every order as likely as any."""
        k = _taken(self.beta, reader.readable.size)
        return rng.choice(reader.readable, size=k, replace=False)

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""
        return f"uniform:beta={self.beta:g}"


@final
@dataclass(frozen=True, slots=True)
class FixedCount:
    """The same number of texts in every round, uniformly; all where there are fewer.

    Parameters
    ----------
    k
        How many, from 1.
    """

    k: int

    def __post_init__(self) -> None:
        whole_number("k", self.k, at_least=1)

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:  # noqa: ARG002
        """Return k of the readable texts, every order as likely as any."""
        size = min(self.k, reader.readable.size)
        return rng.choice(reader.readable, size=size, replace=False)

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""
        return f"fixed:k={self.k}"


@final
@dataclass(frozen=True, slots=True)
class NearestTexts:
    """The texts nearest to the query, by distance of embeddings, the nearest first.

    Texts that are equally near stand in random order: none is left out for its place.

    Parameters
    ----------
    k
        How many, from 1; all where there are fewer.
    """

    k: int

    def __post_init__(self) -> None:
        whole_number("k", self.k, at_least=1)

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        """Return the k nearest of the readable texts.

        Raises
        ------
        ArgumentError
            If the texts or the query have no embedding.
        """
        if pool.vectors is None or reader.target is None:
            takes = "embeddings of the texts and of the query"
            raise ArgumentError("nearest", got=None, takes=takes, remedy="name an embedder")
        apart = pool.vectors[reader.readable] - reader.target
        distances = np.einsum("td,td->t", apart, apart)
        order = np.lexsort((rng.random(distances.size), distances))
        return reader.readable[order[: self.k]]

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""
        return f"nearest:k={self.k}"


@final
@dataclass(frozen=True, slots=True)
class RecentTexts:
    """A share of the texts, drawn one by one with chances that halve with age.

    Parameters
    ----------
    beta
        The share β, from 0 to 1.
    half_life
        Rounds in which the weight of a text halves.
    """

    beta: float
    half_life: float

    def __post_init__(self) -> None:
        share("beta", self.beta)
        positive_number("half-life", self.half_life)

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        """Return k of the readable texts in the order of being drawn."""
        k = _taken(self.beta, reader.readable.size)
        rounds = pool.rounds[reader.readable]
        age = rounds.max(initial=0) - rounds
        # Keys log(-log u) + log(1/w) are those of u^(1/w), reversed, and never underflow.
        keys = np.log(rng.exponential(size=age.size)) + age * (np.log(2.0) / self.half_life)
        return reader.readable[np.argsort(keys, kind="stable")[:k]]

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""
        return f"recent:beta={self.beta:g},half-life={self.half_life:g}"


@final
@dataclass(frozen=True, slots=True)
class OwnTexts:
    """Texts that belong to the reader, uniformly: its own silo.

    Parameters
    ----------
    k
        How many, from 1, all where there are fewer; None for all.
    """

    k: int | None = None

    def __post_init__(self) -> None:
        if self.k is not None:
            whole_number("k", self.k, at_least=1)

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        """Return k of the reader's own texts; none where it has none yet."""
        own = reader.readable[pool.authors[reader.readable] == reader.agent]
        size = own.size if self.k is None else min(self.k, own.size)
        chosen: Integers = rng.choice(own, size=size, replace=False)
        return chosen

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""
        return "own" if self.k is None else f"own:k={self.k}"


@final
@dataclass(frozen=True, slots=True)
class CombinedRetrieval:
    """Several rules, one behind the other: each reads of what those before it left.

    Parameters
    ----------
    parts
        The rules, two or more.
    """

    parts: Sequence[Retrieval]

    def read(self, rng: np.random.Generator, pool: PoolView, reader: Reader) -> Integers:
        """Return what the rules read, in their order."""
        read = np.empty(0, np.int64)
        for part in self.parts:
            left = reader.readable[~np.isin(reader.readable, read)]
            rest = Reader(reader.agent, left, reader.target)
            read = np.concatenate([read, part.read(rng, pool, rest)])
        return read

    def describe(self) -> str:
        """Return the rule in the grammar of the command line."""
        return "+".join(part.describe() for part in self.parts)


def _taken(beta: float, texts: int) -> int:
    """Return ⌊β m⌋; 0 of none is no fault of β."""
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
        If a name, a key or a value is not understood; the nearest name is offered.

    Examples
    --------
    >>> parse_retrieval("uniform:0.5")
    Uniform(beta=0.5)
    >>> parse_retrieval("nearest:5+own:3").describe()
    'nearest:k=5+own:k=3'
    """
    parts = text.split("+")
    if not all(parts):
        takes = "a rule on both sides of every +, such as nearest:5+fixed:3"
        raise ArgumentError("retrieval", got=text, takes=takes)
    rules = [parse("retrieval", part.strip(), RETRIEVALS) for part in parts]
    return rules[0] if len(rules) == 1 else CombinedRetrieval(tuple(rules))
