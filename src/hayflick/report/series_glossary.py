"""The terms of a forecast of numbers or running text, each in a sentence or two."""

from __future__ import annotations

from hayflick.report.glossary import (
    exact_law_term,
    fresh_share_term,
    limit_term,
    round_term,
)
from hayflick.report.series_findings import SeriesFindings


def series_glossary(findings: SeriesFindings) -> tuple[tuple[str, str], ...]:
    """Return terms and their meanings, in the order of a page."""
    language, text = findings.language, findings.language.text
    alone = text(
        "One training on as many items, all of them real. A sample never tells everything "
        "about what it was drawn from, so this is the yardstick, not 100%."
    )
    courses = text(
        "Every course of the same plan ends elsewhere. In half of them less is left than the "
        "median; in 1 of 20 less than the lower, in 1 of 20 more than the upper figure."
    )
    return (
        round_term(language),
        findings.term(),
        (text("Real data alone"), alone),
        limit_term(language, part=findings.forecast.part),
        fresh_share_term(language),
        (text("Median, 5 to 95%"), courses),
        exact_law_term(language),
    )
