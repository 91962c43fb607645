"""Write the rules that carry out a plan, after they were tried in simulated runs.

What a plan recommends is what its rules do: a reserve goes into every round, periodic fresh data
into every T-th round. Fresh data in every round go in only below a limit
(`hayflick.planning.dose`) where that holds the target with fewer real items. Rules that hold the
target in too few runs are not written. All of them notify someone if the target was missed, and
request a review.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from typing_extensions import override

from hayflick.core.checks import check_language
from hayflick.core.display import Report, Result, report_of
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.output import check_not_input, check_writable, write_text
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.assurance import DEFAULT_CONFIDENCE
from hayflick.planning.designs import Design
from hayflick.planning.dose import ThresholdPolicy, smallest_fresh, symbol_target, threshold_policy
from hayflick.planning.plan_result import Plan
from hayflick.planning.retention import SimulationSettings
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace
from hayflick.rules.actions import ActionResources, ReserveFile
from hayflick.rules.loading import initial_reading
from hayflick.rules.parsing import parse_rules
from hayflick.rules.planned_text import (
    Carried,
    Inputs,
    TrialOutcome,
    metrics_of,
    reserve_name,
    rules_text,
)
from hayflick.rules.rule_set import RuleSet
from hayflick.rules.trial import RunSummary, Trial, affordable_runs

_Path: TypeAlias = str | os.PathLike[str]

BELOW = "below"
"""Kind of rules that put fresh data in below a limit."""

KINDS = ("anchor", "fresh", "periodic", BELOW, "replace")
"""Kinds of design that rules carry out."""

_FALSE_ALARMS = 0.001
_USUAL = Inputs()


@dataclass(frozen=True, eq=False, kw_only=True)
class PlannedRules(Result):
    """Rules that carry out a plan, and what simulated runs of them keep.

    Parameters
    ----------
    plan
        The plan.
    carried
        What the rules do: kind, items, how often, limit and dose.
    tried
        What simulated runs with the rules keep, and take.
    confidence
        The share of runs that are to keep the target in every round.
    text
        Content of the rules file.
    """

    plan: Plan
    carried: Carried
    tried: RunSummary
    confidence: float
    text: str

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        return self.plan.sources

    @property
    def kind(self) -> str:
        """``anchor``, ``fresh``, ``periodic``, ``below`` (fresh below a limit) or ``replace``."""
        return self.carried.kind

    @property
    def policy(self) -> ThresholdPolicy | None:
        """Limit and dose where readings decide; None elsewhere."""
        return self.carried.policy

    @property
    def reserve(self) -> Counts | None:
        """The stored items that are in every round; None if there are none."""
        return self.carried.reserve

    @property
    def target(self) -> SymbolTarget:
        """What is to be kept."""
        return symbol_target(self.plan.problem)

    @property
    def initial_reading(self) -> float:
        """The metric of the real data; limits are shares of it."""
        return initial_reading(self.target)

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return metrics_of(self.target)[0]

    @property
    def success_rate(self) -> float:
        """Share of the simulated runs that keep the target in every round."""
        return self.tried.success_rate(self.plan.keep)

    @property
    def standard_error(self) -> float:
        """Standard error of `success_rate`."""
        return self.tried.standard_error(self.plan.keep)

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the rules again."""
        parameters = {"command": "plan --write-rules", "kind": self.kind}
        return provenance({**parameters, "plan": self.plan.provenance()})


