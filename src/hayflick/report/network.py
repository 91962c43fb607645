"""A run of a network, presented: as plain values, tables, a page and in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hayflick.network.contamination import contamination_of_run
from hayflick.network.rounds import reading_record
from hayflick.network.run_results import NetworkRun
from hayflick.report.contamination import contamination_record
from hayflick.report.contamination_charts import contamination_charts
from hayflick.report.drawing import RenderedChart
from hayflick.report.language import Language
from hayflick.report.network_charts import (
    distance_chart,
    perspective_chart,
    pool_chart,
    scatter_chart,
)
from hayflick.report.network_findings import NetworkFindings
from hayflick.report.rendering import notebook, render, shown_record, table
from hayflick.report.watch_charts import chart_legend, number_chart
from hayflick.storage.runs import StoredAnswer, StoredText

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


def record(run: NetworkRun) -> dict[str, Any]:
    """Return a run as plain values, ready for JSON; nothing in it depends on the clock.

    A run that was stopped and resumed has the same record as one that was not.
    """
    return {
        "format_version": FORMAT_VERSION,
        "rounds": run.rounds,
        "finished": run.finished,
        "totals": run.totals(),
        "readings": {
            group: [reading_record(one) for one in readings]
            for group, readings in run.readings.items()
        },
        "decisions": [one.record() for one in run.decisions],
        "rules": [
            {"from_round": one.from_round, "name": Path(one.name).name, "sha256": one.sha256}
            for one in run.rules
        ],
        "read": [
            {
                "round": one.round,
                "agent": one.agent,
                "query": one.query,
                "texts": np.frombuffer(one.texts, "<i4").tolist(),
            }
            for one in run.reads
        ],
        "texts": [_plain(one) | {"embedding": one.embedding.hex()} for one in run.texts],
        "answers": [_plain(one) | {"latency_s": None} for one in run.answers],
        "contamination": contamination_record(contamination_of_run(run)),
        "provenance": run.provenance(),
    }


def _plain(row: StoredText | StoredAnswer) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def tables(run: NetworkRun, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a run."""
    language = Language(lang)
    findings = NetworkFindings(run, language)
    parts: list[RenderableType] = [findings.verdict(), *findings.sentences()]
    parts += [] if findings.charted is None else findings.charted.story()
    if run.rounds:
        text = language.text
        shown = table(text("measured"), text("first round"), text("last round"))
        for row in findings.rows():
            shown.add_row(*row)
        parts.append(shown)
    followed = findings.contamination
    parts += [] if followed is None else [followed.lead(), *followed.tables()]
    return [*parts, *findings.rules(), *findings.decisions()]


def page(run: NetworkRun, *, lang: str = "en") -> str:
    """Return a run as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = NetworkFindings(run, language)
    charted = findings.charted
    numbers = [] if charted is None else charted.numbers
    return render(
        "network.html.jinja",
        "style.css",
        language,
        sources=run.sources,
        run=run,
        findings=findings,
        charts=charts(findings),
        contamination=findings.contamination,
        tiles=[] if charted is None else [charted.tile(one) for one in numbers],
        panel=[]
        if charted is None
        else [(charted.tile(one), number_chart(one, charted)) for one in numbers],
        legend=[] if charted is None else chart_legend(numbers, charted),
        provenance=shown_record(run.provenance()),
    )


def fragment(run: NetworkRun) -> str:
    """Return what a notebook shows of a run."""
    findings = NetworkFindings(run, Language("en"))
    return notebook(
        findings.verdict(), findings.sentences(), charts(findings)[:1], sources=run.sources
    )


def charts(findings: NetworkFindings) -> tuple[RenderedChart, ...]:
    """Return the charts of a run; there is none before its first round is finished."""
    if not findings.run.rounds:
        return ()
    perspective = perspective_chart(findings)
    drawn = (distance_chart(findings), perspective, scatter_chart(findings), pool_chart(findings))
    followed = findings.contamination
    more = () if followed is None else contamination_charts(followed)
    return tuple(chart for chart in (*drawn, *more) if chart is not None)
