"""What an experiment takes, on the terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.network.estimate import Estimate
from hayflick.report.language import Language

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


def estimate_tables(estimate: Estimate, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of an estimate."""
    from hayflick.report.tables import table

    language = Language(lang)
    text = language.text
    shown = table(
        text("agent"),
        text("answers"),
        text("tokens read"),
        text("tokens written"),
        text("cost"),
    )
    for one in estimate.agents:
        numbers = (one.answers, one.tokens_in, one.tokens_out)
        shown.add_row(one.agent, *(f"{number:,}" for number in numbers), _cost(one.cost))
    return [*_sentences(estimate, language), shown]


def estimate_record(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        **asdict(estimate),
        "answers": estimate.answers,
        "tokens": estimate.tokens,
        "cost": estimate.cost,
    }


def _sentences(estimate: Estimate, language: Language) -> list[str]:
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
