"""A reserve in words, as a table, as plain values and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.planning.coverage import SAMPLES, UniformSamples
from hayflick.planning.reserve import Reserve
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, shortened, table, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_SHOWN = 10


def record(reserve: Reserve) -> dict[str, Any]:
    """Return a reserve as plain values, ready for JSON; the items are in its file."""
    return {
        "format_version": FORMAT_VERSION,
        "source": reserve.source.name,
        "tokenizer": reserve.source.tokenizer,
        "column": reserve.source.column,
        "items": len(reserve.items),
        "tokens": reserve.counts.total,
        "types": {"covered": reserve.counts.types, "all": reserve.types},
        "weight": {
            "weights": reserve.weights,
            "covered": reserve.cover.value,
            "all": reserve.total,
            "share": reserve.share,
        },
        "guarantee": {
            "any_data": reserve.cover.proven,
            "these_data": reserve.cover.of_best,
            "no_reserve_covers_more_than": reserve.cover.bound,
        },
        "must_keep": {
            "listed": len(reserve.must_keep),
            "covered": len(reserve.kept),
            "missing": missing(reserve),
        },
        "uniform_samples": {
            "same_items": _sample_record(reserve.same_items),
            "same_tokens": _sample_record(reserve.same_tokens),
        },
        "provenance": reserve.provenance(),
    }


def _sample_record(samples: UniformSamples) -> dict[str, Any]:
    return {
        "samples": samples.types.size,
        "items": float(samples.items.mean()),
        "tokens": float(samples.tokens.mean()),
        "types": {"mean": float(samples.types.mean()), "best": int(samples.types.max())},
        "weight": {"mean": float(samples.values.mean()), "best": float(samples.values.max())},
    }


def missing(reserve: Reserve) -> list[str]:
    """Return the listed symbols that the budget had no room for."""
    held = set(reserve.kept)
    return [symbol for symbol in reserve.must_keep if symbol not in held]


def tables(reserve: Reserve, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: what was chosen, how good it is, and beside what."""
    language = Language(lang)
    return (
        *sentences(reserve, language),
        _table(reserve, language),
        language.text(
            "Best: of {samples} uniform samples, the one that covers the most weight.",
            samples=SAMPLES,
        ),
    )


def page(reserve: Reserve, *, lang: str = "en") -> str:
    """Return what the terminal shows as one self-contained HTML page."""
    language = Language(lang)
    title = language.text("Reserve: {name}", name=reserve.source.name)
    parts = tables(reserve, lang=lang)
    return tables_page(
        title, parts, language, sources=reserve.sources, provenance=reserve.provenance()
    )


def fragment(reserve: Reserve) -> str:
    """Return a reserve as an HTML fragment for a notebook."""
    language = Language("en")
    title = language.text("Reserve: {name}", name=reserve.source.name)
    return notebook(title, sentences(reserve, language), sources=reserve.sources)


def sentences(reserve: Reserve, language: Language) -> tuple[str, ...]:
    """Return what was chosen, what is covered of a list, and the guarantee, a line each."""
    return (
        _chosen(reserve, language),
        *_unused(reserve, language),
        *_listed(reserve, language),
        guarantee(reserve, language),
    )


def _chosen(reserve: Reserve, language: Language) -> str:
    text, number = language.text, language.number
    values = {
        "name": reserve.source.name,
        "items": number(len(reserve.items)),
        "tokens": number(reserve.counts.total),
        "types": number(reserve.counts.types),
        "all": number(reserve.types),
        "share": language.percent(reserve.share),
        "weights": _weights(reserve, language),
    }
    if len(reserve.items) == 1:
        return text(
            "Chosen from {name}: one item; its tokens: {tokens}. It holds {types} of {all} "
            "different symbols, {share} of the weight ({weights}).",
            **values,
        )
    return text(
        "Chosen from {name}: {items} items with {tokens} tokens. They hold {types} of {all} "
        "different symbols, {share} of the weight ({weights}).",
        **values,
    )


def _weights(reserve: Reserve, language: Language) -> str:
    text = language.text
    if reserve.must_keep:
        if reserve.weights == "uniform":
            return text("the listed symbols alone, each the same")
        return text("the listed symbols alone, by frequency")
    if reserve.weights == "uniform":
        return text("every symbol the same")
    return text("symbols by frequency")


def _unused(reserve: Reserve, language: Language) -> tuple[str, ...]:
    """Say so where everything was covered before the budget was spent."""
    spent = reserve.counts.total if reserve.by_tokens else len(reserve.items)
    if spent >= reserve.budget or reserve.cover.value < reserve.total:
        return ()
    return (language.text("More would cover no more: the rest of the budget is not used."),)


def _listed(reserve: Reserve, language: Language) -> tuple[str, ...]:
    if not reserve.must_keep:
        return ()
    text, number = language.text, language.number
    covered = text(
        "Listed as must-keep: {all}; in the reserve: {covered}.",
        all=number(len(reserve.must_keep)),
        covered=number(len(reserve.kept)),
    )
    left_out = [shortened(symbol) for symbol in missing(reserve)]
    if not left_out:
        return (covered,)
    shown = ", ".join(left_out[:_SHOWN]) + (", …" if len(left_out) > _SHOWN else "")
    return (covered, text("No room for: {symbols}. Raise the budget.", symbols=shown))


def guarantee(reserve: Reserve, language: Language) -> str:
    """Return what is certain of the weight covered, on these data and on any."""
    if reserve.cover.of_best >= 1.0:
        return language.text("Guarantee: no reserve within this budget covers more weight.")
    return language.text(
        "Guarantee: no reserve within this budget covers more than {bound} of the weight, so "
        "this one reaches at least {these} of the best possible; the method (threshold greedy) "
        "reaches at least {any} on any data.",
        bound=language.percent(reserve.cover.bound / reserve.total),
        these=language.percent(reserve.cover.of_best),
        any=language.percent(reserve.cover.proven),
    )


def _table(reserve: Reserve, language: Language) -> Table:
    text, number, percent = language.text, language.number, language.percent
    shown = table("", text("items"), text("tokens"), text("different symbols"), text("weight"))
    whole = (number(len(reserve.items)), number(reserve.counts.total))
    share = percent(reserve.share)
    shown.add_row(text("the reserve"), *whole, number(reserve.counts.types), share)
    kinds = (
        (text("uniform, as many items"), reserve.same_items),
        (text("uniform, as many tokens"), reserve.same_tokens),
    )
    for name, samples in kinds:
        best = int(samples.values.argmax())
        size = (number(samples.items.mean()), number(samples.tokens.mean()))
        mean = percent(float(samples.values.mean()) / reserve.total)
        row = text("{name}: mean", name=name)
        shown.add_row(row, *size, number(samples.types.mean()), mean)
        size = (number(samples.items[best]), number(samples.tokens[best]))
        most = percent(float(samples.values[best]) / reserve.total)
        row = text("{name}: best", name=name)
        shown.add_row(row, *size, number(samples.types[best]), most)
    return shown
