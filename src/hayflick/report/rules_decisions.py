"""Decisions of rules about a stream: plain values, a sentence and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hayflick.core.records import Action, ActionKind
from hayflick.report.language import Language
from hayflick.report.rendering import shortened, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hayflick.rules.rule_set import Decision, RuleSet

_SHOWN = 30


def decisions_record(
    rule_set: RuleSet, decided: Sequence[Decision], *, rounds: Sequence[str]
) -> dict[str, Any]:
    """Return decisions as plain values, ready for JSON.

    Parameters
    ----------
    rule_set
        The rules.
    decided
        Their decisions.
    rounds
        Names of the rounds.
    """
    return {
        "rules": rule_set.name,
        "mode": rule_set.rules.mode.value,
        "decisions": [
            {
                "round": rounds[one.round - 1],
                "group": one.group or None,
                "actions": [
                    {
                        "kind": action.kind.value,
                        "reason": action.reason,
                        "items": action.items,
                        "rounds": action.rounds,
                        "to_be_done": action in one.actions,
                    }
                    for action in one.proposed
                ],
            }
            for one in decided
        ],
    }


def decisions_tables(
    rule_set: RuleSet, decided: Sequence[Decision], *, rounds: Sequence[str], lang: str = "en"
) -> tuple[RenderableType, ...]:
    """Return what the terminal shows; the arguments are those of `decisions_record`.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    text = language.text
    if not decided:
        return (text("Decided by the rules: nothing."),)
    found = text(
        "Decided by the rules (mode {mode}) in {number} readings.",
        mode=rule_set.rules.mode.value,
        number=language.number(len(decided)),
    )
    shown = table(text("round of answers"), text("what is done"), text("reason"))
    lines = decisions_rows(decided, rounds=rounds, language=language)
    for line in lines[:_SHOWN]:
        shown.add_row(*line)
    if len(lines) <= _SHOWN:
        return found, shown
    more = text("And {number} more.", number=language.number(len(lines) - _SHOWN))
    return found, shown, more


def decisions_rows(
    decided: Sequence[Decision], *, rounds: Sequence[str], language: Language
) -> list[tuple[str, str, str]]:
    """Return round, action and reason of all proposed actions."""
    return [
        (shortened(rounds[one.round - 1]), _done(action, one, language), action.reason)
        for one in decided
        for action in one.proposed
    ]


def action_text(kind: ActionKind, *, items: int, language: Language) -> str:
    """Return what an action does, in words."""
    text = language.text
    return {
        ActionKind.INJECT: text("put in {items} real items", items=language.number(items)),
        ActionKind.VARY_PROMPTS: text("ask other prompts"),
        ActionKind.REVIEW: text("look at {items} answers", items=language.number(items)),
        ActionKind.NOTIFY: text("tell someone"),
    }[kind]


def _done(action: Action, one: Decision, language: Language) -> str:
    done = action_text(action.kind, items=action.items, language=language)
    return done if action in one.actions else language.text("({action}, held back)", action=done)
