"""The problem that a plan solves: the target, the horizon, the size of a training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.core.records import Mix
from hayflick.corpus.counts import Counts
from hayflick.corpus.must_keep import MustKeep, MustKeepList
from hayflick.corpus.reading import Corpus
from hayflick.laws.survival import LAWS
from hayflick.planning.assurance import DEFAULT_CONFIDENCE, assurance_of
from hayflick.planning.calibrated_target import CalibratedTarget, symbol_target
from hayflick.planning.confidence import Assurance, LawfulBounds, default_least
from hayflick.planning.retention import Retention, SimulationSettings
from hayflick.planning.targets import DIVERSITY, MUST_KEEP, TYPES, VARIANCE, Target
from hayflick.planning.variance_target import VarianceTarget


@dataclass(frozen=True, slots=True)
class ElapsedRounds:
    """Rounds that have been trained already.

    Parameters
    ----------
    regime, samples
        What each was trained on, and on how many items.
    rounds
        How many.
    """

    regime: Regime
    samples: int
    rounds: int


@final
@dataclass(frozen=True, slots=True)
class ResumedRegime:
    """A regime that continues after elapsed rounds.

    Parameters
    ----------
    elapsed
        The rounds before.
    regime
        What comes after them; its rounds count from 1.

    Examples
    --------
    >>> from hayflick.regimes.fresh import Fresh
    >>> from hayflick.regimes.replace import Replace
    >>> regime = ResumedRegime(ElapsedRounds(Replace(), 100, 5), Fresh(0.2))
    >>> [regime.mix(generation, samples=100).fresh for generation in (1, 5, 6)]
    [0, 0, 20]
    """

    elapsed: ElapsedRounds
    regime: Regime

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        """Return the training set of a generation."""
        if generation <= self.elapsed.rounds:
            return self.elapsed.regime.mix(generation, samples=self.elapsed.samples)
        return self.regime.mix(generation - self.elapsed.rounds, samples=samples)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix."""
        return False

    def describe(self) -> str:
        """Return the regimes in the grammar of the command line, one after the other."""
        first = self.elapsed.rounds + 1
        return f"{self.elapsed.regime.describe()}, from round {first} {self.regime.describe()}"


OBJECTIVES = (TYPES, MUST_KEEP, DIVERSITY, VARIANCE)
"""What a plan can keep."""


@dataclass(frozen=True, eq=False)
class PlanningProblem:
    """The problem that a plan solves.

    Parameters
    ----------
    target
        What is to be kept.
    generations, samples
        How many rounds, and the size of a training set.
    law
        As of `hayflick.planning.targets.SymbolTarget.retention`.
    elapsed
        Rounds that have been trained already; None if there are none.
    counted_from
        The first round in which the target must be met; later than 1 to recover to it first.
    simulation
        How to simulate what no law covers; None for laws alone.
    confidence
        The share of runs that are to keep enough in every round; None where the average over
        the runs is to.
    """

    target: Target
    generations: int
    samples: int
    law: str = "auto"
    elapsed: ElapsedRounds | None = None
    counted_from: int = 1
    simulation: SimulationSettings | None = None
    confidence: float | None = None

    @property
    def calibrated(self) -> bool:
        """Whether every design is simulated, of a trained model: then fewer are looked at."""
        return isinstance(self.target, CalibratedTarget)

    def resumed(self, regime: Regime) -> Regime:
        """Return a regime as it follows on the elapsed rounds."""
        return regime if self.elapsed is None else ResumedRegime(self.elapsed, regime)

    @property
    def elapsed_rounds(self) -> int:
        """How many rounds have been trained already."""
        return 0 if self.elapsed is None else self.elapsed.rounds

    def retention(self, regime: Regime, samples: int) -> Retention:
        """Return what a regime keeps at a size of training set, from now on."""
        kept = self.target.retention(
            regime=self.resumed(regime),
            samples=samples,
            generations=self.generations + self.elapsed_rounds,
            law=self.law,
            simulation=self.simulation,
        )
        return self.from_now(kept)

    def from_now(self, kept: Retention) -> Retention:
        """Return what is kept in the rounds to come."""
        return kept.after(self.elapsed_rounds, counted_from=self.counted_from)

    def assurance(
        self,
        regime: Regime,
        samples: int,
        keep: float,
        *,
        bounds: LawfulBounds | None = None,
        precisely: bool = False,
        searching: bool = False,
    ) -> Assurance | None:
        """Return the share of runs in which a regime keeps enough in every round that counts.

        Parameters
        ----------
        regime, samples
            What each round is trained on.
        keep
            What is to be left.
        bounds
            What is known by law; None to ask the target.
        precisely
            Whether the share itself is wanted, rather than on which side of the confidence it is.
        searching
            Whether the regime is one of many, so that fewer runs will do.

        Returns
        -------
        None where no law says anything, and nothing is to be simulated.
        """
        return assurance_of(
            self.target,
            regime=self.resumed(regime),
            samples=samples,
            generations=self.generations + self.elapsed_rounds,
            keep=keep,
            confidence=DEFAULT_CONFIDENCE if self.confidence is None else self.confidence,
            counted_from=self.elapsed_rounds + self.counted_from,
            law=self.law,
            simulation=self.simulation,
            bounds=bounds,
            precisely=precisely,
            searching=searching,
        )


