"""The targets of a plan: what is to be kept, of symbols all types, a list or the diversity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np

from hayflick.chains.degradation import LabelNoise
from hayflick.chains.discrete import Discrete
from hayflick.chains.family import MOST_COUNTED
from hayflick.chains.samplers import Temperature
from hayflick.chains.stages import Grid, Stages
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.protocols import Regime
from hayflick.core.source import Source
from hayflick.corpus.must_keep import MustKeepList
from hayflick.laws.diversity import expected_diversity
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.laws.survival import LAWS, spectrum_of
from hayflick.planning.confidence import LawfulBounds, bounds_by_law, required
from hayflick.planning.kept_runs import kept_runs
from hayflick.planning.remembered import Remembered
from hayflick.planning.retention import (
    Retention,
    SimulatedRetention,
    SimulationSettings,
    TypeGroups,
    chances_by_law,
    real_data_alone,
    retention_by_law,
)
from hayflick.regimes.replace import Replace
from hayflick.simulation.simulate import simulate

TYPES, MUST_KEEP, DIVERSITY, VARIANCE = "types", "must-keep", "diversity", "variance"
"""What a plan can keep."""

ACCUMULATING = ("accumulate", "accumulate-subsample")
"""Kinds of design in which rounds accumulate."""


@dataclass(frozen=True, eq=False)
class StageChange:
    """A change of a stage of a round that designs leave as it is: noise, say, or rounding.

    Parameters
    ----------
    name
        Of what is changed.
    value, moved
        What it is in the design (None if that is no number), and after the change.
    stages
        The changed round.
    """

    name: str
    value: float | None
    moved: float
    stages: Stages


class Target(Protocol):
    """What a plan is to keep."""

    @property
    def model(self) -> Any:
        """The real data's law."""

    @property
    def kind(self) -> str:
        """One of `TYPES`, `MUST_KEEP`, `DIVERSITY` and `VARIANCE`."""

    @property
    def source(self) -> Source:
        """Where the data come from."""

    @property
    def total_weight(self) -> float:
        """Total weight of what can be kept: types, weights of a list, or 1."""

    @property
    def statistic(self) -> str:
        """What is kept over the runs: their ``mean`` or their ``median``."""

    @property
    def without_law(self) -> frozenset[str]:
        """Kinds of design whose retention no law gives."""

    @property
    def largest_samples(self) -> int:
        """The largest training set that a plan looks at."""

    def retention(
        self,
        *,
        generations: int,
        regime: Regime,
        samples: int | None,
        law: str,
        simulation: SimulationSettings | None,
    ) -> Retention:
        """Return what is left, round by round: by law, or by simulation where no law is known.

        Raises
        ------
        ArgumentError
            If an argument is out of its range, or no law is known and there is no `simulation`.
        """

    def simulated(
        self,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        replicates: int,
        stages: Stages,
        simulation: SimulationSettings,
    ) -> SimulatedRetention:
        """Return what at least `replicates` simulated runs keep."""

    def runs(
        self,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        replicates: int,
        stages: Stages,
        simulation: SimulationSettings,
    ) -> Floats:
        """Return the share that each of so many simulated runs keeps, ``(replicates, K + 1)``."""

    def affordable_runs(self, regime: Regime, *, samples: int, generations: int) -> int:
        """Return how many runs of a regime take a second or two."""

    def bounds(
        self,
        keep: float,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        counted_from: int,
        law: str,
    ) -> LawfulBounds | None:
        """Return bounds on the share of runs that keep enough; None if no law says anything."""

    def can_simulate(self, kind: str, *, samples: int, generations: int) -> bool:
        """Return whether a kind of design without a law can be simulated in seconds."""

    def stage_changes(self, samples: int) -> tuple[StageChange, ...]:
        """Return the changes of a round that no law covers, at a size of training set."""

    def stage_replicates(self, generations: int) -> int:
        """Return how many runs show what changing a stage does."""

    def exact_mean(self, regime: Regime, *, samples: int, generations: int) -> Floats | None:
        """Return the exact mean where the retention is a median; None if unknown or the same."""

    def describe(self) -> Mapping[str, Any]:
        """Return what the data hold, for a record."""


_TEMPERATURE, _NOISE = 0.95, 0.01

_MOVED_DRAWS, _MOVED_REPLICATES = 1e8, (4, 8)

# Of runs that stand in for a law: items and types, times rounds, times runs.
_CELLS, _REPLICATES = 1e9, (4, 256)
_DRAWS_PER_TYPE = 30

_MOST_CHANCES = 1e7


