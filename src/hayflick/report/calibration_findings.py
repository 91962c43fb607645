"""A calibrated trainer in sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from hayflick.calibration.calibration_result import DEPARTS, FITS, Calibration
from hayflick.calibration.diagnoses import Diagnosis
from hayflick.calibration.goodness import CountClassFit
from hayflick.core.source import Source
from hayflick.report.trainer_findings import TEN, TrainerFindings

_SMALLEST_P = 0.001


@dataclass(frozen=True)
class CalibrationFindings(TrainerFindings):
    """What a calibration on recorded counts says, in the reader's language."""

    calibration: Calibration

    @property
    @override
    def real(self) -> Source:
        return self.calibration.rounds.sources[0]

    @property
    @override
    def ideal(self) -> float | None:
        return self.calibration.ideal_share

    def verdict(self) -> str:
        """Return whether the chain fits."""
        text, found = self.language.text, self.calibration.verdict
        if found == FITS:
            return text("The chain fits these rounds")
        if found == DEPARTS:
            return text("The chain departs from these rounds, but its forecasts hold")
        return text("The chain does not fit these rounds")

    def meaning(self) -> str:
        """Return what the verdict means for the forecast."""
        text, calibration = self.language.text, self.calibration
        error = calibration.largest_error
        off = None if error is None else self.points(error)
        if calibration.verdict == FITS:
            found = text(
                "No test finds a departure from a trainer that draws in the same way in every "
                "round: the forecast and its interval can be used as they are."
            )
            if off is None:
                return found
            held = text("Forecasts of recorded rounds were off by {error} at most.", error=off)
            return self.language.joined(found, held)
        names = [self.test(one) for one in calibration.diagnoses if one.found]
        if calibration.verdict == DEPARTS:
            return text(
                "Some tests find that the trainer differs from the chain ({tests}). Forecasts of "
                "recorded rounds from earlier ones were off by {error} at most, and the interval "
                "holds such errors: use it, and calibrate again after a few rounds.",
                tests=names,
                error=off,
            )
        if off is None:
            return text(
                "Tests find that the trainer differs from the chain ({tests}), and no recorded "
                "round can be forecast from earlier ones: take the forecast for a rough guide.",
                tests=names,
            )
        return text(
            "Tests find that the trainer differs from the chain ({tests}), and forecasts of "
            "recorded rounds were off by up to {error}: take the forecast for a rough guide, and "
            "look for the cause first.",
            tests=names,
            error=off,
        )

    def answer(self) -> tuple[str, ...]:
        """Return what the trainer is like, what comes next, and what would help."""
        trainer = self.language.joined(self.trainer(), self.coming_back())
        return trainer, self.outlook(), self.help()

    def coming_back(self) -> str:
        """Return what comes back of what was lost."""
        rate = self.calibration.returns
        if rate == 0.0:
            return self.language.text("Nothing that is lost comes back.")
        return self.language.text(
            "What is lost comes back {rate} times a round on average.", rate=f"{rate:.2g}"
        )

    def help(self) -> str:
        """Return how much fresh data would keep enough."""
        text, calibration = self.language.text, self.calibration
        fresh, last = calibration.fresh, calibration.forecast[-1]
        values = {
            "keep": self.language.percent(fresh.keep, digits=0),
            "nouns": self.nouns,
            "round": self.language.number(last.round),
        }
        if fresh.share is None:
            return text(
                "Not even fresh data alone would keep {keep} of the {nouns} up to round {round}: a "
                "training set of this size does not hold them.",
                **values,
            )
        if fresh.share == 0.0:
            return text(
                "Without fresh data, {keep} of the {nouns} are kept up to round {round} on "
                "average.",
                **values,
            )
        return text(
            "{share} of fresh data in every round would keep {keep} of the {nouns} up to round "
            "{round} on average.",
            share=self.language.percent(fresh.share, digits=0 if fresh.share >= 0.1 else 1),
            **values,
        )

    def tiles(self) -> list[tuple[str, str]]:
        """Return the figures of the first screen with their labels."""
        text, calibration, percent = self.language.text, self.calibration, self.language.percent
        last, count = calibration.forecast[-1], min(TEN, calibration.largest_count)
        found = [
            (
                percent(last.share, digits=0),
                text("left in round {round}", round=self.language.number(last.round)),
            ),
            (self.short(calibration.parameters["sharpening"].value), text("sharpening b")),
            (
                percent(calibration.effective_size_at(count).share, digits=0),
                text("effective sample size at {count} occurrences", count=count),
            ),
        ]
        if calibration.fresh.share:
            keep = percent(calibration.fresh.keep, digits=0)
            share = percent(calibration.fresh.share, digits=1)
            found.append((share, text("fresh data keep {keep} on average", keep=keep)))
        return found

    def kept(self) -> str:
        """Return what was recorded."""
        record, number = self.calibration.record, self.language.number
        return self.language.text(
            "{rounds} rounds after the real data, which hold {types} {nouns} in {items} items; "
            "regime {regime}.",
            rounds=number(record.transitions),
            types=number(len(record.symbols)),
            nouns=self.nouns,
            items=number(int(record.sizes[0])),
            regime=self.calibration.rounds.regime.describe(),
        )

    def checked(self) -> str:
        """Return how the curves did on the round that was left out."""
        text, found = self.language.text, self.calibration.prediction
        errors = {curve.name: curve.left_out_error for curve in found.naive}
        known = {name: abs(error) for name, error in errors.items() if error is not None}
        own = found.left_out_error
        if own is None or not known:
            return text("The last recorded round cannot be forecast from those before it.")
        best = min(known, key=lambda name: known[name])
        return text(
            "The last recorded round, forecast from those before it: the chain was off by {own}, "
            "the best of the other curves ({curve}) by {other}. One round ahead many curves are "
            "close; they part further on.",
            own=self.points(abs(own)),
            curve=self.curve(best),
            other=self.points(known[best]),
        )

    def curves_table(self) -> list[Sequence[str]]:
        """Return the curves with their errors on the left-out round, headings first."""
        text, found = self.language.text, self.calibration.prediction
        last = self.calibration.forecast[-1]
        heading = (
            text("curve"),
            text("left in round {round}", round=self.language.number(last.round)),
            text("error on the left-out round"),
        )
        rows: list[tuple[str, float | None, float | None]] = [
            (self.curve("chain"), last.share, found.left_out_error)
        ]
        rows += [
            (
                self.curve(one.name),
                None if one.share is None else float(one.share[-1]),
                one.left_out_error,
            )
            for one in found.naive
        ]
        return [
            heading,
            *(
                (
                    name,
                    "–" if share is None else self.language.percent(share),
                    "–" if error is None else self.points(error, signed=True),
                )
                for name, share, error in rows
            ),
        ]

    def diagnoses_table(self) -> list[Sequence[str]]:
        """Return the tests and what they found, headings first."""
        text = self.language.text
        rows = [
            (
                self.test(one),
                self.result(one),
                "–" if one.p_value is None else self.chance(one.p_value),
            )
            for one in self.calibration.diagnoses
        ]
        return [(text("test"), text("outcome"), "p"), *rows]

    def parts_table(self) -> list[Sequence[str]]:
        """Return the parts of the interval as standard deviations, headings first."""
        text, parts = self.language.text, self.calibration.prediction.parts
        heading = (
            text("round"),
            text("parameters"),
            text("the chain's own noise"),
            text("the model's error"),
        )
        rows = [
            (
                self.language.number(one.round),
                *(self.points(float(parts[name][place])) for name in PARTS),
            )
            for place, one in enumerate(self.calibration.forecast)
        ]
        return [heading, *rows]

    def diagnosis(self, one: Diagnosis) -> tuple[str, str, str]:
        """Return a diagnosis: its name, what it means, and what to do; nothing if not found."""
        text = self.language.text
        meaning = text(one.note.message, **one.note.values)
        stop = "。" if self.language.code == "ja" else "."
        ended = meaning if meaning.endswith(("?", "？", "。", ".")) else f"{meaning}{stop}"
        return self.test(one), f"{ended[:1].upper()}{ended[1:]}", self._remedy(one)

    def _remedy(self, one: Diagnosis) -> str:
        if not one.found:
            return ""
        text = self.language.text
        remedies = {
            "fit": text(
                "See the picture of next counts against counts: forecasts rest on the classes that "
                "agree."
            ),
            "drift": text(
                "Record more rounds and calibrate again: what holds now will not hold for long."
            ),
            "first transition": text(
                "Usual for language models. Record a round or two more, so that later steps carry "
                "the fit."
            ),
            "memory": text(
                "Check that each model was trained on the last round's data alone, and state the "
                "real data in the rounds (--regime)."
            ),
            "unexplained loss": text(
                "Check that no filter or length limit removes data between rounds, and state the "
                "real data in the rounds (--regime)."
            ),
        }
        return remedies.get(one.name, "")

    def result(self, one: Diagnosis) -> str:
        """Return whether a test found a departure."""
        if one.p_value is None:
            return self.language.text("not tested")
        if one.found:
            return self.language.text("departs")
        return self.language.text("no departure")

    def test(self, one: Diagnosis) -> str:
        """Return the name of a test."""
        text = self.language.text
        names = {
            "fit": text("misfit by count"),
            "drift": text("drift between rounds"),
            "first transition": text("a first step of its own"),
            "memory": text("memory beyond one round"),
            "unexplained loss": text("loss that nothing explains"),
        }
        return names.get(one.name, one.name)

    def curve(self, name: str) -> str:
        """Return the name of a curve."""
        text = self.language.text
        names = {
            "chain": text("calibrated chain"),
            "ideal law": text("ideal law"),
            "power law": text("power law"),
            "exponential": text("exponential"),
            "last value": text("last value"),
        }
        return names.get(name, name)

    def count_class(self, one: CountClassFit) -> str:
        """Return the counts of a class."""
        number = self.language.number
        if one.lower == one.upper:
            return number(one.lower)
        return f"{number(one.lower)}–{number(one.upper)}"

    def chance(self, p_value: float) -> str:
        """Return a p-value."""
        return "< 0.001" if p_value < _SMALLEST_P else f"{p_value:.3f}"


PARTS = ("parameter", "noise", "model")
"""The parts of an interval, in the order of the tables."""
