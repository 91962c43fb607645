"""The pictures of a sweep: what is kept by round, and over the fresh share and the items."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from hayflick.report import drawing
from hayflick.report.sweep_findings import SweepFindings

_PANELS, _COLUMNS, _LINES, _POINTS = 12, 3, 8, 120
_MOST_LINES = 60
_MAPS, _MAP_COLUMNS, _SIDE = 4, 2, 40
_WRITTEN = 12
_TITLE_PIXELS = 210
_DARK = 0.6
_LEAST_UP, _LEAST_ACROSS = 2, 2


def sweep_charts(findings: SweepFindings) -> tuple[drawing.RenderedChart, ...]:
    """Return the phase diagram, where shares and sizes are varied, and the curves."""
    if findings.cells.is_empty():
        return ()
    diagram = _phase_diagram(findings)
    curves = _curves(findings)
    return (curves,) if diagram is None else (diagram, curves)


def _even(number: int, *, most: int) -> list[int]:
    """Return at most `most` places of a list, evenly spread, with the first and the last."""
    if number <= most:
        return list(range(number))
    return [int(place) for place in np.unique(np.linspace(0, number - 1, most).round())]


def _chosen(values: Iterable[Any], *, most: int) -> list[Any]:
    known = list(dict.fromkeys(values))
    return [known[place] for place in _even(len(known), most=most)]


def _with_panels(
    findings: SweepFindings, cells: pl.DataFrame, names: Sequence[str], *, most: int
) -> tuple[pl.DataFrame, list[str]]:
    """Return the cells with the name of their picture, and the names of the pictures drawn."""
    phrases = [_panel(findings, row, names) for row in cells.iter_rows(named=True)]
    known = list(dict.fromkeys(phrases))
    short = dict(zip(known, drawing.axis_names(known, pixels=_TITLE_PIXELS), strict=True))
    phrases = [short[phrase] for phrase in phrases]
    told = cells.with_columns(pl.Series("panel", phrases, dtype=pl.String))
    return told, _chosen(phrases, most=most)


def _panel(findings: SweepFindings, row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the name of a cell's picture; of several settings the values alone."""
    if len(names) == 1:
        return findings.settings(row, names)
    return " · ".join(findings.value(name, row[name]) for name in names)


def _differ(findings: SweepFindings, names: Sequence[str]) -> list[str]:
    if len(names) < 2:
        return []
    settings = [findings.label(name) for name in names]
    return [findings.language.text("The pictures differ in: {settings}.", settings=settings)]


def _some_drawn(findings: SweepFindings, drawn: int, number: int) -> list[str]:
    if drawn == number:
        return []
    language = findings.language
    return [
        language.text(
            "{drawn} of {number} pictures are drawn.",
            drawn=language.number(drawn),
            number=language.number(number),
        )
    ]


def _phase_diagram(findings: SweepFindings) -> drawing.RenderedChart | None:
    """Return what is kept over the fresh share and the items; None if they are not varied."""
    axes = findings.map_settings
    if axes is None:
        return None
    up, across = axes
    cells = findings.cells.filter(pl.col(up).is_not_null())
    enough = cells[up].n_unique() >= _LEAST_UP and cells[across].n_unique() >= _LEAST_ACROSS
    if not enough:
        return None
    text = findings.language.text
    if findings.result.study.number_of_points is None:
        numbers, chart, notes = _maps(findings, cells, up, across)
    else:
        numbers, chart, notes = _scatter(findings, cells, up, across)
    left_out = findings.cells.height - cells.height
    if left_out:
        number = findings.language.number(left_out)
        notes.append(
            text("Cells of regimes without a steady share of fresh data: {number}.", number=number)
        )
    title = text("What is kept, by fresh data and items a round")
    if findings.result.study.is_network:
        up, across = findings.label(up), findings.label(across)
        title = text("What is kept, by {first} and {second}", first=up, second=across)
    return drawing.RenderedChart(
        name="phase-diagram",
        title=title,
        caption=findings.language.joined(*notes),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )


