"""``--summary`` and ``--plot``: a result for the page of a pipeline's run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli.options import Lang
from hayflick.core.output import check_not_input, check_writable

if TYPE_CHECKING:
    from hayflick.monitor.compare_result import Comparison
    from hayflick.monitor.watch_result import WatchResult

SummaryOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Append verdict, table and chart in Markdown to this file, such as "
        '"$GITHUB_STEP_SUMMARY".',
        show_default=False,
    ),
]
PlotOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write the charts here too, as .svg or .png.", show_default=False
    ),
]


def check_summary(
    summary: Path | None, plot: Path | None, *, inputs: Sequence[str | Path | None], force: bool
) -> None:
    """Refuse files that cannot be written, before any work starts.

    Raises
    ------
    ArgumentError
        If the plot's name has another ending.
    OutputError
        If a file is an input or cannot be written, or the plot exists and `force` is not set.
    """
    if summary is not None:
        check_not_input(summary, [*inputs, plot])
        check_writable(summary, force=True)
    if plot is not None:
        from hayflick.report.plot import check_plot

        check_plot(plot, inputs=inputs, force=force)


def write_summary(
    result: WatchResult | Comparison,
    summary: Path | None,
    plot: Path | None,
    *,
    lang: Lang,
    force: bool,
    fail_below: float | None = None,
) -> None:
    """Append the summary of a result, and write its charts, where that was asked for."""
    if summary is not None:
        from hayflick.report.markdown import append_summary, markdown_summary

        append_summary(summary, markdown_summary(result, lang=lang.value, fail_below=fail_below))
    if plot is not None:
        from hayflick.report.plot import save_plot

        save_plot(result, plot, lang=lang.value, force=force)
