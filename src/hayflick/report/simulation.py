"""Simulated runs of any family: record, tables, charts and page."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from hayflick.core.output import write_text
from hayflick.core.source import sources_in
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.rendering import landmarks, render, shown_record, significant, table

if TYPE_CHECKING:
    import xarray
    from rich.console import RenderableType

FORMAT_VERSION = 1
_RUNS_SHOWN = 25
_MOST_POINTS = 400
_DECADES = 3.0
_QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}


def variables(runs: xarray.Dataset) -> list[str]:
    """Return the names of the variables that are measured in every generation."""
    return [str(name) for name, v in runs.items() if v.dims == ("replicate", "generation")]


def summary(runs: xarray.Dataset, name: str) -> pl.DataFrame:
    """Return mean, median and 5 to 95 % of a variable by generation."""
    values = runs[name].to_numpy().astype(np.float64)
    # The logarithm of 0 is -inf; a mean over such runs is undefined.
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
        "inputs": [source.to_dict() for source in sources_in(runs.attrs)],
    }


def _finite(values: pl.Series) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.to_list()]


def tables(runs: xarray.Dataset, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return a table per variable for the terminal."""
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


def charts(runs: xarray.Dataset, language: Language) -> tuple[drawing.RenderedChart, ...]:
    """Return a chart per variable."""
    return tuple(
        trajectory_chart(
            runs[name], summary(runs, name), label=variable_label(name, language), language=language
        )
        for name in variables(runs)
    )


def trajectory_chart(
    runs: xarray.DataArray, numbers: pl.DataFrame, *, label: str, language: Language
) -> drawing.RenderedChart:
    """Return the chart of a variable of shape ``(replicate, generation)``."""
    import altair as alt

    text = language.text
    kind: Literal["log", "linear"] = "log" if _spans_decades(numbers) else "linear"
    single, median = text("single runs"), text("median")
    spread = text("5 to 95%")
    colours = {median: drawing.LAW, spread: drawing.SIMULATED, single: drawing.GREY}
    colour = drawing.colour_legend(colours)
    scale = alt.Scale(type=kind, zero=kind == "linear", nice=kind == "linear")
    axis = alt.Axis(format="~g", labelOverlap=True, tickCount=6)
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    y = alt.Y("value:Q", title=label, scale=scale, axis=axis)
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    area = _drawable(drawing.thinned(numbers, most=_MOST_POINTS), kind)
    band = area.with_columns(value=pl.col("low"), series=pl.lit(spread))
    line = area.with_columns(value=pl.col("median"), series=pl.lit(median))
    paths = _drawable(_single_runs(runs).with_columns(series=pl.lit(single)), kind)
    layers = [
        base.properties(data=band)
        .mark_area(opacity=0.35)
        .encode(x=x, y=y, y2="high:Q", color=colour),
        base.properties(data=paths)
        .mark_line(strokeWidth=0.8, opacity=0.6)
        .encode(x=x, y=y, color=colour, detail="replicate:N"),
        base.properties(data=line).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour),
    ]
    return drawing.RenderedChart(
        name=str(runs.name),
        title=label,
        caption=text("Median and spread over all simulated runs, and some single runs."),
        svg=drawing.to_svg(alt.layer(*layers)),
        numbers=numbers,
    )


def _spans_decades(numbers: pl.DataFrame) -> bool:
    values = numbers.select("low", "high").to_numpy()
    if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() > 0.0):
        return False
    middle = numbers["median"].to_numpy()
    return bool(middle.min() > 0.0 and np.log10(middle.max() / middle.min()) > _DECADES)


def _drawable(numbers: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Leave out what an axis cannot show: 0 on a logarithmic axis, and infinite values."""
    columns = [name for name in ("low", "median", "high", "value") if name in numbers.columns]
    finite = pl.all_horizontal(pl.col(columns).is_finite())
    positive = pl.all_horizontal(pl.col(columns) > 0.0)
    return numbers.filter(finite & positive if kind == "log" else finite)


def _single_runs(runs: xarray.DataArray) -> pl.DataFrame:
    shown = runs[:_RUNS_SHOWN, :: -(-runs.sizes["generation"] // _MOST_POINTS)]
    generations = shown["generation"].to_numpy()
    return pl.DataFrame(
        {
            "generation": np.tile(generations, shown.sizes["replicate"]),
            "replicate": np.repeat(shown["replicate"].to_numpy(), generations.size),
            "value": shown.to_numpy().astype(np.float64).ravel(),
        }
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
        "simulation.html.jinja",
        "style.css",
        language,
        sources=sources_in(runs.attrs),
        family=made["parameters"]["model"]["family"],
        generations=runs.sizes["generation"] - 1,
        replicates=runs.sizes["replicate"],
        regime=made["parameters"]["regime"],
        charts=charts(runs, language),
        provenance=shown_record(made),
    )


def plot_runs(
    runs: xarray.Dataset, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False
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

    Examples
    --------
    >>> import tempfile
    >>> import hayflick as hf
    >>> runs = hf.simulate(hf.Bernoulli(0.2), samples=20, generations=5, replicates=32, seed=1)
    >>> plot_runs(runs, f"{tempfile.mkdtemp()}/runs.html").name
    'runs.html'
    """
    language, path = Language(lang), Path(path)
    drawing.check_picture(path, name="path", force=force)
    if path.suffix.lower() == ".html":
        return write_text(path, page(runs, lang=lang), force=force)
    drawing.save_picture(path, charts(runs, language), force=force)
    return path


def variable_label(name: str, language: Language) -> str:
    """Return the label of a variable; its own name if it has none."""
    text = language.text
    labels = {
        "probability": text("chance of a one"),
        "rate": text("rate"),
        "mean": text("mean"),
        "deviation": text("standard deviation"),
        "dispersion": text("dispersion"),
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
