"""A rules file, looked through: in words and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.monitor.check_rules import ALWAYS, RulesCheck, RuleWarning
from hayflick.planning.dose import ThresholdPolicy
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, tables_page
from hayflick.report.tables import printable, significant, table
from hayflick.rules.model import (
    Inject,
    Mode,
    Notify,
    RequestReview,
    VaryPrompts,
    WatchTable,
    healthy_direction,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1


def record(checked: RulesCheck) -> dict[str, Any]:
    """Return a rules file that was looked through as plain values, ready for JSON."""
    rules = checked.rule_set.rules
    return {
        "format_version": FORMAT_VERSION,
        "rules": checked.rule_set.name,
        "mode": rules.mode.value,
        "false_alarms": rules.false_alarms,
        "charts": checked.charts,
        "watches": [
            {
                "name": watch.name,
                "metrics": list(watch.metrics),
                "chart": watch.chart,
                "below": watch.below,
                "above": watch.above,
                "actions": watch.actions,
                "alarms": checked.alarms[watch.name],
                "readings": checked.readings[watch.name],
            }
            for watch in rules.watch
        ],
        "derived": {
            name: {
                "limit": found.limit,
                "dose": found.dose,
                "next_unaided": found.next_unaided,
                "margin": found.margin,
                "healthy": found.healthy,
                "false_alarms": found.false_alarms,
            }
            for name, found in checked.policies.items()
        },
        "doubts": [asdict(warning) for warning in checked.warnings],
        "faults": list(checked.problems),
    }


def tables(checked: RulesCheck, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: mode, rates, watches, derivations, warnings."""
    language = Language(lang)
    derived = (
        printable(_derivation(name, found, language)) for name, found in checked.policies.items()
    )
    return [
        _mode(checked, language),
        *_rates(checked, language),
        _watches(checked, language),
        *derived,
        *(printable(line) for line in _actions(checked, language)),
        *(printable(_warning(warning, language)) for warning in checked.warnings),
        *(printable(fault) for fault in checked.problems),
    ]


def page(checked: RulesCheck, *, lang: str = "en") -> str:
    """Return the check as one self-contained HTML page."""
    language = Language(lang)
    title = language.text("Rules: {name}", name=checked.rule_set.name)
    parts = tables(checked, lang=lang)
    return tables_page(title, parts, language, provenance=checked.provenance())


def fragment(checked: RulesCheck) -> str:
    """Return what a notebook shows of the check."""
    language = Language("en")
    warnings = (_warning(warning, language) for warning in checked.warnings)
    return notebook(_mode(checked, language), (*_actions(checked, language), *warnings))


def _mode(checked: RulesCheck, language: Language) -> str:
    text = language.text
    said = {
        Mode.OBSERVE: text("Mode observe: decisions are listed, nothing is done."),
        Mode.WARN: text("Mode warn: notifications alone."),
        Mode.ACT: text("Mode act: everything that is decided is to be done."),
    }
    return said[checked.rule_set.rules.mode]


def _rates(checked: RulesCheck, language: Language) -> tuple[str, ...]:
    rules, text = checked.rule_set.rules, language.text
    said = []
    if any(watch.chart is not None for watch in rules.watch):
        said.append(
            text(
                "All charts of a stream together: one false alarm in {readings} healthy readings, "
                "learnt from {baseline} readings.",
                readings=language.number(1.0 / rules.false_alarms),
                baseline=language.number(rules.baseline),
            )
        )
    if rules.false_discoveries is not None:
        said.append(
            text(
                "Of the groups that alarm, {share} are false on average, at most.",
                share=language.percent(rules.false_discoveries),
            )
        )
    return tuple(said)


def _watches(checked: RulesCheck, language: Language) -> Table:
    text = language.text
    shown = table(text("watched"), text("limit value"), text("confirmed by"), text("what is done"))
    for watch in checked.rule_set.rules.watch:
        confirm = f"{watch.confirm.needed}/{watch.confirm.of}"
        actions = ", ".join(map(printable, watch.actions)) or "–"
        name = printable(f"{watch.name} ({', '.join(watch.metrics)})")
        shown.add_row(name, _limit(watch, language), confirm, actions)
    return shown


