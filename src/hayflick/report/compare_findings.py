"""The sentences about a comparison of two sets of answers, in the reader's language."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hayflick.diversity.phrases import Template
from hayflick.monitor.compare_result import DIVERSITY, ComparedSide, Comparison, ComparisonVerdict
from hayflick.monitor.comparison import Difference
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import shortened, significant

_NAMED = 8
_MOST_PHRASES = 15


@dataclass(frozen=True)
class CompareFindings:
    """The sentences about a comparison, in one language."""

    result: Comparison
    language: Language

    def data(self) -> str:
        """Return what was compared."""
        number = self.language.number
        old, new = self.result.old, self.result.new
        return self.language.text(
            "Old: {old}, {old_answers} answers. New: {new}, {new_answers} answers.",
            old=old.name,
            old_answers=number(old.answers),
            new=new.name,
            new_answers=number(new.answers),
        )

    def verdict(self) -> str:
        """Return the verdict in one line, with what differs most."""
        text = self.language.text
        verdict = self.result.verdict
        if verdict is ComparisonVerdict.IDENTICAL:
            return text("The same answers in both")
        if verdict is ComparisonVerdict.SIMILAR:
            if self.result.phrases:
                return text(
                    "No difference found in the numbers; phrases that differ: {number}",
                    number=self.language.number(len(self.result.phrases)),
                )
            return text("No difference found")
        numbers = ", ".join(self._moved(one) for one in self._most_moved())
        if verdict is ComparisonVerdict.LOSS:
            return text("Less diverse: {numbers}", numbers=numbers)
        if verdict is ComparisonVerdict.GAIN:
            return text("More diverse: {numbers}", numbers=numbers)
        return text("Different: {numbers}", numbers=numbers)

    def state(self) -> str:
        """Return the class of the verdict on a page."""
        if any(one.fell for one in self._diverse()):
            return "below"
        return "falling" if self.result.verdict is ComparisonVerdict.DIFFERENT else ""

    def _diverse(self) -> list[Difference]:
        return [one for one in self.result.differences if one.metric in DIVERSITY and one.differs]

    def _most_moved(self) -> list[Difference]:
        moved = self._diverse() or [one for one in self.result.differences if one.differs]
        return sorted(moved, key=lambda one: one.ratio if one.ratio is not None else 1.0)[:_NAMED]

    def _moved(self, one: Difference) -> str:
        label = metric_label(one.metric, self.language)
        if one.ratio is None:
            return label
        change = self.language.difference(one.ratio - 1.0).replace("-", "−")
        return f"{shortened(label)} {'' if one.ratio < 1.0 else '+'}{change}"

    def summary(self) -> list[str]:
        """Return what was compared at which size, what was left out, and what is promised."""
        result, text, number = self.result, self.language.text, self.language.number
        sentences = []
        if result.is_identical:
            sentences.append(
                text("Both files hold the same answers; the intervals show what chance would do.")
            )
        sizes = {
            "old": number(result.old.compared),
            "new": number(result.new.compared),
            "answers": number(result.common_answers),
        }
        if result.common_words is None:
            size = text(
                "Measured on {old} old and {new} new answers, at a common size of {answers} "
                "answers.",
                **sizes,
            )
        else:
            size = text(
                "Measured on {old} old and {new} new answers, at a common size of {answers} "
                "answers and {words} words.",
                **sizes,
                words=number(result.common_words),
            )
        sentences.append(size)
        if result.was_sampled:
            sentences.append(
                text("There are more answers; these were sampled, evenly over the prompts.")
            )
        sentences += self._lengths()
        sentences.append(self._promise())
        if any(one.ratio is None for one in result.differences):
            sentences.append(text("A number with a sign is a difference, new less old."))
        sentences += self._prompts()
        for side in (result.old, result.new):
            if side.empty_answers:
                sentences.append(
                    text(
                        "{name}: {empty} empty answers, left out.",
                        name=shortened(side.name),
                        empty=number(side.empty_answers),
                    )
                )
        return sentences

    def _lengths(self) -> list[str]:
        old, new = self.result.old.words_per_answer, self.result.new.words_per_answer
        if old is None or new is None:
            return []
        number = self.language.number
        return [
            self.language.text(
                "An answer has {old} words in the old set and {new} in the new one on average.",
                old=number(old),
                new=number(new),
            )
        ]

    def _promise(self) -> str:
        text, result = self.language.text, self.result
        chance = self.language.percent(result.confidence, digits=_digits(result.confidence))
        if result.draws_prompts:
            return text(
                "All intervals together hold with a probability of {chance}, for prompts like "
                "these.",
                chance=chance,
            )
        if result.prompts is not None:
            return text(
                "All intervals together hold with a probability of {chance}, for these prompts.",
                chance=chance,
            )
        return text("All intervals together hold with a probability of {chance}.", chance=chance)

    def _prompts(self) -> list[str]:
        result, text, number = self.result, self.language.text, self.language.number
        if result.prompts is None:
            return []
        sentences = [text("Prompts that both have: {prompts}.", prompts=number(result.prompts))]
        sides = (result.old, result.new)
        return [*sentences, *(self._only(side) for side in sides if side.other_prompts)]

    def _only(self, side: ComparedSide) -> str:
        """Return which prompts one set alone has."""
        number = self.language.number
        return self.language.text(
            "Only {name} has these prompts ({number}); their {answers} answers are left out: "
            "{prompts}.",
            name=shortened(side.name),
            number=number(len(side.other_prompts)),
            answers=number(side.unmatched_answers),
            prompts=self._names(side),
        )

    def _names(self, side: ComparedSide) -> str:
        names = [shortened(name) or "“”" for name in side.other_prompts[:_NAMED]]
        more = len(side.other_prompts) - len(names)
        return ", ".join(names) + (f" (+{self.language.number(more)})" if more else "")

    def headings(self) -> list[str]:
        """Return the headings of the table of `rows`."""
        text = self.language.text
        return [
            text("compared"),
            text("old"),
            text("new"),
            text("new / old"),
            text("interval"),
            text("finding"),
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row per number; a difference stands in for a ratio where there is none."""
        return [self._row(one) for one in self.result.differences]

    def _row(self, one: Difference) -> tuple[str, ...]:
        text = self.language.text
        finding = text("no difference found")
        if one.differs:
            finding = text("lower") if one.new < one.old else text("higher")
        if one.ratio is None:
            middle = f"{one.new - one.old:+.3g}"
            interval = f"{one.low:+.3g} … {one.high:+.3g}"
        else:
            middle, interval = _ratio(one.ratio), f"{_ratio(one.low)} … {_ratio(one.high)}"
        label = shortened(metric_label(one.metric, self.language))
        return (label, significant(one.old), significant(one.new), middle, interval, finding)

    def unmeasured(self) -> list[tuple[str, str]]:
        """Return the numbers that cannot be compared, with the reason."""
        return [
            (metric_label(one.metric, self.language), self.language.text(one.reason))
            for one in self.result.unmeasured
        ]

    def phrases(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        """Return the phrases that one set says more often than the other, each with a title."""
        text = self.language.text
        parts = {
            text("The new one says, the old one less or not"): self._phrases(lost=False),
            text("The old one says, the new one less or not"): self._phrases(lost=True),
        }
        return [(title, rows) for title, rows in parts.items() if rows]

    def _phrases(self, *, lost: bool) -> list[tuple[str, str, str]]:
        found = [one for one in self.result.phrases if one.lost is lost][:_MOST_PHRASES]
        return [self._phrase(one) for one in found]

    def _phrase(self, one: Template) -> tuple[str, str, str]:
        percent = self.language.percent
        return one.phrase, percent(one.baseline_rate), percent(one.present_rate)


def _ratio(number: float) -> str:
    return f"{number:.3f}" if number < 10.0 else significant(number)


def _digits(confidence: float) -> int:
    """Return the decimals that a probability is shown with as a percentage."""
    return 0 if math.isclose(confidence * 100.0, round(confidence * 100.0), abs_tol=1e-9) else 1


def gate_sentences(result: Comparison, share: float, language: Language) -> list[str]:
    """Return which numbers are below a share of the old ones, and which may be.

    Parameters
    ----------
    result
        The comparison.
    share
        The share.
    language
        Of the sentences.
    """
    text = language.text
    percent = language.percent(share, digits=_digits(share))
    sentences = [
        text(
            "below {share} of the old number: {metric}, {ratio} ({low} … {high})",
            share=percent,
            metric=metric_label(one.metric, language),
            ratio=_ratio(one.ratio or 0.0),
            low=_ratio(one.low),
            high=_ratio(one.high),
        )
        for one in result.below(share)
    ]
    sentences += [
        text(
            "not decided: {metric} may be below {share} of the old number ({low} … {high}); "
            "about {answers} answers on each side would tell",
            share=percent,
            metric=metric_label(one.metric, language),
            low=_ratio(one.low),
            high=_ratio(one.high),
            answers=language.number(_answers_needed(result, one, share)),
        )
        for one in result.undecided(share)
    ]
    passed = text("no number fell below {share} of the old one, beyond chance", share=percent)
    return sentences if result.below(share) else [*sentences, passed]


def _answers_needed(result: Comparison, one: Difference, share: float) -> int:
    """Return how many answers a side make the interval as narrow as the loss that is allowed."""
    half = math.log(one.high / one.low) / 2.0 if one.low > 0.0 else -math.log(share) * 4.0
    compared = min(result.old.compared, result.new.compared)
    return math.ceil(compared * max(1.0, half / -math.log(share)) ** 2)
