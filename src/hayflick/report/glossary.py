"""The terms of a forecast's report, each in a sentence or two."""

from __future__ import annotations

from hayflick.report.language import Language


def forecast_glossary(language: Language) -> tuple[tuple[str, str], ...]:
    """Return terms and their meanings, in the order of a page."""
    text = language.text
    return (
        (
            text("Round (generation)"),
            text(
                "A model is trained, generates data, and the next model is trained on them. "
                "Round 0 is the model trained on real data."
            ),
        ),
        (
            text("Left (surviving)"),
            text("In the training set of a round. What is missing there is unknown to its model."),
        ),
        (
            text("Real data alone"),
            text(
                "One training on as many items, all of them real. A sample already misses what "
                "is rare, so this is less than 100 %, and only the difference is due to "
                "recursion."
            ),
        ),
        (
            text("Limit"),
            text("90 % of what real data alone would keep: the line below which we warn."),
        ),
        (
            text("Exact law"),
            text("The probabilities of the chain itself, computed without simulating."),
        ),
        (
            text("Branching law"),
            text(
                "Each item has about a Poisson number of descendants in the next round. Good "
                "for training sets of any size; its error has a proven bound, stated above."
            ),
        ),
        (
            text("Fresh share"),
            text("The part of every training set that is newly drawn real data."),
        ),
        (
            text("Diversity"),
            text(
                "The probability that two items of a round's model differ (Gini and Simpson's "
                "index). It falls far more slowly than the number of types."
            ),
        ),
    )