def _limit(watch: WatchTable, language: Language) -> str:
    text = language.text
    if watch.chart is not None:
        return f"{watch.chart} ({healthy_direction(watch)})"
    sides = []
    if watch.below is not None:
        sides.append(text("below {limit}", limit=significant(watch.below)))
    if watch.above is not None:
        sides.append(text("above {limit}", limit=significant(watch.above)))
    if not sides:
        return text("from the target {keep}", keep=language.percent(watch.target or 0.0))
    return ", ".join(sides)


def _derivation(name: str, found: ThresholdPolicy, language: Language) -> str:
    text, percent = language.text, language.percent
    if found.always:
        return text(
            "{watch}: no state leaves room for a round without real data ({left} would be left "
            "of {keep}), so every round gets {dose} items.",
            watch=name,
            left=percent(found.next_unaided),
            keep=percent(found.keep),
            dose=language.number(found.dose),
        )
    return text(
        "{watch}: to keep {keep}, the limit is {limit}: one more round without real data then "
        "leaves {left}. Real data alone leave {healthy}, below the limit in {share} of rounds. "
        "The dose, {dose} items, keeps {margin} more than the target, for chance.",
        watch=name,
        keep=percent(found.keep),
        limit=percent(found.limit, digits=2),
        left=percent(found.next_unaided, digits=2),
        healthy=percent(found.healthy, digits=2),
        share=percent(found.false_alarms, digits=2),
        dose=language.number(found.dose),
        margin=percent(found.margin, digits=2),
    )


def _actions(checked: RulesCheck, language: Language) -> Iterator[str]:
    text, number = language.text, language.number
    for action in checked.rule_set.rules.action:
        match action:
            case Inject(reserve=None):
                yield text(
                    "{action}: {items} new real items a round (rounds: {rounds}).",
                    action=action.name,
                    items="–" if action.items is None else number(action.items),
                    rounds=number(action.rounds),
                )
            case Inject():
                yield text(
                    "{action}: {items} items of {reserve} a round (rounds: {rounds}).",
                    action=action.name,
                    items="–" if action.items is None else number(action.items),
                    reserve=action.reserve,
                    rounds=number(action.rounds),
                )
            case VaryPrompts():
                yield text(
                    "{action}: ask the next {items} of {all} prompts.",
                    action=action.name,
                    items=number(action.items),
                    all=number(len(checked.rule_set.resources.prompts[action.name])),
                )
            case RequestReview():
                yield text(
                    "{action}: a person looks at {items} random answers.",
                    action=action.name,
                    items=number(action.items),
                )
            case Notify():
                yield text("{action}: someone is told.", action=action.name)


def _warning(warning: RuleWarning, language: Language) -> str:
    """Return why a rule fires always or never, with numbers."""
    text = language.text
    numbers = {
        "watch": warning.watch,
        "limit": significant(warning.limit),
        "low": significant(warning.low),
        "high": significant(warning.high),
    }
    always = warning.fires == ALWAYS
    match warning.where:
        case "range" if always:
            return text(
                "Warning: {watch} always fires: {low} to {high} is possible, the limit is {limit}.",
                **numbers,
            )
        case "range":
            return text(
                "Warning: {watch} never fires: {low} to {high} is possible, the limit is {limit}.",
                **numbers,
            )
        case "readings":
            return text(
                "Warning: {watch} fires in all {number} readings: they are {low} to {high}, the "
                "limit is {limit}.",
                number=language.number(warning.number),
                **numbers,
            )
    if always:
        return text(
            "Warning: {watch} always fires: {number} rounds of real data alone leave {low} to "
            "{high}, the limit is {limit}.",
            number=language.number(warning.number),
            **numbers,
        )
    return text(
        "Warning: {watch} never fires: {number} rounds without any real data leave {low} to "
        "{high}, the limit is {limit}.",
        number=language.number(warning.number),
        **numbers,
    )
