"""Actions as data: from an action of a rules file to one with its items, reason and evidence.

How far a reserve or a list of prompts has been used is kept by the caller, by name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import polars as pl

from hayflick.core.errors import DataError, HayflickError
from hayflick.core.records import Action, ActionKind, Verdict
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts
from hayflick.corpus.encodings import decoded, encoding_beside_data
from hayflick.corpus.reserves import TEXT_COLUMN, reserve_header
from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.rules.model import Inject, Notify, Review, VaryPrompts

_MOST_STORED = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Withdrawal:
    """Items taken from a reserve.

    Parameters
    ----------
    texts
        The items.
    used
        Number of items taken so far, these included.
    note
        Why there are fewer than requested; empty otherwise.
    """

    texts: tuple[str, ...]
    used: int
    note: str = ""


@dataclass(frozen=True, eq=False)
class ReserveFile:
    """A reserve: a file of real items.

    Parameters
    ----------
    name
        Name of the file, as in the rules.
    texts
        The items, in order.
    tokenizer
        Name of the tokenizer that splits an item into symbols; None where an item is a symbol.
    error
        Why there are no items; empty otherwise.

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
        """Read a reserve file, or a text with an item per line.

        A file that is missing or empty gives a reserve without items, with the error.

        Parameters
        ----------
        path, name
            The file, and its name in the rules.
        like
            The data that the items belong to; a reserve file's own header where None.
        """
        if not path.is_file():
            return cls(name, (), error=f"{name} is missing")
        stated = "utf-8" if like is None else like.encoding
        if path.suffix.lower() == ".json":
            return cls._of_counts(path, name, stated)
        header = reserve_header(path)
        try:
            encoding = encoding_beside_data(path, stated=stated)
            rows = "".join(decoded(path, encoding=encoding)).splitlines()
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

    @classmethod
    def _of_counts(cls, path: Path, name: str, stated: str) -> ReserveFile:
        """Read a JSON object of symbol: number of items, as the regime ``anchor`` takes it."""
        try:
            encoding = encoding_beside_data(path, stated=stated)
            counts = json.loads("".join(decoded(path, encoding=encoding)))
            held = [text for text, number in counts.items() for _ in range(_whole(number))]
        except (HayflickError, ValueError, AttributeError, TypeError) as fault:
            takes = "takes a JSON object of symbol: number of items"
            return cls(name, (), error=f"{name}: {takes} ({fault})")
        return cls(name, tuple(held), error="" if held else f"{name} is empty")

    @cached_property
    def _counted(self) -> dict[tuple[str, ...], Counts]:
        return {}

    def take(self, items: int, *, used: int, repeat: bool = False) -> Withdrawal:
        """Return the next items.

        Parameters
        ----------
        items
            Number of items, at least 1.
        used
            Number of items taken before.
        repeat
            Whether to begin again when the reserve is used up.
        """
        if self.error:
            return Withdrawal((), used, f"{self.error}; nothing is put in")
        if repeat:
            if items == len(self.texts):
                # The whole reserve again, whatever its order.
                return Withdrawal(self.texts, used + items)
            places = [(used + place) % len(self.texts) for place in range(items)]
            return Withdrawal(tuple(self.texts[place] for place in places), used + items)
        texts = self.texts[used : used + items]
        if not texts:
            all_of = f"all {len(self.texts)} items were handed out"
            return Withdrawal((), used, f"{self.name} is used up: {all_of}; nothing is put in")
        left = f"{self.name} is used up: {len(texts)} of the {items} items were left"
        return Withdrawal(texts, used + len(texts), left if len(texts) < items else "")

    def counts(self, texts: Sequence[str]) -> Counts:
        """Return the counts of the symbols of items; the same object for the same items."""
        key = tuple(texts)
        if key not in self._counted:
            self._counted[key] = self._counts(key)
        return self._counted[key]

    def _counts(self, texts: tuple[str, ...]) -> Counts:
        if self.tokenizer is None:
            return Counts.from_mapping(Counter(text.strip() for text in texts))
        tokens = tokenizer_named(self.tokenizer).tokens(pl.LazyFrame({"text": list(texts)}))
        symbols = tokens.collect().get_column("symbol")
        return Counts.from_mapping(Counter(symbol for symbol in symbols if symbol))


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= _MOST_STORED:
        raise ValueError(f"got {number!r} items")
    return number


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
        If the file is missing or has no prompt.
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
    """Reserves and prompts that actions use.

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
    table: Inject | VaryPrompts | Review | Notify,
    *,
    reason: str,
    evidence: tuple[Verdict, ...],
    resources: ActionResources,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    """Return an action as data, and how many items or prompts were used then, by name.

    Parameters
    ----------
    table
        The action in the rules file.
    reason, evidence
        The reason and the verdicts behind it.
    resources
        Reserves and prompts.
    used
        Number of items or prompts used before, by name.

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
    action = partial(Action, evidence=evidence)
    match table:
        case Inject():
            return _inject(table, partial(action, kind=ActionKind.INJECT), reason, resources, used)
        case VaryPrompts():
            prompts, first = resources.prompts[table.name], used.get(table.name, 0)
            chosen = [prompts[(first + place) % len(prompts)] for place in range(table.items)]
            variation = action(
                kind=ActionKind.VARY_PROMPTS,
                reason=f"{reason}; ask next: {', '.join(map(repr, chosen))}",
                items=table.items,
                rounds=table.rounds,
                texts=tuple(chosen),
            )
            return variation, {table.name: first + table.items}
        case Review():
            return action(kind=ActionKind.REVIEW, reason=reason, items=table.items), {}
        case Notify():
            message = f"{reason}: {table.message}" if table.message else reason
            return action(kind=ActionKind.NOTIFY, reason=message), {}


def _inject(
    table: Inject,
    action: Callable[..., Action],
    reason: str,
    resources: ActionResources,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    items, rounds = table.items or 0, table.rounds
    if table.reserve is None:
        return action(reason=reason, items=items, rounds=rounds), {}
    reserve = resources.reserves[table.reserve]
    taken = reserve.take(items, used=used.get(table.reserve, 0), repeat=table.repeat)
    injection = action(
        reason="; ".join(filter(None, (reason, taken.note))),
        items=len(taken.texts),
        rounds=rounds,
        reserve=reserve.counts(taken.texts) if taken.texts else None,
        texts=taken.texts,
    )
    return injection, {table.reserve: taken.used}


def standing_action(
    table: Inject,
    round: int,  # noqa: A002
    resources: ActionResources,
) -> Action | None:
    """Return an action that is due in a round whatever is read; None in other rounds.

    Examples
    --------
    >>> table = Inject(name="real", kind="inject", items=2, every=5)
    >>> nothing = ActionResources({}, {})
    >>> [standing_action(table, k, nothing) is not None for k in (1, 4, 5, 10)]
    [False, False, True, True]
    """
    if table.every is None or round % table.every:
        return None
    reason = f"{table.name}: due in round {round}, whatever is read"
    action = partial(Action, evidence=(), kind=ActionKind.INJECT)
    # How far a reserve has been used follows from the round.
    used = {} if table.reserve is None else {table.reserve: _used_before(table, round)}
    return _inject(table, action, reason, resources, used)[0]


def _used_before(table: Inject, round: int) -> int:  # noqa: A002
    return (round // (table.every or 1) - 1) * (table.items or 0)
