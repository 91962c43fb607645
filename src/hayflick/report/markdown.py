"""A result as a short summary in Markdown, as job summaries of GitHub Actions and GitLab show it.

GitHub removes inline SVG and ``data:`` images from Markdown, and draws Mermaid: the readings are a
Mermaid chart, and each number has a line of block characters besides. Names are the user's; each
is escaped so that it is neither markup nor a part of the drawing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hayflick.core.display_text import display_text
from hayflick.core.errors import OutputError
from hayflick.core.records import State
from hayflick.monitor.compare_result import Comparison
from hayflick.monitor.comparison import Difference
from hayflick.monitor.watch_result import WatchResult
from hayflick.report.compare_findings import CompareFindings, gate_sentences
from hayflick.report.language import Language, metric_label
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watched_numbers import WatchedNumber, watched_numbers

_MOST_DRAWN, _MOST_ROWS, _MOST_POINTS = 3, 15, 60
_STEPS = "▁▂▃▄▅▆▇█"
_LINE, _WIDE, _LABEL = 16, 24, 20
"""Characters of a line of blocks, of an interval, and of the name beside it."""
_MERMAID = (
    '%%{init: {"xyChart": {"height": 300}, "themeVariables": {"xyChart": '
    '{"plotColorPalette": "#0969da, #8c959f"}}}}%%'
)
_MARKUP = re.compile(r"([\\`*_\[\]|~]|^[-+#=]|(?<=^\d)[.)](?=\s))")


def markdown_summary(
    result: WatchResult | Comparison, *, lang: str = "en", fail_below: float | None = None
) -> str:
    """Return the verdict, what has moved and a chart, in Markdown.

    Parameters
    ----------
    result
        What `hayflick.watch` or `hayflick.compare` returns.
    lang
        Language, ``en`` or ``ja``.
    fail_below
        Of a comparison: the share of the old numbers below which it fails; None for no gate.

    Raises
    ------
    ArgumentError
        If there is no such language.

    Examples
    --------
    >>> import hayflick as hf
    >>> answers = [{"day": day, "text": f"word{k * 7 % 50}"} for day in range(12) for k in range(9)]
    >>> print(markdown_summary(hf.watch(answers, by="day", text="text")))
    ### hayflick: Healthy: no chart has alarmed since the baseline
    ...
    """
    language = Language(lang)
    if isinstance(result, Comparison):
        parts = list(_compared(result, language, fail_below))
    else:
        parts = list(_watched(WatchFindings(result, language)))
    return "\n\n".join(parts) + "\n"


def append_summary(path: Path, summary: str) -> None:
    """Append a summary to a file, which is made if missing: other steps of a job write there too.

    Raises
    ------
    OutputError
        If the operating system refuses.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{summary}\n")
    except OSError as fault:
        raise OutputError(f"{path}: {(fault.strerror or str(fault)).lower()}") from None


def _watched(findings: WatchFindings) -> Iterator[str]:
    text = findings.language.text
    yield _heading(findings.verdict())
    if told := [*findings.story(), *findings.advice()]:
        yield _list(told)
    numbers = _shown_numbers(findings)
    yield from _number_table(numbers[:_MOST_ROWS], findings)
    if len(numbers) > _MOST_ROWS:
        more = findings.language.number(len(numbers) - _MOST_ROWS)
        yield text("Further charts, in the page and the JSON: {more}.", more=more)
    moved = [one for one in numbers if one.state in (State.ALARM, State.FALLING)]
    drawn = [_drawing(number, findings) for number in (moved or numbers[:1])[:_MOST_DRAWN]]
    yield from filter(None, drawn)
    if any(drawn):
        yield _escaped(_caption(findings))
    yield _escaped(findings.data())


def _shown_numbers(findings: WatchFindings) -> list[WatchedNumber]:
    """Return the numbers of all answers, then the number that lost most of groups that moved."""
    moved = (State.ALARM, State.FALLING)
    of_groups = [group.worst for group in findings.groups if group.state in moved]
    return [*watched_numbers(findings.result), *of_groups]


def _number_table(numbers: Sequence[WatchedNumber], findings: WatchFindings) -> Iterator[str]:
    if not numbers:
        return
    text, rows = findings.language.text, []
    for number in numbers:
        tile = findings.tile(number)
        blocks = block_line(findings.result.series(number.metric, group=number.group))
        rows.append((tile.subject, blocks, tile.state_name, tile.change, tile.values))
    headings = (text("watched"), text("course"), text("state"), text("change"), text("value"))
    yield _table(headings, rows)


def _compared(result: Comparison, language: Language, fail_below: float | None) -> Iterator[str]:
    findings = CompareFindings(result, language)
    yield _heading(findings.verdict())
    if fail_below is not None:
        yield _list(gate_sentences(result, fail_below, language))
    yield _table(findings.headings(), findings.rows()[:_MOST_ROWS])
    if drawn := _intervals(result.differences[:_MOST_ROWS], language):
        yield drawn
    yield _escaped(findings.data())
    yield _list(findings.summary())


