"""What a stream was read from: its size, its baseline, what is missing, which groups are silent."""

from __future__ import annotations

from typing import Any

from hayflick.monitor.mix_changes import Kind, MixChange
from hayflick.monitor.watch_result import WatchResult
from hayflick.report.language import Language
from hayflick.report.rendering import shortened

_NAMED = 10


def mix_record(result: WatchResult) -> list[dict[str, Any]]:
    """Return the changes of the mix of groups as plain values."""
    return [
        {
            "kind": one.kind,
            "group": one.group or None,
            "since": one.since,
            "rounds": list(one.rounds),
        }
        for one in result.mix_changes
    ]


def mix_sentences(result: WatchResult, language: Language) -> list[str]:
    """Return how the mix of groups has changed, a sentence for groups with the same rounds."""
    found: dict[tuple[Kind, str | None, tuple[str, ...]], list[str]] = {}
    for one in result.mix_changes:
        found.setdefault((one.kind, one.since, one.rounds), []).append(one.group)
    return [
        _sentence(MixChange(kind, _listed(groups), rounds, since), language)
        for (kind, since, rounds), groups in list(found.items())[:_NAMED]
    ]


def _sentence(change: MixChange, language: Language) -> str:
    text = language.text
    values = {
        "groups": change.group,
        "number": language.number(len(change.rounds)),
        "rounds": _listed(change.rounds),
        "since": shortened(change.since or ""),
    }
    moves = text("That moves their numbers by itself.")
    match change.kind:
        case "silent" if change.since is not None:
            said = text(
                "All answers together have no reading since round {since}: answers of {groups} are "
                "missing, and the others alone are another mix.",
                **values,
            )
            remedy = text(
                "Groups that answer are charted by themselves; --from begins a baseline without "
                "those that stay silent."
            )
            return language.joined(said, remedy)
        case "silent":
            return text(
                "Rounds without a reading of all answers together, {number} of them ({rounds}): "
                "answers of {groups} are missing there, and the others alone are another mix.",
                **values,
            )
        case "sparse":
            return text(
                "Rounds in which answers of {groups} are missing, {number} of them ({rounds}): all "
                "answers together are measured on fewer of each group, at the mix of the baseline.",
                **values,
            )
        case "left out":
            return text(
                "Left out of all answers together, being silent in most of the baseline: {groups}.",
                **values,
            )
        case "gone":
            said = text(
                "Since round {since} there are no rows of {groups}: all answers together are "
                "another mix.",
                **values,
            )
        case "new":
            said = text(
                "{groups} came anew, after the baseline: all answers together are another mix.",
                **values,
            )
        case "unanswered":
            said = text(
                "Rounds with many more unanswered rows than the baseline, {number} of them "
                "({rounds}): if these are of the same speakers, the rest is another mix; --group "
                "names their column.",
                **values,
            )
    return language.joined(said, moves)


def _listed(names: list[str] | tuple[str, ...]) -> str:
    """Return names as a sentence lists them; of many, the first and the last ones."""
    shown = [shortened(name) for name in names]
    if len(shown) > _NAMED:
        shown = [*shown[: _NAMED // 2], "…", *shown[-_NAMED // 2 :]]
    return ", ".join(shown)


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
