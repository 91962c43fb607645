"""A trial's design: plain values, sentences and a table, a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.core.errors import ArgumentError
from hayflick.monitor.pilot_design import PilotDesign, plan_fields, rounds_needed
from hayflick.monitor.pilot_variation import Scale
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, tables_page
from hayflick.report.tables import printable, significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def record(design: PilotDesign) -> dict[str, Any]:
    """Return a design as plain values: its plan file, and what follows from it."""
    return {
        **plan_fields(design),
        "level_per_comparison": design.level,
        "power": design.power,
        "detectable": design.detectable,
        "answers_per_arm": design.answers_per_arm,
        "cost_per_arm": design.cost_per_arm,
        "design_effect": None
        if design.variation.correlation is None or design.answers is None
        else design.variation.design_effect(design.answers),
    }


def tables(design: PilotDesign, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a design."""
    language = Language(lang)
    return [*_sentences(design, language), _arms(design, language)]


def page(design: PilotDesign, *, lang: str = "en") -> str:
    """Return a design as one self-contained HTML page."""
    title = Language(lang).text("Design of a trial")
    parts = tables(design, lang=lang)
    return tables_page(title, parts, Language(lang), provenance=design.provenance())


def fragment(design: PilotDesign) -> str:
    """Return what a notebook shows of a design."""
    sizes, *summary = _sentences(design, Language("en"))
    return notebook(sizes, summary)


def _sentences(design: PilotDesign, language: Language) -> list[str]:
    sentences = [
        _sizes(design, language),
        language.text(
            "A change of {effect} is found with a power of {power}; with {aimed}, a change of "
            "{detectable}.",
            effect=signed_change(design.aim.effect, scale=design.aim.scale),
            power=language.percent(design.power),
            aimed=language.percent(design.aim.power, digits=0),
            detectable=signed_change(design.detectable, scale=design.aim.scale),
        ),
    ]
    if design.power < design.aim.power:
        sentences.append(_shortfall(design, language))
    return [*sentences, _variation(design, language), _test(design, language)]


def _sizes(design: PilotDesign, language: Language) -> str:
    text, number = language.text, language.number
    if design.answers is None:
        return text("Each arm: {rounds} rounds", rounds=number(design.rounds))
    return text(
        "Each arm: {rounds} rounds of {answers} answers",
        rounds=number(design.rounds),
        answers=number(design.answers),
    )


def _shortfall(design: PilotDesign, language: Language) -> str:
    """Return how many rounds would be enough."""
    try:
        needed = rounds_needed(design)
    except ArgumentError:
        return language.text("That is less than aimed at, and no number of rounds helps.")
    return language.text(
        "That is less than aimed at: {rounds} rounds would be enough.",
        rounds=language.number(needed),
    )


def _variation(design: PilotDesign, language: Language) -> str:
    text, number, variation = language.text, language.number, design.variation
    where = text("as stated")
    if variation.rounds is not None:
        where = text("estimated from {rounds} rounds of readings", rounds=number(variation.rounds))
    sd = significant(variation.sd)
    if variation.correlation is None or design.answers is None:
        return text("Standard deviation of a round's number: {sd} ({where}).", sd=sd, where=where)
    return text(
        "Standard deviation of an answer: {sd}; correlation within a round: {correlation} "
        "({where}). A round of {answers} answers is worth {worth} independent ones.",
        sd=sd,
        correlation=significant(variation.correlation),
        where=where,
        answers=number(design.answers),
        worth=number(design.answers / variation.design_effect(design.answers)),
    )


def _test(design: PilotDesign, language: Language) -> str:
    text, aim, treatments = language.text, design.aim, len(design.treatments)
    sides = text("in both directions") if aim.sides == 2 else text("in one direction")
    false_alarms = language.percent(aim.false_alarms)
    if treatments == 1:
        return text(
            "Test: Welch's t of the rounds, {sides}; false alarms {false_alarms}.",
            sides=sides,
            false_alarms=false_alarms,
        )
    return text(
        "Test: Welch's t of the rounds, {sides}; false alarms {false_alarms} over all "
        "{treatments} treatments together ({correction}).",
        sides=sides,
        false_alarms=false_alarms,
        treatments=language.number(treatments),
        correction=aim.correction.capitalize(),
    )


def _arms(design: PilotDesign, language: Language) -> Table:
    text, number, cost = language.text, language.number, design.cost_per_arm
    shown = table(
        text("arm"), text("rounds"), text("answers"), *([] if cost is None else [design.currency])
    )
    answers = "–" if design.answers_per_arm is None else number(design.answers_per_arm)
    costs = [] if cost is None else [significant(cost)]
    for arm in design.arms:
        label = printable(arm)
        if arm == design.control:
            label = text("{arm} (control)", arm=label)
        shown.add_row(label, number(design.rounds), answers, *costs)
    return shown


def signed_change(value: float, *, scale: str) -> str:
    """Return a change with its sign, in per cent on the relative scale.

    Examples
    --------
    >>> signed_change(0.05, scale="absolute"), signed_change(-0.1234, scale="relative")
    ('+0.05', '-12.3%')
    """
    if scale == Scale.RELATIVE:
        return f"{value:+.1%}"
    return f"+{significant(value)}" if value > 0.0 else significant(value)