def _heading(verdict: str) -> str:
    return f"### hayflick: {_escaped(verdict)}"


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {_escaped(one)}" for one in sentences)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    safe = display_text(text, longest=2000).replace("&", "&amp;")
    safe = _MARKUP.sub(r"\\\1", safe.replace("<", "&lt;").replace(">", "&gt;"))
    # GitHub reads $x$ as a formula, and @team calls people where the summary becomes a comment.
    return safe.replace("$", "<span>$</span>").replace("@", "@\u200b")


def block_line(values: Sequence[float | None], *, most: int = _LINE) -> str:
    """Return a series as block characters, the highest value a full block, a gap a dot.

    Examples
    --------
    >>> block_line([1.0, 2.0, None, 3.0, 1.0])
    '▁▅·█▁'
    """
    parts = np.array_split(np.array([np.nan if one is None else one for one in values]), most)
    means = [
        float(np.mean(part[~np.isnan(part)])) if (~np.isnan(part)).any() else None
        for part in parts
        if len(part)
    ]
    known = [one for one in means if one is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        "·" if one is None else _STEPS[min(7, int(8 * (one - low) / span))] for one in means
    )


def _drawing(number: WatchedNumber, findings: WatchFindings) -> str | None:
    """Return the readings of a number as a Mermaid chart, with the median of the baseline."""
    result = findings.result
    values = result.series(number.metric, group=number.group)
    known = {place: one for place, one in enumerate(values) if one is not None}
    if len(known) < 2:
        return None
    first, last = min(known), max(known)
    places = np.linspace(first, last, min(_MOST_POINTS, last - first + 1)).round().astype(int)
    readings = np.interp(places, list(known), list(known.values()))
    typical = np.nan if number.change is None else number.change.before
    ends = [readings.min(), readings.max(), *([] if np.isnan(typical) else [typical])]
    margin = 0.08 * (max(ends) - min(ends)) or 0.08 * abs(max(ends)) or 1.0
    low = max(0.0, min(ends) - margin) if min(ends) >= 0.0 else min(ends) - margin
    subject = _plain(findings.title(number))
    lines = [
        "```mermaid",
        _MERMAID,
        "xychart-beta",
        f'    title "{subject}"',
        f"    x-axis {first + 1} --> {last + 1}",
        f"    y-axis {_decimal(low)} --> {_decimal(max(ends) + margin)}",
        f"    line [{', '.join(map(_decimal, readings))}]",
    ]
    if not np.isnan(typical):
        lines.append(f"    line [{', '.join([_decimal(typical)] * len(places))}]")
    return "\n".join([*lines, "```"])


def _caption(findings: WatchFindings) -> str:
    """Return what the drawings show, and the names of the first and of the last round."""
    last = len(findings.result.rounds)
    return findings.language.text(
        "Blue: the readings, round by round; grey: the median of the baseline. Round 1 is {first}, "
        "round {number} is {last}.",
        first=findings.round_name(1),
        number=findings.language.number(last),
        last=findings.round_name(last),
    )


def _plain(text: str) -> str:
    """Return a text without what Mermaid could take for its own signs."""
    kept = (
        sign if sign.isalnum() or sign in " .,:()/+-−_%" else " " for sign in display_text(text)
    )
    return "".join(kept).strip() or "-"


def _decimal(value: float) -> str:
    """Return a number without an exponent, which Mermaid does not read."""
    return np.format_float_positional(value, precision=5, fractional=False, trim="-")


def _intervals(differences: Sequence[Difference], language: Language) -> str | None:
    """Return the ratios with their intervals as a text chart; None if there is none."""
    known = [one for one in differences if one.ratio is not None]
    if not known:
        return None
    low = min(1.0, *(one.low for one in known))
    high = max(1.0, *(one.high for one in known))
    span, wide = (high - low) or 1.0, _WIDE
    same = round((1.0 - low) / span * wide)

    def row(one: Difference) -> str:
        ends = [
            round((value - low) / span * wide) for value in (one.low, one.ratio or 0.0, one.high)
        ]
        signs = ["│" if place == same else " " for place in range(wide + 1)]
        signs[ends[0] : ends[2] + 1] = "─" * (ends[2] - ends[0] + 1)
        signs[ends[1]] = "●"
        name = display_text(metric_label(one.metric, language), longest=_LABEL, isolated=False)
        return f"{''.join(signs)}  {name.replace('`', ' ')}"

    left, right = f"{low:.2f}", f"{high:.2f}"
    scale = f"{left}{right:>{wide + 1 - len(left)}}"
    if len(left) < same < wide - len(right):
        scale = f"{scale[:same]}1{scale[same + 1 :]}"
    title = language.text("new / old")
    return "\n".join(["```text", f"{scale}  {title}", *map(row, known), "```"])
