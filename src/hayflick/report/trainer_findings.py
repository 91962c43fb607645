"""A calibrated trainer in sentences and tables: what all calibrations say of it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from hayflick.calibration.calibrated_trainer import CalibratedTrainer, Estimate
from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import Resampler
from hayflick.core.source import Source
from hayflick.report.language import Language

_COUNT = 10


def trainer(resampler: Resampler, language: Language) -> str:
    """Return what a calibrated trainer does, in a sentence."""
    return language.text(
        "The trainer is the calibrated one: sharpening {sharpening}; at {count} occurrences its "
        "effective sample size is {share} of the items; an absent one weighs {weight} of one that "
        "occurs once.",
        sharpening=f"{resampler.sharpening:.3g}",
        count=language.number(_COUNT),
        share=language.percent(resampler.effective_share(_COUNT), digits=0),
        weight=f"{resampler.return_weight:.2g}",
    )


def resampler_in(model: object) -> Resampler | None:
    """Return the calibrated trainer of a model of symbols; None for any other model."""
    estimator = model.estimator if isinstance(model, Discrete) else None
    return estimator if isinstance(estimator, Resampler) else None


def designs_simulated(resampler: Resampler, language: Language, *, runs: int) -> str:
    """Return where the figures of a plan for a trained model come from."""
    source = language.text(
        "Every design was simulated with the calibrated resampler, because no law of a trained "
        "model is known; all share their random numbers. Runs that give the averages: {runs}. "
        "Later recoveries, and what is lost as a share of the real data, are left out: only a law "
        "gives them.",
        runs=language.number(runs),
    )
    return language.joined(source, trainer(resampler, language))


TEN = 10
"""The count at which an effective sample size is quoted."""

_FINE_ERROR = 0.005


@dataclass(frozen=True)
class TrainerFindings(ABC):
    """What a calibration says of a trainer, in the reader's language."""

    calibration: CalibratedTrainer
    language: Language

    @property
    @abstractmethod
    def real(self) -> Source:
        """Where the real data come from."""

    @property
    @abstractmethod
    def ideal(self) -> float | None:
        """What the ideal law has left in the last round ahead; None without one."""

    @property
    def nouns(self) -> str:
        """The word for the real data's types."""
        source = self.real
        if source.tokenizer is None and source.column is None:
            return self.language.text("symbols")
        if source.tokenizer is None:
            return self.language.text("labels")
        return self.language.text("words")

    def trainer(self) -> str:
        """Return how the trainer draws."""
        text, calibration = self.language.text, self.calibration
        b, temperature = calibration.parameters["sharpening"], calibration.equivalent_temperature
        values = {"b": self.estimate(b), "temperature": self.short(temperature.value)}
        if b.low is not None and b.high is not None and b.low <= 1.0 <= b.high:
            found = text(
                "Your trainer neither sharpens nor flattens, as far as the record tells (b = {b}).",
                b=values["b"],
            )
        elif b.value > 1.0:
            found = text(
                "Your trainer sharpens (b = {b}, as a temperature of {temperature} would).",
                **values,
            )
        else:
            found = text(
                "Your trainer flattens (b = {b}, as a temperature of {temperature} would).",
                **values,
            )
        return self.language.joined(found, self.noise())

    def noise(self) -> str:
        """Return the trainer's own noise, as an effective sample size."""
        text, calibration = self.language.text, self.calibration
        if not math.isfinite(calibration.fitted.log_size):
            return text("It adds no noise of its own to that of drawing.")
        count = min(TEN, calibration.largest_count)
        found = calibration.effective_size_at(count)
        return text(
            "For {nouns} that occur {count} times, its effective sample size is {share} of the "
            "items.",
            nouns=self.nouns,
            count=self.language.number(count),
            share=self.between(found.share, found.low, found.high),
        )

    def outlook(self) -> str:
        """Return what is left in the last round ahead."""
        text, calibration = self.language.text, self.calibration
        last, ideal = calibration.forecast[-1], self.ideal
        values = {
            "round": self.language.number(last.round),
            "left": self.between(last.share, last.low, last.high),
            "nouns": self.nouns,
        }
        if ideal is None:
            return text("In round {round}, {left} of the {nouns} are left on average.", **values)
        return text(
            "The ideal law would promise {ideal} of the {nouns} in round {round}; with your "
            "trainer {left} are left.",
            ideal=self.language.percent(ideal, digits=0),
            **values,
        )

    def rounds_table(self) -> list[Sequence[str]]:
        """Return the forecast by round, headings first."""
        text, percent = self.language.text, self.language.percent
        rows = [
            (
                self.language.number(one.round),
                percent(one.share),
                f"{percent(one.low)} – {percent(one.high)}",
            )
            for one in self.calibration.forecast
        ]
        return [(text("round"), text("left"), text("90% interval")), *rows]

    def parameters_table(self) -> list[Sequence[str]]:
        """Return the parameters, headings first."""
        text = self.language.text
        meanings = {
            "sharpening": text("sharpening b"),
            "log_size": text("size at one occurrence, its logarithm s"),
            "size_power": text("power of the count in the size u"),
            "return_weight": text("weight of what is absent ν"),
        }
        heading = (text("parameter"), text("value"), text("standard error"), text("90% interval"))
        return [heading, *(self._row(meanings[k], e) for k, e in self._parameters())]

    def _parameters(self) -> list[tuple[str, Estimate]]:
        return list(self.calibration.parameters.items())

    def _row(self, name: str, one: Estimate) -> tuple[str, str, str, str]:
        value = f"{one.value:.4g}" if math.isfinite(one.value) else self.language.text("infinite")
        if one.standard_error is None or one.low is None or one.high is None:
            return name, value, self.language.text("not fitted"), "–"
        return name, value, f"{one.standard_error:.2g}", f"{one.low:.4g} – {one.high:.4g}"

    def effective_table(self) -> list[Sequence[str]]:
        """Return the effective sample size by count, headings first."""
        text = self.language.text
        rows = [
            (
                self.language.number(one.count),
                self.language.percent(one.share),
                "–"
                if one.low is None or one.high is None
                else f"{self.language.percent(one.low)} – {self.language.percent(one.high)}",
            )
            for one in self.calibration.effective_size
        ]
        return [(text("count"), text("effective sample size"), text("90% interval")), *rows]

    def estimate(self, one: Estimate) -> str:
        """Return an estimate with its interval, as many digits as it bears."""
        digits = 3 if one.standard_error is not None and one.standard_error < _FINE_ERROR else 2
        if one.low is None or one.high is None:
            return f"{one.value:.{digits}f}"
        return f"{one.value:.{digits}f} [{one.low:.{digits}f}, {one.high:.{digits}f}]"

    def short(self, value: float) -> str:
        """Return a number with two decimals."""
        return f"{value:.2f}"

    def between(self, share: float, low: float | None, high: float | None) -> str:
        """Return a share with its interval: 42% [38, 46]."""
        shown = self.language.percent(share, digits=0)
        if low is None or high is None:
            return shown
        return f"{shown} [{100.0 * low:.0f}, {100.0 * high:.0f}]"

    def points(self, difference: float, *, signed: bool = False) -> str:
        """Return a difference of shares in percentage points."""
        number = f"{100.0 * difference:+.1f}" if signed else f"{100.0 * difference:.1f}"
        return self.language.text("{number} points", number=number)
