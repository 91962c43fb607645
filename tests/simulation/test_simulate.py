import json
import signal
import threading
import time

import numpy as np
import pytest
import xarray
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import AddDelta
from hayflick.core.errors import ArgumentError, DataError, SimulationInterrupted
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.simulation.simulate import simulate


def test_the_dataset_says_what_it_holds(words):
    runs = simulate(words, generations=5, replicates=40, seed=3, regime=Fresh(share=0.1))
    assert runs["surviving_types"].dims == ("replicate", "generation")
    assert runs["class_survivors"].dims == ("replicate", "generation", "count_class")
    assert runs["count_by_rank"].dims == ("replicate", "rank")
    assert runs["generation"].to_numpy().tolist() == [0, 1, 2, 3, 4, 5]
    record = json.loads(runs.attrs["provenance"])
    assert record["seed"] == 3
    assert record["parameters"]["regime"] == "fresh:share=0.1"
    assert record["parameters"]["model"]["samples"] == 100


def test_the_dataset_agrees_with_itself(words):
    runs = simulate(words, generations=6, replicates=50, seed=1)
    types = runs["surviving_types"]
    assert (types[:, 0] == 4).all()
    assert (types.diff("generation") <= 0).all()
    assert_allclose(runs["surviving_fraction"], types / 4)
    assert (runs["class_survivors"].sum("count_class") == types).all()
    ranks = runs["count_by_rank"]
    assert (ranks.sum("rank") == 100).all()
    assert ((ranks > 0).sum("rank") == types[:, -1]).all()
    assert (ranks.diff("rank") <= 0).all()
    squares = ((ranks / 100) ** 2).sum("rank")
    assert_allclose(runs["diversity"][:, -1], 1 - squares)


def test_a_longer_run_begins_with_the_shorter_one(words):
    short = simulate(words, generations=4, replicates=70, seed=9)
    long = simulate(words, generations=9, replicates=70, seed=9)
    for name in ("surviving_types", "diversity", "class_survivors"):
        xarray.testing.assert_identical(short[name], long[name][:, :5])


def test_seeds_matter_and_are_recorded(words):
    first, second = (simulate(words, generations=5, replicates=32, seed=seed) for seed in (1, 2))
    assert not first["diversity"].equals(second["diversity"])
    drawn = simulate(words, generations=5, replicates=32)
    seed = json.loads(drawn.attrs["provenance"])["seed"]
    xarray.testing.assert_identical(drawn, simulate(words, generations=5, replicates=32, seed=seed))


def test_what_is_stored_never_dies(words):
    anchor = Anchor.from_mapping({"here": 1})
    runs = simulate(words, generations=60, samples=20, regime=anchor, replicates=40, seed=1)
    assert (runs["class_survivors"].sel(count_class=1) == 1).all()
    assert (runs["count_by_rank"].sum("rank") == 20).all()


def test_smoothing_brings_symbols_back(words):
    model = words.with_estimator(AddDelta(5.0))
    runs = simulate(model, generations=40, samples=20, replicates=64, seed=1)
    assert (runs["surviving_types"].diff("generation") > 0).any()


def test_progress_counts_every_generation_of_every_block(words):
    seen = []
    simulate(
        words,
        generations=3,
        replicates=65,
        seed=1,
        progress=lambda stage, done, total: seen.append((stage, done, total)),
    )
    assert seen == [("simulating", done, 9) for done in range(1, 10)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"generations": 0},
        {"replicates": 0},
        {"samples": 0},
        {"seed": -1},
        {"threads": 0},
        {"block_size": 33},
        {"block_size": 0},
    ],
    ids=str,
)
def test_bad_arguments_are_refused_by_name(words, arguments):
    (name,) = arguments
    with pytest.raises(ArgumentError, match=f"^{name}: got"):
        simulate(words, **{"generations": 2, "seed": 1, **arguments})


def test_a_reserve_that_does_not_fit_is_refused_before_any_work(words):
    with pytest.raises(DataError, match="names symbols"):
        simulate(words, generations=2, regime=Anchor.from_mapping({"dog": 1}))
    with pytest.raises(ArgumentError, match="reserve"):
        simulate(words, generations=2, regime=Anchor.from_mapping({"here": 101}))


