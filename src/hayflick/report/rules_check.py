"""The check of a rules file: plain values, sentences and a table, a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.monitor.check_rules import RulesCheck
from hayflick.report.language import Language
from hayflick.report.rendering import (
    notebook,
    sentences,
    shortened,
    significant,
    table,
    tables_page,
)
from hayflick.rules.model import WatchTable, healthy_direction

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_TEMPLATE = "rules_check.jinja"


def record(check: RulesCheck) -> dict[str, Any]:
    """Return a check as plain values, ready for JSON."""
    rules = check.rule_set.rules
    derived = ("limit", "dose", "next_unaided", "margin", "healthy", "false_alarms")
    return {
        "format_version": FORMAT_VERSION,
        "rules": check.rule_set.name,
        "mode": rules.mode.value,
        "false_alarms": rules.false_alarms,
        "charts": check.charts,
        "watches": [
            {
                "name": watch.name,
                "metrics": list(watch.metrics),
                "chart": watch.chart,
                "below": watch.below,
                "above": watch.above,
                "actions": watch.actions,
                "alarms": check.alarms[watch.name],
                "readings": check.readings[watch.name],
            }
            for watch in rules.watch
        ],
        "derived": {
            name: {key: getattr(policy, key) for key in derived}
            for name, policy in check.policies.items()
        },
        "chances": [asdict(chance) for chance in check.chances],
        "doubts": [asdict(warning) for warning in check.warnings],
        "faults": list(check.problems),
    }


def tables(check: RulesCheck, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: mode, rates, watches, derivations, actions, warnings."""
    language, rules = Language(lang), check.rule_set.rules
    prompts = check.rule_set.resources.prompts
    return [
        *sentences(_TEMPLATE, "introduction", language, rules=rules),
        _watches(rules.watch, language),
        *sentences(_TEMPLATE, "derivations", language, policies=check.policies),
        *sentences(_TEMPLATE, "actions", language, rules=rules, prompts=prompts),
        *sentences(
            _TEMPLATE, "chances", language, found=check.chances, generations=check.generations
        ),
        *sentences(_TEMPLATE, "warnings", language, found=check.warnings),
        *check.problems,
    ]


def page(check: RulesCheck, *, lang: str = "en") -> str:
    """Return a check as one self-contained HTML page."""
    title = Language(lang).text("Rules: {name}", name=check.rule_set.name)
    parts = tables(check, lang=lang)
    return tables_page(
        title, parts, Language(lang), sources=check.sources, provenance=check.provenance()
    )


def fragment(check: RulesCheck) -> str:
    """Return what a notebook shows of a check."""
    mode, *rest = (part for part in tables(check) if isinstance(part, str))
    return notebook(mode, rest, sources=check.sources)


def _watches(watches: Sequence[WatchTable], language: Language) -> Table:
    text = language.text
    shown = table(text("watched"), text("limit value"), text("confirmed by"), text("what is done"))
    for row in watch_rows(watches, language):
        shown.add_row(*row)
    return shown


def watch_rows(
    watches: Sequence[WatchTable], language: Language
) -> list[tuple[str, str, str, str]]:
    """Return what each watch watches, its limit, how it is confirmed, and what is done."""
    return [
        (
            f"{shortened(watch.name)} ({', '.join(map(shortened, watch.metrics))})",
            _limit(watch, language),
            f"{watch.confirm.needed}/{watch.confirm.of}",
            ", ".join(map(shortened, watch.actions)) or "–",
        )
        for watch in watches
    ]


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
