"""Embedders in the grammar of the command line."""

from __future__ import annotations

from collections.abc import Mapping

from hayflick.core.grammar import Entry, parse, whole
from hayflick.embed.embedder import Embedder
from hayflick.embed.endpoint import EndpointEmbedder
from hayflick.embed.hashing import DIMENSIONS, HashingEmbedder
from hayflick.embed.sentence import SentenceEmbedder


def _hashing(dimensions: str = str(DIMENSIONS), seed: str = "0") -> HashingEmbedder:
    return HashingEmbedder(dimensions=whole("dimensions", dimensions), seed=whole("seed", seed))


EMBEDDERS: Mapping[str, Entry[Embedder]] = {
    "hashing": Entry(_hashing, (), ("dimensions", "seed")),
    "sentence": Entry(lambda model: SentenceEmbedder(model=model), ("model",)),
    "endpoint": Entry(EndpointEmbedder, ("url", "model"), ("key",)),
}
"""All embedders by name."""


def parse_embedder(text: str) -> Embedder:
    """Return the embedder that `text` names.

    Raises
    ------
    ArgumentError
        If the name, a key or a value is not understood; the nearest name is offered.

    Examples
    --------
    >>> parse_embedder("hashing:dimensions=256,seed=1")
    HashingEmbedder(dimensions=256, seed=1)
    """
    return parse("embedder", text, EMBEDDERS)