def _maps(
    findings: SweepFindings, cells: pl.DataFrame, up: str, across: str
) -> tuple[pl.DataFrame, Any, list[str]]:
    import altair as alt

    text, keep = findings.language.text, findings.result.study.keep
    names = [name for name in findings.names if name not in (up, across, "regime", "seed")]
    if names == ["family"] and "family" not in findings.result.varied:
        names = []
    told, panels = _with_panels(findings, cells, names, most=_MAPS)
    means = told.group_by("panel", up, across, maintain_order=True).agg(pl.col("kept").mean())
    rows = _chosen(sorted(means[up].unique()), most=_SIDE)
    columns = _chosen(sorted(means[across].unique()), most=_SIDE)
    shown = means.filter(
        pl.col("panel").is_in(panels), pl.col(up).is_in(rows), pl.col(across).is_in(columns)
    )
    width = (drawing.WIDTH - 80) if len(panels) == 1 else 250
    drawn = [
        _map(
            findings,
            shown.filter(pl.col("panel") == panel),
            {up: rows},
            {across: columns},
            title=panel,
            width=width,
        )
        for panel in panels
    ]
    chart = alt.concat(*drawn, columns=_MAP_COLUMNS).resolve_scale(color="shared")
    notes = [text("Brighter: more is kept after the last round.")]
    if keep is None:
        notes.append(text("With keep = 0.9 in the study, a line shows where 90% is kept."))
    elif 0 < shown.filter(pl.col("kept") >= keep).height < shown.height:
        share = findings.share(keep)
        notes.append(
            text(
                "The red line parts the cells that keep {share} or more from the rest.", share=share
            )
        )
    notes += _differ(findings, names)
    notes += _some_drawn(findings, len(panels), told["panel"].n_unique())
    if shown.height < means.filter(pl.col("panel").is_in(panels)).height:
        notes.append(text("Of many shares and sizes some are drawn, evenly spread."))
    name = _column(up)
    numbers = shown.rename({up: name, "panel": "case"}).select("case", name, across, "kept")
    return (numbers if names else numbers.drop("case")), chart, notes


def _column(setting: str) -> str:
    """Return what a setting is called in the numbers of a picture."""
    return "fresh_share" if setting == "share" else setting


def _map(
    findings: SweepFindings,
    cells: pl.DataFrame,
    up: Mapping[str, Sequence[Any]],
    across: Mapping[str, Sequence[Any]],
    *,
    title: str,
    width: int,
) -> Any:
    """Return one map: a rectangle per cell, and the border of those that keep the target."""
    import altair as alt

    (vertical, shares), (horizontal, sizes) = *up.items(), *across.items()
    grid = np.full((len(shares), len(sizes)), np.nan)
    for share, size, kept in cells.select(vertical, horizontal, "kept").iter_rows():
        grid[shares.index(share), sizes.index(size)] = kept
    rows, columns = np.nonzero(np.isfinite(grid))
    kept = grid[rows, columns]
    percent = findings.language.percent
    frame = pl.DataFrame(
        {
            "x": columns, "x2": columns + 1, "y": rows, "y2": rows + 1, "kept": kept,
            "middle_x": columns + 0.5, "middle_y": rows + 0.5,
            "label": [percent(float(one), digits=0) for one in kept],
        }
    )  # fmt: skip
    x_names = [findings.value(horizontal, size) for size in sizes]
    y_names = [findings.value(vertical, share) for share in shares]

    def place(x: str, y: str) -> dict[str, Any]:
        # Every layer has the whole axis: layers without one bring their own rules for labels.
        return {
            "x": _steps(alt.X, x, x_names, title=findings.label(horizontal)),
            "y": _steps(alt.Y, y, y_names, title=findings.label(vertical)),
        }

    shade = alt.Scale(scheme="viridis", domain=[0, 1], clamp=True)
    legend = alt.Legend(format="%", gradientLength=180, orient="right")
    colour = alt.Color("kept:Q", title=findings.language.text("kept"), scale=shade, legend=legend)
    height = min(360, max(210, 30 * len(shares)))
    base = alt.Chart(frame, width=width, height=height)
    if title:
        base = base.properties(title=alt.TitleParams(title, fontSize=12, fontWeight=500))
    layers = [base.mark_rect().encode(**place("x", "y"), x2="x2", y2="y2", color=colour)]
    if len(shares) <= _WRITTEN and len(sizes) * 30 <= width:
        ink = alt.condition(f"datum.kept < {_DARK}", alt.value("white"), alt.value("black"))
        middle = place("middle_x", "middle_y")
        layers.append(base.mark_text(fontSize=11).encode(**middle, text="label:N", color=ink))
    if findings.result.study.keep is not None:
        segments = _border(grid, findings.result.study.keep)
        if segments.height:
            for paint, thickness in (("white", 6), (drawing.LIMIT, 3)):
                rule = alt.Chart(segments).mark_rule(color=paint, strokeWidth=thickness)
                layers.append(rule.encode(**place("x", "y"), x2="x2", y2="y2"))
    return alt.layer(*layers)


