"""What built-in agents do under uniform retrieval, β = .5: measured with fixed seeds.

Distances are told in units of the noise floor: 1 is what chance alone gives to agents that are
alike. The thresholds lie between the groups that seeds 1 to 3 gave: 1.03 to 1.05 for learning
agents, 1.23 to 1.25 for frozen ones, 2.03 to 2.22 for silos.
"""

import tomllib
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.report.language import Language
from hayflick.report.network_findings import NetworkFindings

EXAMPLES = Path(__file__).parents[2] / "examples"
LAST = slice(-10, None)


def village(folder, *, seed=1, learning=0.1, retrieval="uniform:0.5", **pool):
    values = tomllib.loads((EXAMPLES / "village.toml").read_text(encoding="utf-8"))
    values |= {"seed": seed, "rounds": 30, "answers": 20, "retrieval": retrieval}
    values["pool"] |= {"size": 18, **pool}
    for agent in values["agents"]:
        agent["learning"] = learning
    return hf.run_network(hf.Experiment.of(values), out=folder / "run", folder=EXAMPLES)


def apart(run, rounds):
    return NetworkFindings(run, Language("en")).excess(rounds)


def mean(values):
    return sum(values) / len(values)


@pytest.fixture(scope="module")
def learning(tmp_path_factory):
    return village(tmp_path_factory.mktemp("learning"))


def test_agents_that_learn_fall_to_the_noise_floor(learning):
    assert apart(learning, slice(0, 3)) > 1.15
    assert apart(learning, LAST) < 1.08


def test_frozen_agents_level_off_above_it(tmp_path, learning):
    frozen = village(tmp_path, learning=0.0)
    assert apart(frozen, LAST) > 1.15
    assert apart(frozen, slice(10, 20)) > 1.15
    assert apart(frozen, LAST) > apart(learning, LAST) + 0.1


def test_private_silos_stay_apart(tmp_path):
    silos = village(tmp_path, retrieval="own", owners="split")
    assert apart(silos, LAST) > 1.7


def test_injected_real_text_keeps_more_of_the_vocabulary(tmp_path, learning):
    injected = village(tmp_path, inject=6)
    kept, without = (run.series("vocabulary_kept")[LAST] for run in (injected, learning))
    assert mean(kept) > mean(without) + 0.1
