"""The rules of a run: which rules file applied from which round on, and what it decides.

A run keeps the text of its rules, so that they can be replayed though their file has changed. Rules
that are given when a run is resumed are shown the readings of all finished rounds, and decide from
the next round on; what was decided before stands.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hayflick.core.documents import read_small_text
from hayflick.core.errors import HayflickError
from hayflick.core.protocols import Rule
from hayflick.core.records import Action, ActionKind, Reading
from hayflick.network.experiment import Experiment

if TYPE_CHECKING:
    from hayflick.rules.rule_set import RuleSet

IN_PYTHON = "a rule that was given in Python"


@dataclass(frozen=True, slots=True)
class RunRules:
    """Rules that apply from a round on.

    Parameters
    ----------
    from_round
        The first round that they decide about.
    name
        Path of their file.
    text
        Its content; None for a rule that was given in Python, which cannot be replayed.
    """

    from_round: int
    name: str
    text: str | None = None

    @classmethod
    def of_file(cls, path: str | os.PathLike[str], *, from_round: int) -> RunRules:
        """Return the rules of a file.

        Raises
        ------
        DataError
            If it cannot be read.
        """
        text = read_small_text(path, what="a rules file (.toml)")
        return cls(from_round, str(Path(path).absolute()), text)

    @classmethod
    def begun_with(
        cls, experiment: Experiment, rule: Rule | None, *, folder: Path
    ) -> RunRules | None:
        """Return the rules that a run begins with; None for none.

        Raises
        ------
        DataError
            If their file cannot be read.
        """
        if rule is not None:
            return cls(1, IN_PYTHON)
        if experiment.rules is None:
            return None
        return cls.of_file(folder / experiment.rules, from_round=1)

    @classmethod
    def stored(cls, config: Mapping[str, Any]) -> list[RunRules]:
        """Return the rules of a run's configuration, the first ones first.

        Raises
        ------
        TypeError, ValueError
            If they are damaged.
        """
        found = [cls(**one) for one in config.get("rules", ())]
        for one in found:
            if not isinstance(one.from_round, int) or not isinstance(one.name, str):
                raise ValueError("its rules lack their round or their name")
            if not isinstance(one.text, str | None):
                raise ValueError("its rules are no text")
        return found

    @property
    def sha256(self) -> str | None:
        """Hash of the file's text; None without one."""
        return None if self.text is None else hashlib.sha256(self.text.encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """Return the rules ready for JSON."""
        return asdict(self)

    def load(self) -> RuleSet | None:
        """Return the rule set; None for a rule that was given in Python.

        Raises
        ------
        DataError
            If the rules, or files that they name, cannot be used.
        """
        if self.text is None:
            return None
        # Rules bring the planning room along, which a run without them does not need.
        from hayflick.rules.loading import load_rules
        from hayflick.rules.parsing import parse_rules
        from hayflick.rules.rule_set import RuleSet

        parsed = parse_rules(self.text, name=self.name)
        rules = RuleSet.of(parsed, folder=Path(self.name).parent, name=self.name)
        return load_rules(rules).rule_set


class RoundDecisions:
    """Decides about the readings of a round as a rule does, and says which watches stop.

    A rule that fails in the middle of a run decides nothing any more: the answers are kept, and the
    reason is among the decisions.

    Parameters
    ----------
    rule
        Decides about one reading after another.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._failed = False
        self._told: set[tuple[str, str]] = set()

    def decide(self, readings: Sequence[Reading]) -> list[Action]:
        """Return the actions after a round, and a notice for each watch that stopped in it."""
        if self._failed:
            return []
        actions: list[Action] = []
        try:
            for reading in readings:
                actions += self.rule.decide(reading)
            # What is put into the next round whatever is read.
            if readings:
                actions += getattr(self.rule, "due", _nothing)(readings[0].round + 1)
        except HayflickError as fault:
            self._failed = True
            actions.append(_notice(f"the rules have stopped, and decide nothing more: {fault}"))
        for one in getattr(self.rule, "stopped", ()):
            if (one.watch, one.group) not in self._told:
                self._told.add((one.watch, one.group))
                group = f" ({one.group})" if one.group else ""
                stopped = f"[[watch]] {one.watch}{group} has stopped, and decides nothing more"
                actions.append(_notice(f"{stopped}: {one.reason}"))
        return actions


def _nothing(round: int) -> Sequence[Action]:  # noqa: A002, ARG001
    return ()


def _notice(reason: str) -> Action:
    remedy = "correct the rules, and resume the run with --rules FILE"
    return Action(kind=ActionKind.NOTIFY, reason=f"{reason}; {remedy}")
