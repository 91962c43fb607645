"""The result of a plan: designs, what they keep and cost, and what would change the choice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from typing_extensions import override

from hayflick.core.checks import check_language
from hayflick.core.display import Result, report_of
from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_page, check_writable, write_text
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts
from hayflick.planning.assurance import DEFAULT_CONFIDENCE
from hayflick.planning.classes import ClassOutlook, class_outlooks
from hayflick.planning.cost import CostModel
from hayflick.planning.designs import Design, Frontier, Sensitivity
from hayflick.planning.history import HistoryComparison
from hayflick.planning.inspection import Inspection
from hayflick.planning.problem import PlanningProblem
from hayflick.planning.questions import PlanAnswer
from hayflick.planning.retention import SimulatedRetention
from hayflick.planning.robust import Robustness
from hayflick.planning.sizing import FreshShare, Recovery
from hayflick.planning.targets import DIVERSITY, MUST_KEEP, SymbolTarget, Target
from hayflick.regimes.anchor import Anchor

if TYPE_CHECKING:
    import polars as pl

_Path: TypeAlias = str | os.PathLike[str]


class _BriefReport(Protocol):
    def brief(self, result: Any, /, *, lang: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Margin:
    """How far the recommended design is ahead.

    Parameters
    ----------
    price
        What the runner-up costs more per round (in real items without prices).
    share
        The same as a share of the runner-up's price.
    retention
        What the recommended design keeps above the target.
    """

    price: float
    share: float
    retention: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan(Result):
    """What to do, and why.

    Parameters
    ----------
    problem, keep, costs
        The problem (target, horizon, size, confidence), the share to keep, and prices or None.
    reason
        Why fresh draws alone, or all designs, are not enough; empty if they are.
    designs
        Those that keep enough, the recommended one first: the cheapest of each kind. If none
        does, those that come closest.
    frontier
        All designs that were looked at, and the efficient ones.
    fresh
        The answer for fresh draws alone, and the anchor that is proposed instead; None if there is
        no law for it and nothing was to be simulated.
    left_out
        Kinds of design that were not looked at: no law is known for them, and they were not
        simulated.
    step_in
        First round below the target if no real data is used; None if there is none.
    recoveries
        The cheapest recovery by fresh draws, for several delays after `step_in`.
    inspection
        How often to check; None without prices of a check and of loss.
    sensitivities
        What one step of each size, share or stage does to the recommended design.
    robustness
        The recommended design tried against a sharper sampler, wrong labels and half of its real
        data; None where it was not tried.
    answers
        What comes of the questions that people ask; nothing if no design keeps enough.
    simulated
        The recommended design by simulation; None if it was not simulated.
    comparison
        The recorded history; None for none.
    seed
        Of the simulations.
    interrupted
        Whether a simulation was cut short.
    sources
        What was read: the data, the must-keep list, the history.
    reserve_file
        Where the recommended reserve was written; None if it was not.
    """

    problem: PlanningProblem
    keep: float
    costs: CostModel | None
    reason: str
    designs: tuple[Design, ...]
    frontier: Frontier
    fresh: FreshShare | None
    step_in: int | None
    recoveries: tuple[Recovery, ...]
    left_out: tuple[str, ...] = ()
    inspection: Inspection | None = None
    sensitivities: tuple[Sensitivity, ...] = ()
    robustness: Robustness | None = None
    answers: tuple[PlanAnswer, ...] = ()
    simulated: SimulatedRetention | None = None
    comparison: HistoryComparison | None = None
    seed: int = 1
    interrupted: bool = False
    sources: tuple[Source, ...] = ()
    reserve_file: str | None = None

    @property
    def target(self) -> Target:
        """What is to be kept."""
        return self.problem.target

    @property
    def confidence(self) -> float | None:
        """The share of runs that are to keep enough in every round; None for averages."""
        return self.problem.confidence

    @property
    def examples(self) -> int:
        """Items that a training set must hold of a type to keep it, or all that the data have.

        Of types that the must-keep list names no number for.
        """
        return self.target.usual_least if isinstance(self.target, SymbolTarget) else 1

    @property
    def feasible(self) -> bool:
        """Whether any design keeps enough, in enough runs."""
        return bool(self.designs) and self.designs[0].is_sufficient

    @property
    def best(self) -> Design | None:
        """The recommended design; None if none keeps enough."""
        return self.designs[0] if self.feasible else None

    @property
    def runner_up(self) -> Design | None:
        """The next design that keeps enough; None if there is none."""
        return self.designs[1] if self.feasible and len(self.designs) > 1 else None

    @property
    def margin(self) -> Margin | None:
        """How far the recommended design is ahead; None without a runner-up."""
        best, second = self.best, self.runner_up
        if best is None or second is None:
            return None
        price = second.price - best.price
        share = price / second.price if second.price else 0.0
        return Margin(price, share, best.lowest - self.keep)

    @property
    def break_even(self) -> dict[str, float]:
        """The value of each price at which best and runner-up would cost the same."""
        best, second = self.best, self.runner_up
        if best is None or second is None or self.costs is None:
            return {}
        return self.costs.break_even(best.usage, second.usage)

    @property
    def other_targets(self) -> tuple[tuple[str, float], ...]:
        """The kinds of design that are cheapest for other targets, each up to which one.

        In ascending order of the target, as far as the designs that were looked at show.
        """
        kinds: list[tuple[str, float]] = []
        for point in self.frontier.efficient:
            if kinds and kinds[-1][0] == point.kind:
                kinds.pop()
            kinds.append((point.kind, point.retention.lowest))
        return tuple(kinds)

    @cached_property
    def classes(self) -> tuple[ClassOutlook, ...]:
        """What becomes of every label under the recommended, or the closest, design.

        Nothing for words, for more than 200 labels, and after elapsed rounds.
        """
        target, problem = self.target, self.problem
        if not isinstance(target, SymbolTarget) or target.kind == DIVERSITY:
            return ()
        if not target.source.holds_labels or problem.elapsed is not None or not self.designs:
            return ()
        design = self.designs[0]
        return class_outlooks(
            target.model,
            regime=design.regime,
            samples=design.samples,
            generations=problem.generations,
            least=target.needed,
            seed=self.seed,
        )

    @property
    def classes_at_risk(self) -> tuple[ClassOutlook, ...]:
        """The labels that have too few examples after the last round in too many runs."""
        allowed = 1.0 - (DEFAULT_CONFIDENCE if self.confidence is None else self.confidence)
        return tuple(one for one in self.classes if one.below_least > allowed)

    @property
    def missed(self) -> bool:
        """Whether the target, or a label of the must-keep list, is missed in too many runs."""
        if not self.feasible:
            return True
        target = self.target
        if not isinstance(target, SymbolTarget) or target.kind != MUST_KEEP:
            return False
        assert target.listed is not None
        wanted = {target.model.symbols[place] for place in target.listed}
        return any(one.symbol in wanted for one in self.classes_at_risk)

    @override
    def save(
        self, path: _Path, *, lang: str = "en", force: bool = False, brief: bool = False
    ) -> Path:
        """Write the plan as a page, or with ``brief=True`` as a one-page summary for a meeting.

        Raises
        ------
        ArgumentError
            If the name does not end in ``.html``, or there is no such language.
        OutputError
            If the file exists and `force` is not set, or cannot be written.
        """
        if not brief:
            return super().save(path, lang=lang, force=force)
        check_language(lang)
        check_page(path, force=force)
        report = cast(_BriefReport, report_of(self))
        return write_text(Path(path), report.brief(self, lang=lang), force=force)

    def forgotten(self, design: Design) -> float:
        """Return the weight that is missing in the last round."""
        return max(0.0, float(1.0 - design.retention.expected[-1])) * self.target.total_weight

    def simulated_distance(self) -> float | None:
        """Return how far law and simulation of the best design are apart, in standard errors."""
        if self.simulated is None or self.best is None:
            return None
        return self.simulated.distance(self.best.retention)

    def to_frame(self) -> pl.DataFrame:
        """Return the designs as a table to paste into a slide, numbers unrounded.

        Examples
        --------
        >>> from hayflick.chains.discrete import Discrete
        >>> from hayflick.planning.plan import plan
        >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
        >>> table = plan(words, keep=0.8, generations=10, replicates=0).to_frame()
        >>> table["regime"].to_list()
        ['anchor:2 items of 2 symbols']
        """
        import polars as pl

        rows = [
            {
                "design": design.kind,
                "regime": design.regime.describe(),
                "kept": design.lowest,
                "confidence": None if design.assurance is None else design.assurance.confidence,
                "real_per_round": design.real_per_round,
                "samples": design.samples,
                "forgotten": self.forgotten(design),
                "mass_lost": design.mass_lost,
                "cost_per_round": design.cost_per_round,
            }
            for design in self.designs
        ]
        table = pl.DataFrame(
            rows,
            schema_overrides=dict.fromkeys(
                ("cost_per_round", "confidence", "mass_lost"), pl.Float64
            ),
        )
        return table if self.costs is not None else table.drop("cost_per_round")

    @property
    def reserve(self) -> Counts | None:
        """The stored items of the recommended design; None if it stores no symbols."""
        regime = None if self.best is None else self.best.regime
        return regime.reserve if isinstance(regime, Anchor) else None

    def save_reserve(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        r"""Write the recommended reserve as a JSON object of symbol: number of stored items.

        The regime ``anchor:FILE.json`` is then the recommended design.

        Parameters
        ----------
        path
            A name that ends in ``.json``.
        force
            Whether a file that exists is replaced.

        Returns
        -------
        The path that was written.

        Raises
        ------
        ArgumentError
            If the plan recommends no reserve of symbols, or the name is not one of a JSON file;
            nothing is written then.
        OutputError
            If the file exists and `force` is not set, or cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from hayflick.chains.discrete import Discrete
        >>> from hayflick.planning.plan import plan
        >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
        >>> result = plan(words, keep=0.8, generations=10, replicates=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result.save_reserve(f"{folder}/stored.json").read_text()
        '{\n"sat": 1,\n"here": 1\n}\n'
        """
        check_reserve_file(path, force=force)
        if self.reserve is None:
            kind = "no design" if self.best is None else f"the design {self.best.kind}"
            raise ArgumentError(
                "reserve_out",
                got=f"a plan that recommends {kind}",
                takes="one that recommends stored items of labels or words: there are none to "
                "write",
            )
        stored = dict(zip(self.reserve.symbols, self.reserve.numbers.tolist(), strict=True))
        text = json.dumps(stored, ensure_ascii=False, indent=0)
        return write_text(Path(path), f"{text}\n", force=force)

    def provenance(self) -> dict[str, Any]:
        """Return what is needed to make the plan again."""
        costs = self.costs
        parameters = {
            "input": self.target.source.name,
            "model": self.target.model.describe(),
            "of": self.target.kind,
            "keep": self.keep,
            "confidence": self.confidence,
            "generations": self.problem.generations,
            "samples": self.problem.samples,
            "law": self.problem.law,
            "costs": None if costs is None else asdict(costs),
            "replicates": 0 if self.simulated is None else self.simulated.replicates,
            "history": None if self.comparison is None else self.comparison.history.name,
        }
        return provenance(parameters, seed=self.seed)


def check_reserve_file(
    path: _Path, *, inputs: Iterable[_Path | None] = (), force: bool = False
) -> None:
    """Refuse a file that the recommended reserve cannot be written to, before any work starts.

    Raises
    ------
    ArgumentError
        If the name is not one of a JSON file.
    OutputError
        If it exists and `force` is not set, is an input, or cannot be written.
    """
    if Path(path).suffix.lower() != ".json":
        raise ArgumentError("reserve_out", got=str(path), takes="a file name that ends in .json")
    check_not_input(Path(path), inputs)
    check_writable(Path(path), force=force)
