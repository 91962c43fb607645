"""A trainer that was calibrated on a curve of shares: record, tables and page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
from typing_extensions import override

from hayflick.calibration.curve_calibration import CurveCalibration
from hayflick.core.source import Source
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page
from hayflick.report.trainer_findings import TrainerFindings

if TYPE_CHECKING:
    from rich.console import RenderableType


def record(calibration: CurveCalibration) -> dict[str, Any]:
    """Return a calibration as plain values; it is also the file ``calibration.json``."""
    file = calibration.describe_resampler()
    for name, estimate in calibration.parameters.items():
        file["parameters"][name] |= {"low": estimate.low, "high": estimate.high}
    return {
        **file,
        "input": calibration.name,
        "kept": [1.0, *calibration.curve.shares.tolist()],
        "fitted": [1.0, *calibration.fit.shares.tolist()],
        "types": calibration.corpus.counts.types,
        "regime": "replace",
        "effective_size": [
            {"count": one.count, "share": one.share, "low": one.low, "high": one.high}
            for one in calibration.effective_size
        ],
        "forecast": [
            {"round": one.round, "share": one.share, "low": one.low, "high": one.high}
            for one in calibration.forecast
        ],
        "ideal_law": calibration.ideal.tolist(),
        "deviation": calibration.fit.deviation,
        # A curve allows no test.
        "diagnoses": [],
        "provenance": calibration.provenance(),
    }


@dataclass(frozen=True)
class CurveFindings(TrainerFindings):
    """What a calibration on a curve says, in the reader's language."""

    calibration: CurveCalibration

    @property
    @override
    def real(self) -> Source:
        return self.calibration.corpus.source

    @property
    @override
    def ideal(self) -> float | None:
        return float(self.calibration.ideal[-1])

    def sentences(self) -> tuple[str, ...]:
        """Return the answer, and what a curve cannot tell."""
        text, calibration = self.language.text, self.calibration
        told = text(
            "{rounds} shares tell how much is lost, and badly by what: sharpening and noise are "
            "told apart by what is typical of trainers, what comes back is not known, and no test "
            "of the fit is possible. The shares are matched within {deviation}. Counts of two "
            "rounds tell far more.",
            rounds=self.language.number(calibration.curve.shares.size),
            deviation=self.points(calibration.fit.deviation),
        )
        return self.trainer(), self.outlook(), told


def _shown(findings: CurveFindings) -> list[RenderableType]:
    shown: list[RenderableType] = [*findings.sentences()]
    for heading, *rows in (
        findings.rounds_table(),
        findings.parameters_table(),
        findings.effective_table(),
    ):
        one = table(*heading)
        for row in rows:
            one.add_row(*row)
        shown.append(one)
    return shown


def tables(calibration: CurveCalibration, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    return _shown(CurveFindings(calibration, Language(lang)))


def curve_chart(findings: CurveFindings) -> drawing.RenderedChart:
    """Return the chart of the recorded shares, the fitted ones, the forecast and the ideal law."""
    import altair as alt

    text, numbers = findings.language.text, _numbers(findings)
    names = {"recorded": text("recorded"), "chain": text("calibrated chain")}
    names["ideal"] = text("ideal law")
    colours = dict(zip(names.values(), (drawing.INK, drawing.LAW, drawing.REAL), strict=True))
    title = text("share of the {nouns} left", nouns=findings.nouns)
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    scale = alt.Scale(domain=[0, 1], clamp=True)
    y = alt.Y("value:Q", title=title, axis=alt.Axis(format="%"), scale=scale)
    colour = drawing.colour_legend(colours)
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)

    def of(name: str) -> pl.DataFrame:
        return numbers.filter(pl.col("series") == names[name])

    band = base.properties(data=of("chain").drop_nulls("low")).mark_area(opacity=0.2)
    layers = [
        band.encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q", color=colour),
        base.properties(data=of("ideal"))
        .mark_line(strokeWidth=1.5, strokeDash=[5, 3])
        .encode(x=x, y=y, color=colour),
        base.properties(data=of("chain")).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour),
        base.properties(data=of("recorded"))
        .mark_circle(size=70, opacity=1)
        .encode(x=x, y=y, color=colour),
    ]
    return drawing.RenderedChart(
        name="outlook",
        title=text("What is left, round by round"),
        caption=text(
            "Dots: recorded shares. Blue: the chain that was fitted to them, then the rounds "
            "ahead; a single run lies in the band with a chance of 90%. Dashed: the ideal law."
        ),
        svg=drawing.to_svg(alt.layer(*layers)),
        numbers=numbers,
    )


def _numbers(findings: CurveFindings) -> pl.DataFrame:
    text, calibration = findings.language.text, findings.calibration
    recorded, chain, ideal = text("recorded"), text("calibrated chain"), text("ideal law")
    rows: list[dict[str, Any]] = [
        {"series": name, "generation": k, "value": float(value)}
        for name, values in (
            (recorded, [1.0, *calibration.curve.shares]),
            (chain, [1.0, *calibration.fit.shares]),
            (ideal, calibration.ideal),
        )
        for k, value in enumerate(values)
    ]
    rows += [
        {
            "series": chain,
            "generation": one.round,
            "value": one.share,
            "low": one.low,
            "high": one.high,
        }
        for one in calibration.forecast
    ]
    kinds: dict[str, Any] = {"series": pl.String, "generation": pl.Int64}
    kinds |= dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema=kinds)


def page(calibration: CurveCalibration, *, lang: str = "en") -> str:
    """Return a calibration as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = CurveFindings(calibration, Language(lang))
    return tables_page(
        findings.language.text("Calibration: {name}", name=calibration.name),
        _shown(findings),
        findings.language,
        charts=(curve_chart(findings),),
        sources=calibration.sources,
        provenance=calibration.provenance(),
    )


def fragment(calibration: CurveCalibration) -> str:
    """Return a calibration as a notebook shows it."""
    findings = CurveFindings(calibration, Language("en"))
    first, *others = findings.sentences()
    return notebook(first, others, (curve_chart(findings),), sources=calibration.sources)
