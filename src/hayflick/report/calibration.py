"""A calibrated trainer: record, tables and page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.calibration.calibration_result import DEPARTS, DOES_NOT_FIT, FITS, Calibration
from hayflick.core.display_text import LONGEST_NAME, display_text
from hayflick.report.calibration_charts import calibration_charts, outlook_chart
from hayflick.report.calibration_findings import CalibrationFindings
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render, shown_record, table

if TYPE_CHECKING:
    from rich.console import RenderableType


def record(calibration: Calibration) -> dict[str, Any]:
    """Return a calibration as plain values; it is also the file ``calibration.json``.

    What is undefined or infinite is None. A log_size of None is infinite: no noise of the
    trainer's own.
    """
    recorded = calibration.record
    file = calibration.describe_resampler()
    for name, estimate in calibration.parameters.items():
        file["parameters"][name] |= {"low": estimate.low, "high": estimate.high}
    temperature = calibration.equivalent_temperature
    return {
        **file,
        "input": calibration.name,
        "rounds": [display_text(name, longest=LONGEST_NAME) for name in calibration.rounds.names],
        "sizes": recorded.sizes.tolist(),
        "types": len(recorded.symbols),
        "kept": recorded.kept.tolist(),
        "regime": calibration.rounds.regime.describe(),
        "verdict": calibration.verdict,
        "equivalent_temperature": {
            "value": temperature.value,
            "low": temperature.low,
            "high": temperature.high,
        },
        "effective_size": [
            {"count": one.count, "share": one.share, "low": one.low, "high": one.high}
            for one in calibration.effective_size
        ],
        "returns_per_round": calibration.returns,
        **_forecasts(calibration),
        "fresh_share": {"keep": calibration.fresh.keep, "share": calibration.fresh.share},
        "diagnoses": [
            {
                "name": one.name,
                "found": one.found,
                "statistic": one.statistic,
                "p_value": one.p_value,
                "meaning": str(one.note),
            }
            for one in calibration.diagnoses
        ],
        "fit_by_count": [
            {
                "lower": one.lower,
                "upper": one.upper,
                "pairs": one.pairs,
                "count": one.count,
                "expected_mean": one.expected_mean,
                "observed_mean": one.observed_mean,
                "mean_deviation": one.mean_deviation,
                "variance_deviation": one.variance_deviation,
            }
            for one in calibration.classes
        ],
        "provenance": calibration.provenance(),
    }


def _forecasts(calibration: Calibration) -> dict[str, Any]:
    """Return what the chain and other curves say of the rounds ahead, and what they missed."""
    prediction = calibration.prediction
    parts = {name: values.tolist() for name, values in prediction.parts.items()}
    return {
        "forecast": [
            {
                "round": one.round,
                "share": one.share,
                "low": one.low,
                "high": one.high,
                "standard_deviations": {name: values[place] for name, values in parts.items()},
            }
            for place, one in enumerate(calibration.forecast)
        ],
        "left_out_error": prediction.left_out_error,
        "naive": [
            {
                "name": curve.name,
                "share": None if curve.share is None else curve.share.tolist(),
                "left_out_error": curve.left_out_error,
            }
            for curve in prediction.naive
        ],
        "forecasts_within": [
            {
                "origin": one.origin,
                "horizon": one.horizon,
                "predicted": one.predicted,
                "recorded": one.recorded,
            }
            for one in prediction.within
        ],
    }


def tables(calibration: Calibration, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: the answer in words, then the figures behind it.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = CalibrationFindings(calibration, Language(lang))
    shown: list[RenderableType] = [findings.verdict(), *findings.answer(), findings.meaning()]
    for heading, *rows in (
        findings.rounds_table(),
        findings.curves_table(),
        findings.parameters_table(),
        findings.diagnoses_table(),
    ):
        one = table(*heading)
        for row in rows:
            one.add_row(*row)
        shown.append(one)
    return tuple(shown)


def page(calibration: Calibration, *, lang: str = "en") -> str:
    """Return a calibration as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = CalibrationFindings(calibration, Language(lang))
    return render(
        "calibration.html.jinja",
        "style.css",
        findings.language,
        sources=calibration.sources,
        calibration=calibration,
        mark={FITS: "", DEPARTS: " falling", DOES_NOT_FIT: " below"}[calibration.verdict],
        findings=findings,
        charts=calibration_charts(findings),
        provenance=shown_record(calibration.provenance()),
    )


def fragment(calibration: Calibration) -> str:
    """Return a calibration as a notebook shows it."""
    findings = CalibrationFindings(calibration, Language("en"))
    return notebook(
        findings.verdict(),
        (*findings.answer(), findings.meaning()),
        (outlook_chart(findings),),
        sources=calibration.sources,
    )
