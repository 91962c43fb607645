"""What rules decided about a run, and how it is carried out.

A decision of round t applies in the rounds t + 1 … t + `rounds`: real texts are added to the pool
before each of them (the first after round t), or prompts are varied in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.errors import DataError, HayflickError
from hayflick.core.output import write_text
from hayflick.core.records import Action, ActionKind
from hayflick.corpus.json_lines import json_lines
from hayflick.network.experiment import Experiment
from hayflick.storage.runs import StoredText

_INJECTED, _REVIEWED = 1, 2
"""Spawn keys that separate injections and reviews from answers and retrieval."""


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """A decision as it is stored: what, why, how much, with which texts, after which round."""

    round: int
    kind: ActionKind
    reason: str
    items: int
    rounds: int
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, action: Action, *, round: int) -> RecordedAction:  # noqa: A002
        """Return the decision of a round."""
        return cls(
            round, action.kind, action.reason, action.items, action.rounds, tuple(action.texts)
        )

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> RecordedAction:
        """Return the decision of a record."""
        kept = {**values, "kind": ActionKind(values["kind"]), "texts": tuple(values["texts"])}
        return cls(**kept)

    def record(self) -> dict[str, Any]:
        """Return the decision ready for JSON."""
        return {**asdict(self), "kind": self.kind.value, "texts": list(self.texts)}

    def applies_in(self, round: int) -> bool:  # noqa: A002
        """Return whether the decision applies in a round.

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
    """Return the real texts that are added after a round.

    They are those that decisions carry, and a sample of the reserve: all of it if more is asked
    for than it holds.
    """
    due = [one for one in decisions if one.kind is ActionKind.INJECT and one.applies_in(after + 1)]
    carried = [text for one in due for text in one.texts]
    items = experiment.pool.inject + sum(one.items for one in due if not one.texts)
    rng = _stream(experiment.seed, _INJECTED, after)
    chosen = rng.choice(len(reserve), size=min(items, len(reserve)), replace=False)
    return [*carried, *(reserve[place] for place in chosen)]


def reviewed_texts(
    experiment: Experiment,
    decided: Sequence[RecordedAction],
    *,
    written: Sequence[StoredText],
    after: int,
) -> list[StoredText]:
    """Return which of a round's new texts a person reviews: a random sample, in order.

    Its size is that of the largest review that was decided; all if one does not give a size, or
    there are no more.
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
    """Return the prompt of an agent in a round: the query itself, or a variation of it.

    Variations that a decision carries take precedence over the experiment's own. Round and agent
    choose among them, so that neighbours get different prompts.
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
    """A run waits for a person's review."""

    def __init__(self, path: Path) -> None:
        self.path = path
        remedy = "set every keep to true or false, and resume the run"
        super().__init__(f"{path}: waits for a review; {remedy}")


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """What a person decided: the numbers of the texts that stay, and of those that do not."""

    kept: tuple[int, ...]
    refused: tuple[int, ...]


def write_review(folder: Path, texts: Sequence[StoredText], *, after: int) -> Path:
    """Write the file in which a person marks which texts of a round stay."""
    path = folder / f"review-{after}.jsonl"
    rows = [{"number": one.number, "author": one.author, "text": one.text} for one in texts]
    lines = [json.dumps({**row, "keep": None}, ensure_ascii=False) for row in rows]
    return write_text(path, "".join(f"{line}\n" for line in lines), force=True)


def open_reviews(folder: Path, *, after: int) -> list[Path]:
    """Return the files of reviews that were not applied yet, the oldest first.

    Those of rounds later than `after` are left out: such a round was interrupted, and is repeated.
    """
    found = ((path.stem[7:], path) for path in folder.glob("review-*.jsonl"))
    rounds = {int(name): path for name, path in found if name.isdecimal() and len(name) < 10}
    return [path for number, path in sorted(rounds.items()) if number <= after]


def read_review(path: Path) -> ReviewOutcome | None:
    """Return what a person decided; None if a line is not filled in yet.

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
    """Rename the file of a review that was applied."""
    path.replace(path.with_name(path.name + _DONE))


def _line(path: Path, place: int, record: dict[str, Any] | str) -> tuple[int, bool | None]:
    number = record.get("number") if isinstance(record, dict) else None
    keep = record.get("keep") if isinstance(record, dict) else None
    marked = keep is None or isinstance(keep, bool)
    if not isinstance(number, int) or not 0 <= number < 2**31 or not marked:
        raise DataError(f"{path}: line {place} takes number, and keep as true, false or null")
    return number, keep
