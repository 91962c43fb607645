"""What a stream of answers was read from: its size, its baseline, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.report.language import Language
from hayflick.report.rendering import shortened

if TYPE_CHECKING:
    from hayflick.monitor.watch_result import WatchResult

_NAMED = 10
"""How many names a sentence lists."""


def joined_names(names: list[str]) -> str:
    """Return names as a sentence lists them, ten at most."""
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return ", ".join(shortened(name) for name in names[:_NAMED]) + more


def watched_input(result: WatchResult, language: Language) -> str:
    """Return what was read, how much of it is measured, and which files are missing."""
    text = language.text
    sentences = [_answers(result, language)]
    if result.measured_answers not in (None, result.answers):
        measured = language.number(result.measured_answers or 0)
        sentences.append(
            text("{measured} of them are measured: of large rounds a sample is.", measured=measured)
        )
    if result.failed:
        files = joined_names(list(result.failed))
        sentences.append(text("Missing, as they could not be read: {files}.", files=files))
    return " ".join(sentences)


def _answers(result: WatchResult, language: Language) -> str:
    number = language.number
    if result.baseline_from is not None:
        return language.text(
            "{name}, with {reference} in front: {answers} answers in {rounds} rounds, the "
            "first {baseline} of them the baseline, from {reference}.",
            name=result.name,
            reference=result.baseline_from,
            answers=number(result.answers),
            rounds=number(len(result.rounds)),
            baseline=number(result.baseline),
        )
    return language.text(
        "{name}: {answers} answers in {rounds} rounds, the first {baseline} of them the baseline.",
        name=result.name,
        answers=number(result.answers),
        rounds=number(len(result.rounds)),
        baseline=number(result.baseline),
    )
