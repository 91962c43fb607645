"""A forecast in plain words: the sentences of the summary, the brief and the table."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.planning.forecast_result import FRESH_SHARES, KEPT_OF_BASELINE, Forecast
from hayflick.report.outlook_findings import OutlookFindings


@dataclass(frozen=True)
class Findings(OutlookFindings):
    """What a forecast says, sentence by sentence, in one language."""

    forecast: Forecast

    @property
    def nouns(self) -> str:
        """What the symbols are called: words, labels or items."""
        text, source = self.language.text, self.forecast.model.source
        if source.tokenizer in ("words", "japanese", "whitespace"):
            return text("words")
        if source.holds_labels:
            return text("labels")
        return text("symbols")

    def data(self) -> str:
        """Return what the data are."""
        text, number, model = self.language.text, self.language.number, self.forecast.model
        if model.total is None:
            return text(
                "{name} is a law; different {nouns}: {types}.",
                name=model.source.name,
                types=number(model.types),
                nouns=self.nouns,
            )
        return text(
            "{name} holds {tokens} {nouns} in all; different ones: {types}.",
            name=model.source.name,
            tokens=number(model.total),
            types=number(model.types),
            nouns=self.nouns,
        )

    def regime(self) -> str:
        """Return what each round is trained on, and how."""
        delta, text = self.forecast.model.smoothing.delta, self.language.text
        training_set = super().regime()
        if not delta:
            return training_set
        smoothing = text(
            "Its model smooths its counts, adding {delta} to each, so what was lost can return.",
            delta=self.language.number(delta),
        )
        return self.language.joined(training_set, smoothing)

    def outcome(self) -> str:
        """Return what is left, and what recursion costs."""
        forecast, percent = self.forecast, self.language.percent
        return self.language.text(
            "After round {round}, {kept} of the {nouns} are left. One training on real data "
            "alone would keep {baseline}, so recursion costs {excess} of all {nouns}.",
            round=self.language.number(forecast.generations),
            kept=percent(forecast.kept),
            nouns=self.nouns,
            baseline=percent(forecast.baseline),
            excess=self.language.difference(forecast.baseline - forecast.kept),
        )

    def first_to_go(self) -> str:
        """Return which symbols go first, and how fast; empty where a reserve holds all."""
        forecast, number, text = self.forecast, self.language.number, self.language.text
        if not forecast.most_at_risk:
            return ""
        rarest = forecast.most_at_risk[0]
        values = {
            "symbols": number(forecast.rarest),
            "nouns": self.nouns,
            "count": number(rarest.count),
            "kept": self.language.percent(rarest.survival),
            "baseline": self.language.percent(rarest.baseline),
        }
        who = text(
            "The rarest go first. {nouns} with a count of {count}, not in a reserve: {symbols}.",
            **values,
        )
        if rarest.median_loss is None:
            fate = text(
                "Each is left after the last round with a chance of {kept}; real data alone: "
                "{baseline}.",
                **values,
            )
        else:
            fate = text(
                "By round {round} each is more likely gone than left; after the last round the "
                "chance is {kept}; real data alone: {baseline}.",
                round=number(rarest.median_loss),
                **values,
            )
        return self.language.joined(who, fate)

    def method(self) -> str:
        """Return which law the figures come from, and how far off it can be."""
        text = self.language.text
        if self.forecast.law.name == "exact":
            law = text("The figures come from the exact law.")
        else:
            law = text(
                "The figures come from the branching law; the true share can be higher, by "
                "{error} at most.",
                error=self.language.percent(self.forecast.law.error, digits=3),
            )
        return self.language.joined(law, self.simulated())

    def sense(self) -> str:
        """Return which sense of collapse is measured."""
        return self.language.text(
            "Collapse here means that {nouns} are missing from a round's training set. It "
            "says nothing about the quality of those that are left.",
            nouns=self.nouns,
        )

    def summary(self) -> tuple[str, ...]:
        """Return the executive summary, a sentence or two per entry."""
        sentences = (
            self.language.joined(self.outcome(), self.spread()),
            self.first_to_go(),
            self.fresh_data(),
            self.data(),
            self.regime(),
            self.method(),
            self.sense(),
        )
        return tuple(filter(None, sentences))

    def limit(self) -> str:
        """Return the limit, and where it comes from."""
        percent = self.language.percent
        return self.language.text(
            "{limit} of the {nouns}: {part} of the {baseline} that one training on real data "
            "alone would keep.",
            limit=percent(self.forecast.limit),
            nouns=self.nouns,
            part=percent(KEPT_OF_BASELINE, digits=0),
            baseline=percent(self.forecast.baseline),
        )

    def number_to_watch(self) -> str:
        """Return the number to watch, and where it is heading."""
        return self.language.text(
            "The share of the {nouns} that are still in a round's training set: heading for "
            "{kept} after round {round}.",
            nouns=self.nouns,
            kept=self.language.percent(self.forecast.kept),
            round=self.language.number(self.forecast.generations),
        )

    def axis(self) -> str:
        """Return what an axis of what is left is called."""
        return self.language.text("share of {nouns} left", nouns=self.nouns)

    def within(self, last: str) -> str:
        """Return the verdict on a plan that stays within the limit."""
        return self.language.text("On average within the limit up to round {last}", last=last)

    def below(self, first: str) -> str:
        """Return the verdict on a plan that falls below the limit."""
        return self.language.text("On average below the limit from round {first}", first=first)

    def beyond_fresh(self) -> str:
        """Return what to do where no share of fresh data is enough."""
        return self.language.text(
            "No share of fresh real data up to {half} stays within the limit. Keep a "
            "reserve of real items with the rare {nouns}, and put it into every round.",
            half=self.language.percent(FRESH_SHARES[-2], digits=0),
            nouns=self.nouns,
        )

    def spoken_within(self) -> str:
        """Return what to say aloud of a plan that stays within the limit."""
        percent = self.language.percent
        return self.language.text(
            "If we go on as planned, after round {round} we can expect to have {kept} "
            "of our {nouns} left; real data alone would give us {baseline}.",
            round=self.language.number(self.forecast.generations),
            nouns=self.nouns,
            kept=percent(self.forecast.kept, digits=0),
            baseline=percent(self.forecast.baseline, digits=0),
        )

    def spoken_below(self) -> str:
        """Return what to say aloud of a plan that falls below the limit."""
        return self.language.text(
            "If we go on as planned, after round {round} we can expect to have lost {lost} of "
            "our {nouns}, the rare ones first.",
            round=self.language.number(self.forecast.generations),
            nouns=self.nouns,
            lost=self.language.percent(1.0 - self.forecast.kept, digits=0),
        )

    def spoken_beyond_fresh(self) -> str:
        """Return what to say aloud where no share of fresh data is enough."""
        return self.language.text(
            "Mixing in fresh data is not enough: we should set real examples of the rare "
            "ones aside and train on them every time."
        )
