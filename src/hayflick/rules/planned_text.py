"""The text of a rules file that carries out a design, with commands that work as they stand."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hayflick.core.display_text import display_text
from hayflick.corpus.counts import Counts
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.confidence import holds_labels
from hayflick.planning.dose import ThresholdPolicy
from hayflick.planning.targets import DIVERSITY, MUST_KEEP, TYPES, SymbolTarget
from hayflick.rules.loading import initial_reading

_Path: TypeAlias = str | os.PathLike[str]

REVIEWED = 50
"""Number of answers to review if the target was missed."""

COOL_DOWN = 10
"""Readings until the notification is repeated."""

BASELINE = 20
"""Healthy readings for charts that are added later."""

_DIGITS = 6


@dataclass(frozen=True, eq=False, kw_only=True)
class Inputs:
    """Where rules and data are, for the commands in a rules file.

    Parameters
    ----------
    rules
        Path of the rules file.
    corpus, must_keep
        Paths of the data and of the must-keep list, as they were given; None where the data's own
        name has to do, or there is no list.
    table
        What was given of a table's format.
    resampler
        Path of the calibration that the plan was made with; None where it was none.
    """

    rules: _Path = "rules.toml"
    corpus: _Path | None = None
    must_keep: _Path | None = None
    table: TableFormat | None = None
    resampler: _Path | None = None

    def options(self, target: SymbolTarget, *, samples: int, rounds: int) -> list[str]:
        """Return the options of ``rules check`` and ``rules evaluate`` for the same question.

        Examples
        --------
        >>> from hayflick.chains.discrete import Discrete
        >>> from hayflick.core.source import Source
        >>> source = Source("x.csv", column="my label")
        >>> model = Discrete.from_counts({"a": 3, "b": 1}, source=source)
        >>> Inputs().options(SymbolTarget.of_types(model), samples=4, rounds=9)
        ['--corpus', 'x.csv', '--column', 'my label', '--generations', '9']
        """
        source = target.source
        found = ["--corpus", os.fspath(self.corpus or source.name)]
        for option, value, usual in (
            ("--column", source.column, None),
            ("--tokenizer", source.tokenizer, None),
            ("--encoding", source.encoding, "utf-8"),
            ("--normalize", source.normalization, "nfc"),
            ("--sheet", source.sheet, None),
        ):
            if value != usual and value is not None:
                found += [option, value]
        found += self._table_options()
        if self.must_keep is not None:
            found += ["--must-keep", os.fspath(self.must_keep)]
        if samples != target.model.total:
            found += ["--samples", str(samples)]
        return [*found, "--generations", str(rounds)]

    def _table_options(self) -> list[str]:
        if self.table is None:
            return []
        found = []
        for name in ("separator", "decimal", "quote"):
            value = getattr(self.table, name)
            if value is not None:
                found += [f"--{name}", value]
        return found if self.table.header else [*found, "--no-header"]

    def command(self, verb: str, options: Sequence[str]) -> str:
        """Return a command that a shell takes as it stands, on one line."""
        return " ".join(
            _quoted(word) for word in ("hayflick", "rules", verb, os.fspath(self.rules), *options)
        )


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _quoted(word: str) -> str:
    r"""Return a word quoted for the shell; the end of a line would end the comment.

    Examples
    --------
    >>> _quoted("my file.csv"), _quoted("a.csv"), _quoted("a\nb")
    ("'my file.csv'", 'a.csv', "$'a\\nb'")
    """
    if not _CONTROL.search(word):
        return shlex.quote(word)
    plain = word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return "$'" + _CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", plain) + "'"


@dataclass(frozen=True, eq=False, kw_only=True)
class Carried:
    """A design as rules carry it out.

    Parameters
    ----------
    kind
        ``anchor``, ``fresh``, ``periodic``, ``below`` (fresh data below a limit) or ``replace``.
    samples
        Size of a training set.
    items
        Real items in a round that has any.
    every
        They are due in every so-manieth round; 0 where readings decide, or there are none.
    reserve
        The stored items.
    policy
        Limit and dose, where readings decide.
    """

    kind: str
    samples: int
    items: int = 0
    every: int = 0
    reserve: Counts | None = None
    policy: ThresholdPolicy | None = None

    @property
    def share(self) -> float:
        """The real items of such a round as a share of a training set."""
        return self.items / self.samples


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialOutcome:
    """What simulated runs of rules keep, for their comment.

    Parameters
    ----------
    runs, share, standard_error
        Number of runs, and the share of them that holds the target in every round.
    real_items
        Different real items of all rounds together, on average.
    """

    runs: int
    share: float
    standard_error: float
    real_items: float


def metrics_of(target: SymbolTarget) -> tuple[str, ...]:
    """Return the metrics of a target, the one of simulations first.

    Where a class needs several examples, retention counts them; the share of surviving types is
    read where nothing measures that.
    """
    if target.kind == MUST_KEEP:
        return ("retention",)
    if target.kind == DIVERSITY:
        return ("diversity",)
    both = ("surviving_fraction", "retention")
    return both if int(target.needed.max()) == 1 else both[::-1]


def reserve_name(rules: _Path) -> str:
    """Return the name of the file of a reserve beside rules.

    Examples
    --------
    >>> reserve_name("folder/rules.toml")
    'rules-reserve.json'
    """
    return f"{Path(rules).stem}-reserve.json"


def rules_text(
    carried: Carried,
    target: SymbolTarget,
    *,
    keep: float,
    confidence: float,
    rounds: int,
    false_alarms: float,
    inputs: Inputs,
    outcome: TrialOutcome | None = None,
) -> str:
    """Return the text of a rules file."""
    options = inputs.options(target, samples=carried.samples, rounds=rounds)
    runs = [] if outcome is None else ["--replicates", str(outcome.runs)]
    if inputs.resampler is not None:
        runs += ["--resampler", os.fspath(inputs.resampler)]
    parts = [
        _HEAD.format(
            # A name can hold what no comment may, such as the end of a line.
            source=display_text(target.source.name, isolated=False),
            keep=keep,
            confidence=confidence,
            rounds=rounds,
            samples=carried.samples,
            tried="" if outcome is None else _tried(outcome),
            evaluate=inputs.command("evaluate", [*options, *runs]),
            check=inputs.command("check", options),
            false_alarms=false_alarms,
            baseline=BASELINE,
        ),
        _real_data(carried, target, keep=keep, confidence=confidence, inputs=inputs),
        _MISSED.format(
            number="1" if carried.kind == "replace" else "2",
            metric=_metric(target),
            measured=_MEASURED[target.kind],
            target="" if carried.policy is not None else _target_keys(target, keep, confidence),
            missed=_rounded_down(keep * initial_reading(target)),
            cool_down=COOL_DOWN,
            reviewed=REVIEWED,
        ),
    ]
    return "\n".join(part for part in parts if part)


def _tried(outcome: TrialOutcome) -> str:
    return (
        f"\n# In {outcome.runs} simulated runs of these rules, {outcome.share:.1%} keep it in every"
        f" round (standard error\n# {outcome.standard_error:.1%}), with {outcome.real_items:,.0f}"
        " different real items in all rounds together, on average."
    )


def _metric(target: SymbolTarget) -> str:
    names = metrics_of(target)
    return json.dumps(names[0] if len(names) == 1 else list(names))


def _target_keys(target: SymbolTarget, keep: float, confidence: float) -> str:
    return "".join(f"{line}\n" for line in _target_lines(target, keep, confidence))


def _target_lines(target: SymbolTarget, keep: float, confidence: float) -> Iterator[str]:
    yield f"target = {keep!r}"
    yield f"confidence = {confidence!r}  # share of runs that keep it in every round"
    most = target.usual_least
    # Where nothing is written, a label needs several.
    if most > 1 or (target.kind != DIVERSITY and holds_labels(target.model)):
        yield f"at_least = {most}  # items of a class that count as kept, or all that it has"


def _rounded_down(value: float) -> str:
    """Return a limit that what just holds the target is not below."""
    return f"{math.floor(value * 10**_DIGITS) / 10**_DIGITS:.{_DIGITS}g}"


def _real_data(
    carried: Carried, target: SymbolTarget, *, keep: float, confidence: float, inputs: Inputs
) -> str:
    if carried.kind == "replace":
        return "# No real data is needed: the rules only say when the target is missed.\n"
    if carried.reserve is not None:
        return _STORED.format(
            items=carried.items,
            types=carried.reserve.types,
            reserve=json.dumps(reserve_name(inputs.rules), ensure_ascii=False),
        )
    if carried.policy is None:
        due = "every round" if carried.every == 1 else f"one round in {carried.every}"
        return _DUE.format(due=due, items=carried.items, share=carried.share, every=carried.every)
    policy = carried.policy
    return _BELOW.format(
        measured=_MEASURED[target.kind],
        derivation=_derivation(policy),
        metric=_metric(target),
        target=_target_keys(target, keep, confidence),
        limit=round(policy.below * initial_reading(target), _DIGITS),
        dose=policy.dose,
        share=policy.share,
    )


def _derivation(found: ThresholdPolicy) -> str:
    return (
        f"# At this limit, one more round without real data leaves {found.next_unaided:.1%}.\n"
        f"# Training on real data alone leaves {found.healthy:.1%}; chance takes it below"
        f" the limit in {found.false_alarms:.2%} of rounds.\n# The dose keeps {found.margin:.2%}"
        " more than the target, for chance."
    )


_MEASURED = {
    TYPES: "For real ones, retention is that of a list (watch --must-keep) of all symbols.",
    MUST_KEEP: "The list is the one that is given to watch --must-keep.",
    DIVERSITY: "For real ones, give watch a column of that name (watch --value diversity).",
}

_HEAD = """\
# Rules that keep {keep:.1%} in at least {confidence:.0%} of runs, for {rounds} rounds of \
{samples} items ({source}).{tried}
# Try them:
#   {evaluate}
# Look at them:
#   {check}
format_version = 1

