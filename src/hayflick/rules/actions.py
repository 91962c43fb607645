"""Actions as data: what a rules file's action comes to when it is decided.

An action carries its reason and evidence, and holds for its rounds from the next one on. How
far a list or a store has been used is kept by whoever decides, by name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hayflick.core.errors import DataError, HayflickError
from hayflick.core.records import Action, ActionKind, Verdict
from hayflick.corpus.counts import Counts
from hayflick.corpus.encodings import decoded
from hayflick.corpus.reserves import TEXT_COLUMN, reserve_header
from hayflick.corpus.source import Source
from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.rules.model import (
    Inject,
    Notify,
    RequestReview,
    VaryPrompts,
)


@dataclass(frozen=True, eq=False)
class Withdrawal:
    """What a store gives.

    Parameters
    ----------
    texts
        The items.
    used
        How many the store has handed out, these included.
    note
        What is to be said of it; empty where all that was asked for was there.
    """

    texts: tuple[str, ...]
    used: int
    note: str = ""


@dataclass(frozen=True, eq=False)
class ReserveFile:
    """A file of real items.

    Parameters
    ----------
    name
        The file, as the rules have it.
    texts
        Its items, in order.
    tokenizer
        Name of what splits an item into symbols; None where an item is a symbol.
    error
        Why there are no items; empty where there are.

    Examples
    --------
    >>> store = ReserveFile("words.txt", ("quince", "medlar", "quince"))
    >>> taken = store.take(2, used=0)
    >>> taken.texts, store.take(2, used=taken.used).note
    (('quince', 'medlar'), 'words.txt is used up: 1 of the 2 items were left')
    >>> store.take(2, used=3).note
    'words.txt is used up: all 3 items were handed out; nothing is put in'
    """

    name: str
    texts: tuple[str, ...]
    tokenizer: str | None = None
    error: str = ""

    @classmethod
    def from_file(cls, path: Path, *, name: str, like: Source | None = None) -> ReserveFile:
        """Return the store of a reserve file, or of a text with an item per line.

        A file that is missing or empty gives a store without items, which says so.

        Parameters
        ----------
        path, name
            The file, and what the rules call it.
        like
            The data that the items belong to; a reserve file's own header where None.
        """
        if not path.is_file():
            return cls(name, (), error=f"{name} is missing")
        header = reserve_header(path)
        try:
            rows = "".join(decoded(path, encoding="utf-8")).splitlines()
        except HayflickError as fault:
            return cls(name, (), error=str(fault))
        tokenizer = None if like is None else like.tokenizer
        if header is None:
            texts = rows
        else:
            texts = _column(rows[1:], str(header.get("column") or TEXT_COLUMN), name)
            tokenizer = tokenizer if like is not None else header.get("tokenizer")
        held = tuple(text for text in texts if text.strip())
        return cls(name, held, tokenizer, "" if held else f"{name} is empty")

    def take(self, items: int, *, used: int, repeat: str = "never") -> Withdrawal:
        """Return the next items.

        Parameters
        ----------
        items
            How many, at least 1.
        used
            How many were handed out before.
        repeat
            ``never``, or ``again`` to begin again where the store is used up.
        """
        if self.error:
            return Withdrawal((), used, f"{self.error}; nothing is put in")
        if repeat == "again":
            places = [(used + place) % len(self.texts) for place in range(items)]
            return Withdrawal(tuple(self.texts[place] for place in places), used + items)
        texts = self.texts[used : used + items]
        if not texts:
            all_of = f"all {len(self.texts)} items were handed out"
            return Withdrawal((), used, f"{self.name} is used up: {all_of}; nothing is put in")
        left = f"{self.name} is used up: {len(texts)} of the {items} items were left"
        return Withdrawal(texts, used + len(texts), left if len(texts) < items else "")

    def counts(self, texts: Sequence[str]) -> Counts:
        """Return the statistic of items: how often each symbol is in them."""
        if self.tokenizer is None:
            return Counts.from_mapping(Counter(text.strip() for text in texts))
        tokens = tokenizer_named(self.tokenizer).tokens(pl.LazyFrame({"text": list(texts)}))
        symbols = tokens.collect().get_column("symbol")
        return Counts.from_mapping(Counter(symbol for symbol in symbols if symbol))


def _column(rows: Sequence[str], column: str, name: str) -> list[str]:
    try:
        return [str(json.loads(row)[column]) for row in rows if row.strip()]
    except (ValueError, LookupError, TypeError):
        raise DataError(f"{name}: a line lacks {column!r}; write the reserve again") from None


def read_prompts(path: Path, *, name: str) -> tuple[str, ...]:
    """Return the prompts of a file, one per line.

    Raises
    ------
    DataError
        If the file is missing, or holds none.
    """
    if not path.is_file():
        raise DataError(f"{name}: is missing; vary_prompts takes a file with a prompt per line")
    rows = "".join(decoded(path, encoding="utf-8")).splitlines()
    prompts = tuple(row.strip() for row in rows if row.strip())
    if not prompts:
        raise DataError(f"{name}: holds no prompt; vary_prompts takes one per line")
    return prompts


@dataclass(frozen=True, eq=False)
class ActionResources:
    """What actions take from.

    Parameters
    ----------
    reserves
        Stored real items, by the name of their file.
    prompts
        Lists of prompts, by the name of their action.
    """

    reserves: Mapping[str, ReserveFile]
    prompts: Mapping[str, tuple[str, ...]]


def build_action(
    table: Inject | VaryPrompts | RequestReview | Notify,
    *,
    reason: str,
    evidence: tuple[Verdict, ...],
    resources: ActionResources,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    """Return the action, and how far what it takes from has been used then.

    Parameters
    ----------
    table
        As the rules file has it.
    reason, evidence
        Why.
    resources
        What it takes from.
    used
        How many items or prompts were taken before, by name.

    Examples
    --------
    >>> table = Inject(name="real", kind="inject", items=2, reserve="r.txt")
    >>> store = ReserveFile("r.txt", ("quince", "medlar", "sorb"))
    >>> resources = ActionResources({"r.txt": store}, {})
    >>> first, used = build_action(table, reason="low", evidence=(), resources=resources, used={})
    >>> first.reserve.symbols, used
    (('medlar', 'quince'), {'r.txt': 2})
    >>> again, used = build_action(table, reason="low", evidence=(), resources=resources, used=used)
    >>> again.items, again.reason
    (1, 'low; r.txt is used up: 1 of the 2 items were left')
    """
    match table:
        case Inject():
            return _inject(table, reason, evidence, resources, used)
        case VaryPrompts():
            return _vary_prompts(table, reason, evidence, resources, used)
        case RequestReview():
            kind, items = ActionKind.REVIEW, table.items
            return Action(kind=kind, reason=reason, items=items, evidence=evidence), {}
        case Notify():
            said = f"{reason}: {table.message}" if table.message else reason
            return Action(kind=ActionKind.NOTIFY, reason=said, evidence=evidence), {}


def _inject(
    table: Inject,
    reason: str,
    evidence: tuple[Verdict, ...],
    resources: ActionResources,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    kind, items, rounds = ActionKind.INJECT, table.items or 0, table.rounds
    if table.reserve is None:
        action = Action(kind=kind, reason=reason, items=items, rounds=rounds, evidence=evidence)
        return action, {}
    store = resources.reserves[table.reserve]
    repeat = "again" if table.repeat else "never"
    taken = store.take(items, used=used.get(table.reserve, 0), repeat=repeat)
    action = Action(
        kind=kind,
        reason="; ".join(filter(None, (reason, taken.note))),
        items=len(taken.texts),
        rounds=rounds,
        reserve=store.counts(taken.texts) if taken.texts else None,
        texts=tuple(taken.texts),
        evidence=evidence,
    )
    return action, {table.reserve: taken.used}


def _vary_prompts(
    table: VaryPrompts,
    reason: str,
    evidence: tuple[Verdict, ...],
    resources: ActionResources,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    prompts, first = resources.prompts[table.name], used.get(table.name, 0)
    chosen = [prompts[(first + place) % len(prompts)] for place in range(table.items)]
    action = Action(
        kind=ActionKind.VARY_PROMPTS,
        reason=f"{reason}; ask next: {', '.join(map(repr, chosen))}",
        items=table.items,
        rounds=table.rounds,
        texts=tuple(chosen),
        evidence=evidence,
    )
    return action, {table.name: first + table.items}
