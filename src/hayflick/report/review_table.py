"""What the verdicts of a review prove, as the terminal shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.monitor.acceptance import Acceptance, AcceptanceDecision
from hayflick.monitor.review import Review
from hayflick.report.language import Language

if TYPE_CHECKING:
    from rich.console import RenderableType


def review_tables(
    review: Review, state: Acceptance, *, lang: str = "en"
) -> tuple[RenderableType, ...]:
    """Return what the terminal shows: verdicts, bounds, and how to go on.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    text, number, percent = language.text, language.number, language.percent
    said = text(
        "{name}: good {ok}, bad {bad}, still open {pending}.",
        name=review.name,
        ok=number(review.ok),
        bad=number(review.bad),
        pending=number(review.pending),
    )
    bounds = text(
        "Bad answers among all that were drawn from: from {low} to {high}, at every look; the "
        "limit is {limit}.",
        low=percent(state.low),
        high=percent(state.high),
        limit=percent(state.limit),
    )
    sentences = [said, bounds, _decision(state, language)]
    if review.waiting:
        sentences.append(
            text(
                "Verdicts behind an open row, not counted yet: {waiting}.",
                waiting=number(review.waiting),
            )
        )
    return tuple(sentences)


def _decision(state: Acceptance, language: Language) -> str:
    text = language.text
    if state.decision is AcceptanceDecision.ACCEPT:
        return text("Accept.")
    if state.decision is AcceptanceDecision.REJECT:
        return text("Reject: more answers are bad than the limit allows.")
    if state.more_if_none_bad is None:
        return text("Go on; no number of further good answers among these brings it to the limit.")
    return text(
        "Go on: {more} more checks are enough if none of them is bad.",
        more=language.number(state.more_if_none_bad),
    )
