"""The terms of a forecast's report, each in a sentence or two."""

from __future__ import annotations

from hayflick.planning.forecast_result import KEPT_OF_BASELINE
from hayflick.report.language import Language


def forecast_glossary(language: Language) -> tuple[tuple[str, str], ...]:
    """Return terms and their meanings, in the order of a page."""
    return (*_terms_of_rounds(language), *_terms_of_laws(language))


def round_term(language: Language) -> tuple[str, str]:
    """Return what a round is."""
    text = language.text
    return (
        text("Round (generation)"),
        text(
            "A model is trained, generates data, and the next model is trained on them. "
            "Round 0 is the model trained on real data."
        ),
    )


def limit_term(language: Language, *, part: float) -> tuple[str, str]:
    """Return what the limit is: `part` of the baseline."""
    text = language.text
    return (
        text("Limit"),
        text(
            "{part} of what real data alone would keep: the line below which we warn.",
            part=language.percent(part, digits=0),
        ),
    )


def fresh_share_term(language: Language) -> tuple[str, str]:
    """Return what a fresh share is."""
    text = language.text
    return (
        text("Fresh share"),
        text("The part of every training set that is newly drawn real data."),
    )


def exact_law_term(language: Language) -> tuple[str, str]:
    """Return what an exact law is."""
    text = language.text
    return (
        text("Exact law"),
        text("The probabilities of the chain itself, computed without simulating."),
    )


def _terms_of_rounds(language: Language) -> tuple[tuple[str, str], ...]:
    text = language.text
    return (
        round_term(language),
        (
            text("Left (surviving)"),
            text(
                "In the training set of a round. What is missing there is unknown to its model, "
                "unless it smooths its counts."
            ),
        ),
        (
            text("Real data alone"),
            text(
                "One training on as many items, all of them real. A sample already misses what "
                "is rare, so even this keeps less than 100%. Recursion costs the difference "
                "between this and what is left."
            ),
        ),
        limit_term(language, part=KEPT_OF_BASELINE),
        fresh_share_term(language),
    )


def _terms_of_laws(language: Language) -> tuple[tuple[str, str], ...]:
    text = language.text
    return (
        exact_law_term(language),
        (
            text("Branching law"),
            text(
                "Each item has about a Poisson number of descendants in the next round. Good "
                "for training sets of any size; its error has a proven bound, stated above."
            ),
        ),
        (
            text("Lost by round: median and mean"),
            text(
                "The median is the first round in which a symbol is more likely gone than left. "
                "The mean is over the runs that lose it; a few that keep it long make it larger."
            ),
        ),
        (
            text("Diversity"),
            text(
                "The probability that two items of a round's model differ (Gini and Simpson's "
                "index). It falls far more slowly than the number of types."
            ),
        ),
    )
