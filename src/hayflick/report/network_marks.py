"""What a run's trace is marked with: what rules decided, or else when a chart alarmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hayflick.core.records import ActionKind
from hayflick.monitor.watch_result import ChartHistory
from hayflick.network.run_results import NetworkRun, NetworkWatch, watched_network
from hayflick.report.language import Language
from hayflick.report.metric_labels import metric_label
from hayflick.report.watch_findings import joined_names


@dataclass(frozen=True)
class Marks:
    """Marks on a trace, and what there is to say of them.

    Parameters
    ----------
    rounds
        The rounds that are marked, in order, by what the mark means.
    meaning
        How the marks are read; where there are none, why.
    sentences
        What was watched, and what was found.
    technical
        Why something could not be watched, in English as the commands' errors are.
    """

    rounds: Mapping[str, Sequence[int]]
    meaning: str
    sentences: Sequence[str]
    technical: Sequence[str] = ()


def marks_of(run: NetworkRun, language: Language) -> Marks:
    """Return the marks of a run: of its rules where it has any, else of the charts."""
    if run.experiment.rules is not None or run.decisions:
        return _of_rules(run, language)
    watched = watched_network(run)
    return _of_charts(watched, language) if watched.charts else _unknown(watched, run, language)


def _of_rules(run: NetworkRun, language: Language) -> Marks:
    text, decided = language.text, run.decisions
    if not decided:
        nothing = text("The rules of this run have decided nothing.")
        return Marks({}, nothing, [nothing])
    names = {
        ActionKind.INJECT: text("decided: real texts"),
        ActionKind.VARY_PROMPTS: text("decided: other prompts"),
        ActionKind.REVIEW: text("decided: a review"),
        ActionKind.NOTIFY: text("decided: a notice"),
    }
    rounds = {
        name: sorted({one.round for one in decided if one.kind is kind})
        for kind, name in names.items()
    }
    summary = text(
        "The rules of this run have decided {number} times, first after round {round}.",
        number=language.number(len(decided)),
        round=decided[0].round,
    )
    meaning = text(
        "Triangles mark the rounds after which the rules decided something; the reasons are in "
        "the table."
    )
    return Marks({name: found for name, found in rounds.items() if found}, meaning, [summary])


def _of_charts(watched: NetworkWatch, language: Language) -> Marks:
    text = language.text
    how = text(
        "Watched as hayflick watch does: a guaranteed chart of the spread of all answers, and "
        "one of every agent's, which take the first {baseline} rounds as healthy.",
        baseline=watched.baseline,
    )
    alarmed = [chart for chart in watched.charts if chart.alarms]
    found = [_course(chart, language) for chart in alarmed]
    quiet = text("No chart has alarmed.")
    sentences = [how, *(found or [quiet]), *_left_out(watched, language)]
    names = {True: text("alarm: all answers"), False: text("alarm: an agent")}
    rounds = {
        name: sorted(
            {
                verdict.round
                for chart in alarmed
                if (chart.group == "") is together
                for verdict in chart.alarms
            }
        )
        for together, name in names.items()
    }
    meaning = text(
        "Triangles mark the rounds in which a chart of the answers' spread alarms; the line "
        "below them is where an alarm begins."
    )
    marked = {name: numbers for name, numbers in rounds.items() if numbers}
    technical = [f"{one.group}: {one.reason}" for one in watched.unwatched]
    return Marks(marked, meaning if marked else quiet, sentences, technical)


def _course(chart: ChartHistory, language: Language) -> str:
    alarm = chart.first_alarm
    assert alarm is not None
    subject = metric_label(chart.metric, language)
    if chart.group:
        subject = language.text("{metric} of {group}", metric=subject, group=chart.group)
    return language.text(
        "{metric}: first alarm in round {alarm}; the change began about round {since}.",
        metric=subject,
        alarm=alarm.round,
        since=alarm.round if alarm.since is None else alarm.since,
    )


def _left_out(watched: NetworkWatch, language: Language) -> list[str]:
    groups = [one.group or language.text("all answers") for one in watched.unwatched]
    if not groups:
        return []
    return [
        language.text(
            "Not watched, for want of answers in the first rounds: {groups}.",
            groups=joined_names(groups),
        )
    ]


def _unknown(watched: NetworkWatch, run: NetworkRun, language: Language) -> Marks:
    """Return why there is no chart: nobody is to take silence for health."""
    text = language.text
    if run.rounds <= watched.baseline:
        why = text(
            "Alarms cannot be told: a chart takes the first {baseline} rounds as healthy and "
            "watches those that follow; here are {rounds}.",
            baseline=watched.baseline,
            rounds=run.rounds,
        )
    else:
        why = text(
            "Alarms cannot be told: the answers of the first {baseline} rounds are too few, or "
            "too much alike, for a limit with a guarantee.",
            baseline=watched.baseline,
        )
    return Marks({}, why, [why], [one.reason for one in watched.unwatched if not one.group])
