"""What the verdicts of a review prove: plain values, sentences, page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.monitor.acceptance import Acceptance, AcceptanceDecision
from hayflick.monitor.review import ReviewResult
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


def record(result: ReviewResult) -> dict[str, Any]:
    """Return the result as plain values, ready for JSON."""
    review, state = result.review, result.acceptance
    return {
        "format_version": FORMAT_VERSION,
        "review": review.name,
        "ok": review.ok,
        # Of the verdicts that count, as everything below is.
        "bad": state.bad,
        "pending": review.pending,
        "waiting": review.waiting,
        **asdict(state),
        "decision": state.decision.value,
    }


def tables(result: ReviewResult, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: verdicts, bounds, and how to go on."""
    return _sentences(result, Language(lang))


def page(result: ReviewResult, *, lang: str = "en") -> str:
    """Return the result as one self-contained HTML page."""
    language = Language(lang)
    title = language.text("Review: {name}", name=result.review.name)
    parts = _sentences(result, language)
    return tables_page(
        title, parts, language, sources=result.sources, provenance=result.provenance()
    )


def fragment(result: ReviewResult) -> str:
    """Return what a notebook shows, as HTML."""
    language = Language("en")
    return notebook(
        _decision(result.acceptance, language),
        _sentences(result, language)[:2],
        sources=result.sources,
    )


def _sentences(result: ReviewResult, language: Language) -> list[str]:
    text, number, percent = language.text, language.number, language.percent
    review, state = result.review, result.acceptance
    sentences = [
        text(
            "{name}: good {ok}, bad {bad}, still open {pending}.",
            name=review.name,
            ok=number(review.ok),
            bad=number(review.bad),
            pending=number(review.pending),
        ),
        text(
            "Bad answers among all that were drawn from: from {low} to {high}, at every look; "
            "the limit is {limit}.",
            low=percent(state.low),
            high=percent(state.high),
            limit=percent(state.limit),
        ),
        _decision(state, language),
    ]
    if review.waiting:
        waiting = number(review.waiting)
        sentences.append(
            text("Verdicts behind an open row, not counted yet: {waiting}.", waiting=waiting)
        )
    return sentences


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
