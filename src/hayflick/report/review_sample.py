"""A random sample of answers for a person to check: plain values, table, page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.monitor.review_sample import ReviewSample
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


def record(result: ReviewSample) -> dict[str, Any]:
    """Return the sample as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "input": result.source,
        "allocation": result.allocation.value,
        "strata": result.strata,
        "drawn": [asdict(one) for one in result.drawn],
        "provenance": result.provenance(),
    }


def tables(result: ReviewSample, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: how many answers of each group were drawn."""
    language = Language(lang)
    text, number = language.text, language.number
    drawn = Counter(one.stratum for one in result.drawn)
    shown = table(text("group"), text("answers"), text("drawn"))
    for name, size in sorted(result.strata.items()):
        shown.add_row(name or text("all answers"), number(size), number(drawn[name]))
    return _sentence(result, language), shown


def page(result: ReviewSample, *, lang: str = "en") -> str:
    """Return the sample's sizes as one self-contained HTML page."""
    language = Language(lang)
    title = language.text("Review: {name}", name=result.source)
    parts = tables(result, lang=lang)
    return tables_page(
        title, parts, language, sources=result.sources, provenance=result.provenance()
    )


def fragment(result: ReviewSample) -> str:
    """Return what a notebook shows, as HTML."""
    answers = [one.answer for one in result.drawn[:5]]
    return notebook(_sentence(result, Language("en")), answers, sources=result.sources)


def _sentence(result: ReviewSample, language: Language) -> str:
    return language.text(
        "{name}: {drawn} of {answers} answers drawn at random.",
        name=result.source,
        drawn=language.number(len(result.drawn)),
        answers=language.number(sum(result.strata.values())),
    )
