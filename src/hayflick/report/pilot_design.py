"""A trial's design: plain values, sentences and a table, a page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hayflick.core.errors import ArgumentError
from hayflick.monitor.pilot_design import PilotDesign, plan_fields, rounds_needed
from hayflick.monitor.pilot_variation import Scale
from hayflick.report.language import Language
from hayflick.report.rendering import (
    notebook,
    sentences,
    shortened,
    significant,
    table,
    tables_page,
)

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
    return tables_page(
        title, parts, Language(lang), sources=design.sources, provenance=design.provenance()
    )


def fragment(design: PilotDesign) -> str:
    """Return what a notebook shows of a design."""
    sizes, *summary = _sentences(design, Language("en"))
    return notebook(sizes, summary, sources=design.sources)


def _sentences(design: PilotDesign, language: Language) -> list[str]:
    try:
        needed = None if design.power >= design.aim.power else rounds_needed(design)
    except ArgumentError:
        needed = None
    change = partial(signed_change, scale=design.aim.scale)
    values = {"design": design, "change": change, "rounds_needed": needed}
    return sentences("pilot_design.jinja", "summary", language, **values)


def _arms(design: PilotDesign, language: Language) -> Table:
    text, number, cost = language.text, language.number, design.cost_per_arm
    shown = table(
        text("arm"), text("rounds"), text("answers"), *([] if cost is None else [design.currency])
    )
    answers = "–" if design.answers_per_arm is None else number(design.answers_per_arm)
    costs = [] if cost is None else [significant(cost)]
    for arm in design.arms:
        label = shortened(arm)
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
