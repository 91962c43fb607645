"""Write a rules file from a plan: the target becomes a limit, a dose and notifications.

The file has two watches. The first injects real data if the next round without them would miss
the target; the second notifies someone if the target itself was missed, and requests a review.
Limit and dose are those of `hayflick.planning.dose`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from typing_extensions import override

from hayflick.core.checks import check_language
from hayflick.core.display import Report, Result, report_of
from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_writable, write_text
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.planning.dose import ThresholdPolicy, symbol_target, threshold_policy
from hayflick.planning.plan_result import Plan
from hayflick.planning.targets import DIVERSITY, MUST_KEEP, TYPES, SymbolTarget
from hayflick.rules.loading import initial_reading

_Path: TypeAlias = str | os.PathLike[str]

REVIEWED = 50
"""Number of answers to review if the target was missed."""

COOL_DOWN = 10
"""Readings until the notification is repeated."""

BASELINE = 20
"""Healthy readings for charts that are added later."""


@dataclass(frozen=True, eq=False)
class PlannedRules(Result):
    """Rules that hold a plan's target.

    Parameters
    ----------
    plan
        The plan.
    policy
        Limit and dose.
    text
        Content of the rules file.
    """

    plan: Plan
    policy: ThresholdPolicy
    text: str

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        return self.plan.sources

    @property
    def initial_reading(self) -> float:
        """The metric of the real data; limits are shares of it."""
        return initial_reading(self.policy.target)

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return metrics_of(self.policy.target)[0]

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the rules again."""
        return provenance({"command": "plan --write-rules", "plan": self.plan.provenance()})


def metrics_of(target: SymbolTarget) -> tuple[str, ...]:
    """Return the metrics of a target, the one of simulations first."""
    if target.kind == MUST_KEEP:
        return ("retention",)
    if target.kind == DIVERSITY:
        return ("diversity",)
    return ("surviving_fraction", "retention")


def rules_from_plan(plan: Plan, *, false_alarms: float = 0.001) -> PlannedRules:
    """Return the rules that hold a plan's target with fresh data.

    Parameters
    ----------
    plan
        The plan.
    false_alarms
        Probability that a healthy reading leads to an injection, as far as the target allows.

    Raises
    ------
    DataError
        If the plan is for numbers, or fresh data cannot hold its target.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.plan import plan
    >>> words = Discrete.from_counts({f"w{place}": 1 + 600 // place for place in range(1, 400)})
    >>> rules = rules_from_plan(plan(words, keep=0.7, generations=20, replicates=0))
    >>> rules.policy.dose
    414
    """
    found = threshold_policy(
        symbol_target(plan.problem),
        keep=plan.keep,
        generations=plan.problem.generations,
        samples=plan.problem.samples,
        law=plan.problem.law,
        false_alarms=false_alarms,
    )
    return PlannedRules(plan, found, _text(found, false_alarms))


class _Sheet(Report, Protocol):
    """A report that has the sheet as CSV too."""

    def sheet(self, planned: PlannedRules, /, *, lang: str) -> str:
        """Return the sheet as CSV."""


def write_rules(plan: Plan, path: _Path, *, lang: str = "en", force: bool = False) -> PlannedRules:
    """Write the rules that hold a plan's target, and their sheet in HTML and CSV beside them.

    Parameters
    ----------
    plan
        The plan.
    path
        A name that ends in ``.toml``; for ``rules.toml`` the sheet is in ``rules-kpi.html`` and
        ``rules-kpi.csv``.
    lang
        Language of the sheet, ``en`` or ``ja``.
    force
        Whether files that exist are replaced.

    Raises
    ------
    ArgumentError
        If the name is not one of a TOML file, or there is no such language.
    DataError
        If no rule can hold the target; then nothing is written.
    OutputError
        If a file exists and `force` is not set, or cannot be written.
    """
    check_language(lang)
    check_rules_files(path, force=force)
    planned = rules_from_plan(plan)
    report = cast(_Sheet, report_of(planned))
    rules, page, numbers = rules_files(path)
    write_text(page, report.page(planned, lang=lang), force=force)
    write_text(numbers, report.sheet(planned, lang=lang), force=force)
    write_text(rules, planned.text, force=force)
    return planned


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
    for one in rules_files(path):
        check_not_input(one, read)
        check_writable(one, force=force)


def _text(found: ThresholdPolicy, false_alarms: float) -> str:
    target = found.target
    unit = initial_reading(target)
    names = metrics_of(target)
    metric = json.dumps(names[0] if len(names) == 1 else list(names))
    return _FILE.format(
        # A name can hold what no comment may, such as the end of a line.
        source=display_text(target.model.source.name, isolated=False),
        keep=found.keep,
        rounds=found.problem.generations,
        samples=found.problem.samples,
        derivation=_derivation(found),
        false_alarms=false_alarms,
        baseline=BASELINE,
        metric=metric,
        measured=_MEASURED[target.kind],
        limit=round(found.limit * unit, 6),
        missed=round(found.keep * unit, 6),
        dose=found.dose,
        share=found.share,
        reviewed=REVIEWED,
        cool_down=COOL_DOWN,
    )


def _derivation(found: ThresholdPolicy) -> str:
    if found.always:
        why = (
            f"# No state leaves room: one round without real data leaves {found.next_unaided:.1%}."
        )
    else:
        why = f"# At this limit, one more round without real data leaves {found.next_unaided:.1%}."
    return (
        f"{why}\n# Training on real data alone leaves {found.healthy:.1%}; chance takes it below"
        f" the limit in {found.false_alarms:.2%} of rounds.\n# The dose keeps {found.margin:.2%}"
        " more than the target, for chance."
    )


_MEASURED = {
    TYPES: "For real ones, retention is that of a list (watch --must-keep) of all symbols.",
    MUST_KEEP: "The list is the one that is given to watch --must-keep.",
    DIVERSITY: "For real ones, give watch a column of that name (watch --value diversity).",
}

_FILE = """\
# Rules that keep {keep:.1%} for {rounds} rounds of {samples} items ({source}).
# Try them:     hayflick rules evaluate rules.toml --corpus {source}
# Look at them: hayflick rules check rules.toml
format_version = 1

# observe: decisions are listed, nothing is done; warn: notifications alone; act: everything.
mode = "act"

# Chance of a false alarm per healthy reading, all charts of a stream together.
false_alarms = {false_alarms:g}

# Healthy readings that charts learn from; the limits below need none.
baseline = {baseline}

# 1. Real data where the next round without them would be below the target. A reading is one
# training set. {measured}
{derivation}
[[watch]]
name = "share kept"
metric = {metric}
target = {keep:g}
below = {limit:g}
actions = ["real data"]

[[action]]
name = "real data"
kind = "inject"
items = {dose}  # {share:.1%} of a training set, newly drawn from the real source
rounds = 1

# 2. A person where the target itself was missed.
[[watch]]
name = "target missed"
metric = {metric}
below = {missed:g}
cool_down = {cool_down}  # readings until it is said again
actions = ["look at answers", "tell the data lead"]

[[action]]
name = "look at answers"
kind = "review"
items = {reviewed}

[[action]]
name = "tell the data lead"
kind = "notify"
message = "less is left than was planned for; is real data really put in?"
"""
