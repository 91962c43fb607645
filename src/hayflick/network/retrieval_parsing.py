"""Retrieval in the grammar of the command line; ``+`` stands between the parts of a mixture."""

from __future__ import annotations

from collections.abc import Mapping

from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import (
    Entry,
    number,
    parse,
    whole,
)
from hayflick.network.retrieval import (
    Fixed,
    Mixture,
    Nearest,
    Own,
    Recent,
    Retrieval,
    Uniform,
)

RETRIEVALS: Mapping[str, Entry[Retrieval]] = {
    "uniform": Entry(lambda beta: Uniform(number("beta", beta)), ("beta",)),
    "fixed": Entry(lambda k: Fixed(whole("k", k)), ("k",)),
    "nearest": Entry(lambda k: Nearest(whole("k", k)), ("k",)),
    "recent": Entry(
        lambda beta, half_life: Recent(number("beta", beta), number("half-life", half_life)),
        ("beta", "half-life"),
    ),
    "own": Entry(lambda k=None: Own(k if k is None else whole("k", k)), (), ("k",)),
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
    return rules[0] if len(rules) == 1 else Mixture(tuple(rules))