def _steps(kind: Any, field: str, names: Sequence[str], *, title: str) -> Any:
    """Return an axis of steps of one size, each with its name in its middle."""
    import altair as alt

    spelled = f"{json.dumps(list(names), ensure_ascii=False)}[floor(datum.value)] || ''"
    values = [place + 0.5 for place in range(len(names))]
    axis = alt.Axis(
        values=values,
        labelExpr=spelled,
        grid=False,
        ticks=False,
        titlePadding=10,
        labelOverlap=len(names) > _WRITTEN,
    )
    scale = alt.Scale(domain=[0, len(names)], nice=False, zero=False)
    return kind(f"{field}:Q", title=title, axis=axis, scale=scale)


def _border(grid: np.ndarray, keep: float) -> pl.DataFrame:
    """Return the edges between cells that keep the target and neighbours that do not."""
    known, keeps = np.isfinite(grid), grid >= keep
    edges = []
    for row, column in zip(*np.nonzero(known), strict=True):
        right, above = (row, column + 1), (row + 1, column)
        if right[1] < grid.shape[1] and known[right] and keeps[right] != keeps[row, column]:
            edges.append((column + 1, column + 1, row, row + 1))
        if above[0] < grid.shape[0] and known[above] and keeps[above] != keeps[row, column]:
            edges.append((column, column + 1, row + 1, row + 1))
    schema = dict.fromkeys(("x", "x2", "y", "y2"), pl.Int64)
    return pl.DataFrame([tuple(map(int, edge)) for edge in edges], schema=schema, orient="row")


