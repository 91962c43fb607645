"""Actions as data: what a rules file's action comes to when it is decided.

An action carries its reason and evidence, and holds for its rounds from the next one on. How
far a list or a store has been used is kept by whoever decides, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hayflick.core.records import Action, ActionKind, Verdict
from hayflick.rules.model import (
    Inject,
    Notify,
    Review,
    VaryPrompts,
)
from hayflick.rules.stores import Store


@dataclass(frozen=True, eq=False)
class Supplies:
    """What actions take from.

    Parameters
    ----------
    stores
        Stored real items, by the name of their file.
    prompts
        Lists of prompts, by the name of their action.
    """

    stores: Mapping[str, Store]
    prompts: Mapping[str, tuple[str, ...]]


def intervention(
    asked: Inject | VaryPrompts | Review | Notify,
    *,
    reason: str,
    evidence: tuple[Verdict, ...],
    supplies: Supplies,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    """Return the action, and how far what it takes from has been used then.

    Parameters
    ----------
    asked
        As the rules file has it.
    reason, evidence
        Why.
    supplies
        What it takes from.
    used
        How many items or prompts were taken before, by name.

    Examples
    --------
    >>> asked = Inject(name="real", kind="inject", items=2, reserve="r.txt")
    >>> supplies = Supplies({"r.txt": Store("r.txt", ("quince", "medlar", "sorb"))}, {})
    >>> first, used = intervention(asked, reason="low", evidence=(), supplies=supplies, used={})
    >>> first.reserve.symbols, used
    (('medlar', 'quince'), {'r.txt': 2})
    >>> again, used = intervention(asked, reason="low", evidence=(), supplies=supplies, used=used)
    >>> again.items, again.reason
    (1, 'low; r.txt is used up: 1 of the 2 items were left')
    """
    match asked:
        case Inject():
            return _injection(asked, reason, evidence, supplies, used)
        case VaryPrompts():
            return _other_prompts(asked, reason, evidence, supplies, used)
        case Review():
            kind, items = ActionKind.REVIEW, asked.items
            return Action(kind=kind, reason=reason, items=items, evidence=evidence), {}
        case Notify():
            said = f"{reason}: {asked.message}" if asked.message else reason
            return Action(kind=ActionKind.NOTIFY, reason=said, evidence=evidence), {}


def _injection(
    asked: Inject,
    reason: str,
    evidence: tuple[Verdict, ...],
    supplies: Supplies,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    kind, items, rounds = ActionKind.INJECT, asked.items or 0, asked.rounds
    if asked.reserve is None:
        action = Action(kind=kind, reason=reason, items=items, rounds=rounds, evidence=evidence)
        return action, {}
    store = supplies.stores[asked.reserve]
    repeat = "again" if asked.repeat else "never"
    handed = store.take(items, used=used.get(asked.reserve, 0), repeat=repeat)
    action = Action(
        kind=kind,
        reason="; ".join(filter(None, (reason, handed.remark))),
        items=len(handed.texts),
        rounds=rounds,
        reserve=store.counts(handed.texts) if handed.texts else None,
        texts=tuple(handed.texts),
        evidence=evidence,
    )
    return action, {asked.reserve: handed.used}


def _other_prompts(
    asked: VaryPrompts,
    reason: str,
    evidence: tuple[Verdict, ...],
    supplies: Supplies,
    used: Mapping[str, int],
) -> tuple[Action, dict[str, int]]:
    prompts, first = supplies.prompts[asked.name], used.get(asked.name, 0)
    chosen = [prompts[(first + place) % len(prompts)] for place in range(asked.items)]
    action = Action(
        kind=ActionKind.VARY_PROMPTS,
        reason=f"{reason}; ask next: {', '.join(map(repr, chosen))}",
        items=asked.items,
        rounds=asked.rounds,
        texts=tuple(chosen),
        evidence=evidence,
    )
    return action, {asked.name: first + asked.items}
