"""What an experiment takes: as plain values, tables and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.network.estimate import AgentUsage, NetworkEstimate
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1

_MOST_ROWS = 60
"""Agents with a row of their own: of ten thousand, nobody reads each."""


def record(estimate: NetworkEstimate) -> dict[str, Any]:
    """Return an estimate as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "agents": [asdict(one) for one in estimate.agents],
        "texts_read": estimate.texts_read,
        "spent_in_round": estimate.spent_in_round,
        "answers": estimate.answers,
        "tokens": estimate.tokens,
        "cost": estimate.cost,
    }


def tables(estimate: NetworkEstimate, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of an estimate."""
    language = Language(lang)
    text = language.text
    shown = table(
        text("agent"), text("answers"), text("tokens read"), text("tokens written"), text("cost")
    )
    for one in estimate.agents[:_MOST_ROWS]:
        _add_row(shown, one)
    more = estimate.agents[_MOST_ROWS:]
    if more:
        name = text("{number} more agents, together (JSON has each)", number=f"{len(more):,}")
        _add_row(shown, _together(name, more))
    return [*_sentences(estimate, language), shown]


def page(estimate: NetworkEstimate, *, lang: str = "en") -> str:
    """Return an estimate as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    title = language.text("What a run will take")
    parts = tables(estimate, lang=lang)
    return tables_page(
        title, parts, language, sources=estimate.sources, provenance=estimate.provenance()
    )


def fragment(estimate: NetworkEstimate) -> str:
    """Return what a notebook shows of an estimate."""
    heading, *rest = _sentences(estimate, Language("en"))
    return notebook(heading, rest, sources=estimate.sources)


def _add_row(shown: Table, usage: AgentUsage) -> None:
    numbers = (usage.answers, usage.tokens_in, usage.tokens_out)
    shown.add_row(usage.agent, *(f"{number:,}" for number in numbers), _cost(usage.cost))


def _together(name: str, usages: Sequence[AgentUsage]) -> AgentUsage:
    """Return what several agents take; the cost of those that have one."""
    costs = [one.cost for one in usages if one.cost is not None]
    return AgentUsage(
        name,
        sum(one.answers for one in usages),
        sum(one.tokens_in for one in usages),
        sum(one.tokens_out for one in usages),
        sum(costs) if costs else None,
    )


def _sentences(estimate: NetworkEstimate, language: Language) -> list[str]:
    text = language.text
    sentences = [
        text(
            "{answers} answers, about {tokens} tokens if every answer is as long as it may be.",
            answers=f"{estimate.answers:,}",
            tokens=f"{estimate.tokens:,}",
        ),
        text(
            "In the last round an agent reads {texts} texts for each of them.",
            texts=f"{estimate.texts_read:,.0f}",
        ),
    ]
    if estimate.cost is not None:
        sentences.append(
            text(
                "At the prices of the file that costs about {cost}; an agent without both prices "
                "is not in it.",
                cost=_cost(estimate.cost),
            )
        )
    if estimate.spent_in_round is not None:
        round_ = f"{estimate.spent_in_round:,}"
        sentences.append(text("The budget would be spent in round {round}.", round=round_))
    return sentences


def _cost(cost: float | None) -> str:
    return "–" if cost is None else f"{cost:,.4g}" if cost < 1_000 else f"{cost:,.0f}"
