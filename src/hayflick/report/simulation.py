"""Simulated runs of any family as numbers, tables, charts and a page."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import xarray

from hayflick.core.output import write_text
from hayflick.report.charts.drawing import RenderedChart, check_picture, save_picture
from hayflick.report.charts.trajectory import trajectory_chart
from hayflick.report.language import Language
from hayflick.report.rendering import render
from hayflick.report.tables import landmarks, significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1
_QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}


def variables(runs: xarray.Dataset) -> list[str]:
    """Return the names of what was measured in every generation."""
    return [str(name) for name, v in runs.items() if v.dims == ("replicate", "generation")]


def summary(runs: xarray.Dataset, name: str) -> pl.DataFrame:
    """Return mean, median and 5 to 95 % of a variable by generation."""
    values = runs[name].to_numpy().astype(np.float64)
    # A log of nothing is -inf: a mean over runs that have it is no number.
    with np.errstate(invalid="ignore"):
        mean = values.mean(axis=0)
        spread = np.quantile(values, list(_QUANTILES.values()), axis=0, method="nearest")
    columns = dict(zip(_QUANTILES, spread, strict=True))
    return pl.DataFrame({"generation": runs["generation"].to_numpy(), "mean": mean, **columns})


def record(runs: xarray.Dataset) -> dict[str, Any]:
    """Return runs as plain values, ready for JSON; what is not finite is None."""
    numbers = {name: summary(runs, name) for name in variables(runs)}
    return {
        "format_version": FORMAT_VERSION,
        "generations": runs["generation"].to_numpy().tolist(),
        "replicates": runs.sizes["replicate"],
        "variables": {
            name: {column: _finite(frame[column]) for column in ("mean", *_QUANTILES)}
            for name, frame in numbers.items()
        },
        "provenance": json.loads(runs.attrs["provenance"]),
    }


def _finite(values: pl.Series) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.to_list()]


def tables(runs: xarray.Dataset, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: a table per variable."""
    language, text = Language(lang), Language(lang).text
    parts: list[RenderableType] = []
    for name in variables(runs):
        numbers = summary(runs, name)
        shown = table(variable_label(name, language), text("median"), text("5 to 95%"))
        for k in landmarks(numbers.height - 1):
            low, median, high = (significant(numbers[column][k]) for column in _QUANTILES)
            shown.add_row(language.number(k), median, f"{low} – {high}")
        parts.append(shown)
    return tuple(parts)


def charts(runs: xarray.Dataset, language: Language) -> tuple[RenderedChart, ...]:
    """Return a chart per variable."""
    return tuple(
        trajectory_chart(
            runs[name], summary(runs, name), label=variable_label(name, language), language=language
        )
        for name in variables(runs)
    )


def page(runs: xarray.Dataset, *, lang: str = "en") -> str:
    """Return runs as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    made = json.loads(runs.attrs["provenance"])
    return render(
        "trajectories.html.jinja",
        "style.css",
        language,
        family=made["parameters"]["model"]["family"],
        generations=runs.sizes["generation"] - 1,
        replicates=runs.sizes["replicate"],
        regime=made["parameters"]["regime"],
        charts=charts(runs, language),
        provenance=json.dumps(made, indent=2, ensure_ascii=False),
    )


def plot_runs(
    runs: xarray.Dataset,
    path: str | os.PathLike[str],
    *,
    lang: str = "en",
    force: bool = False,
) -> Path:
    """Draw what `hayflick.simulate` returned: a chart per variable, median, spread and runs.

    Parameters
    ----------
    runs
        The simulated runs.
    path
        Where to: a name ending in ``.html`` (a page), ``.svg`` or ``.png``.
    lang
        Language of the texts, ``en`` or ``ja``.
    force
        Whether a file that exists is replaced.

    Returns
    -------
    The path that was written.

    Raises
    ------
    ArgumentError
        If there is no such language, or the name has another ending.
    OutputError
        If the file exists and `force` is not set, or it cannot be written.
    """
    language, path = Language(lang), Path(path)
    check_picture(path, name="path", force=force)
    if path.suffix.lower() == ".html":
        return write_text(path, page(runs, lang=lang), force=force)
    save_picture(path, charts(runs, language), force=force)
    return path


def variable_label(name: str, language: Language) -> str:
    """Return what a variable is called; its plain name where it has no other."""
    text = language.text
    labels = {
        "probability": text("chance of a one"),
        "rate": text("rate"),
        "mean": text("mean"),
        "deviation": text("standard deviation"),
        "log_variance_ratio": text("log of the generalised variance, against the real data's"),
        "rank": text("rank of the covariance"),
        "mean_distance": text("distance of the mean from the real one"),
        "surviving_types": text("symbols left"),
        "surviving_fraction": text("share of symbols left"),
        "surviving_in_pool": text("symbols in all that is kept"),
        "surviving_contexts": text("share of contexts left"),
        "diversity": text("diversity (Gini and Simpson)"),
        "sentence_length": text("words per sentence"),
    }
    return labels.get(name, name)
