"""The rounds of a loop: as plain values, a table and a page."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hayflick.calibration.loop_record import LoopRound
from hayflick.calibration.loop_result import LoopRun
from hayflick.core.display import report_of
from hayflick.core.display_text import display_text
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1


def record(run: LoopRun) -> dict[str, Any]:
    """Return the rounds as plain values, ready for JSON."""
    calibration = run.calibration
    return {
        "format_version": FORMAT_VERSION,
        "folder": _path(run.folder),
        "finished": run.finished,
        "stopped": None if run.stopped is None else str(run.stopped),
        "rounds_wanted": run.settings.rounds,
        "rounds": [_round(one) for one in run.rounds],
        "trainer_seconds": run.spent,
        "calibration": None if calibration is None else _path(calibration),
        "uncalibrated": run.uncalibrated or None,
        "provenance": run.provenance(),
    }


def _path(path: Path) -> str:
    # Bytes of a name that are no text are none of JSON either.
    return os.fsencode(path).decode("utf-8", errors="replace")


def _round(one: LoopRound) -> dict[str, Any]:
    """Return a round under the names that a calibration's forecast has for its own."""
    values = asdict(one)
    return {"round": values.pop("round"), "share": values.pop("kept"), **values}


def tables(run: LoopRun, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: the rounds, and what is left after each."""
    language = Language(lang)
    found = run.calibrated
    shown = [] if found is None else report_of(found).tables(found, lang=lang)
    return [_headline(run, language), _table(run, language), *_notes(run, language), *shown]


def page(run: LoopRun, *, lang: str = "en") -> str:
    """Return the rounds as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    return tables_page(
        language.text("Rounds of the trainer: {name}", name=run.source.name),
        tables(run, lang=lang),
        language,
        sources=run.sources,
        provenance=run.provenance(),
    )


def fragment(run: LoopRun) -> str:
    """Return what a notebook shows of a loop."""
    language = Language("en")
    return notebook(_headline(run, language), _notes(run, language), sources=run.sources)


def _headline(run: LoopRun, language: Language) -> str:
    text, last = language.text, run.rounds[-1]
    if last.round == 0:
        return text(
            "No round is done yet; the real data hold {types} different symbols.",
            types=language.number(last.types),
        )
    return text(
        "{done} of {rounds} rounds are done: {kept} of the types of the real data are left.",
        done=last.round,
        rounds=max(run.settings.rounds, last.round),
        kept=language.percent(last.kept),
    )


def _notes(run: LoopRun, language: Language) -> list[str]:
    text = language.text
    stopped = [] if run.stopped is None else [text(run.stopped.message, **run.stopped.values)]
    if run.calibration is not None:
        file = display_text(str(run.calibration))
        return [*stopped, text("The trainer is calibrated in {file}.", file=file)]
    if run.uncalibrated:
        return [*stopped, text("Not calibrated: {reason}.", reason=run.uncalibrated)]
    return stopped


def _table(run: LoopRun, language: Language) -> Table:
    text, number = language.text, language.number
    shown = table(
        text("round"),
        text("items"),
        text("of them real"),
        text("types"),
        text("types left"),
        text("time of the trainer"),
    )
    for one in run.rounds:
        real = one.items if one.round == 0 else one.fresh + one.stored
        taken = sum((one.seconds or {}).values())
        shown.add_row(
            str(one.round),
            number(one.items),
            number(real),
            number(one.types),
            language.percent(one.kept),
            text("{seconds} s", seconds=number(taken)) if one.round else "",
        )
    return shown
