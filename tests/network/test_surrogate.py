import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError, EffortError, ExecutorError
from hayflick.core.reproducibility import stream
from hayflick.laws.surrogate import contraction, distance_floor
from hayflick.network import surrogate as kernels
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate, timed_work
from hayflick.network.topology import of_edges, ring
from hayflick.simulation.executors import open_executor, process_executor

PAPER = Surrogate(means=(-5.0, 5.0), agents=3, draws=3, share_read=0.5)
MANY = Surrogate(
    means=(-4.0, 0.0, 3.0), agents=70, draws=2, read=9, injected=3, topology=ring(70, neighbours=2)
)


def reference_update(weights, likelihood, number):
    """The update as it is stated, one weight after the other."""
    components = len(weights)
    alpha, c, epsilon = 1 / max(2, number), 1 / (number * components**2), 1e-12
    o = weights * likelihood / (weights @ likelihood)
    weights = (1 - alpha) * weights + alpha * (o - c) / (1 - components * c)
    for b in range(components):
        if weights[b] <= 0:
            weights = weights / (1 + epsilon - weights[b])
            weights[b] = epsilon
    return weights, o


def readable_rows(system, agent, points):
    """Return the rows that an agent may read, in order, point by point."""
    readers = set(range(system.agents))
    if system.topology is not None:
        readers = {agent, *system.topology.neighbours[agent]}
    rows = list(range(system.originals))
    for first in range(system.originals, points, system.agents * system.draws + system.injected):
        posted = system.agents * system.draws
        rows += [first + p for p in range(posted) if p // system.draws in readers]
        rows += [first + posted + p for p in range(system.injected)]
    return rows


@pytest.mark.parametrize(
    "system",
    [
        PAPER,
        Surrogate(means=(-1.0, 0.0, 1.5), agents=5, draws=2, read=3, originals=4, injected=2),
        Surrogate(
            means=(-9.0, 0.0, 9.0, 18.0),
            agents=5,
            draws=2,
            share_read=0.9,
            originals=3,
            injected=1,
            topology=of_edges([(0, 3), (0, 4), (2, 1), (4, 0), (4, 2)], agents=5),
        ),
        Surrogate(means=(0.0, 4.0), agents=2, draws=1, read=1),
        # Few of many points are read, so that the taken ones are kept in a hash table.
        Surrogate(means=(-1.0, 0.0, 1.5), agents=4, draws=3, read=4, originals=300, injected=2),
        Surrogate(means=(0.0, 2.0), agents=20, draws=20, read=6, topology=ring(20, neighbours=1)),
    ],
)
@pytest.mark.parametrize("most", [0, kernels.MOST_LIKELIHOODS])
def test_a_run_by_hand(system, most, monkeypatch):
    monkeypatch.setattr(kernels, "MOST_LIKELIHOODS", most)
    rounds, seed = 6, 5
    runs = simulate_surrogate(system, rounds=rounds, replicates=1, seed=seed, threads=1)
    rng, real = stream(seed, block=0), stream(seed, block=1)
    means = np.array(system.means)
    even = np.full((1, means.size), 1 / means.size)
    pool = np.empty((0, means.size))

    def post(source, weights, number):
        nonlocal pool
        rows = np.empty((len(weights) * number, means.size))
        kernels.post(source, weights, means, 1.0, number, rows)
        pool = np.concatenate([pool, rows])

    weights = rng.dirichlet(np.ones(means.size), system.agents)
    post(real, np.repeat(even, system.originals, axis=0), 1)
    if system.originals == 0:
        post(rng, weights, system.draws)
        post(real, np.repeat(even, system.injected, axis=0), 1)
    for place in range(rounds):
        assert_allclose(runs["weights"][0, place], weights, rtol=1e-9, atol=1e-15)
        old = pool
        assert runs["pool"][place] == len(old)
        post(rng, weights, system.draws)
        post(real, np.repeat(even, system.injected, axis=0), 1)
        seen = []
        weights = weights.copy()
        for agent in range(system.agents):
            rows = readable_rows(system, agent, len(old))
            number = system.read or int(np.floor(system.share_read * len(rows)))
            assert runs["read"][place, agent] == number
            chosen = []
            while len(chosen) < number:
                row = rows[int(rng.random() * len(rows))]
                if row not in chosen:
                    chosen.append(row)
            for row in chosen:
                weights[agent], o = reference_update(weights[agent], old[row], number)
                seen.append(o)
        assert_allclose(runs["seen"][0, place], np.mean(seen, axis=0), rtol=1e-9)


def test_the_distance_is_that_of_all_pairs():
    runs = simulate_surrogate(PAPER, rounds=5, replicates=2, seed=1)
    weights = runs["weights"].to_numpy()
    gaps = weights[:, :, :, None] - weights[:, :, None]
    assert_allclose(runs["squared_distance"], np.sum(gaps**2, axis=(2, 3, 4)))
    assert_allclose(weights.sum(axis=-1), 1.0)
    assert weights.min() > 0


@pytest.mark.parametrize("system", [PAPER, MANY])
def test_threads_change_nothing_and_the_seed_does(system):
    first = simulate_surrogate(system, rounds=6, replicates=4, seed=1, threads=1)
    assert first.equals(simulate_surrogate(system, rounds=6, replicates=4, seed=1, threads=3))
    assert not first.equals(simulate_surrogate(system, rounds=6, replicates=4, seed=2, threads=1))
    fewer = simulate_surrogate(system, rounds=4, replicates=2, seed=1, threads=2)
    assert_allclose(fewer["weights"], first["weights"][:2, :5])
    assert json.loads(first.attrs["provenance"])["parameters"]["agents"] == system.agents


@pytest.mark.parametrize("system", [PAPER, MANY])
def test_a_pool_of_points_gives_the_numbers_of_one_of_likelihoods(system, monkeypatch):
    kept = simulate_surrogate(system, rounds=6, replicates=3, seed=1)
    assert system.numbers_kept(6) == system.components
    monkeypatch.setattr(kernels, "MOST_LIKELIHOODS", 0)
    assert system.numbers_kept(6) == 1
    assert kept.identical(simulate_surrogate(system, rounds=6, replicates=3, seed=1))


@pytest.mark.parametrize("points", [41, 400, 12_000, 2**31])
def test_few_places_are_those_that_flags_give(points):
    few, many = np.empty(40, np.int64), np.empty(40, np.int64)
    taken = np.zeros(min(points, 12_000), np.bool_)
    kernels._draw_few_places(np.random.default_rng(1), points, 40, np.empty(128, np.int64), few)
    assert len(set(few.tolist())) == 40
    assert 0 <= few.min() <= few.max() < points
    if points <= taken.size:
        kernels._draw_places(np.random.default_rng(1), points, 40, taken, many)
        assert few.tolist() == many.tolist()


@pytest.mark.parametrize("system", [PAPER, MANY])
@pytest.mark.parametrize("threads", [None, 2])
def test_an_executor_changes_nothing(system, threads):
    how = {"rounds": 5, "replicates": 5, "seed": 8}
    here = simulate_surrogate(system, **how)
    told = []
    with ThreadPoolExecutor(3) as executor:
        there = simulate_surrogate(
            system,
            **how,
            threads=threads,
            executor=executor,
            progress=lambda *step: told.append(step),
        )
    assert here.identical(there)
    assert told == [("simulating", done, 5) for done in range(1, 6)]


def test_processes_give_the_numbers_of_threads_and_a_killed_one_is_told():
    how = {"rounds": 5, "replicates": 3, "seed": 8}
    with process_executor(1) as executor:
        there = simulate_surrogate(MANY, **how, executor=executor)
        assert there.identical(simulate_surrogate(MANY, **how))
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        with pytest.raises(ExecutorError, match="was killed"):
            simulate_surrogate(MANY, **how, executor=executor)


def test_a_cluster_gives_the_numbers_of_threads(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")
    how = {"rounds": 5, "replicates": 3, "seed": 8}
    settings = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "protocol": "tcp"}
    with (
        distributed.LocalCluster(**settings, dashboard_address=None) as cluster,
        open_executor(cluster.scheduler_address) as executor,
    ):
        there = simulate_surrogate(MANY, **how, executor=executor)
        # Pools lie on the cluster: the memory of this machine is for the results.
        monkeypatch.setattr("hayflick.core.effort.machine_memory", lambda: 1e6)
        large = Surrogate(means=(0.0, 1.0), agents=40, draws=500, read=5)
        simulate_surrogate(large, rounds=10, replicates=1, executor=executor)
        with pytest.raises(EffortError, match="simulating a run of 40 mixtures"):
            simulate_surrogate(large, rounds=10, replicates=1)
    monkeypatch.undo()
    assert there.identical(simulate_surrogate(MANY, **how))


def test_contraction_is_one_over_e_per_round():
    system = Surrogate(means=(-5.0, 5.0), agents=3, draws=3, read=1000, originals=4000)
    runs = simulate_surrogate(system, rounds=1, replicates=60, seed=1)
    before, after = (
        values[:, :, None] - values[:, None]
        for values in runs["weights"][..., 0].to_numpy().swapaxes(0, 1)
    )
    ratio = np.sum(before * after) / np.sum(before**2)
    assert ratio == pytest.approx(contraction(1000), rel=0.05)
    assert ratio == pytest.approx(np.exp(-1), rel=0.05)


def test_the_floor_holds_within_a_tenth():
    runs = simulate_surrogate(PAPER, rounds=200, replicates=20, seed=1)
    law = [
        distance_floor(seen, agents=3, read=runs["read"][:, 0], share_read=0.5)
        for seen in runs["seen"].to_numpy()
    ]
    last = slice(160, 200)
    found = np.sqrt(runs["squared_distance"][:, 1:][:, last].mean())
    assert found == pytest.approx(np.sqrt(np.array(law)[:, last].mean()), rel=0.1)


def test_real_points_keep_all_components_alive():
    settings = {"means": (-5.0, 5.0), "agents": 3, "draws": 1, "read": 2}
    closed = simulate_surrogate(Surrogate(**settings), rounds=300, replicates=20, seed=1)
    fed = simulate_surrogate(Surrogate(**settings, injected=6), rounds=300, replicates=20, seed=1)
    last = slice(200, 300)
    spread = [
        runs["weights"].isel(generation=last, component=0).mean("generation").std()
        for runs in (closed, fed)
    ]
    assert spread[1] < 0.3 * spread[0]


def test_agents_that_do_not_read_one_another_stay_apart():
    settings = {"means": (-5.0, 5.0), "agents": 4, "draws": 10, "share_read": 0.5}
    apart = Surrogate(**settings, topology=of_edges([], agents=4))
    together = Surrogate(**settings)
    alone, joint = (
        float(
            simulate_surrogate(system, rounds=30, replicates=10, seed=1)["squared_distance"][
                :, -1
            ].mean()
        )
        for system in (apart, together)
    )
    assert alone > 20 * joint


def test_the_work_is_counted_beforehand():
    assert PAPER.work(200).evaluations == 542_400
    # About β n² L T² B / 2.
    assert PAPER.work(200).evaluations == pytest.approx(0.5 * 9 * 3 * 200**2 * 2 / 2, rel=0.01)
    fixed = Surrogate(means=tuple(range(11)), agents=1000, draws=3, read=200)
    assert fixed.work(200).evaluations == 1000 * 200 * 200 * 11
    assert PAPER.work(200, replicates=3).evaluations == 3 * 542_400
    assert fixed.work(200, threads=2).seconds == fixed.work(200).seconds / 2
    assert 0 < PAPER.work(20).seconds < PAPER.work(200).seconds


def test_the_time_of_this_machine_grows_with_the_work():
    short = timed_work(PAPER, 20, replicates=2, threads=1)
    assert short.evaluations == PAPER.work(20, replicates=2).evaluations
    assert 0 < short.seconds < timed_work(PAPER, 1000, replicates=20, threads=1).seconds
    with pytest.raises(ArgumentError, match="rounds: got 0"):
        timed_work(PAPER, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"share_read": 0.1},
            "share_read: got 0.1, takes a share that gives at least one of the 9",
        ),
        ({"share_read": 0.0}, "share_read: got 0.0"),
        ({"share_read": 1.5}, "share_read: got 1.5"),
        ({"share_read": None}, "read: got share_read=None, read=None"),
        ({"read": 3}, "read: got share_read=0.5, read=3"),
        ({"share_read": None, "read": 10}, "read: got 10, takes a whole number from 1 to 9"),
        ({"share_read": None, "read": 0}, "read: got 0"),
        ({"means": (1.0,)}, "means: got"),
        ({"means": (1.0, np.nan)}, "means: got nan"),
        ({"deviation": 0.0}, "deviation: got 0.0"),
        ({"agents": 0}, "agents: got 0"),
        ({"draws": 0}, "draws: got 0"),
        ({"originals": -1}, "originals: got -1"),
        ({"injected": -1}, "injected: got -1"),
        ({"topology": ring(4)}, "topology: got 4 agents, takes one of 3 agents"),
    ],
)
def test_mistakes_are_refused(settings, message):
    given = {"means": (-5.0, 5.0), "agents": 3, "draws": 3, "share_read": 0.5, **settings}
    with pytest.raises(ArgumentError, match=message):
        simulate_surrogate(Surrogate(**given), rounds=3, replicates=1)


def test_a_pool_beyond_memory_is_refused_beforehand():
    huge = Surrogate(means=(0.0, 1.0), agents=10_000, draws=1000, read=5)
    with pytest.raises(ArgumentError, match="rounds: got 1000 rounds of 10000 agents"):
        simulate_surrogate(huge, rounds=1000, replicates=1)


def test_what_a_run_takes_is_told_and_memory_is_checked(monkeypatch):
    told = []

    class Asked:
        def expect(self, effort):
            told.append(effort)

        def __call__(self, *step):
            pass

    simulate_surrogate(PAPER, rounds=3, replicates=2, seed=1, progress=Asked())
    assert [effort.work for effort in told] == ["simulating 2 runs of 3 mixtures"]
    monkeypatch.setattr("hayflick.core.effort.machine_memory", lambda: 1e6)
    large = Surrogate(means=(0.0, 1.0), agents=1000, draws=100, read=5)
    with pytest.raises(EffortError, match="simulating a run of 1,000 mixtures takes about"):
        simulate_surrogate(large, rounds=10, replicates=1)