@dataclass(frozen=True, eq=False, kw_only=True)
class _Making:
    """What the candidates of a plan share."""

    plan: Plan
    target: SymbolTarget
    confidence: float
    inputs: Inputs
    false_alarms: float
    progress: Progress

    def carried(self, design: Design) -> Iterator[Carried]:
        """Yield how rules carry out a design; nothing if they cannot."""
        regime, samples = design.regime, design.samples
        if isinstance(regime, Anchor):
            stored = regime.reserve
            yield Carried(
                kind="anchor", samples=samples, items=stored.total, every=1, reserve=stored
            )
        elif isinstance(regime, (Fresh, Periodic)):
            every = regime.every if isinstance(regime, Periodic) else 1
            items = regime.mix(every, samples=samples).fresh
            kind = "fresh" if every == 1 else "periodic"
            yield Carried(kind=kind, samples=samples, items=items, every=every)
        elif isinstance(regime, Replace):
            yield Carried(kind="replace", samples=samples)

    def below_a_limit(self, samples: int) -> Iterator[Carried]:
        """Yield fresh data below a limit, and a dose of the same assurance in every round."""
        try:
            policy = self._policy(samples, self.plan.keep)
            if not policy.margin:
                # No law gives a margin for chance, so runs do.
                margin = self._simulated_margin(samples)
                higher = self._policy(samples, min(1.0, self.plan.keep + margin))
                policy = replace(higher, keep=self.plan.keep, margin=margin)
        except DataError:
            return
        yield Carried(kind="fresh", samples=samples, items=policy.fixed, every=1)
        if not policy.always:
            yield Carried(kind=BELOW, samples=samples, items=policy.dose, policy=policy)

    def _policy(self, samples: int, keep: float) -> ThresholdPolicy:
        problem = self.plan.problem
        return threshold_policy(
            self.target,
            keep=keep,
            generations=problem.generations,
            samples=samples,
            law=problem.law,
            confidence=self.confidence,
            false_alarms=self.false_alarms,
        )

    def _simulated_margin(self, samples: int) -> float:
        """Return what fresh data that hold the target in enough runs keep above it on average."""
        problem = replace(
            self.plan.problem,
            samples=samples,
            confidence=self.confidence,
            simulation=SimulationSettings(),
        )
        items = smallest_fresh(problem, self.plan.keep)
        items = samples if items is None else items
        lowest = problem.retention(Fresh(items / samples), samples).lowest
        return max(0.0, lowest - self.plan.keep)

    def _trial(self, samples: int) -> Trial:
        rounds = self.plan.problem.generations
        return Trial(
            target=self.target,
            samples=samples,
            rounds=rounds,
            replicates=affordable_runs(samples, rounds),
            progress=self.progress,
        )

    def tried(self, carried: Carried) -> PlannedRules:
        """Return the rules of a design with what simulated runs of them keep."""
        plan, problem = self.plan, self.plan.problem
        settings: dict[str, Any] = {
            "keep": plan.keep,
            "confidence": self.confidence,
            "rounds": problem.generations,
            "false_alarms": self.false_alarms,
            "inputs": self.inputs,
        }
        rule_set = _rule_set(rules_text(carried, self.target, **settings), carried, self.inputs)
        found = self._trial(carried.samples).with_rules(rule_set)
        outcome = TrialOutcome(
            runs=found.runs,
            share=found.success_rate(plan.keep),
            standard_error=found.standard_error(plan.keep),
            real_items=found.real_in_all,
        )
        text = rules_text(carried, self.target, outcome=outcome, **settings)
        return PlannedRules(
            plan=plan, carried=carried, tried=found, confidence=self.confidence, text=text
        )

    def enough(self, tried: PlannedRules) -> bool:
        """Return whether enough runs hold the target."""
        return tried.tried.holds(self.plan.keep, self.confidence)

    def of_kind(self, kind: str) -> list[PlannedRules]:
        """Return the tried rules of a kind."""
        designs = [one for one in self.plan.designs if one.kind == kind]
        carried = [found for design in designs[:1] for found in self.carried(design)]
        if kind in ("fresh", BELOW):
            carried += self.below_a_limit(self.plan.problem.samples)
        if kind == BELOW:
            carried = [one for one in carried if one.kind == BELOW]
        seen = {(one.kind, one.samples, one.items, one.every): one for one in carried}
        return [self.tried(one) for one in seen.values()]


