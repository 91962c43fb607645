"""One contract over every place where a simulation runs: the numbers are the same."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir

import pytest
import xarray
from example_chains import FAMILIES, REGIMES, STAGES

import hayflick as hf
from hayflick.cli.main import main
from hayflick.rules.parsing import parse_rules
from hayflick.rules.rule_set import RuleSet
from hayflick.simulation.executors import open_executor

RULES = """
format_version = 1
mode = "act"

[[watch]]
name = "words"
metric = "surviving_fraction"
below = 0.9
actions = ["real data"]

[[action]]
name = "real data"
kind = "inject"
items = 20
"""
VILLAGE = """
format_version = 1
rounds = 3
answers = 2
query = "How is it?"
[pool]
texts = ["It rains in May.", "It snows in June.", "The sea is calm."]
[[agents]]
name = "anna"
kind = "ngram"
corpus = "corpora"
[[agents]]
name = "bert"
kind = "ngram"
texts = ["It rains in May.", "Boats go out at dawn and it rains."]
"""
RUNS = {"generations": 3, "samples": 60, "replicates": 100, "seed": 11}


@pytest.fixture(scope="module")
def places():
    """Executors of every kind, each with a size of blocks (four blocks of 32 replicates in all)."""
    distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            protocol="tcp",
        ) as cluster,
        open_executor("processes", workers=1) as process,
        open_executor(cluster.scheduler_address) as dask,
        ThreadPoolExecutor(2) as threads,
    ):
        yield {
            "a process": (process, 64),
            "Dask": (dask, 32),
            "Dask, large blocks": (dask, 128),
            "threads of another": (threads, None),
        }


def check(places, model, **settings):
    here = hf.simulate(model, threads=1, **RUNS, **settings)
    for executor, block_size in places.values():
        there = hf.simulate(model, executor=executor, block_size=block_size, **RUNS, **settings)
        xarray.testing.assert_identical(here, there)


def takes(family, regime):
    """Return whether the family has what the regime asks for."""
    model = FAMILIES[family]
    if regime in ("anchor", "triggered"):
        return "word5" in getattr(model, "symbols", ()) and family != "n-gram"
    return not (regime.startswith("accumulate") and family == "n-gram")


@pytest.mark.parametrize(
    ("family", "regime"),
    [(family, regime) for family in FAMILIES for regime in REGIMES if takes(family, regime)],
)
def test_every_family_in_every_regime(places, family, regime):
    check(places, FAMILIES[family], regime=REGIMES[regime])


@pytest.mark.parametrize("family", STAGES)
def test_every_stage(places, family):
    check(places, FAMILIES[family], regime="fresh:0.3", stages=STAGES[family])


@pytest.mark.parametrize(
    ("family", "resampler"),
    [
        ("discrete", hf.Resampler(1.05, 1.2, 0.5, 0.01)),
        ("gaussian", hf.GaussianResampler(0.5, 0.97, ((0.09, 0.006), (0.006, 0.0009)))),
    ],
)
def test_calibrated_trainers(places, family, resampler):
    for regime in ("replace", "fresh:0.2"):
        check(places, FAMILIES[family], resampler=resampler, regime=regime)


def test_rules_that_react(places, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    check(places, FAMILIES["discrete"], rules=hf.SimulatedRules(rules), regime="fresh:0.1")


def test_readings_that_start_an_injection_of_numbers(places):
    threshold = hf.Threshold(below=0.9, items=20, metric="deviation")
    check(places, FAMILIES["gaussian"], regime=hf.Triggered(threshold))


NETWORKS = {
    "network": {"kind": "network", "agents": [2, 5], "rounds": 5, "replicates": 7},
    "components": {
        "kind": "network",
        "agents": [2, 40],
        "rounds": 4,
        "topology": ["ring:1", "complete"],
        "quantity": "components",
        "standard_error": 0.01,
    },
    "trained-network": {
        "kind": "trained-network",
        "agents": [3, 6],
        "rounds": 9,
        "samples": 30,
        "share": [0.0, 0.1],
    },
    "experiment": {
        "experiment": "village.toml",
        "seed": [1, 2],
        "vary": {"agents.trust": [0.2, 0.8]},
    },
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_cells_of_networks(places, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "village.toml").write_text(VILLAGE)
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "anna.txt").write_text("It rains in May. The cow is wet in June.\n")
    study = {"format_version": 1, **NETWORKS[kind]}
    here = hf.sweep(study, workers=1).to_frame()
    for executor, _ in places.values():
        assert hf.sweep(study, executor=executor).to_frame().equals(here)


WORDS = {"the": 60, "cat": 30, "sat": 9, "here": 1}
LAW = {"generations": 4, "seed": 3}
VERBS = {
    "forecast": lambda **here: hf.forecast(hf.Discrete.from_counts(WORDS), **LAW, **here),
    "forecast of numbers": lambda **here: hf.forecast(
        hf.Gaussian(0.0, 1.0), samples=20, **LAW, **here
    ),
    "forecast of a trainer": lambda **here: hf.forecast(
        hf.Discrete.from_counts(WORDS), resampler=hf.Resampler(), replicates=64, **LAW, **here
    ),
    "plan": lambda **here: hf.plan(hf.Discrete.from_counts(WORDS), **LAW, **here),
    "rules": lambda **here: hf.evaluate_rules(
        RuleSet.of(parse_rules(RULES)),
        corpus=hf.Discrete.from_counts(WORDS),
        replicates=64,
        **LAW,
        **here,
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_that_simulate(places, verb):
    here = VERBS[verb](threads=1).to_dict()
    for place in ("a process", "Dask"):
        assert VERBS[verb](executor=places[place][0]).to_dict() == here


def test_a_plan_for_numbers(places):
    model, how = hf.Gaussian(0.0, 1.0), {"samples": 20, "keep": 0.5, "replicates": 4}
    here = hf.plan(model, threads=1, **how, **LAW).to_dict()
    executor, _ = places["threads of another"]
    assert hf.plan(model, executor=executor, **how, **LAW).to_dict() == here


def test_results_outlive_their_executor(tmp_path):
    with ThreadPoolExecutor(1) as executor:
        found = VERBS["plan"](executor=executor)
    again = pickle.loads(pickle.dumps(found))
    assert again.to_dict() == found.to_dict()
    found.save(tmp_path / "plan.html")


@pytest.mark.parametrize(
    "command", [["forecast"], ["plan"], ["rules", "evaluate"]], ids=lambda words: words[-1]
)
@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["--workers", "2"], "workers: got 2, takes nothing beside threads"),
        (["--scheduler", "processes", "--threads", "2"], "takes nothing beside --scheduler proc"),
        (["--scheduler", "host:8786"], "takes threads, processes, or the address of a Dask"),
    ],
)
def test_commands_refuse_a_place_that_does_not_fit(command, where, message, tmp_path, capsys):
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "corpus.txt").write_text("one two two\n")
    data = {"rules": ["rules.toml", "--corpus", "corpus.txt"]}.get(command[0], ["corpus.txt"])
    with chdir(tmp_path):
        assert main([*command, *data, *where]) == 2
    assert message in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 2