def interrupt_after(blocks, generations):
    """Return a progress that raises Ctrl-C in the main thread once so much is done."""

    def progress(stage, done, total):
        if done == blocks * generations:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    return progress


def test_ctrl_c_keeps_what_is_finished(words):
    generations, finished = 50, 4
    with pytest.raises(SimulationInterrupted) as caught:
        simulate(
            words,
            generations=generations,
            replicates=32 * 2000,
            seed=5,
            threads=1,
            progress=interrupt_after(finished, generations),
        )
    partial = caught.value.partial
    kept = partial.sizes["replicate"]
    assert 32 * finished <= kept < 32 * 2000
    whole = simulate(words, generations=generations, replicates=kept, seed=5)
    for name in ("surviving_types", "diversity"):
        xarray.testing.assert_identical(partial[name], whole[name])


def test_ctrl_c_before_anything_is_finished_keeps_nothing(words):
    with pytest.raises(SimulationInterrupted) as caught:
        simulate(
            words,
            generations=100_000,
            replicates=64,
            seed=5,
            threads=2,
            progress=interrupt_after(1, 3),
        )
    assert caught.value.partial is None
    # A thread that was interrupted while it started may still be on its way out.
    for _ in range(1000):
        left = [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
        if not left:
            break
        time.sleep(0.01)
    assert not left


def test_a_law_without_data_is_simulated_too():
    law = Discrete.zipf_mandelbrot(50, exponent=1.0)
    runs = simulate(law, generations=3, samples=30, replicates=32, seed=1)
    assert (runs["surviving_types"][:, 0] == 50).all()
    assert (runs["surviving_types"][:, 1:] <= 30).all()
    assert np.isfinite(runs["diversity"]).all()


def test_a_result_comes_back_from_its_file(words, tmp_path):
    runs = simulate(words, generations=3, replicates=32, seed=1)
    runs.to_netcdf(tmp_path / "runs.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "runs.nc", engine="h5netcdf") as read:
        xarray.testing.assert_identical(read.load(), runs)


def test_a_family_by_its_name_is_the_model(tmp_path):
    settings = {"generations": 4, "replicates": 32, "seed": 1}
    named = hf.simulate("gaussian:mean=2,deviation=3", samples=9, regime="fresh:0.3", **settings)
    model = hf.simulate(hf.Gaussian(2.0, 3.0), samples=9, regime=hf.Fresh(share=0.3), **settings)
    xarray.testing.assert_identical(named, model)
    (tmp_path / "corpus.txt").write_text("rain snow rain hail sun rain " * 9)
    read = hf.simulate("discrete", corpus=tmp_path / "corpus.txt", estimator="add:0.5", **settings)
    corpus = hf.Discrete.from_text(tmp_path / "corpus.txt").with_estimator(AddDelta(0.5))
    xarray.testing.assert_identical(read, hf.simulate(corpus, **settings))


def test_rules_decide_on_top_of_a_regime(words, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'format_version = 1\nmode = "act"\n[[watch]]\nname = "words"\n'
        'metric = "surviving_fraction"\nbelow = 0.9\nactions = ["real data"]\n'
        '[[action]]\nname = "real data"\nkind = "inject"\nitems = 20\n'
    )
    runs = hf.simulate(
        words,
        generations=8,
        replicates=32,
        seed=1,
        regime="fresh:0.1",
        rules=hf.SimulatedRules(rules),
    )
    assert set(np.unique(runs["real_items"][:, 1:])) == {10, 30}
    with pytest.raises(ArgumentError, match="takes the family discrete"):
        hf.simulate("gaussian", samples=9, generations=2, rules=hf.SimulatedRules(rules))


@pytest.mark.parametrize(
    "settings",
    [{"corpus": "a.txt"}, {"column": "x"}, {"tokenizer": "words"}, {"estimator": "ml"}],
    ids=str,
)
def test_what_a_family_is_fitted_to_is_refused_beside_a_model(words, settings):
    with pytest.raises(ArgumentError, match="takes nothing beside a model"):
        hf.simulate(words, generations=2, **settings)