def _rule_set(text: str, carried: Carried, inputs: Inputs) -> RuleSet:
    """Return rules as a file of them is read, before it is written."""
    rules = parse_rules(text, name=os.fspath(inputs.rules))
    reserves = {}
    if carried.reserve is not None:
        counts = zip(carried.reserve.symbols, carried.reserve.numbers.tolist(), strict=True)
        items = tuple(symbol for symbol, number in counts for _ in range(number))
        name = reserve_name(inputs.rules)
        reserves[name] = ReserveFile(name, items)
    return RuleSet(rules, ActionResources(reserves, {}), os.fspath(inputs.rules))


def rules_from_plan(
    plan: Plan,
    *,
    kind: str | None = None,
    inputs: Inputs = _USUAL,
    false_alarms: float = _FALSE_ALARMS,
    progress: Progress = silent,
) -> PlannedRules:
    """Return the rules that carry out a plan, tried in simulated runs.

    Parameters
    ----------
    plan
        The plan.
    kind
        The kind of design to carry out: ``anchor`` (a reserve), ``fresh``, ``periodic``,
        ``below`` (fresh data below a limit) or ``replace``; None for the recommended one.
    inputs
        Where rules and data are, for the commands in the file.
    false_alarms
        Probability that a healthy reading leads to an injection, as far as the target allows.
    progress
        Called with how far the runs have come.

    Raises
    ------
    ArgumentError
        If there is no such kind.
    DataError
        If the plan is for numbers, recommends what rules cannot do, or its rules hold the target
        in too few runs; rules that do are offered.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.plan import plan
    >>> words = Discrete.from_counts({f"w{place}": 1 + 600 // place for place in range(1, 400)})
    >>> rules = rules_from_plan(plan(words, keep=0.7, generations=20, replicates=0), kind="below")
    >>> rules.policy.dose < words.total, rules.success_rate >= 0.95
    (True, True)
    """
    target = symbol_target(plan.problem)
    if kind is not None and kind not in KINDS:
        raise ArgumentError("kind", got=kind, takes=f"one of {', '.join(KINDS)}")
    if plan.best is None and kind is None:
        raise DataError(f"rules: {plan.reason}; so no rule keeps {plan.keep:.1%}")
    confidence = getattr(plan, "confidence", None) or DEFAULT_CONFIDENCE
    making = _Making(
        plan=plan,
        target=target,
        confidence=confidence,
        inputs=inputs,
        false_alarms=false_alarms,
        progress=progress,
    )
    chosen = cast(Design, plan.best).kind if kind is None else kind
    found = making.of_kind(chosen)
    enough = [one for one in found if making.enough(one)]
    if enough:
        return min(enough, key=lambda one: one.tried.real_in_all)
    raise DataError(_refusal(making, chosen, found))


def _refusal(making: _Making, kind: str, found: list[PlannedRules]) -> str:
    """Return why no rules are written, and which ones would hold the target."""
    keep, confidence = making.plan.keep, making.confidence
    if found:
        best = max(found, key=lambda one: one.success_rate)
        why = (
            f"rules: those of the kind {kind} keep {keep:.1%} in every round in"
            f" {best.success_rate:.1%} of {best.tried.runs} simulated runs, and {confidence:.0%}"
            " are wanted"
        )
    elif kind in KINDS:
        why = f"rules: none of the kind {kind} keep {keep:.1%} in {confidence:.0%} of runs"
    else:
        why = f"rules: put real data into rounds, and cannot carry out a plan of the kind {kind}"
    kinds = dict.fromkeys([*(one.kind for one in making.plan.designs), "fresh"])
    others = [one for other in kinds if other != kind for one in making.of_kind(other)]
    offers: dict[str, PlannedRules] = {}
    for one in sorted(others, key=lambda other: other.tried.real_in_all):
        if making.enough(one):
            offers.setdefault(one.kind, one)
    if not offers:
        return f"{why}; no other kind keeps it either: take a lower target, or more samples"
    each = ", ".join(
        f"{one.kind} ({one.success_rate:.1%}, {one.tried.real_in_all:,.0f} real items in all)"
        for one in offers.values()
    )
    return f"{why}; --rules-kind takes one that does: {each}"


