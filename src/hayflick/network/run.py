"""Run an experiment, or resume a run that was stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import listed
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Rule
from hayflick.core.records import Action, Reading
from hayflick.diversity.observing import RoundAnswers
from hayflick.network.experiment import (
    BudgetSection,
    Experiment,
    check_unchanged,
    experiment_in,
    experiment_sources,
    fingerprints,
)
from hayflick.network.pool import Pool
from hayflick.network.rounds import NetworkLoop, run_async
from hayflick.network.run_results import (
    NetworkRun,
    make_run_folder,
    open_run,
    report_network,
    run_folder,
)
from hayflick.network.setup import NetworkSetup, retrieve_texts, set_up_network
from hayflick.storage.database import Database
from hayflick.storage.runs import RunStore

Say = Callable[[str], None]


def quiet(message: str) -> None:
    """Print nothing."""


def run_network(
    experiment: Experiment | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    rule: Rule | None = None,
    say: Say = quiet,
    progress: Progress = silent,
) -> NetworkRun:
    """Run an experiment from its beginning, with the rules that it names.

    Parameters
    ----------
    experiment
        A TOML file, or an experiment.
    out
        Folder to make for the run.
    folder
        Where files that the experiment names are looked up; None for its own folder.
    rule
        Decides what to do about the readings, of all answers and of every agent's; None for the
        rules that the experiment names.
    say
        Called with every message for the user.
    progress
        Called with the number of rounds done.

    Raises
    ------
    ArgumentError, DataError
        If the experiment or its rules cannot be used; nothing is made then.
    OutputError
        If the folder exists already.
    EndpointError, BudgetExhausted, ReviewPending
        If the run cannot go on now; `resume_network` continues it.

    Examples
    --------
    >>> import tempfile
    >>> village = Experiment.of({
    ...     "format_version": 1, "rounds": 2, "answers": 2, "query": "How is it?",
    ...     "pool": {"texts": ["It rains in May.", "It snows in June."]},
    ...     "agents": [{"name": n, "kind": "ngram", "texts": ["It rains in May."]} for n in "ab"],
    ... })
    >>> with tempfile.TemporaryDirectory() as place:
    ...     run = run_network(village, out=f"{place}/run")
    >>> run.series("pool_size"), run.series("synthetic_share")
    ([4.0, 6.0], [0.5, 0.6666666666666666])
    """
    given = experiment
    experiment, named = experiment_in(given, folder)
    if rule is None:
        rule = _experiment_rule(experiment, folder=named, say=say)
    where = named.resolve()
    setup = set_up_network(experiment, folder=where)
    pool = setup.first_pool(folder=where)
    _check_first_round(setup, pool)
    place = make_run_folder(out)
    config = {
        "experiment": experiment.model_dump(mode="json", exclude_none=True),
        "folder": str(where),
        "files": fingerprints(experiment, folder=where),
        "inputs": [
            one.to_dict() for one in experiment_sources(experiment, given=given, folder=where)
        ],
    }
    with open_run(place) as database:
        store = RunStore(database)
        store.begin(config, seed=experiment.seed, texts=pool.texts)
        for warning in setup.warnings:
            say(f"warning: {warning}")
        say(f"the run is kept in {place}")
        _run(setup, store, database, place, rule, say, progress)
    return report_network(place)


def resume_network(
    folder: str | os.PathLike[str],
    *,
    tokens: int | None = None,
    money: float | None = None,
    rule: Rule | None = None,
    say: Say = quiet,
    progress: Progress = silent,
) -> NetworkRun:
    """Resume a run that was stopped, with its rules; a finished run is left as it is.

    With seeded agents, the result is that of a run that was never stopped.

    Parameters
    ----------
    folder
        Of the run.
    tokens, money
        A new budget for the whole run, what was spent so far included.
    rule, say, progress
        As of `run_network`; a rule is shown the readings of the finished rounds again, so it must
        be the same one.

    Raises
    ------
    DataError
        If the folder holds no run, one of another version, or one that another process is
        working on, or if a file that the experiment names has changed.
    EndpointError, BudgetExhausted, ReviewPending
        If the run still cannot go on.
    """
    place = run_folder(folder)
    with open_run(place) as database:
        store = RunStore(database)
        store.check()
        config = store.config
        experiment = _with_budget(Experiment.of(config["experiment"]), tokens, money)
        where = Path(config["folder"])
        found = fingerprints(experiment, folder=where)
        check_unchanged(config["files"], now=found, folder=where)
        if rule is None:
            rule = _experiment_rule(experiment, folder=where, say=say)
        setup = set_up_network(experiment, folder=where, spent=store.spent)
        _run(setup, store, database, place, rule, say, progress)
    return report_network(place)


def _run(
    setup: NetworkSetup,
    store: RunStore,
    database: Database,
    folder: Path,
    rule: Rule | None,
    say: Say,
    progress: Progress,
) -> None:
    cached = setup.cached_in(database)
    loop = NetworkLoop(
        setup=cached, store=store, folder=folder, rule=rule, say=say, progress=progress
    )
    run_async(loop.run())


def _check_first_round(setup: NetworkSetup, pool: Pool) -> None:
    """Refuse an experiment that cannot read or measure its first texts."""
    targets = np.asarray(setup.embed(setup.experiment.query_texts), dtype=np.float64)
    retrieve_texts(setup, pool, targets=targets, number=1)
    first = RoundAnswers(round=1, texts=[one.text for one in pool.texts[:1]])
    setup.observer(pool).read(first)


def _with_budget(experiment: Experiment, tokens: int | None, money: float | None) -> Experiment:
    budget: dict[str, Any] = experiment.budget.model_dump()
    if tokens is not None:
        budget["tokens"] = whole_number("tokens", tokens, at_least=0)
    if money is not None:
        budget["money"] = number_between("money", money, low=0.0)
    return experiment.model_copy(update={"budget": BudgetSection(**budget)})


def _experiment_rule(experiment: Experiment, *, folder: Path, say: Say) -> Rule | None:
    """Return the rules that an experiment names; None where it names none."""
    if experiment.rules is None:
        return None
    # Rules bring the planning room along, which a run without them does not need.
    from hayflick.rules.loading import load_rules

    rule_set = load_rules(folder / experiment.rules).rule_set
    watched = [metric for watch in rule_set.rules.watch for metric in watch.metrics]
    return _MissingMetricNotice(rule_set.start(), tuple(dict.fromkeys(watched)), say)


@dataclass
class _MissingMetricNotice:
    """Decides as a rule does, and warns once about metrics that the readings lack."""

    rule: Rule
    watched: Sequence[str]
    say: Say
    checked: bool = False

    def decide(self, reading: Reading) -> Sequence[Action]:
        missing = [one for one in self.watched if one not in reading.values]
        if missing and not self.checked:
            remedy = "retention needs [observe] must_keep; for all real words, vocabulary_kept"
            never = "rules on that never act"
            self.say(f"warning: no reading has {listed(missing)}; {never} ({remedy})")
        self.checked = True
        return self.rule.decide(reading)
