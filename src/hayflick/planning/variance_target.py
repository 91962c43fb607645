r"""The target of a plan for numbers: the share of the variance that the median run keeps.

The mean over runs hides the collapse: without real data it stays at the real variance for
ever (ddof = 1), because a few runs grow wide while most shrink. So the target is the median. It is
exact where a round is all generated, whatever its size (a product of chi-squared variables),
and where it is all fresh (one of them); for everything between no law is known, and thousands
of runs are simulated. The same seed for all designs makes what is left rise smoothly with a
share. The variance is the square of the spread that a forecast follows.

References
----------
Suresh et al., arXiv:2412.17646, section on Gaussian models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from scipy.special import gammaincinv

from hayflick.chains.degradation import AdditiveNoise
from hayflick.chains.gaussian import Gaussian, GaussianChain, Moments, ResampledGaussianChain
from hayflick.chains.stages import Grid, Stages
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.core.records import Mix, Schedule
from hayflick.core.reproducibility import stream
from hayflick.core.source import Source
from hayflick.laws.gaussian_moments import fresh_moments
from hayflick.laws.gaussian_scale import LARGEST_SAMPLE, GaussianSchedule, gaussian_scale
from hayflick.planning.confidence import LawfulBounds
from hayflick.planning.retention import Retention, SimulatedRetention, SimulationSettings
from hayflick.planning.targets import ACCUMULATING, VARIANCE, StageChange
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.simulation.blocks import run_block
from hayflick.simulation.simulate import simulate

_WITHOUT_LAW = ("fresh", "periodic", "anchor", "larger and fresh", *ACCUMULATING)
_NOISE = 0.1

# Rounds times runs of one design; items drawn from a pool, times rounds, times runs.
_CELLS, _REPLICATES = 1_000_000, (64, 4096)
_POOLED_ITEMS, _POOLED_REPLICATES = 1.5e9, (32, 1024)
_LARGEST_POOL = 1_000_000


@dataclass(frozen=True, eq=False)
class VarianceTarget:
    """The variance of a Gaussian law; see `hayflick.planning.targets.Target`.

    Parameters
    ----------
    model
        The real data's law.
    source
        Where the data come from.

    Examples
    --------
    >>> target = VarianceTarget(Gaussian(5.0, 2.0))
    >>> kept = target.retention(generations=3, samples=10)
    >>> kept.law, kept.expected.round(4).tolist()
    ('exact', [1.0, 0.927, 0.8268, 0.7371])
    """

    model: Gaussian
    source: Source = Source("gaussian")

    kind: ClassVar[str] = VARIANCE
    total_weight: ClassVar[float] = 1.0
    statistic: ClassVar[str] = "median"
    largest_samples: ClassVar[int] = LARGEST_SAMPLE

    @property
    def without_law(self) -> frozenset[str]:
        """Kinds of design that no law covers; all, where the trainer varies between runs."""
        uncertain = () if self._known else ("replace", "larger")
        return frozenset((*uncertain, *_WITHOUT_LAW))

    def retention(
        self,
        *,
        generations: int,
        regime: Regime = Replace(),
        samples: int | None = None,
        law: str = "auto",
        simulation: SimulationSettings | None = None,
    ) -> Retention:
        """Return the share of the variance that the median run keeps, round by round.

        Parameters
        ----------
        generations, regime, samples
            As of `hayflick.planning.targets.SymbolTarget.retention`.
        law
            ``auto``: there is only one law.
        simulation
            How to simulate where no law is known; None to refuse that.

        Raises
        ------
        ArgumentError
            If an argument is out of its range, or no law is known and there is no `simulation`.
        """
        if law != "auto":
            raise ArgumentError("law", got=law, takes="auto for the variance of numbers")
        size = self.model.training_size(samples)
        mixes = [regime.mix(k, samples=size) for k in range(1, generations + 1)]
        alone = self._real_data_alone([mix.samples for mix in mixes])
        known = self._law(mixes, alone)
        if known is not None:
            return Retention(known, "exact", 0.0, alone)
        if simulation is None:
            takes = "rounds without real data, or of real data alone"
            remedy = "no law is known for others: a plan with replicates simulates them"
            raise ArgumentError("regime", got=regime.describe(), takes=takes, remedy=remedy)
        answer = self.simulated(
            regime=regime,
            samples=size,
            generations=generations,
            replicates=0,
            simulation=simulation,
        )
        return answer.retention(alone)

    def _law(self, mixes: list[Mix[Any]], alone: Floats) -> Floats | None:
        """Return the median by law; None if no law is known."""
        if any(mix.accumulate or mix.reserved for mix in mixes):
            return None
        sizes, fresh = [mix.samples for mix in mixes], [mix.fresh for mix in mixes]
        if fresh == sizes:
            return alone
        if any(fresh) or not self._known:
            return None
        ddof, rounds, resampler = self.model.ddof, len(sizes), self.model.resampler
        if min(sizes) == max(sizes):
            law = gaussian_scale(sizes[0], generations=rounds, ddof=ddof, resampler=resampler)
            return np.exp(law.quantile(0.5))
        return np.exp(GaussianSchedule(sizes, ddof, resampler=resampler).quantile(0.5))

    @property
    def _known(self) -> bool:
        """Whether all runs have the same trainer."""
        return self.model.resampler is None or self.model.resampler.known

    def _real_data_alone(self, sizes: list[int]) -> Floats:
        distinct, where = np.unique(sizes, return_inverse=True)
        # A chi-squared median, without the second that scipy.stats takes to load.
        medians = 2.0 * gammaincinv((distinct - 1.0) / 2.0, 0.5) / (distinct - self.model.ddof)
        return np.concatenate([[1.0], medians[where]])

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
        """Return the median over simulated runs: `replicates`, or as many as take a second.

        Raises
        ------
        SimulationInterrupted
            On Ctrl-C.
        """
        number = max(
            replicates, self.affordable_runs(regime, samples=samples, generations=generations)
        )
        return SimulatedRetention.median_of(
            self.runs(
                regime=regime,
                samples=samples,
                generations=generations,
                replicates=number,
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
        """Return the share of the variance that each simulated run keeps.

        Returns
        -------
        Shape ``(replicates, K + 1)``.

        Raises
        ------
        SimulationInterrupted
            On Ctrl-C.
        """
        mixes = [regime.mix(k, samples=samples) for k in range(1, generations + 1)]
        if any(mix.reserved for mix in mixes):
            deviations = stored_deviations(
                self.model, mixes, replicates=replicates, seed=simulation.seed, stages=stages
            )
        else:
            deviations = simulate(
                self.model,
                regime=regime,
                samples=samples,
                generations=generations,
                replicates=replicates,
                seed=simulation.seed,
                threads=simulation.threads,
                executor=simulation.executor,
                stages=stages,
            )["deviation"].to_numpy()
        kept: Floats = (deviations / self.model.deviation) ** 2
        return kept

    def affordable_runs(self, regime: Regime, *, samples: int, generations: int) -> int:
        """Return how many runs take a second."""
        return self._replicates(regime.mix(generations, samples=samples), samples, generations)

    def _replicates(self, mix: Mix[Any], samples: int, generations: int) -> int:
        if mix.subsample is None:
            return int(np.clip(_CELLS // generations, *_REPLICATES))
        pooled = self._pool(samples, generations) / 2.0
        return int(np.clip(_POOLED_ITEMS // (pooled * generations), *_POOLED_REPLICATES))

    def _pool(self, samples: int, generations: int) -> int:
        return (self.model.total or samples) + samples * generations

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
        """Return None: whether every round keeps enough is simulated."""

    def can_simulate(self, kind: str, *, samples: int, generations: int) -> bool:
        """Return whether a kind of design without a law is within what can be simulated.

        A subsample is drawn from a pool of single numbers, which takes time and memory.
        """
        subsampled = kind == "accumulate-subsample"
        return not subsampled or self._pool(samples, generations) <= _LARGEST_POOL

    def stage_changes(self, samples: int) -> tuple[StageChange, ...]:
        """Return the changes that no law covers: noise on the numbers, and rounding."""
        # A grid as fine as the standard error of a deviation.
        bits = max(1, round(np.log2(2.0 * samples) / 2.0))
        noise = Stages(degradation=AdditiveNoise(_NOISE * self.model.deviation))
        return (
            StageChange("noise", None, _NOISE, noise),
            StageChange("bits", None, float(bits), Stages(rounding=Grid(bits=bits))),
        )

    def stage_replicates(self, generations: int) -> int:  # noqa: ARG002
        """Return 0: as many runs as any design has."""
        return 0

    def exact_mean(self, regime: Regime, *, samples: int, generations: int) -> Floats | None:
        """Return the exact mean of the variance where fresh data come in every round (ddof = 1)."""
        if self.model.ddof != 1 or not isinstance(regime, (Fresh, Replace)) or not self._known:
            return None
        fresh = regime.mix(1, samples=samples).fresh
        moments = fresh_moments(
            samples, fresh=fresh, generations=generations, resampler=self.model.resampler
        )
        return moments.variance

    def describe(self) -> dict[str, Any]:
        """Return what the data hold, for a record."""
        model = self.model
        numbers = {"mean": model.mean, "deviation": model.deviation, "ddof": model.ddof}
        trainer = {} if model.resampler is None else {"resampler": model.resampler.describe()}
        return {"family": "gaussian", "numbers": model.total, **numbers, **trainer}


@dataclass(frozen=True, slots=True)
class StoredMoments:
    """Sufficient statistic of stored numbers.

    Parameters
    ----------
    total
        How many.
    mean, deviation
        Their mean, and deviation with their number as the divisor; 0 for a single number.
    """

    total: int
    mean: float
    deviation: float

    def moments(self, replicates: int) -> Moments:
        """Return them as part of every replicate's training set."""
        number = np.full(replicates, float(self.total))
        scatter = self.total * self.deviation**2 if self.total > 1 else 0.0
        return Moments(number, number, np.full(replicates, self.mean), np.full(replicates, scatter))