def _scatter(
    findings: SweepFindings, cells: pl.DataFrame, up: str, across: str
) -> tuple[pl.DataFrame, Any, list[str]]:
    """Return the points of a Latin hypercube."""
    import altair as alt

    text, keep = findings.language.text, findings.result.study.keep
    numbers = cells.select(pl.col(up).alias(_column(up)), across, "kept")
    drawn = drawing.thinned(numbers, most=2000).rename({_column(up): "up", across: "across"})
    drawn = drawn.with_columns(shape=pl.lit("") if keep is None else (pl.col("kept") >= keep))
    drawn = drawn.with_columns(pl.col("shape").cast(pl.String))
    scale = findings.result.study.range_settings().get(across)
    x = alt.X(
        "across:Q",
        title=findings.label(across),
        scale=alt.Scale(type="log" if scale is not None and scale.log else "linear", nice=False),
        axis=alt.Axis(labelOverlap="greedy", labelSeparation=6),
    )
    spelled = "%" if up in ("share", "share_read") else alt.Undefined
    y = alt.Y("up:Q", title=findings.label(up), axis=alt.Axis(format=spelled))
    shade = alt.Scale(scheme="viridis", domain=[0, 1], clamp=True)
    legend = alt.Legend(format="%", gradientLength=180, orient="right")
    colour = alt.Color("kept:Q", title=text("kept"), scale=shade, legend=legend)
    shapes = alt.Scale(domain=["", "true", "false"], range=["circle", "circle", "triangle-down"])
    base = alt.Chart(drawn, width=drawing.WIDTH - 80, height=drawing.HEIGHT)
    # The edge is seen where the colour is near that of the page.
    dots = base.mark_point(filled=True, size=70, opacity=1, stroke=drawing.GREY, strokeWidth=1)
    chart = dots.encode(
        x=x, y=y, color=colour, shape=alt.Shape("shape:N", scale=shapes, legend=None)
    )
    notes = [text("Brighter: more is kept after the last round.")]
    if keep is not None:
        share = findings.share(keep)
        notes.append(text("Circles keep {share} or more, triangles less.", share=share))
    if [name for name in findings.result.varied if name not in (up, across, "seed")]:
        notes.append(text("Points differ in further settings; the table has them."))
    return numbers, chart, notes


def _line_setting(findings: SweepFindings) -> str | None:
    """Return the setting whose values are lines of one picture."""
    varied = findings.result.varied
    chosen: tuple[str, ...] = ("share", "regime", "estimator", "resampler", "samples", "family")
    if findings.result.study.is_network:
        real = findings.result.study.real_setting
        chosen = (real, *(name for name in varied if name not in ("rounds", "seed")))
    return next((name for name in chosen if name in varied), None)


def _curves(findings: SweepFindings) -> drawing.RenderedChart:
    """Return what is kept round by round, in small pictures on one scale."""
    text = findings.language.text
    if findings.result.study.number_of_points is None:
        numbers, chart, notes = _multiples(findings)
    else:
        numbers, chart, notes = _bundle(findings)
    return drawing.RenderedChart(
        name="rounds",
        title=text("What is kept, round by round"),
        caption=findings.language.joined(*notes),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )


def _multiples(findings: SweepFindings) -> tuple[pl.DataFrame, Any, list[str]]:
    import altair as alt

    line, text = _line_setting(findings), findings.language.text
    names = [name for name in findings.result.varied if name not in (line, "seed")]
    told, panels = _with_panels(findings, findings.cells, names, most=_PANELS)
    told = told.with_columns(
        series=pl.lit("") if line is None else pl.Series(
            [findings.value(line, value) for value in told[line]], dtype=pl.String
        )
    )  # fmt: skip
    lines = _chosen(told["series"], most=_LINES)
    drawn = told.filter(pl.col("panel").is_in(panels), pl.col("series").is_in(lines))
    curves = _curve_numbers(findings, drawn)
    means = curves.group_by("panel", "series", "generation", maintain_order=True).agg(
        pl.col("kept").mean()
    )
    single = len(panels) == 1
    width, height = (drawing.WIDTH, 260) if single else (190, 130)
    y = alt.Y("kept:Q", title=text("kept"), axis=alt.Axis(format="%", tickCount=5))
    x = alt.X("generation:Q", title=text("round"), axis=_few_rounds(single=single))
    colours = _colours(lines)
    colour = alt.value(drawing.LAW) if line is None else drawing.colour_legend(colours, columns=4)
    lines_drawn = alt.Chart().mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    layers = [lines_drawn.properties(width=width, height=height)]
    keep = findings.result.study.keep
    if keep is not None:
        layers.append(_target_line(keep))
    chart: Any = alt.layer(*layers, data=means)
    if not single:
        heading = alt.Header(labelFontSize=11, labelLimit=200, title=None)
        chart = chart.facet(
            alt.Facet("panel:N", sort=panels, header=heading, title=None), columns=_COLUMNS
        )
    notes = _target_note(findings)
    if line is not None:
        notes.append(text("Each line: {setting}.", setting=findings.label(line)))
    notes += _differ(findings, names)
    notes += _some_drawn(findings, len(panels), told["panel"].n_unique())
    if told["series"].n_unique() > len(lines):
        number = findings.language.number(told["series"].n_unique())
        notes.append(text("{drawn} of {number} lines are drawn.", drawn=len(lines), number=number))
    if "seed" in findings.result.varied:
        notes.append(text("Lines are means over the seeds."))
    numbers = means.rename({"panel": "case"})
    unused = [*([] if names else ["case"]), *([] if line else ["series"])]
    return numbers.drop(unused), chart, notes


