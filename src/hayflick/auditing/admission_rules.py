"""What a pool takes: the limits of an admission gate, and what it does with what is beyond them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hayflick.core.checks import finite_number, share, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import translatable
from hayflick.core.toml import read_toml

ADMIT, QUARANTINE, REJECT = DECISIONS = (
    translatable("admit"),
    translatable("quarantine"),
    translatable("reject"),
)

ACTIONS: Mapping[str, str] = {
    "unreadable": REJECT,
    "empty": REJECT,
    "too-short": REJECT,
    "control-characters": QUARANTINE,
    "exact-copy": REJECT,
    "near-copy": REJECT,
    "source-share": QUARANTINE,
    "spreading-phrase": QUARANTINE,
    "score": QUARANTINE,
}
"""Every reason, and what is done with a text for it unless the rules say otherwise."""


@dataclass(frozen=True, kw_only=True)
class AdmissionRules:
    """What a pool takes.

    Parameters
    ----------
    min_words
        Words of a text; two characters count as one in scripts without spaces.
    max_cluster
        Texts of the pool that are near copies of one another, the new one included. With 1 no
        near copy is taken.
    max_source_share
        The largest share of one source in the pool, the new text included; None for any. It is
        asked from 20 texts in the pool on.
    max_phrase
        The largest share of the latest texts that may have the same four words in a row; None for
        any. A phrase that is at least a third as frequent in the pool does not spread.
    window
        How many of the latest texts are searched for phrases.
    max_score
        The largest score of a detector or the like; None for any.
    actions
        What is done for a reason: ``admit``, ``quarantine`` or ``reject``; of those that are not
        named, `ACTIONS` says it.

    Raises
    ------
    ArgumentError
        If one of them is out of its range.

    Examples
    --------
    >>> rules = AdmissionRules(min_words=5, actions={"near-copy": "quarantine"})
    >>> rules.action("near-copy"), rules.action("exact-copy")
    ('quarantine', 'reject')
    """

    min_words: int = 1
    max_cluster: int = 1
    max_source_share: float | None = None
    max_phrase: float | None = 0.1
    window: int = 500
    max_score: float | None = None
    actions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole_number("min_words", self.min_words, at_least=1)
        whole_number("max_cluster", self.max_cluster, at_least=1)
        whole_number("window", self.window, at_least=10, at_most=100_000)
        for name in ("max_source_share", "max_phrase"):
            if (limit := getattr(self, name)) is not None:
                share(name, limit)
        if self.max_score is not None:
            finite_number("max_score", self.max_score)
        if not isinstance(self.actions, Mapping):
            raise ArgumentError("actions", got=self.actions, takes="a table of reasons")
        for reason, action in self.actions.items():
            if reason not in ACTIONS:
                raise ArgumentError("actions", got=reason, takes=f"one of {', '.join(ACTIONS)}")
            if action not in DECISIONS:
                takes = f"for {reason} one of {', '.join(DECISIONS)}"
                raise ArgumentError("actions", got=action, takes=takes)

    def action(self, reason: str) -> str:
        """Return what is done with a text for a reason."""
        return self.actions.get(reason, ACTIONS[reason])

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> AdmissionRules:
        """Return the rules of a file, whose keys are the parameters with - or _ in their names.

        Raises
        ------
        DataError
            If the file cannot be read, or has another key.
        ArgumentError
            If a value is out of its range.
        """
        names = [one.name for one in fields(cls)]
        given: dict[str, Any] = {}
        for key, value in read_toml(path, what="a file of rules").items():
            name = key.replace("-", "_")
            if name not in names:
                known = ", ".join(one.replace("_", "-") for one in names)
                raise DataError(f"{path}: {key!r} is no rule of admission; there are {known}")
            given[name] = value
        return cls(**given)