# observe: decisions are listed, nothing is done; warn: notifications alone; act: everything.
mode = "act"

# Chance of a false alarm per healthy reading, all charts of a stream together.
false_alarms = {false_alarms:g}

# Healthy readings that charts learn from; the limits below need none.
baseline = {baseline}
"""

_STORED = """\
# 1. The same stored real items in every round, from the first on: {items} items of {types} types.
[[action]]
name = "stored items"
kind = "inject"
items = {items}
every = 1
reserve = {reserve}
repeat = true
"""

_DUE = """\
# 1. New real items in {due}, whatever is read.
[[action]]
name = "real data"
kind = "inject"
items = {items}  # {share:.1%} of a training set, newly drawn from the real source
every = {every}
"""

_BELOW = """\
# 1. Real data where the next round without them would be below the target. A reading is one
# training set. {measured}
{derivation}
[[watch]]
name = "share kept"
metric = {metric}
{target}below = {limit:g}
actions = ["real data"]

[[action]]
name = "real data"
kind = "inject"
items = {dose}  # {share:.1%} of a training set, newly drawn from the real source
rounds = 1
"""

_MISSED = """\
# {number}. A person where the target itself was missed. A reading is one training set.
# {measured}
[[watch]]
name = "target missed"
metric = {metric}
{target}below = {missed}
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
