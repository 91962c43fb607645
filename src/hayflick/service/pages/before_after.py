"""What an action has done to a stream: its numbers before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from hayflick.report.rendering import significant
from hayflick.report.watch_findings import WatchFindings
from hayflick.storage.actions import ActionRow

_ROUNDS = 5
_MOST_NUMBERS = 3


@dataclass(frozen=True)
class ActionEffect:
    """An action with numbers before and after it.

    Parameters
    ----------
    action
        The action.
    after
        Name of the round after which it takes effect: the last one closed when it was done, or
        the one that called for it.
    rows
        Of some numbers: name, median of up to five rounds before, of up to five rounds after, and
        the change.
    """

    action: ActionRow
    after: str
    rows: Sequence[tuple[str, str, str, str]]


def action_effects(
    actions: Sequence[ActionRow], closed: Mapping[int, float], findings: WatchFindings
) -> list[ActionEffect]:
    """Return what followed each action.

    Parameters
    ----------
    actions
        Actions of the stream.
    closed
        When its rounds were closed, by number.
    findings
        What is known of the stream.
    """
    found = []
    for action in actions:
        last = action.round
        if action.done is not None:
            done = [number for number, at in closed.items() if at <= action.done]
            last = max([action.round, *done])
        last = min(last, len(findings.result.rounds))
        rows = [
            (findings.title(number), *_around(findings, number.metric, number.group, last))
            for number in findings.numbers[:_MOST_NUMBERS]
        ]
        found.append(ActionEffect(action, findings.round_name(last), rows))
    return found


def _around(findings: WatchFindings, metric: str, group: str, last: int) -> tuple[str, str, str]:
    values = findings.result.series(metric, group=group)
    before = _median(values[max(0, last - _ROUNDS) : last])
    after = _median(values[last : last + _ROUNDS])
    if before is None or after is None:
        return _shown(before), _shown(after), "–"
    change = "–" if before == 0.0 else findings.language.difference(after / before - 1.0)
    return _shown(before), _shown(after), change if change.startswith(("-", "–")) else f"+{change}"


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _shown(value: float | None) -> str:
    return "–" if value is None else significant(value)
