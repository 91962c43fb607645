"""One call from a trial's results to what came of it, and its page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from hayflick.core.output import check_page, write_text
from hayflick.monitor import pilot_analysis as analysis
from hayflick.monitor.pilot_analysis import PilotResult
from hayflick.monitor.pilot_design import PilotDesign, read_plan
from hayflick.monitor.pilot_variation import Scale, read_readings
from hayflick.report.language import Language
from hayflick.report.pilot_page import pilot_page

_Path: TypeAlias = str | os.PathLike[str]


def analyse_pilot(
    results: _Path,
    *,
    plan: _Path | PilotDesign,
    arm_column: str = "arm",
    round_column: str = "round",
    value_column: str = "value",
    skip_bad: bool = False,
    encoding: str = "utf-8",
    out: _Path | None = None,
    lang: str = "en",
    force: bool = False,
) -> PilotResult:
    """Analyse the results of a trial, and write the page if asked to.

    Parameters
    ----------
    results
        A table with a row per answer or per round: CSV, TSV, JSON lines, Parquet or xlsx.
    plan
        The trial, or its plan file.
    arm_column, round_column, value_column
        Columns of the table.
    skip_bad
        Whether rows that cannot be used are counted and passed over instead of refused.
    encoding
        Of CSV, TSV and JSON lines.
    out
        File to write the page to; None for none.
    lang
        Language of the page, ``en`` or ``ja``.
    force
        Whether a file that exists is replaced.

    Raises
    ------
    DataError
        If the plan or the results cannot be used.
    OutputError
        If the page cannot be written where it was asked for; nothing is computed then.
    """
    Language(lang)
    if out is not None:
        inputs = [results] if isinstance(plan, PilotDesign) else [results, plan]
        check_page(out, inputs=inputs, force=force)
    trial = plan if isinstance(plan, PilotDesign) else read_plan(plan)
    readings = read_readings(
        results,
        arm_column=arm_column,
        round_column=round_column,
        value_column=value_column,
        positive=trial.aim.scale == Scale.RELATIVE,
        skip_bad=skip_bad,
        encoding=encoding,
    )
    result = analysis.analyse_pilot(readings, trial=trial)
    if out is not None:
        write_text(Path(out), pilot_page(result, lang=lang), force=force)
    return result