class _Sheet(Report, Protocol):
    """A report that has the sheet as CSV too."""

    def sheet(self, planned: PlannedRules, /, *, lang: str) -> str:
        """Return the sheet as CSV."""


def write_rules(
    plan: Plan,
    path: _Path,
    *,
    kind: str | None = None,
    corpus: _Path | None = None,
    must_keep: _Path | None = None,
    table: TableFormat | None = None,
    resampler: _Path | None = None,
    lang: str = "en",
    force: bool = False,
    progress: Progress = silent,
) -> PlannedRules:
    """Write the rules that carry out a plan, and their sheet in HTML and CSV beside them.

    Parameters
    ----------
    plan
        The plan.
    path
        A name that ends in ``.toml``; for ``rules.toml`` the sheet is in ``rules-kpi.html`` and
        ``rules-kpi.csv``, and stored items are in ``rules-reserve.json``.
    kind
        The kind of design to carry out: ``anchor``, ``fresh``, ``periodic``, ``below`` (fresh
        data below a limit) or ``replace``; None for the recommended one.
    corpus, must_keep, table
        The data, the list and the table's format, for the commands in the file; None for the
        data's own name.
    resampler
        The file of the calibration that the plan was made with, for the same commands.
    lang
        Language of the sheet, ``en`` or ``ja``.
    force
        Whether files that exist are replaced.
    progress
        Called with how far simulated runs of the rules have come.

    Raises
    ------
    ArgumentError
        If the name is not one of a TOML file, or there is no such language or kind.
    DataError
        If rules cannot carry out the plan, or hold its target in too few runs; then nothing is
        written, and rules that do are offered.
    OutputError
        If a file exists and `force` is not set, or cannot be written.
    """
    check_language(lang)
    check_rules_files(path, force=force)
    inputs = Inputs(
        rules=path, corpus=corpus, must_keep=must_keep, table=table, resampler=resampler
    )
    planned = rules_from_plan(plan, kind=kind, inputs=inputs, progress=progress)
    report = cast(_Sheet, report_of(planned))
    rules, page, numbers = rules_files(path)
    if planned.reserve is not None:
        write_text(reserve_file(path), _stored(planned.reserve), force=force)
    write_text(page, report.page(planned, lang=lang), force=force)
    write_text(numbers, report.sheet(planned, lang=lang), force=force)
    write_text(rules, planned.text, force=force)
    return planned


def _stored(reserve: Counts) -> str:
    stored = dict(zip(reserve.symbols, reserve.numbers.tolist(), strict=True))
    return json.dumps(stored, ensure_ascii=False, indent=0) + "\n"


def rules_files(path: _Path) -> tuple[Path, Path, Path]:
    """Return the names of the files: the rules, and the sheet as a page and as CSV.

    Raises
    ------
    ArgumentError
        If the name is not one of a TOML file.

    Examples
    --------
    >>> [str(path) for path in rules_files("rules.toml")]
    ['rules.toml', 'rules-kpi.html', 'rules-kpi.csv']
    """
    rules = Path(path)
    if rules.suffix.lower() != ".toml":
        raise ArgumentError("write_rules", got=str(path), takes="a file name that ends in .toml")
    stem = f"{rules.stem}-kpi"
    return rules, rules.with_name(f"{stem}.html"), rules.with_name(f"{stem}.csv")


def reserve_file(path: _Path) -> Path:
    """Return the file of the stored items beside rules."""
    return Path(path).with_name(reserve_name(path))


def check_rules_files(
    path: _Path, *, inputs: Iterable[_Path | None] = (), force: bool = False
) -> None:
    """Refuse files that cannot be written, before any work starts.

    Raises
    ------
    ArgumentError
        If the name is not one of a TOML file.
    OutputError
        If one exists and `force` is not set, is an input, or cannot be written.
    """
    read = list(inputs)
    for one in (*rules_files(path), reserve_file(path)):
        check_not_input(one, read)
        check_writable(one, force=force)
