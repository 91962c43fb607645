"""What was decided, and what of it is due in a round.

A decision of round t holds for the rounds t + 1 … t + `rounds`: so many times are real texts put
in the pool (after round t, …, so that those rounds read them), and so long are prompts varied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.records import Action, ActionKind
from hayflick.network.experiment import Experiment

_INJECTED = 1
"""Spawn key that sets injections apart from answers and reading."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An action as it is kept: what, why, how much, decided after which round."""

    round: int
    kind: ActionKind
    reason: str
    items: int
    rounds: int

    @classmethod
    def of(cls, action: Action, *, round: int) -> Decision:  # noqa: A002
        """Return the decision of a round."""
        return cls(round, action.kind, action.reason, action.items, action.rounds)

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Decision:
        """Return the decision that was kept."""
        return cls(**{**values, "kind": ActionKind(values["kind"])})

    def record(self) -> dict[str, Any]:
        """Return the decision ready for JSON."""
        return {
            "round": self.round,
            "kind": self.kind.value,
            "reason": self.reason,
            "items": self.items,
            "rounds": self.rounds,
        }

    def holds(self, round: int) -> bool:  # noqa: A002
        """Return whether a round is one of those that it is for.

        Examples
        --------
        >>> decision = Decision(4, ActionKind.INJECT, "narrow", items=5, rounds=2)
        >>> [decision.holds(number) for number in (4, 5, 6, 7)]
        [False, True, True, False]
        """
        return self.round < round <= self.round + self.rounds


def injected_texts(
    experiment: Experiment,
    decisions: Sequence[Decision],
    *,
    reserve: Sequence[str],
    after: int,
) -> list[str]:
    """Return the real texts that join after a round: a sample of the reserve.

    All of the reserve where more is asked for than it holds.
    """
    due = [one for one in decisions if one.kind is ActionKind.INJECT and one.holds(after + 1)]
    items = experiment.pool.inject + sum(one.items for one in due)
    sequence = np.random.SeedSequence(experiment.seed, spawn_key=(_INJECTED, after))
    rng = np.random.Generator(np.random.Philox(sequence))
    chosen = rng.choice(len(reserve), size=min(items, len(reserve)), replace=False)
    return [reserve[place] for place in chosen]


def prompt(
    query: str,
    experiment: Experiment,
    decisions: Sequence[Decision],
    *,
    agent: int,
    round: int,  # noqa: A002
) -> str:
    """Return how an agent is asked in a round: as it stands, or varied.

    Round and agent choose the variation, so that no two neighbours are asked alike.
    """
    asked = (one for one in decisions if one.kind is ActionKind.VARY_PROMPTS)
    varied = experiment.vary_prompts == "always" or any(one.holds(round) for one in asked)
    if not (varied and experiment.prompt_variations):
        return query
    variations = experiment.prompt_variations
    return variations[(round + agent) % len(variations)].replace("{query}", query)
