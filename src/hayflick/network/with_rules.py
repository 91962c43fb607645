"""Networks with a rules file: what the experiment names decides about its readings.

The rooms do not know one another: a network takes any object that decides, and a rules file
becomes one here, anew for every start; a run that goes on reads its rounds to it again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hayflick.core.errors import listed
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Rule
from hayflick.core.records import Action, Reading
from hayflick.network.experiment import Experiment, read_experiment
from hayflick.network.run_results import experiment_of_run
from hayflick.network.running import (
    Say,
    quiet,
    resume_network,
    run_network,
)
from hayflick.rules.loading import load_rules

_Path = str | os.PathLike[str]


def run_experiment(
    path: _Path, *, out: _Path, say: Say = quiet, progress: Progress = silent
) -> Path:
    """Run a TOML file with the rules that it names, and return the folder of the run.

    Raises
    ------
    DataError, ArgumentError
        If the experiment or its rules cannot be used; nothing is made then.
    OutputError, EndpointError, BudgetExhausted, ReviewPending
        As of `hayflick.network.running.run_network`.
    """
    experiment, folder = read_experiment(path), Path(path).parent
    rule = rule_of(experiment, folder=folder, say=say)
    return run_network(experiment, out=out, folder=folder, rule=rule, say=say, progress=progress)


def resume_experiment(
    run: _Path,
    *,
    tokens: int | None = None,
    money: float | None = None,
    say: Say = quiet,
    progress: Progress = silent,
) -> Path:
    """Go on with a run, its rules too; see `hayflick.network.running.resume_network`."""
    experiment, folder = experiment_of_run(run)
    rule = rule_of(experiment, folder=folder, say=say)
    return resume_network(run, tokens=tokens, money=money, rule=rule, say=say, progress=progress)


def rule_of(experiment: Experiment, *, folder: Path, say: Say = quiet) -> Rule | None:
    """Return what decides in an experiment; None where it names no rules.

    Parameters
    ----------
    experiment, folder
        What names the rules, and where its file is.
    say
        Told what the rules watch and no reading has.

    Raises
    ------
    DataError, ArgumentError
        If the rules cannot be used.
    """
    if experiment.rules is None:
        return None
    rule_set = load_rules(folder / experiment.rules).rule_set
    watched = [metric for watch in rule_set.rules.watch for metric in watch.metrics]
    return _Told(rule_set.start(), tuple(dict.fromkeys(watched)), say)


@dataclass
class _Told:
    """Decides as a rule does, and says once which of its metrics the readings do not have."""

    rule: Rule
    watched: Sequence[str]
    say: Say
    said: bool = False

    def decide(self, reading: Reading) -> Sequence[Action]:
        missing = [one for one in self.watched if one not in reading.values]
        if missing and not self.said:
            remedy = "retention needs [observe] must_keep; for all real words, vocabulary_kept"
            never = "rules on that never act"
            self.say(f"warning: no reading has {listed(missing)}; {never} ({remedy})")
        self.said = True
        return self.rule.decide(reading)
