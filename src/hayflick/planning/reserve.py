"""Reserve: which real items to store, so that the most symbols are in one of them.

What is stored is part of every later training set (`hayflick.regimes.anchor`), so a symbol in
the reserve is in every one of them, whatever the models forget.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import whole_number
from hayflick.core.display import Result
from hayflick.core.effort import StageProgress
from hayflick.core.errors import ArgumentError
from hayflick.core.output import PAGE_SUFFIXES, write_text
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts
from hayflick.corpus.frames import table_or_path
from hayflick.corpus.items import ItemStore, item_blocks, refuse_counts, stored_items
from hayflick.corpus.must_keep import MustKeep, MustKeepList, must_keep_places
from hayflick.corpus.reading import read_corpus
from hayflick.corpus.reserves import TEXT_COLUMN, count_records, item_records, reserve_text
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.coverage import Coverage, UniformSamples, cover, uniform_samples

SUFFIXES = (".jsonl", ".ndjson", ".txt")
"""Of files that a reserve is written to; the last is plain text."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reserve(Result):
    """Real items that were chosen to be stored; ``hf.Anchor(reserve.counts)`` trains on them.

    Parameters
    ----------
    source
        Where the items come from.
    sources
        The same, and the must-keep list.
    items
        The real items; see `hayflick.corpus.reserves.item_records`.
    counts
        Their symbols.
    types
        Different symbols of the data.
    budget, by_tokens
        How many items, or tokens, the reserve may hold.
    weights
        ``uniform`` or ``frequency``.
    must_keep
        The listed symbols, which alone had weight; empty without a list.
    total
        Weight of all symbols.
    cover
        What was chosen, and what is proven of it.
    same_items, same_tokens
        Uniform samples of as many items, and of as many tokens.
    seed
        Of these samples.
    """

    source: Source
    items: tuple[dict[str, Any], ...]
    counts: Counts
    types: int
    budget: int
    by_tokens: bool
    weights: str
    must_keep: tuple[str, ...]
    total: float
    cover: Coverage
    same_items: UniformSamples
    same_tokens: UniformSamples
    seed: int
    sources: tuple[Source, ...] = ()

    def __repr__(self) -> str:
        size = f"items={len(self.items)}, tokens={self.counts.total}"
        return f"Reserve({self.source.name!r}, {size}, types={self.counts.types} of {self.types})"

    @property
    def share(self) -> float:
        """Share of all weight that is in the reserve."""
        return self.cover.value / self.total

    @property
    def kept(self) -> tuple[str, ...]:
        """The listed symbols that are in the reserve."""
        held = set(self.counts.symbols)
        return tuple(symbol for symbol in self.must_keep if symbol in held)

    def provenance(self) -> dict[str, Any]:
        """Return what is needed to make the reserve again."""
        parameters = {
            "source": self.source.name,
            "tokenizer": self.source.tokenizer,
            "column": self.source.column,
            "encoding": self.source.encoding,
            "tokens" if self.by_tokens else "size": self.budget,
            "weights": self.weights,
            "must_keep": list(self.must_keep),
        }
        return provenance(parameters, seed=self.seed)

    def header(self) -> dict[str, Any]:
        """Return the header of a reserve file."""
        return {
            "source": self.source.name,
            "tokenizer": self.source.tokenizer,
            "column": self.source.column,
            "items": len(self.items),
            "tokens": self.counts.total,
            "types": self.counts.types,
            "provenance": self.provenance(),
        }

    @override
    def save(
        self,
        path: str | os.PathLike[str],
        *,
        lang: str = "en",
        force: bool = False,
        numbered: bool = False,
    ) -> Path:
        """Write the items as a reserve file (``.jsonl``) or plain text (``.txt``), or a page.

        Parameters
        ----------
        path
            Where to; a name that ends in ``.html`` gets a page of what the reserve covers.
        lang
            Language of the page, ``en`` or ``ja``.
        force
            Whether a file that exists is replaced.
        numbered
            Whether a number is added to a name of a reserve file that is taken.

        Returns
        -------
        The path that was written.

        Raises
        ------
        ArgumentError
            If the suffix is none of these, or the items are rows and it is ``.txt``.
        OutputError
            If the file exists, or cannot be written.
        """
        path = Path(path)
        check_suffix(path, column=self.source.column)
        if path.suffix.lower() in PAGE_SUFFIXES:
            return super().save(path, lang=lang, force=force)
        if path.suffix.lower() == ".txt":
            content = "".join(f"{item[TEXT_COLUMN]}\n" for item in self.items)
        else:
            content = reserve_text(self.header(), self.items)
        return write_text(path, content, force=force, numbered=numbered)


def check_suffix(path: Path, *, column: str | None) -> None:
    """Refuse a name that no reserve is written under.

    Raises
    ------
    ArgumentError
        If it ends in none of `SUFFIXES`, or in ``.txt`` where the items are rows.
    """
    names = SUFFIXES if column is None else SUFFIXES[:2]
    if path.suffix.lower() not in (*names, *PAGE_SUFFIXES):
        takes = f"a name ending in {', '.join((*names, '.html'))}"
        raise ArgumentError("out", got=str(path), takes=takes)


WEIGHTS = ("uniform", "frequency")


