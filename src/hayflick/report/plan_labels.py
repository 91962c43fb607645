"""What the parts of a plan are called: its subject, designs, kinds, prices and knobs."""

from __future__ import annotations

from hayflick.planning.designs import Design
from hayflick.planning.targets import (
    DIVERSITY,
    MUST_KEEP,
    VARIANCE,
    Target,
)
from hayflick.regimes.periodic import Periodic
from hayflick.report.language import Language


def subject_label(goal: Target, language: Language) -> str:
    """Return what is kept."""
    text = language.text
    if goal.kind == DIVERSITY:
        return text("the diversity")
    if goal.kind == VARIANCE:
        return text("the variance")
    if goal.kind == MUST_KEEP:
        return text("the listed items")
    if goal.source.tokenizer in ("words", "japanese", "whitespace"):
        return text("the words")
    return text("the symbols")


def design_label(design: Design, *, rounds: int, language: Language) -> str:
    """Return what each round is trained on, in a few words."""
    text, number, percent = language.text, language.number, language.percent
    size, regime = number(design.samples), design.regime
    share = percent(regime.mix(1, samples=design.samples).fresh / design.samples)
    if isinstance(regime, Periodic):
        share = percent(regime.share)
        return text(
            "{share} fresh real data, every {every} rounds", share=share, every=regime.every
        )
    match design.kind:
        case "replace":
            return text("no real data")
        case "fresh":
            return text("{share} fresh real data in every round", share=share)
        case "anchor":
            if design.real_per_round == 1.0:
                return text("a reserve of one stored real item in every round")
            stored = number(design.real_per_round)
            return text("a reserve of {stored} stored real items in every round", stored=stored)
        case "accumulate":
            return text("no new real data, everything so far is kept")
        case "accumulate-subsample":
            return text("no new real data, a sample of everything so far")
        case "larger":
            return text("no real data, {samples} items a round", samples=size)
        case "growing":
            last = number(regime.mix(rounds, samples=1).samples)
            return text("no real data, {samples} items growing to {last}", samples=size, last=last)
    return text(
        "{share} fresh real data in every round of {samples} items", share=share, samples=size
    )


def kind_label(kind: str, language: Language) -> str:
    """Return what a kind of design is called."""
    text = language.text
    return {
        "replace": text("no real data at all"),
        "fresh": text("fresh real data"),
        "periodic": text("periodic real data"),
        "anchor": text("a reserve"),
        "accumulate": text("keeping everything"),
        "accumulate-subsample": text("sampling everything so far"),
        "larger": text("larger training sets"),
        "growing": text("growing training sets"),
        "larger and fresh": text("larger sets with fresh data"),
    }[kind]


def price_label(name: str, language: Language) -> str:
    """Return what a price is called."""
    text = language.text
    return {
        "real": text("real item"),
        "generated": text("generated item"),
        "check": text("check"),
        "monitoring": text("monitoring"),
        "loss": text("loss"),
    }[name]


def knob_label(name: str, language: Language) -> str:
    """Return what a knob is called."""
    text = language.text
    return {
        "samples": text("items a round"),
        "share": text("share of fresh data"),
        "stored": text("stored items"),
        "period": text("rounds between real data"),
        "temperature": text("temperature"),
        "accuracy": text("share of right labels"),
        "noise": text("noise, in standard deviations"),
        "bits": text("bits of a parameter"),
    }[name]