@final
@dataclass(frozen=True, slots=True)
class StoredNumbers:
    """Train on n - a draws from θ_k and the same a stored real numbers in every round.

    Parameters
    ----------
    reserve
        What is stored.

    Examples
    --------
    >>> mix = StoredNumbers(StoredMoments(30, mean=0.0, deviation=1.0)).mix(1, samples=100)
    >>> mix.generated, mix.reserved
    (70, 30)
    """

    reserve: StoredMoments

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:  # noqa: ARG002
        """Return the training set of a generation."""
        return Mix(generated=samples - self.reserve.total, reserve=self.reserve)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix."""
        return True

    def describe(self) -> str:
        """Return what is stored."""
        return f"anchor:{self.reserve.total} numbers of the data's mean and deviation"


class StoredNumbersChain(GaussianChain):
    """Gaussian chain with stored numbers in its rounds."""

    def mix(self, rng: np.random.Generator, pool: Moments, mix: Mix[Any]) -> Moments:
        """Add what is fresh, and what is stored."""
        return _with_stored(super().mix(rng, pool, mix), mix)


class ResampledStoredNumbersChain(ResampledGaussianChain):
    """The same of a trainer that is not ideal."""

    def mix(self, rng: np.random.Generator, pool: Moments, mix: Mix[Any]) -> Moments:
        """Add what is fresh, and what is stored."""
        return _with_stored(super().mix(rng, pool, mix), mix)


def _with_stored(pool: Moments, mix: Mix[Any]) -> Moments:
    return pool if mix.reserve is None else pool.merge(mix.reserve.moments(pool.mean.size))


def stored_deviations(
    model: Gaussian, mixes: list[Mix[Any]], *, replicates: int, seed: int, stages: Stages
) -> Floats:
    """Return the deviations of runs whose rounds hold stored numbers.

    All runs are one block: the loop over rounds is then a loop over a few array operations.

    Returns
    -------
    Shape ``(replicates, K + 1)``, in the data's units.
    """
    kind = StoredNumbersChain if model.resampler is None else ResampledStoredNumbersChain
    recorded = run_block(
        kind(model, mixes[0].samples, stages),
        Schedule(mixes),
        rng=stream(seed, block=0),
        replicates=replicates,
        tick=lambda _: True,
    )
    if recorded is None:  # pragma: no cover - the block is not told to stop
        raise AssertionError("a block that is never stopped returns its runs")
    deviations: Floats = recorded["deviation"]
    return deviations