@dataclass(frozen=True, eq=False)
class SymbolTarget:
    """What is to be kept of a discrete law: a `Target`.

    Parameters
    ----------
    model
        The real data's law.
    kind
        ``types``, ``must-keep`` or ``diversity`` (Gini-Simpson).
    listed, listed_weights
        For ``must-keep``: places of the listed types in the model, and what each is worth.
    least
        Items that a training set must hold of a type to keep it, shape ``(types,)``; None for one.
    usual
        What holds for types that a list names no number of items for, or all that the data have of
        one; None where it names none.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> SymbolTarget.of_types(words).total_weight
    4.0
    >>> SymbolTarget.of_list(words, {"cat": 2.0, "here": 5.0}).total_weight
    7.0
    """

    model: Discrete
    kind: str = TYPES
    listed: Integers | None = None
    listed_weights: Floats | None = None
    least: Integers | None = None
    usual: int | None = None
    statistic: ClassVar[str] = "mean"
    largest_samples: ClassVar[int] = 1 << 40

    @classmethod
    def of_types(cls, model: Discrete, *, least: Integers | None = None) -> SymbolTarget:
        """Return the target that counts every type the same."""
        return cls(model, least=least)

    @classmethod
    def of_diversity(cls, model: Discrete) -> SymbolTarget:
        """Return the target of the model's Gini-Simpson diversity.

        Raises
        ------
        DataError
            If there is a single type, which has no diversity to keep.
        """
        if model.types == 1:
            raise DataError(f"{model.source.name}: holds one type, and so no diversity to keep")
        return cls(model, DIVERSITY)

    @classmethod
    def of_list(
        cls,
        model: Discrete,
        must_keep: Sequence[str] | Mapping[str, float] | MustKeepList,
        *,
        least: Integers | None = None,
    ) -> SymbolTarget:
        """Return the target of listed types, of the same weight or with a weight each.

        A number of items that the list names for a type goes before `least`.

        Raises
        ------
        ArgumentError
            If the list is empty, or a weight is not above 0.
        DataError
            If the data lack a listed type; up to ten are named.
        """
        if isinstance(must_keep, MustKeepList):
            weights = must_keep.by_symbol
        elif isinstance(must_keep, Mapping):
            weights = dict(must_keep)
        else:
            weights = dict.fromkeys(must_keep, 1.0)
        if not weights:
            raise ArgumentError("must_keep", got="no item", takes="at least one item")
        unknown = [symbol for symbol in weights if symbol not in model.positions]
        if unknown:
            raise _unknown(unknown, model)
        numbers = [positive_number(f"weight of {symbol!r}", w) for symbol, w in weights.items()]
        places = model.places_of(list(weights))
        if not isinstance(must_keep, MustKeepList) or not must_keep.at_least:
            return cls(model, MUST_KEEP, places, np.array(numbers), least)
        usual = np.ones(model.types, np.int64) if least is None else least
        own = must_keep.least_of(model.counts, usual, model.positions)
        own_least = own if own.max() > 1 else None
        return cls(model, MUST_KEEP, places, np.array(numbers), own_least, int(usual.max()))

    @property
    def total_weight(self) -> float:
        """Total weight of what can be kept: in types, in the list's weights, or 1."""
        if self.kind == DIVERSITY:
            return 1.0
        return float(self.groups.total_weights.sum())

    @cached_property
    def groups(self) -> TypeGroups:
        """All types that count."""
        return self.groups_without(None)

    def groups_without(self, reserve: Integers | None) -> TypeGroups:
        """Return the types that count and that no reserve holds.

        Parameters
        ----------
        reserve
            Stored items by type, shape ``(types,)``; None for none.
        """
        model, least = self.model, self.least
        if self.listed is None or self.listed_weights is None:
            held = np.zeros(model.types, np.int64)
            if reserve is not None:
                held = reserve if least is None else reserve * (reserve >= least)
            spectrum = spectrum_of(model, reserve=held)
            ones = np.ones(spectrum.weights.size)
            probabilities = spectrum.probabilities
            return TypeGroups(probabilities, spectrum.weights, ones, self._least_of(probabilities))
        places = self.listed
        needed = np.ones(places.size, np.int64) if least is None else least[places]
        free = slice(None) if reserve is None else reserve[places] < needed
        parts = np.stack([model.probabilities[places], self.listed_weights, needed])[:, free]
        distinct, numbers = np.unique(parts, axis=1, return_counts=True)
        weights, needed = distinct[1], distinct[2].astype(np.int64)
        return TypeGroups(distinct[0], numbers.astype(np.float64), weights, needed)

    def _least_of(self, probabilities: Floats) -> Integers:
        """Return how many items types of these probabilities need: of all types, by their count."""
        if self.least is None:
            return np.ones(probabilities.size, np.int64)
        most = int(self.least.max())
        if self.model.total is None:
            return np.full(probabilities.size, most)
        counts = np.rint(probabilities * self.model.total).astype(np.int64)
        return np.clip(counts, 1, most)

    @property
    def source(self) -> Source:
        """Where the data come from."""
        return self.model.source

    @property
    def without_law(self) -> frozenset[str]:
        """Kinds of design whose retention no law gives: of types, those that accumulate."""
        return frozenset() if self.kind == DIVERSITY else frozenset(ACCUMULATING)

    def retention(
        self,
        *,
        generations: int,
        regime: Regime = Replace(),
        samples: int | None = None,
        law: str = "auto",
        simulation: SimulationSettings | None = None,
    ) -> Retention:
        """Return what is left, round by round.

        Parameters
        ----------
        generations
            How many rounds, K.
        regime
            What each round is trained on.
        samples
            Size of a training set; None for the data's own size.
        law
            ``exact`` (training sets of at most 3000), ``branching``, or ``auto``: exact where
            that takes milliseconds. Diversity is always exact.
        simulation
            How to simulate types in rounds that accumulate, for which no law is known; None to
            refuse them.

        Raises
        ------
        ArgumentError
            If an argument is out of its range, or does not fit another.
        DataError
            If a reserve names types that the data lack.

        Examples
        --------
        >>> from hayflick.regimes.fresh import Fresh
        >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
        >>> kept = SymbolTarget.of_types(words).retention(generations=10, regime=Fresh(0.2))
        >>> kept.law, kept.expected[[1, 10]].round(4).tolist()
        ('exact', [0.9085, 0.8611])

        References
        ----------
        Suresh et al., arXiv:2412.17646, Corollary 1 (bounds on the same expectation).
        """
        if law not in LAWS:
            raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
        settings: dict[str, Any] = {"regime": regime, "generations": generations}
        size = self.model.training_size(samples)
        first = regime.mix(1, samples=size)
        if self.kind == DIVERSITY:
            law_of = expected_diversity(self.model, samples=samples, **settings).expected
            sizes = [regime.mix(k, samples=size).samples for k in range(1, generations + 1)]
            alone = np.concatenate([[1.0], 1.0 - 1.0 / np.array(sizes)])
            return Retention(law_of / law_of[0], "exact", 0.0, alone)
        if first.accumulate and simulation is not None:
            return self._accumulated(regime, size, generations, simulation)
        rounds = rounds_of(self.model, samples=samples, **settings)
        # A million types are searched for a reserve only if there is one.
        free = self.groups_without(rounds.reserve) if first.reserved else self.groups
        return retention_by_law(self.groups, rounds, free, law=law, chances=self.chances)

    def _accumulated(
        self, regime: Regime, size: int, generations: int, simulation: SimulationSettings
    ) -> Retention:
        """Return what simulated runs keep: as many as take seconds."""
        settings: dict[str, Any] = {"samples": size, "generations": generations}
        number = int(np.clip(self.affordable_runs(regime, **settings), *_REPLICATES))
        answer = self.simulated(regime=regime, replicates=number, simulation=simulation, **settings)
        return answer.retention(real_data_alone(self.groups, [size] * generations))

    def simulated(
        self,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        replicates: int,
        stages: Stages = Stages(),
        simulation: SimulationSettings,
    ) -> SimulatedRetention:
        """Return the mean over simulated runs, by the count of types in the newest items.

        Raises
        ------
        SimulationInterrupted
            On Ctrl-C.
        """
        return SimulatedRetention.mean_of(
            self.runs(
                regime=regime,
                samples=samples,
                generations=generations,
                replicates=replicates,
                stages=stages,
                simulation=simulation,
            )
        )

    def runs(
        self,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        replicates: int,
        stages: Stages = Stages(),
        simulation: SimulationSettings,
    ) -> Floats:
        """Return the share that each simulated run keeps, ``(replicates, K + 1)``.

        Raises
        ------
        SimulationInterrupted
            On Ctrl-C.
        """
        settings: dict[str, Any] = {
            "regime": regime,
            "samples": samples,
            "generations": generations,
            "replicates": replicates,
            "stages": stages,
            "seed": simulation.seed,
            "threads": simulation.threads,
            "executor": simulation.executor,
            "progress": simulation.progress,
        }
        if self.kind == DIVERSITY:
            runs = simulate(self.model, **settings)["diversity"].to_numpy()
            share: Floats = runs / runs[:, :1]
            return share
        given = stages if stages.given() else None
        key = (regime, samples, generations, replicates, given, simulation.seed)
        return self._runs.of(
            key, lambda: kept_runs(self.model, self.weights, self.needed, **settings)
        )

    @cached_property
    def _runs(self) -> Remembered[Floats]:
        return Remembered()

    @cached_property
    def weights(self) -> Floats:
        """What every type of the model is worth, 0 for one that does not count."""
        if self.listed is None or self.listed_weights is None:
            return np.ones(self.model.types)
        weights = np.zeros(self.model.types)
        weights[self.listed] = self.listed_weights
        return weights

    @property
    def needed(self) -> Integers:
        """Items that a training set must hold of every type to keep it, shape ``(types,)``."""
        return np.ones(self.model.types, np.int64) if self.least is None else self.least

    @property
    def usual_least(self) -> int:
        """Items that keep a type which the list names no number for, or all that the data have."""
        return int(self.needed.max()) if self.usual is None else self.usual

    def affordable_runs(self, regime: Regime, *, samples: int, generations: int) -> int:
        """Return how many runs take a second or two."""
        types = self.model.types if self.listed is None else self.listed.size + 1
        draws = min(samples, _DRAWS_PER_TYPE * types)
        first = regime.mix(1, samples=samples)
        cells = ((samples if first.subsample is not None else draws) + types) * generations
        # All that is kept is drawn from, and it grows.
        cells *= 2 if first.accumulate else 1
        return int(_CELLS // cells)

    def bounds(
        self,
        keep: float,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        counted_from: int = 1,
        law: str = "auto",
    ) -> LawfulBounds | None:
        """Return bounds on the share of runs that keep enough in every round.

        Returns
        -------
        None for the diversity, rounds that accumulate, and items of unequal weight.
        """
        if self.kind == DIVERSITY or regime.mix(1, samples=samples).accumulate:
            return None
        rounds = rounds_of(self.model, regime=regime, samples=samples, generations=generations)
        free = self.groups_without(rounds.reserve) if rounds.reserve.any() else self.groups
        return self.bounds_of(keep, rounds, free, counted_from=counted_from, law=law)

    def chances(
        self, rounds: ChainRounds, groups: TypeGroups, *, law: str = "auto"
    ) -> tuple[Floats, str]:
        """Return the chance of each type to be kept in each round, and the law; computed once.

        See `hayflick.planning.retention.chances_by_law`.
        """
        asked = rounds.generated, rounds.fresh, rounds.samples, groups.probabilities, groups.least
        key = (law, *(array.tobytes() for array in asked))
        return self._chances.of(key, lambda: chances_by_law(rounds, groups, law=law))

    @cached_property
    def _chances(self) -> Remembered[tuple[Floats, str]]:
        return Remembered()

    def bounds_of(
        self,
        keep: float,
        rounds: ChainRounds,
        free: TypeGroups,
        *,
        counted_from: int = 1,
        law: str = "auto",
    ) -> LawfulBounds | None:
        """Return the same for rounds of which a reserve holds all types but the `free` ones."""
        groups = self.groups
        if np.ptp(groups.weights) or free.numbers.size * rounds.number > _MOST_CHANCES:
            return None
        total = float(groups.numbers.sum())
        needed = required(keep, total) - (total - float(free.numbers.sum()))
        chances, _ = self.chances(rounds, free, law=law)
        # Where a type is kept by a single item, and none comes back, a loss is final.
        absorbing = bool(free.least.max(initial=1) == 1) and not (
            rounds.fresh.any() or rounds.uniform.any()
        )
        return bounds_by_law(needed, chances[:, counted_from:], free.numbers, absorbing=absorbing)

    def can_simulate(self, kind: str, *, samples: int, generations: int) -> bool:
        """Return whether a kind of design without a law is within what can be simulated."""
        pool = (self.model.total or samples) + samples * generations
        return kind != "accumulate-subsample" or pool <= MOST_COUNTED

    def stage_changes(self, samples: int) -> tuple[StageChange, ...]:
        """Return the changes that no law covers."""
        # A grid as fine as one item.
        bits = max(1, samples.bit_length() - 1)
        accuracy = 1.0 - _NOISE
        return (
            StageChange(
                "temperature", 1.0, _TEMPERATURE, Stages(sampler=Temperature(_TEMPERATURE))
            ),
            StageChange("accuracy", 1.0, accuracy, Stages(degradation=LabelNoise(_NOISE))),
            StageChange("bits", None, float(bits), Stages(rounding=Grid(bits=bits))),
        )

    def stage_replicates(self, generations: int) -> int:
        """Return how many runs show what changing a stage does."""
        draws = self.model.types * generations
        return int(np.clip(_MOVED_DRAWS // draws, *_MOVED_REPLICATES))

    def exact_mean(self, regime: Regime, *, samples: int, generations: int) -> None:
        """Return None: what is kept of symbols is a mean already."""

    def describe(self) -> dict[str, Any]:
        """Return what the data hold, for a record."""
        return {"family": "discrete", "tokens": self.model.total, "types": self.model.types}


def _unknown(symbols: list[str], model: Discrete) -> DataError:
    return DataError(
        f"must_keep: {model.source.name} lacks {listed(symbols)}; remove them, or check the "
        "tokenizer and the column"
    )
