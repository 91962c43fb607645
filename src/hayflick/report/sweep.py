"""A sweep: as plain values, tables and a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.core.display_text import display_text
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page
from hayflick.sweeps.results import SweepResult

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_MOST_ROWS = 40


def record(result: SweepResult) -> dict[str, Any]:
    """Return a sweep as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "interrupted": result.interrupted,
        "finished": result.finished,
        "imprecise": result.imprecise,
        "varied": list(result.varied),
        "cells": result.to_frame().to_dicts(),
        "provenance": result.provenance(),
    }


def tables(result: SweepResult, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a sweep."""
    language = Language(lang)
    return [*_sentences(result, language), _cells(result, language)]


def page(result: SweepResult, *, lang: str = "en") -> str:
    """Return a sweep as one self-contained HTML page."""
    language = Language(lang)
    title = language.text("Study of {number} cells", number=language.number(len(result.ready)))
    return tables_page(
        title,
        tables(result, lang=lang),
        language,
        sources=result.sources,
        provenance=result.provenance(),
    )


def fragment(result: SweepResult) -> str:
    """Return what a notebook shows of a sweep."""
    heading, *more = _sentences(result, Language("en"))
    return notebook(heading, more, sources=result.sources)


def _sentences(result: SweepResult, language: Language) -> list[str]:
    text, number = language.text, language.number
    found = [one for one in result.results if one is not None]
    lawful = sum(not one.runs for one in found)
    lines = [
        text(
            "{finished} of {cells} cells are finished, {lawful} of them by law.",
            finished=number(len(found)),
            cells=number(len(result.ready)),
            lawful=number(lawful),
        )
    ]
    if result.imprecise:
        lines.append(
            text(
                "{number} cells did not reach the standard error with {replicates} runs.",
                number=number(result.imprecise),
                replicates=number(result.study.most_replicates),
            )
        )
    return lines


def _cells(result: SweepResult, language: Language) -> Table:
    text = language.text
    names = [name for name in result.varied if name != "share"] or ["family"]
    frame = result.to_frame()
    if "share" in result.varied:
        names.append("regime")
    shown = table(
        *(display_text(name) for name in names), text("law"), text("kept"), text("standard error")
    )
    for row in frame.head(_MOST_ROWS).iter_rows(named=True):
        kept, error = row["kept"], row["standard_error"]
        shown.add_row(
            *("–" if row[name] is None else display_text(str(row[name])) for name in names),
            "–" if row["law"] is None else text(row["law"]),
            "–" if kept is None else language.percent(kept),
            "–" if error is None else f"{error:.2g}",
        )
    more = frame.height - _MOST_ROWS
    if more > 0:
        shown.caption = text("{number} more cells", number=language.number(more))
    return shown
