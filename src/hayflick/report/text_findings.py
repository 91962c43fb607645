"""An n-gram model's forecast in plain words: how much of the language is left."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.report.series_findings import SeriesFindings
from hayflick.report.tables import significant


@dataclass(frozen=True)
class TextFindings(SeriesFindings):
    """What is said of an n-gram model."""

    def label(self, name: str) -> str:
        """Return what a quantity is called on an axis and in a heading."""
        text = self.language.text
        labels = {
            "words": text("share of words left"),
            "contexts": text("share of contexts left"),
            "sentence_length": text("words per sentence"),
        }
        return labels[name]

    def data(self) -> str:
        """Return what the data are."""
        model, number = self.forecast.model, self.language.number
        return self.language.text(
            "{name} holds {total} words in all, different ones: {types}. The model has order "
            "{order}: a word depends on the words before it, {memory} at most.",
            name=self.forecast.name,
            total=number(model.total),
            types=number(model.types),
            order=number(model.order),
            memory=number(model.order - 1),
        )

    def outcome(self) -> str:
        """Return what is left, and what real data alone would leave."""
        percent, (_, contexts, length) = self.language.percent, self.forecast.series
        return self.language.text(
            "After round {round}, {kept} of the words are left, and {contexts} of the contexts. "
            "One training on real data alone would keep {baseline} and {alone}. Words per "
            "sentence: {length}, with real data alone {real_length}.",
            round=self.last,
            kept=percent(self.forecast.kept),
            contexts=percent(contexts.best.at(-1).middle),
            baseline=percent(self.forecast.baseline),
            alone=percent(contexts.alone.middle),
            length=significant(length.best.at(-1).middle),
            real_length=significant(length.alone.middle),
        )

    def number_to_watch(self) -> str:
        """Return the number to watch, and where it is heading."""
        return self.language.text(
            "The share of the {nouns} that are still in a round's training set: heading for "
            "{kept} after round {round}.",
            **self._kept(digits=1),
        )

    def _kept(self, *, digits: int) -> dict[str, str]:
        return {
            "nouns": self.language.text("words"),
            "kept": self.language.percent(self.forecast.kept, digits=digits),
            "round": self.last,
        }

    def spoken_within(self) -> str:
        """Return what to say aloud of a plan that stays within the limit."""
        return self.language.text(
            "If we go on as planned, after round {round} we can expect to have {kept} "
            "of our {nouns} left; real data alone would give us {baseline}.",
            baseline=self.language.percent(self.forecast.baseline, digits=0),
            **self._kept(digits=0),
        )

    def spoken_below(self) -> str:
        """Return what to say aloud of a plan that falls below the limit."""
        return self.language.text(
            "If we go on as planned, after round {round} we can expect to have lost {lost} of "
            "our {nouns}, the rare ones first.",
            lost=self.language.percent(1.0 - self.forecast.kept, digits=0),
            **self._kept(digits=0),
        )

    def sense(self) -> str:
        """Return which sense of collapse is measured."""
        return self.language.text(
            "Collapse here means that words are missing from a round's text, or the contexts in "
            "which they stood. It says nothing about the quality of what is left."
        )

    def term(self) -> tuple[str, str]:
        """Return the quantity that decides as a term of the glossary, and its meaning."""
        text = self.language.text
        return text("Words and contexts left"), text(
            "What is still in a round's text. A context is the few words that the next word "
            "depends on, as many as the order says, less one."
        )
