"""What the columns of a report's numbers are called; the CSV keeps the plain names."""

from __future__ import annotations

from hayflick.report.language import Language


def column_labels(language: Language) -> dict[str, str]:
    """Return the headings of columns by name."""
    return {
        **_of_forecasts(language),
        **_of_comparisons(language),
        **_of_trials(language),
        **_of_grids(language),
    }


def _of_forecasts(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "generation": text("round"),
        "law": text("by the law"),
        "real_data_alone": text("real data alone"),
        "law_low": text("by the law: 5% below"),
        "law_high": text("by the law: 5% above"),
        "simulated": text("simulated"),
        "simulated_mean": text("simulated: mean"),
        "simulated_low": text("5% below"),
        "simulated_high": text("5% above"),
        "simulated_standard_error": text("standard error of the mean"),
        "count": text("count"),
        "survival": text("survival"),
        "rank": text("rank"),
        "before": text("real data"),
        "after": text("last round, simulated"),
        "fresh_share": text("fresh real data in every round"),
        "left": text("left"),
        "label": text("label"),
    }


def _of_comparisons(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "estimator": text("estimator"),
        "bits": text("bits"),
        "collapse": text("collapse"),
        "method": text("method"),
        "value": text("value"),
        "series": text("curve"),
        "mean": text("mean"),
        "median": text("median"),
        "low": text("5% below"),
        "high": text("5% above"),
        "samples": text("items a round"),
        "real_per_round": text("real items a round"),
        "price": text("price"),
        "kept": text("kept"),
        "on_frontier": text("nothing beats it"),
        "knob": text("knob"),
        "moved": text("moved to"),
        "change": text("change of what is left"),
        "standard_error": text("standard error"),
        "collapse_moved": text("collapse, moved"),
        "elasticity": text("elasticity"),
        "state": text("state"),
        "statistic": text("statistic"),
        "limit": text("limit"),
        "first_axis": text("first axis"),
        "second_axis": text("second axis"),
    }


def _of_trials(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "arm": text("arm"),
        "effect": text("change"),
        "interval_low": text("interval from"),
        "interval_high": text("interval to"),
        "p": text("p"),
        "p_adjusted": text("p, adjusted"),
        "decision": text("decision"),
    }


def _of_grids(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "models": text("models"),
        "irrelevant": text("irrelevant texts"),
        "prompts": text("prompts"),
        "topology": text("topology"),
        "injected": text("injected a round"),
        "texts": text("injected in all"),
        "apart": text("‖D‖ over chance"),
    }
