"""The sheet beside a rules file: each number to watch, who acts how, and what it costs."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, Any

from hayflick.planning.targets import DIVERSITY
from hayflick.report.language import Language
from hayflick.report.plan_findings import subject_label
from hayflick.report.rendering import notebook, render
from hayflick.report.tables import printable, significant, table
from hayflick.rules.from_plan import COOL_DOWN, REVIEWED, PlannedRules

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Indicator:
    """A row of the sheet, in the reader's language."""

    number: str
    meaning: str
    limit: str
    who: str
    action: str
    cost_of_acting: str
    cost_of_waiting: str


def headings(language: Language) -> tuple[str, ...]:
    """Return what the columns are called."""
    text = language.text
    return (
        text("number"),
        text("what it means"),
        text("limit value"),
        text("who acts"),
        text("what is done"),
        text("cost of acting"),
        text("cost of waiting"),
    )


def indicators(planned: PlannedRules, language: Language) -> tuple[Indicator, ...]:
    """Return the rows of the sheet."""
    return (_kept(planned, language), _missed(planned, language), _used(planned, language))


def _kept(planned: PlannedRules, language: Language) -> Indicator:
    text, found = language.text, planned.policy
    waiting = text(
        "One more round without real data leaves {left}.",
        left=language.percent(found.next_unaided),
    )
    return Indicator(
        number=text("share kept"),
        meaning=text(
            "How much of {subject} is still there, of the real data's.",
            subject=subject_label(found.target, language),
        ),
        limit=text("below {limit}", limit=_limit(planned, found.limit, language)),
        who=text("whoever prepares the training sets"),
        action=text(
            "{items} newly drawn real items go into the next round.",
            items=language.number(found.dose),
        ),
        cost_of_acting=_price(planned, found.dose, "real", language),
        cost_of_waiting=language.joined(waiting, *_way_back(planned, language)),
    )


def _missed(planned: PlannedRules, language: Language) -> Indicator:
    text = language.text
    return Indicator(
        number=text("target missed"),
        meaning=text("Less is left than was planned for: something else is wrong."),
        limit=text("below {limit}", limit=_limit(planned, planned.policy.keep, language)),
        who=text("the data lead"),
        action=text(
            "A person looks at {answers} answers; said again after {rounds} rounds at the "
            "earliest.",
            answers=language.number(REVIEWED),
            rounds=language.number(COOL_DOWN),
        ),
        cost_of_acting=_check(planned, language),
        cost_of_waiting=" ".join(_way_back(planned, language)) or "–",
    )


def _used(planned: PlannedRules, language: Language) -> Indicator:
    text, found = language.text, planned.policy
    return Indicator(
        number=text("real items a round"),
        meaning=text("How much real data the rule uses; at most the dose."),
        limit=text(
            "above {items} ({share} of a training set)",
            items=language.number(found.dose),
            share=language.percent(found.share),
        ),
        who=text("the data lead"),
        action=text("Compare with the plan; try the rules again with new data."),
        cost_of_acting="–",
        cost_of_waiting=_price(planned, found.dose, "real", language),
    )


def _limit(planned: PlannedRules, share: float, language: Language) -> str:
    if planned.policy.target.kind == DIVERSITY:
        return significant(share * planned.initial_reading)
    return language.percent(share)


def _price(planned: PlannedRules, items: float, name: str, language: Language) -> str:
    """Return what items cost; how many they are where nothing has a price."""
    costs = planned.plan.costs
    if costs is None or not getattr(costs, name):
        return language.text("{items} real items a round", items=language.number(items))
    price = significant(items * getattr(costs, name))
    return language.text("{price} {currency} a round", price=price, currency=costs.currency)


def _check(planned: PlannedRules, language: Language) -> str:
    costs = planned.plan.costs
    if costs is None or not costs.check:
        return language.text("the time for {answers} answers", answers=language.number(REVIEWED))
    price = significant(costs.check)
    return language.text("{price} {currency} a round", price=price, currency=costs.currency)


def _way_back(planned: PlannedRules, language: Language) -> tuple[str, ...]:
    """Return what the way back takes later on; nothing where it is not known."""
    found = [one for one in planned.plan.recoveries if one.items]
    if not found:
        return ()
    last = found[-1]
    sentence = language.text(
        "After {rounds} rounds of waiting, the way back takes {items} real items.",
        rounds=language.number(last.waited),
        items=language.number(last.items or 0),
    )
    return (sentence,)


def record(planned: PlannedRules) -> dict[str, Any]:
    """Return planned rules as plain values: the file, limit and dose, and the sheet."""
    policy = planned.policy
    return {
        "format_version": FORMAT_VERSION,
        "metric": planned.metric,
        "keep": policy.keep,
        "limit": policy.limit * planned.initial_reading,
        "dose": policy.dose,
        "false_alarms": policy.false_alarms,
        "rules": planned.text,
        "sheet": [asdict(row) for row in indicators(planned, Language("en"))],
        "provenance": planned.provenance(),
    }


def tables(planned: PlannedRules, *, lang: str = "en") -> list[RenderableType]:
    """Return the sheet as a table."""
    language = Language(lang)
    shown = table(*headings(language))
    for row in indicators(planned, language):
        shown.add_row(*map(printable, astuple(row)))
    return [shown]


def page(planned: PlannedRules, *, lang: str = "en") -> str:
    """Return the sheet as one self-contained HTML page."""
    language = Language(lang)
    return render(
        "kpi.html.jinja",
        "brief.css",
        language,
        planned=planned,
        headings=headings(language),
        rows=[astuple(row) for row in indicators(planned, language)],
    )


def fragment(planned: PlannedRules) -> str:
    """Return what a notebook shows of the sheet."""
    rows = indicators(planned, Language("en"))
    return notebook("Numbers to watch", (f"{row.number} {row.limit}: {row.action}" for row in rows))


def sheet(planned: PlannedRules, *, lang: str = "en") -> str:
    """Return the sheet as CSV; the byte-order mark tells Excel that it is UTF-8."""
    language = Language(lang)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(headings(language))
    writer.writerows(astuple(row) for row in indicators(planned, language))
    return "\ufeff" + written.getvalue()
