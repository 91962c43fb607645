"""The protocol of embedders, and embedding in batches with a cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from operator import length_hint
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hayflick.core.checks import whole_number
from hayflick.core.errors import DataError
from hayflick.core.grammar import Entry, LazyEntries, parse, whole
from hayflick.core.progress import Progress, silent

if TYPE_CHECKING:
    from hayflick.storage.embedding_cache import EmbeddingCache


Vectors: TypeAlias = NDArray[np.float32]
"""Vectors of texts, one per row."""


class Embedder(Protocol):
    """Turns texts into vectors; a text's vector does not depend on the other texts.

    A text of nothing but whitespace has no direction: its row is NaN and is left out of metrics.
    """

    @property
    def id(self) -> str:
        """Everything that determines the vectors: name, parameters, seed, version.

        Embedders with the same id may share a cache.
        """

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors in the order of the texts, shape ``(len(texts), dimensions)``."""


def replace_surrogates(text: str) -> str:
    r"""Return a text that UTF-8 can encode: lone surrogates are replaced.

    Examples
    --------
    >>> replace_surrogates("so \ud800 it is") == "so \N{REPLACEMENT CHARACTER} it is"
    True
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def embed_nonblank(
    texts: Sequence[str],
    *,
    dimensions: Callable[[], int],
    embed: Callable[[list[str]], NDArray[np.float32]],
) -> Vectors:
    """Return the vectors of texts, NaN for those of nothing but whitespace.

    Parameters
    ----------
    texts
        The texts.
    dimensions
        Called for the length of a row if there is no text to embed.
    embed
        Called with the other texts, lone surrogates replaced.

    Examples
    --------
    >>> ones = lambda texts: np.ones((len(texts), 2), np.float32)
    >>> embed_nonblank(["plum", " "], dimensions=lambda: 2, embed=ones).tolist()
    [[1.0, 1.0], [nan, nan]]
    """
    nonblank = [place for place, text in enumerate(texts) if text and not text.isspace()]
    if not nonblank:
        return np.full((len(texts), dimensions()), np.nan, np.float32)
    found = embed([replace_surrogates(texts[place]) for place in nonblank])
    vectors = np.full((len(texts), found.shape[1]), np.nan, np.float32)
    vectors[nonblank] = found
    return vectors


BATCH = 2048


def embed_all(
    embedder: Embedder,
    texts: Iterable[str],
    *,
    cache: EmbeddingCache | None = None,
    batch: int = BATCH,
    progress: Progress = silent,
) -> Iterator[Vectors]:
    """Yield the vectors of all texts in their order, batch by batch.

    Only one batch is in memory, and each is cached before it is yielded: a process that is
    killed loses one batch at most.

    Parameters
    ----------
    embedder
        Turns texts into vectors.
    texts
        The texts; an iterator is consumed batch by batch.
    cache
        Vectors are looked up and stored here.
    batch
        Number of texts in a batch.
    progress
        Called with the number of texts done.

    Yields
    ------
    Arrays of shape ``(batch, dimensions)``; the last may be shorter.

    Raises
    ------
    ArgumentError
        If `batch` is no whole number of at least 1.
    DataError
        If the number of dimensions changes, or an item is not a string.

    Examples
    --------
    >>> from hayflick.embed.hashing import HashingEmbedder
    >>> texts = ["a ripe plum", "the rain", "a ripe plum"]
    >>> [part.shape for part in embed_all(HashingEmbedder(dimensions=64), texts, batch=2)]
    [(2, 64), (1, 64)]
    """
    whole_number("batch", batch, at_least=1)
    return _batches(embedder, texts, cache, batch, progress)


def _batches(
    embedder: Embedder,
    texts: Iterable[str],
    cache: EmbeddingCache | None,
    batch: int,
    progress: Progress,
) -> Iterator[Vectors]:
    total, done = length_hint(texts), 0
    dimensions: int | None = None
    stream = iter(texts)
    while part := list(islice(stream, batch)):
        _check_texts(part, done)
        vectors = _embed(embedder, part, cache)
        if dimensions not in {None, vectors.shape[1]}:
            raise _changed(embedder, dimensions, vectors.shape[1])
        dimensions = vectors.shape[1]
        done += len(part)
        progress("Embedding", done, max(done, total))
        yield vectors


def _check_texts(part: list[str], done: int) -> None:
    for place, text in enumerate(part, start=done + 1):
        if not isinstance(text, str):
            raise DataError(f"text {place}: is {text!r}, takes a string; leave it out")


def _embed(embedder: Embedder, texts: list[str], cache: EmbeddingCache | None) -> Vectors:
    """Return the vectors of one batch, each text embedded once."""
    numbers: dict[str, int] = {}
    where = [numbers.setdefault(text, len(numbers)) for text in texts]
    once = list(numbers)
    vectors = embedder.embed(once) if cache is None else _embed_cached(cache, embedder, once)
    return vectors if len(once) == len(texts) else vectors[where]


def _embed_cached(cache: EmbeddingCache, embedder: Embedder, texts: list[str]) -> Vectors:
    hashes = [content_hash(text) for text in texts]
    known = cache.get_many(hashes)
    missing = [place for place, key in enumerate(hashes) if key not in known]
    if missing:
        found = embedder.embed([texts[place] for place in missing])
        new = dict(zip((hashes[place] for place in missing), found, strict=True))
        cache.put_many(new)
        known |= new
    lengths = sorted({vector.size for vector in known.values()})
    if len(lengths) > 1:
        raise _changed(embedder, *lengths[:2])
    return np.stack([known[key] for key in hashes])


def content_hash(text: str) -> bytes:
    """Return the SHA-256 of a text's UTF-8 bytes, its key in a cache.

    Examples
    --------
    >>> content_hash("").hex()[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _changed(embedder: Embedder, before: int | None, after: int) -> DataError:
    remedy = "did the model change under its name? use a new cache"
    return DataError(f"{embedder.id}: vectors of {before} and of {after} dimensions; {remedy}")


_EMBEDDERS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "hashing": ("hashing:HashingEmbedder", (), ("dimensions", "seed")),
    "sentence": ("sentence:SentenceEmbedder", ("model",), ()),
    "endpoint": ("endpoint:EndpointEmbedder", ("url", "model"), ("key",)),
}
"""Module and class of every embedder, and its required and optional keys."""

_WHOLE_NUMBERS = ("dimensions", "seed")


def _entry(name: str) -> Entry[Embedder]:
    place, required, optional = _EMBEDDERS[name]

    def make(**texts: str) -> Embedder:
        module, _, kind = place.partition(":")
        values = {k: whole(k, text) if k in _WHOLE_NUMBERS else text for k, text in texts.items()}
        made: Embedder = getattr(import_module(f"hayflick.embed.{module}"), kind)(**values)
        return made

    return Entry(make, required, optional)


EMBEDDERS = LazyEntries(_EMBEDDERS, _entry)
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
