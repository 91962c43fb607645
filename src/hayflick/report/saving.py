"""Runs and charts into files, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hayflick.core.errors import ArgumentError
from hayflick.core.output import (
    check_not_input,
    check_writable,
    write_file,
    write_text,
)
from hayflick.report.charts.drawing import RenderedChart, stacked, to_png
from hayflick.report.language import Language
from hayflick.report.trajectories import trajectories_page, trajectory_charts

if TYPE_CHECKING:
    import xarray

PICTURES = (".html", ".svg", ".png")


def check_outputs(
    *,
    out: Path | None,
    plot: Path | None,
    force: bool,
    inputs: Iterable[str | Path | None] = (),
) -> None:
    """Refuse what cannot be written, or what is an input, before any work starts.

    Raises
    ------
    ArgumentError
        If both are the same file, or the plot's suffix is none of a picture.
    OutputError
        As `hayflick.core.output.check_writable`.
    """
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise ArgumentError("plot", got=str(plot), takes=f"a name ending in {', '.join(PICTURES)}")
    if out is not None and plot is not None and out.resolve() == plot.resolve():
        raise ArgumentError("plot", got=str(plot), takes="another file than out")
    read = list(inputs)
    for path in filter(None, (out, plot)):
        check_not_input(path, read)
        check_writable(path, force=force)


def save_runs(
    runs: xarray.Dataset, *, out: Path | None, plot: Path | None, lang: str, force: bool
) -> None:
    """Write runs as NetCDF, and a picture of them.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    if out is not None:
        write_file(out, lambda path: runs.to_netcdf(path, engine="h5netcdf"), force=force)
    if plot is None:
        return
    if plot.suffix.lower() == ".html":
        write_text(plot, trajectories_page(runs, lang=lang), force=force)
    else:
        save_picture(plot, trajectory_charts(runs, Language(lang)), force=force)


def save_picture(path: Path, charts: Sequence[RenderedChart], *, force: bool) -> None:
    """Write charts, one under the other, as one SVG or PNG picture.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    svg = stacked([chart.svg for chart in charts])
    if path.suffix.lower() == ".svg":
        write_text(path, svg, force=force)
    else:
        write_file(path, lambda temporary: _write_bytes(temporary, to_png(svg)), force=force)


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