def reserve(
    source: str | os.PathLike[str],
    *,
    size: int | None = None,
    tokens: int | None = None,
    must_keep: MustKeep | None = None,
    weights: str = "uniform",
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> Reserve:
    r"""Choose the items of a text, a folder or a table that cover the most.

    The data are read three times: to count, to number what each item holds, and to fetch what
    was chosen. Memory is bounded by the number of types and the size of the reserve; a
    temporary file takes about four bytes per symbol and item.

    Parameters
    ----------
    source
        A text (its lines are the items), a folder (its texts) or a table (its rows).
    size, tokens
        How many items, or how many tokens they may hold; one of the two.
    must_keep
        Symbols that alone have weight: a file with one per line, a JSON list or a table with a
        column ``symbol``, or a sequence; None gives weight to all.
    weights
        ``uniform``: every symbol counts the same; ``frequency``: as often as it occurs.
    column, tokenizer, encoding, normalize, table
        See `hayflick.corpus.reading.read_corpus`.
    seed
        Of the uniform samples to compare with; the choice itself is not random.
    progress
        Called with how far reading and choosing have come.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the reserve would be larger than the data.
    DataError
        If the data cannot be read, or lack a symbol that must be kept.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = Path(folder) / "labels.csv"
    ...     _ = rows.write_text("id,label\n1,refund\n2,refund\n3,legal\n")
    ...     stored = reserve(rows, column="label", size=2)
    >>> [row["id"] for row in stored.items], stored.counts.symbols
    (['1', '3'], ('legal', 'refund'))
    """
    path = table_or_path(source)
    budget, by_tokens = _budget(size, tokens)
    whole_number("seed", seed, at_least=0)
    if weights not in WEIGHTS:
        raise ArgumentError("weights", got=weights, takes=f"one of {', '.join(WEIGHTS)}")
    kept = None
    if must_keep is not None:
        kept = MustKeepList.of(must_keep, encoding=encoding)
        kept = kept.without_at_least("reserve").without_weights("reserve")
    refuse_counts(path)
    corpus = read_corpus(
        path,
        column=column,
        tokenizer=tokenizer,
        encoding=encoding,
        normalize=normalize,
        table=table,
        progress=progress,
    )
    listed = None if kept is None else must_keep_places(kept.symbols, corpus=corpus)
    worth = _worth(corpus.counts, weights, listed)
    blocks = item_blocks(
        path, corpus=corpus, given=table, progress=StageProgress(progress, "numbering")
    )
    with stored_items(blocks) as store:
        _check_budget(store, budget, by_tokens=by_tokens, name=corpus.source.name)
        chosen = cover(store, weights=worth, budget=budget, by_tokens=by_tokens, progress=progress)
        if chosen.value == 0.0:
            takes = "more: every item with a listed symbol has more tokens"
            raise ArgumentError("tokens", got=budget, takes=takes)
        items = item_records(path, source=corpus.source, numbers=chosen.numbers, given=table)
        counts = count_records(items, source=corpus.source)
        same_items, same_tokens = (
            uniform_samples(store, budget=number, by_tokens=of_tokens, weights=worth, seed=seed)
            for number, of_tokens in ((len(items), False), (counts.total, True))
        )
    return Reserve(
        source=corpus.source,
        items=tuple(items),
        counts=counts,
        types=corpus.counts.types,
        budget=budget,
        by_tokens=by_tokens,
        weights=weights,
        must_keep=tuple(corpus.counts.symbols[place] for place in listed or ()),
        total=float(worth.sum()),
        cover=chosen,
        same_items=same_items,
        same_tokens=same_tokens,
        seed=seed,
        sources=(corpus.source, *(() if kept is None else kept.sources)),
    )


def _budget(size: int | None, tokens: int | None) -> tuple[int, bool]:
    """Return the budget, and whether it is of tokens."""
    if (size is None) == (tokens is None):
        got = "neither size nor tokens" if size is None else "both size and tokens"
        takes = "one of them: how many items to store, or how many tokens"
        raise ArgumentError("size", got=got, takes=takes)
    if tokens is not None:
        return whole_number("tokens", tokens, at_least=1), True
    return whole_number("size", size, at_least=1), False


def _check_budget(store: ItemStore, budget: int, *, by_tokens: bool, name: str) -> None:
    """Refuse a reserve larger than the data, or one that no item fits in."""
    argument, most = ("tokens", store.tokens) if by_tokens else ("size", store.items)
    if budget > most:
        unit = "tokens" if by_tokens else "items with a symbol in them"
        takes = f"at most {most}: {name} holds {most} {unit}"
        raise ArgumentError(argument, got=budget, takes=takes)
    if by_tokens and budget < store.shortest:
        takes = f"at least {store.shortest}: the shortest item of {name} has as many"
        raise ArgumentError(argument, got=budget, takes=takes)


def _worth(counts: Counts, weights: str, listed: Sequence[int] | None) -> Floats:
    """Return the weight of every symbol."""
    even = weights == "uniform"
    worth = np.ones(counts.types) if even else counts.numbers.astype(np.float64)
    if listed is not None:
        worth[np.setdiff1d(np.arange(counts.types), listed)] = 0.0
    return worth