def _target_line(keep: float) -> Any:
    import altair as alt

    rule = alt.Chart().mark_rule(color=drawing.LIMIT, strokeDash=[5, 4], aria=False)
    return rule.encode(y=alt.datum(keep))


def _target_note(findings: SweepFindings) -> list[str]:
    keep = findings.result.study.keep
    if keep is None:
        return []
    return [findings.language.text("Dashed: the target, {share}.", share=findings.share(keep))]


def _few_rounds(*, single: bool) -> Any:
    axis = drawing.rounds_axis()
    if not single:
        axis.tickCount = 4
    return axis


def _colours(lines: Sequence[str]) -> Mapping[str, str]:
    """Return a colour per line, from dark to bright as in the map, and readable on white."""
    places = np.linspace(0, len(drawing.RAMP) - 1, max(2, len(lines))).round().astype(int)
    return {line: drawing.RAMP[place] for line, place in zip(lines, places, strict=False)}


def _curve_numbers(findings: SweepFindings, cells: pl.DataFrame) -> pl.DataFrame:
    """Return what is kept in every round of cells; of many rounds some, with the last."""
    frames = []
    for number, panel, series in cells.select("cell", "panel", "series").iter_rows():
        found = findings.result.results[number - 1]
        assert found is not None
        rounds = _even(found.kept.size, most=_POINTS)
        columns = {"cell": number, "panel": panel, "series": series}
        frame = pl.DataFrame({"generation": rounds, "kept": found.kept[rounds]})
        frames.append(frame.with_columns(**{name: pl.lit(one) for name, one in columns.items()}))
    return pl.concat(frames)


def _bundle(findings: SweepFindings) -> tuple[pl.DataFrame, Any, list[str]]:
    """Return the curves of a Latin hypercube: no two of its cells share a setting."""
    import altair as alt

    language = findings.language
    cells = findings.cells
    drawn = cells[_even(cells.height, most=_MOST_LINES)]
    last = drawn.select("cell", pl.col("kept").alias("last"))
    plain = drawn.with_columns(panel=pl.lit(""), series=pl.col("cell").cast(pl.String))
    numbers = _curve_numbers(findings, plain).select("cell", "generation", "kept")
    shown = numbers.join(last, on="cell", how="left", maintain_order="left")
    shade = alt.Scale(type="quantize", domain=[0, 1], range=list(drawing.RAMP))
    chart = alt.Chart(shown, width=drawing.WIDTH, height=260).mark_line(strokeWidth=1.5)
    chart = chart.encode(
        x=alt.X("generation:Q", title=language.text("round"), axis=drawing.rounds_axis()),
        y=alt.Y("kept:Q", title=language.text("kept"), axis=alt.Axis(format="%")),
        color=alt.Color("last:Q", scale=shade, legend=None),
        detail="cell:N",
    )
    notes = [language.text("Each line: a cell.")]
    if drawn.height < cells.height:
        notes.append(
            language.text(
                "{drawn} of {number} lines are drawn.",
                drawn=drawn.height,
                number=language.number(cells.height),
            )
        )
    return numbers, chart, notes