def planning_problem(
    model: Discrete | Gaussian | Target,
    *,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | MustKeepList | None = None,
    of: str | None = None,
    law: str = "auto",
    simulation: SimulationSettings | None = None,
    confidence: float | None = None,
    at_least: int | None = 1,
) -> PlanningProblem:
    """Return the problem of a plan, with every argument checked.

    Parameters
    ----------
    model
        The real data's law, or a target.
    generations, samples
        How many rounds, and the size of a training set; None for the data's own size.
    must_keep
        Types to keep, of the same weight or with a weight each, or a list with a number of items
        of each; None for all types.
    of
        ``types``, ``must-keep`` or ``diversity`` (None: must-keep if there is a list, else types);
        ``variance`` for a Gaussian law.
    law
        ``auto``, ``exact`` or ``branching``.
    simulation
        How to simulate what no law covers; None for laws alone.
    confidence
        The share of runs that are to keep enough in every round; None for the average.
    at_least
        Items that a training set must hold of a type to keep it, or as many as the data hold;
        None for those of labels or words, see `hayflick.planning.confidence.default_least`.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If the data lack a listed type.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> problem = planning_problem(words, generations=10, must_keep=["here"])
    >>> problem.target.kind, problem.samples
    ('must-keep', 100)
    """
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    if law not in LAWS:
        raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
    target: Target
    if isinstance(model, (Discrete, Gaussian)):
        target = _target(model, must_keep, of, at_least)
    else:
        target = model
    return PlanningProblem(
        target,
        rounds,
        target.model.training_size(samples),
        law,
        simulation=simulation,
        confidence=confidence,
    )


def spelled_list(must_keep: MustKeep, model: object) -> MustKeepList:
    """Return a must-keep list; that of a table as the data count its symbols, in lower case say.

    Raises
    ------
    ArgumentError, DataError
        If it cannot be used, or the data lack a symbol of a table.
    """
    encoding = model.source.encoding if isinstance(model, Discrete) else "utf-8"
    found = MustKeepList.of(must_keep, encoding=encoding)
    as_given = found.source is None and not found.at_least
    if as_given or not isinstance(model, Discrete) or model.counts is None:
        return found
    return found.spelled_as(Corpus(Counts(model.symbols, model.counts), model.source))


def check_target(keep: float) -> float:
    """Return the share to keep.

    Raises
    ------
    ArgumentError
        If it is no number above 0 and up to 1.
    """
    takes = "a share above 0, up to 1"
    try:
        share = float(keep)
    except (TypeError, ValueError):
        raise ArgumentError("keep", got=keep, takes=takes) from None
    if not 0.0 < share <= 1.0:
        raise ArgumentError("keep", got=keep, takes=takes)
    return share


def check_confidence(confidence: float) -> float:
    """Return the share of runs that are to keep enough.

    Raises
    ------
    ArgumentError
        If it is no number above 0 and below 1.
    """
    takes = "a share of runs above 0 and below 1, such as 0.95"
    try:
        share = float(confidence)
    except (TypeError, ValueError):
        raise ArgumentError("confidence", got=confidence, takes=takes) from None
    if not 0.0 < share < 1.0:
        raise ArgumentError("confidence", got=confidence, takes=takes)
    return share


def _target(
    model: Discrete | Gaussian,
    must_keep: Sequence[str] | Mapping[str, float] | MustKeepList | None,
    of: str | None,
    at_least: int | None,
) -> Target:
    kind = of or _usual_kind(model, must_keep)
    if kind == TYPES and must_keep is not None:
        kind = MUST_KEEP
    if kind not in OBJECTIVES:
        raise ArgumentError("of", got=kind, takes=f"one of {', '.join(OBJECTIVES)}")
    if (kind == MUST_KEEP) != (must_keep is not None):
        raise ArgumentError("of", got=kind, takes="must-keep with a list, and no other with one")
    if isinstance(model, Gaussian) != (kind == VARIANCE):
        takes = "variance for numbers, and for labels or words one of the others"
        raise ArgumentError("of", got=kind, takes=takes)
    if isinstance(model, Gaussian):
        return VarianceTarget(model)
    if kind == DIVERSITY:
        return symbol_target(model).of_diversity(model)
    needed = default_least(model, at_least)
    least = needed if needed.max() > 1 else None
    if must_keep is not None:
        return symbol_target(model).of_list(model, must_keep, least=least)
    return symbol_target(model).of_types(model, least=least)


def _usual_kind(
    model: Discrete | Gaussian, must_keep: Sequence[str] | Mapping[str, float] | MustKeepList | None
) -> str:
    if must_keep is not None:
        return MUST_KEEP
    return VARIANCE if isinstance(model, Gaussian) else TYPES
