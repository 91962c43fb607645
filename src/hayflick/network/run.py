"""Run an experiment, or resume a run that was stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from hayflick.core.checks import number_between, whole_number
from hayflick.core.effort import expect
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Rule
from hayflick.network.agents.processes import agent_processes
from hayflick.network.experiment import (
    BudgetSection,
    Experiment,
    check_unchanged,
    experiment_in,
    experiment_sources,
    fingerprints,
)
from hayflick.network.pool import Pool
from hayflick.network.preflight import check_first_round, check_rules_of_run
from hayflick.network.rounds import NetworkLoop, run_async
from hayflick.network.run_results import (
    NetworkRun,
    make_run_folder,
    open_run,
    report_network,
    run_folder,
)
from hayflick.network.run_rules import IN_PYTHON, RunRules
from hayflick.network.setup import NetworkSetup, set_up_network
from hayflick.network.usage import ReadingEstimate
from hayflick.storage.database import Database
from hayflick.storage.runs import RunStore

if TYPE_CHECKING:
    pass

Say = Callable[[str], None]


def quiet(message: str) -> None:
    """Print nothing."""


def run_network(
    experiment: Experiment | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    rule: Rule | None = None,
    workers: int | None = None,
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
    workers
        Number of processes of this machine that hold the built-in agents, a share each; None for
        none: they are in this process then. The answers are the same. A script keeps its own work
        under ``if __name__ == "__main__":``, as each process imports it.
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
    EndpointError, BudgetExhausted, ExecutorError, ReviewPending
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
    where = named.resolve()
    expect(progress, ReadingEstimate.of(experiment, folder=where).effort())
    rules = RunRules.begun_with(experiment, rule, folder=named)
    rule_set = None if rules is None else rules.load()
    with agent_processes(workers) as processes:
        setup = set_up_network(experiment, folder=where, processes=processes)
        pool = setup.first_pool(folder=where)
        check_first_round(setup, pool, rules=rule_set)
        place = make_run_folder(out)
        config = {
            "experiment": experiment.model_dump(mode="json", exclude_none=True),
            "folder": str(where),
            "files": fingerprints(experiment, folder=where),
            "inputs": [
                one.to_dict() for one in experiment_sources(experiment, given=given, folder=where)
            ],
            "rules": [] if rules is None else [rules.record()],
        }
        with open_run(place) as database:
            store = RunStore(database)
            store.begin(config, seed=experiment.seed, texts=pool.texts)
            for warning in setup.warnings:
                say(f"warning: {warning}")
            say(f"the run is kept in {place}")
            deciding = rule if rule_set is None else rule_set.start()
            _run(setup, store, database, place, deciding, say, progress)
    return report_network(place)


def resume_network(
    folder: str | os.PathLike[str],
    *,
    tokens: int | None = None,
    money: float | None = None,
    rules: str | os.PathLike[str] | None = None,
    rule: Rule | None = None,
    workers: int | None = None,
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
    rules
        A rules file that decides from the next round on, in place of the run's rules; the run
        keeps which rules applied from which round on.
    rule, workers, say, progress
        As of `run_network`; there may be more or fewer processes than before. A rule is shown the
        readings of the finished rounds again.

    Raises
    ------
    DataError
        If the folder holds no run, one of another version, or one that another process is
        working on, if a file that the experiment names has changed, or if new rules cannot work.
    EndpointError, BudgetExhausted, ExecutorError, ReviewPending
        If the run still cannot go on.
    """
    place = run_folder(folder)
    # Whatever is damaged is named before anything is asked.
    NetworkRun.read(place)
    with open_run(place) as database:
        store = RunStore(database)
        config = store.config
        experiment = _with_budget(Experiment.of(config["experiment"]), tokens, money)
        where = Path(config["folder"])
        earlier = _rules_so_far(config, experiment, folder=where)
        _check_files(
            config, experiment, folder=where, replaced=rules is not None or len(earlier) > 1
        )
        left = store.finished < experiment.rounds
        with agent_processes(workers if left else None) as processes:
            setup = set_up_network(experiment, folder=where, spent=store.spent, processes=processes)
            deciding = _rule_from_now_on(setup, store, earlier, rules, rule, say)
            _run(setup, store, database, place, deciding, say, progress)
    return report_network(place)


def _check_files(
    config: Mapping[str, Any], experiment: Experiment, *, folder: Path, replaced: bool
) -> None:
    """Refuse changed files; those of rules that were replaced, and that are kept, may change."""
    begun = dict(config["files"])
    if replaced and experiment.rules is not None:
        begun.pop(experiment.rules, None)
    check_unchanged(begun, now=fingerprints(experiment, folder=folder), folder=folder)


def _rules_so_far(
    config: Mapping[str, Any], experiment: Experiment, *, folder: Path
) -> list[RunRules]:
    """Return the rules of a run; one of an earlier version of hayflick names them only."""
    found = RunRules.stored(config)
    if not found and "rules" not in config and experiment.rules is not None:
        path = folder / experiment.rules
        found = [RunRules.of_file(path, from_round=1)] if path.is_file() else []
    return found


def _rule_from_now_on(
    setup: NetworkSetup,
    store: RunStore,
    earlier: Sequence[RunRules],
    path: str | os.PathLike[str] | None,
    rule: Rule | None,
    say: Say,
) -> Rule | None:
    """Return the rule that decides from the next round on; one that is new is recorded."""
    if path is not None and rule is not None:
        raise ArgumentError("rules", got=os.fspath(path), takes="nothing beside rule")
    following = store.finished + 1
    new: RunRules | None = None
    if path is not None:
        new = RunRules.of_file(path, from_round=following)
    elif rule is not None:
        new = RunRules(following, IN_PYTHON)
    last = earlier[-1] if earlier else None
    if new is None:
        rule_set = None if last is None else last.load()
        for problem in () if rule_set is None else rule_set.baseline_problems():
            say(f"warning: {problem}")
        return None if rule_set is None else rule_set.start()
    rule_set = new.load()
    if rule_set is not None:
        pool = Pool(tuple(store.texts()), setup.names, setup.policy)
        check_rules_of_run(rule_set, setup=setup, pool=pool)
    if last is None or (new.name, new.text) != (last.name, last.text):
        kept = [one for one in earlier if one.from_round < following]
        store.set_config({**store.config, "rules": [one.record() for one in (*kept, new)]})
        say(f"from round {following} on, {new.name} decides")
    return rule if rule_set is None else rule_set.start()


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
    # The threads of small matrices wait for one another, and take the time of those that ask.
    with threadpool_limits(1, "blas"):
        run_async(loop.run())


def _with_budget(experiment: Experiment, tokens: int | None, money: float | None) -> Experiment:
    budget: dict[str, Any] = experiment.budget.model_dump()
    if tokens is not None:
        budget["tokens"] = whole_number("tokens", tokens, at_least=0)
    if money is not None:
        budget["money"] = number_between("money", money, low=0.0)
    return experiment.model_copy(update={"budget": BudgetSection(**budget)})
