"""An index of the texts of a pool, which tells what a given text is a copy of.

It is that of `hayflick.auditing.duplicates`, one text after the other: MinHash proposes the texts
that may be alike, and each is compared exactly. A text takes the same time however large the pool
is.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hayflick.auditing.duplicates import LARGEST_SHINGLE, Bands, bands_for, hash_functions
from hayflick.auditing.shingle_kernels import (
    add_texts,
    band_keys,
    enter,
    find_matches,
    root_of,
    runs_of_tokens,
)
from hayflick.auditing.shingles import Hashes, token_hashes
from hayflick.core.arrays import Integers
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import DataError
from hayflick.core.output import write_file
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.diversity.phrases import written

FORMAT_VERSION = 1
PHRASE_TOKENS = 4
MOST_COMPARED = 1_000
"""Texts that are compared in each band, the latest first."""

_FUNCTIONS = 128
_TEXT_SEED = 1_805
_PROBE = "hayflick"
_MOST_CLUSTERS = 64


@dataclass(frozen=True)
class IndexSettings:
    """How texts are compared.

    Parameters
    ----------
    similarity, recall, shingle, tokenizer, normalize
        As of `hayflick.auditing.duplicates.find_duplicates`.

    Raises
    ------
    ArgumentError
        If one of them is out of its range, or not known.
    """

    similarity: float = 0.5
    recall: float = 0.95
    shingle: int = 2
    tokenizer: str = "mixed"
    normalize: str = "casefold"

    def __post_init__(self) -> None:
        number_between("similarity", self.similarity, low=0.2, high=1.0)
        number_between("recall", self.recall, low=0.5, high=0.999)
        whole_number("shingle", self.shingle, at_least=1, at_most=LARGEST_SHINGLE)
        tokenizer_named(self.tokenizer)
        normalized(pl.Series(["a"]), self.normalize)

    @property
    def bands(self) -> Bands:
        """Of MinHash."""
        return bands_for(self.similarity, recall=self.recall, functions=_FUNCTIONS)


@dataclass(frozen=True, eq=False)
class ComparedTexts:
    """Texts as they are compared.

    Parameters
    ----------
    hashes, offsets
        Their shingles, as of `hayflick.auditing.shingles.Shingles`.
    text_keys
        A hash of each text.
    keys
        uint32, shape (texts, 1 + bands): of the text, and of its shingles in each band.
    blank
        Whether each has no text.
    phrases
        The different phrases of `PHRASE_TOKENS` tokens of each.
    """

    hashes: Hashes
    offsets: Integers
    text_keys: Hashes
    keys: np.ndarray[Any, np.dtype[np.uint32]]
    blank: np.ndarray[Any, np.dtype[np.bool_]]
    phrases: list[Hashes]

    def __len__(self) -> int:
        return self.text_keys.size

    def shingles(self, place: int) -> Hashes:
        """Return the shingles of one text."""
        return self.hashes[self.offsets[place] : self.offsets[place + 1]]


@dataclass(frozen=True)
class PoolMatch:
    """The text of a pool that a text is a copy of.

    Parameters
    ----------
    entry
        Its number in the index.
    similarity
        Jaccard similarity of the two.
    cluster
        The number of texts of the pool that are copies of it, copies of copies included.
    exact
        Whether both are equal, by the spellings that count as equal.
    """

    entry: int
    similarity: float
    cluster: int
    exact: bool = False


class PoolIndex:
    """The different texts of a pool, and the clusters that they are in.

    Parameters
    ----------
    settings
        How texts are compared.

    Examples
    --------
    >>> index = PoolIndex(IndexSettings())
    >>> index.add(index.prepared(pl.Series(["The cat sat on the mat.", "A dog ran."]))).tolist()
    [0, 1]
    >>> index.match(index.prepared(pl.Series(["The cat sat on the rug."])), 0)
    PoolMatch(entry=0, similarity=0.6666666666666666, cluster=1, exact=False)
    """

    def __init__(self, settings: IndexSettings) -> None:
        self.settings = settings
        self._functions = hash_functions(settings.bands)
        self._tokenizer = tokenizer_named(settings.tokenizer)
        width = 1 + settings.bands.number
        self._size, self._filled = 0, 0
        self._hashes = np.empty(1024, np.uint64)
        self._offsets = np.zeros(65, np.int64)
        self._text_keys = np.empty(64, np.uint64)
        self._keys = np.empty((64, width), np.uint32)
        self._nexts = np.empty((64, width), np.int32)
        self._parents = np.empty(64, np.int64)
        self._sizes = np.empty(64, np.int64)
        self._heads = np.full((width, 64), -1, np.int32)
        self._found = np.empty(_MOST_CLUSTERS, np.int64)

    def __len__(self) -> int:
        """Return the number of different texts."""
        return self._size

    def prepared(self, texts: pl.Series) -> ComparedTexts:
        """Return texts as they are compared; they have no nulls, and fit into memory as tokens."""
        spelled = normalized(texts, self.settings.normalize).alias("text")
        tokens, begins = token_hashes(spelled, self._tokenizer)
        hashes, numbers = runs_of_tokens(tokens, begins, self.settings.shingle, 1)
        offsets = np.concatenate(([0], np.cumsum(numbers)))
        text_keys = spelled.hash(_TEXT_SEED).to_numpy()
        columns = [band_keys(hashes, offsets, one) for one in self._functions]
        keys = np.stack([text_keys, *columns], axis=1).astype(np.uint32)
        blank = (spelled.str.strip_chars() == "").to_numpy()
        phrases, numbers = runs_of_tokens(tokens, begins, PHRASE_TOKENS, PHRASE_TOKENS)
        parts = np.split(phrases, np.cumsum(numbers)[:-1])
        return ComparedTexts(hashes, offsets, text_keys, keys, blank, parts)

    def phrase(self, text: str, phrase: int) -> str:
        """Return a phrase of a text in words."""
        spelled = normalized(pl.Series("text", [text]), self.settings.normalize).alias("text")
        numbered = spelled.to_frame().with_row_index("row").lazy()
        tokens = self._tokenizer.tokens(numbered).select("symbol").collect()["symbol"].to_list()
        hashes, _ = token_hashes(spelled, self._tokenizer)
        ends = np.array([0, PHRASE_TOKENS])
        for place in range(hashes.size - PHRASE_TOKENS + 1):
            run = hashes[place : place + PHRASE_TOKENS]
            if int(runs_of_tokens(run, ends, PHRASE_TOKENS, PHRASE_TOKENS)[0][0]) == phrase:
                return written([" ".join(tokens[place : place + PHRASE_TOKENS])])[0]
        return ""

    def match(self, texts: ComparedTexts, place: int) -> PoolMatch | None:
        """Return the text of the pool that one is a copy of; the most similar one of several."""
        if texts.blank[place] or not self._size:
            return None
        own = texts.shingles(place)
        number, exact = find_matches(
            own, texts.keys[place], texts.text_keys[place], *self._tables(), self._found
        )
        if exact >= 0:
            return PoolMatch(int(exact), 1.0, int(self._sizes[self._root(exact)]), exact=True)
        if not number:
            return None
        found = self._found[:number].tolist()
        alike = [self._similarity(own, entry) for entry in found]
        best = max(range(number), key=lambda one: (alike[one], -found[one]))
        roots = {self._root(entry) for entry in found}
        cluster = int(sum(self._sizes[root] for root in roots))
        return PoolMatch(found[best], alike[best], cluster)

    def add(self, texts: ComparedTexts, start: int = 0, stop: int | None = None) -> Integers:
        """Add some of the texts; return the entry of each, -1 for one without text.

        A text that is there already is only counted, and has the entry of that one.
        """
        stop = len(texts) if stop is None else stop
        new = int(texts.offsets[stop] - texts.offsets[start])
        self._reserve(self._size + stop - start, self._filled + new)
        entries = np.full(stop - start, -1)
        self._size = add_texts(
            texts.hashes,
            texts.offsets[start : stop + 1],
            texts.keys[start:stop],
            texts.text_keys[start:stop],
            texts.blank[start:stop],
            *self._tables(),
            self._found,
            self._sizes,
            self._size,
            entries,
        )
        self._filled = int(self._offsets[self._size])
        return entries

    def _tables(self) -> tuple[Any, Any, Any, Any, Any, Any, Any, float, int]:
        return (
            self._hashes,
            self._offsets,
            self._text_keys,
            self._keys,
            self._heads,
            self._nexts,
            self._parents,
            self.settings.similarity,
            MOST_COMPARED,
        )

    def _root(self, entry: int) -> int:
        return int(root_of(self._parents, entry))

    def _similarity(self, own: Hashes, entry: int) -> float:
        theirs = self._hashes[self._offsets[entry] : self._offsets[entry + 1]]
        common = np.intersect1d(own, theirs, assume_unique=True).size
        return float(common / (own.size + theirs.size - common))

    def _reserve(self, entries: int, shingles: int) -> None:
        """Make room, at least twice as much as before if there is not enough."""
        if shingles > self._hashes.size:
            self._hashes = _longer(self._hashes, max(shingles, 3 * self._hashes.size // 2))
        if entries > self._text_keys.size:
            room = max(entries, 3 * self._text_keys.size // 2)
            self._offsets = _longer(self._offsets, room + 1)
            for name in ("_text_keys", "_keys", "_nexts", "_parents", "_sizes"):
                setattr(self, name, _longer(getattr(self, name), room))
        if entries > self._heads.shape[1]:
            self._heads = np.full((self._heads.shape[0], _slots(entries)), -1, np.int32)
            enter(self._keys, 0, self._size, self._heads, self._nexts)

    def arrays(self) -> dict[str, Any]:
        """Return what a file keeps of the index."""
        return {
            "hashes": self._hashes[: self._filled],
            "offsets": self._offsets[: self._size + 1],
            "text_keys": self._text_keys[: self._size],
            "keys": self._keys[: self._size],
            "parents": self._parents[: self._size],
            "sizes": self._sizes[: self._size],
        }

    @classmethod
    def of_arrays(cls, settings: IndexSettings, arrays: Mapping[str, Any]) -> PoolIndex:
        """Return the index that a file has kept.

        Raises
        ------
        ValueError
            If the arrays do not fit together.
        """
        index = cls(settings)
        hashes, offsets, parents = arrays["hashes"], arrays["offsets"], arrays["parents"]
        size = offsets.size - 1
        forms: dict[str, tuple[Any, tuple[int, ...]]] = {
            "hashes": (np.uint64, (hashes.size,)),
            "offsets": (np.int64, (size + 1,)),
            "text_keys": (np.uint64, (size,)),
            "keys": (np.uint32, (size, index._keys.shape[1])),
            "parents": (np.int64, (size,)),
            "sizes": (np.int64, (size,)),
        }
        for name, (kind, shape) in forms.items():
            if arrays[name].dtype != kind or arrays[name].shape != shape:
                raise ValueError(name)
        if (
            size < 0
            or offsets[0] != 0
            or offsets[-1] != hashes.size
            or (np.diff(offsets) < 0).any()
        ):
            raise ValueError("offsets")
        if (parents < 0).any() or (parents > np.arange(size)).any():
            raise ValueError("parents")
        index._size, index._filled = size, hashes.size
        index._hashes, index._offsets, index._parents = hashes, offsets, parents
        index._text_keys, index._keys = arrays["text_keys"], arrays["keys"]
        index._sizes = arrays["sizes"]
        index._nexts = np.empty(index._keys.shape, np.int32)
        index._heads = np.full((index._keys.shape[1], _slots(size)), -1, np.int32)
        enter(index._keys, 0, size, index._heads, index._nexts)
        return index


def _slots(entries: int) -> int:
    """Return a power of two, so that a chain has one text on average."""
    return max(64, 1 << (entries - 1).bit_length()) if entries else 64


def _longer(array: Any, size: int) -> Any:
    longer = np.empty((size, *array.shape[1:]), array.dtype)
    longer[: array.shape[0]] = array
    return longer


def save_index(
    path: Path, index: PoolIndex, header: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Write an index and what belongs to it into one file, which is replaced.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    head = {
        "format_version": FORMAT_VERSION,
        "settings": asdict(index.settings),
        "probe": int(_probe()),
        **header,
    }
    packed = np.frombuffer(json.dumps(head).encode(), np.uint8)

    def write(temporary: Path) -> None:
        with open(temporary, "xb") as file:
            np.savez(file, header=packed, **index.arrays(), **arrays)

    write_file(path, write, force=True)


def load_index(path: str | os.PathLike[str]) -> tuple[PoolIndex, dict[str, Any], dict[str, Any]]:
    """Return an index from its file, the header of the file, and its other arrays.

    Raises
    ------
    DataError
        If it cannot be read, or hashes its texts otherwise than this version of polars.
    """
    remedy = "index the pool anew, with --pool and --force"
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("header").tobytes())
        if header["format_version"] != FORMAT_VERSION or header["probe"] != int(_probe()):
            version = "another version of hayflick or polars"
            raise DataError(f"{path}: was written with {version}; {remedy}")
        index = PoolIndex.of_arrays(IndexSettings(**header["settings"]), arrays)
    except OSError as fault:
        reason = fault.strerror or "is no file of numbers"
        raise DataError(f"{path}: {reason.lower()}; {remedy}") from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise DataError(f"{path}: is no index of hayflick admit; {remedy}") from None
    others = {name: values for name, values in arrays.items() if name not in index.arrays()}
    return index, header, others


def _probe() -> Any:
    """Return a hash that tells versions of polars apart that hash texts differently."""
    return pl.Series([_PROBE]).hash(_TEXT_SEED)[0]
