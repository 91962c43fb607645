"""What was decided, and what of it is due in a round.

A decision of round t holds for the rounds t + 1 … t + `rounds`: so many times are real texts put
in the pool (after round t, …, so that those rounds read them), and so long are prompts varied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.errors import DataError, HayflickError
from hayflick.core.output import write_text
from hayflick.core.records import Action, ActionKind
from hayflick.corpus.tables import json_lines
from hayflick.network.experiment import Experiment
from hayflick.storage.runs import StoredText

_INJECTED, _REVIEWED = 1, 2
"""Spawn keys that set injections and reviews apart from answers and reading."""


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """An action as it is kept: what, why, how much, with which texts, after which round."""

    round: int
    kind: ActionKind
    reason: str
    items: int
    rounds: int
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, action: Action, *, round: int) -> RecordedAction:  # noqa: A002
        """Return the decision of a round."""
        amount = action.items, action.rounds
        return cls(round, action.kind, action.reason, *amount, action.texts)

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> RecordedAction:
        """Return the decision that was kept."""
        kept = {**values, "kind": ActionKind(values["kind"]), "texts": tuple(values["texts"])}
        return cls(**kept)

    def record(self) -> dict[str, Any]:
        """Return the decision ready for JSON."""
        return {
            "round": self.round,
            "kind": self.kind.value,
            "reason": self.reason,
            "items": self.items,
            "rounds": self.rounds,
            "texts": list(self.texts),
        }

    def applies_in(self, round: int) -> bool:  # noqa: A002
        """Return whether a round is one of those that it is for.

        Examples
        --------
        >>> decision = RecordedAction(4, ActionKind.INJECT, "narrow", items=5, rounds=2)
        >>> [decision.applies_in(number) for number in (4, 5, 6, 7)]
        [False, True, True, False]
        """
        return self.round < round <= self.round + self.rounds


def injected_texts(
    experiment: Experiment,
    decisions: Sequence[RecordedAction],
    *,
    reserve: Sequence[str],
    after: int,
) -> list[str]:
    """Return the real texts that join after a round.

    They are those that decisions bring along, and a sample of the reserve: all of it where
    more is asked for than it holds.
    """
    due = [one for one in decisions if one.kind is ActionKind.INJECT and one.applies_in(after + 1)]
    brought = [text for one in due for text in one.texts]
    items = experiment.pool.inject + sum(one.items for one in due if not one.texts)
    rng = _stream(experiment.seed, _INJECTED, after)
    chosen = rng.choice(len(reserve), size=min(items, len(reserve)), replace=False)
    return [*brought, *(reserve[place] for place in chosen)]


def reviewed_texts(
    experiment: Experiment,
    decided: Sequence[RecordedAction],
    *,
    written: Sequence[StoredText],
    after: int,
) -> list[StoredText]:
    """Return which of a round's new texts a person looks at: a random sample, in order.

    As many as the largest of the reviews that were decided asks for; all where one does not say
    how many, or there are no more.
    """
    asked = [one.items for one in decided if one.kind is ActionKind.REVIEW]
    if not asked:
        return []
    size = len(written) if 0 in asked else min(max(asked), len(written))
    rng = _stream(experiment.seed, _REVIEWED, after)
    chosen = rng.choice(len(written), size=size, replace=False)
    return [written[place] for place in sorted(chosen)]


def _stream(seed: int, key: int, after: int) -> np.random.Generator:
    sequence = np.random.SeedSequence(seed, spawn_key=(key, after))
    return np.random.Generator(np.random.Philox(sequence))


def prompt(
    query: str,
    experiment: Experiment,
    decisions: Sequence[RecordedAction],
    *,
    agent: int,
    round: int,  # noqa: A002
) -> str:
    """Return how an agent is asked in a round: as it stands, or varied.

    Prompts that a decision brings along go before the experiment's own variations. Round and
    agent choose among them, so that no two neighbours are asked alike.
    """
    varying = [one for one in decisions if one.kind is ActionKind.VARY_PROMPTS]
    due = [one for one in varying if one.applies_in(round)]
    variations = [text for one in due for text in one.texts]
    if not variations and (due or experiment.vary_prompts == "always"):
        variations = experiment.prompt_variations
    if not variations:
        return query
    return variations[(round + agent) % len(variations)].replace("{query}", query)


_DONE = ".done"


class ReviewPending(HayflickError):  # noqa: N818
    """A run waits for a person to look at texts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        remedy = "set every keep to true or false, and resume the run"
        super().__init__(f"{path}: waits for a review; {remedy}")


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """What a person decided: numbers of texts that stay, and of those that do not."""

    kept: tuple[int, ...]
    refused: tuple[int, ...]


def write_review(folder: Path, texts: Sequence[StoredText], *, after: int) -> Path:
    """Write the file in which a person says which texts of a round stay."""
    path = folder / f"review-{after}.jsonl"
    rows = [{"number": one.number, "author": one.author, "text": one.text} for one in texts]
    lines = [json.dumps({**row, "keep": None}, ensure_ascii=False) for row in rows]
    return write_text(path, "".join(f"{line}\n" for line in lines), force=True)


def open_reviews(folder: Path, *, after: int) -> list[Path]:
    """Return the files that were not taken in yet, the oldest first.

    Those of rounds later than `after` are left out: such a round was cut off, and is repeated.
    """
    rounds = {int(path.stem[7:]): path for path in folder.glob("review-*.jsonl")}
    return [path for number, path in sorted(rounds.items()) if number <= after]


def read_review(path: Path) -> ReviewOutcome | None:
    """Return what a person decided; None where a line is not filled in yet.

    Raises
    ------
    DataError
        If a line is something else.
    """
    kept: list[int] = []
    refused: list[int] = []
    whole = True
    for place, record in json_lines(path):
        number, keep = _line(path, place, record)
        whole &= keep is not None
        (kept if keep else refused).append(number)
    return ReviewOutcome(tuple(kept), tuple(refused)) if whole else None


def archive_review(path: Path) -> None:
    """Set a file aside that was taken in."""
    path.replace(path.with_name(path.name + _DONE))


def _line(path: Path, place: int, record: dict[str, Any] | str) -> tuple[int, bool | None]:
    number = record.get("number") if isinstance(record, dict) else None
    keep = record.get("keep") if isinstance(record, dict) else None
    if not isinstance(number, int) or not (keep is None or isinstance(keep, bool)):
        raise DataError(f"{path}: line {place} takes number, and keep as true, false or null")
    return number, keep
