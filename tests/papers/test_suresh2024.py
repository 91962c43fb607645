import asyncio
import shutil
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.papers.suresh2024 import figures
from hayflick.papers.suresh2024.figures import FIGURES
from hayflick.simulation.simulate import simulate

TEXT = "The cat sat on the mat. A dog saw the cat! The bird sang; the dog ran away. " * 200


def in_fewer_runs(model, **settings):
    """Simulate, but mixtures in 100 runs: their joint maximum takes ten seconds in 500."""
    if isinstance(model, hf.SymmetricMixture):
        settings["replicates"] = 100
    return simulate(model, **settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "corpus.txt"
    path.write_text(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "simulate", in_fewer_runs)
        gallery = hf.reproduce("suresh2024", corpus=path, seed=3)
    return {figure.name: figure for figure in gallery.figures}


def test_every_figure_is_made(made):
    assert tuple(made) == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_simulation_agrees_with_the_law(made, name):
    agreement = made[name].agreement
    if name in ("theorem-4", "bigrams"):
        assert agreement is None
    else:
        assert 0 <= agreement < 4.5


@pytest.mark.parametrize("name", [name for name in FIGURES if name.startswith("theorem")])
def test_bounds_hold_against_law_or_simulation(made, name):
    curves = made[name].curves
    series = {key: curves.filter(series=key)["value"].to_numpy() for key in set(curves["series"])}
    truth = series.get("exact", series.get("branching", series["simulated"]))
    slack = 0.004 if "branching" in series else 1e-12
    for upper in {"upper", "sharp", "chernoff"} & set(series):
        assert (truth <= series[upper] + slack).all()
    if "lower" in series:
        assert (series["lower"] <= truth + slack).all()


def test_the_checked_numbers_of_the_first_theorem(made):
    law = made["theorem-1-common"].curves.filter(series="exact")["value"].to_numpy()
    assert law[[1, 10, 50]] == pytest.approx([0.63397, 0.16139, 0.04112], abs=6e-6)


def test_the_runs_are_kept(made):
    runs = made["theorem-3"].runs
    assert runs.sizes == {"replicate": 1000, "generation": 201}
    found = (runs["deviation"] > 0.1).mean("replicate")
    drawn = made["theorem-3"].curves.filter(series="simulated")["value"].to_numpy()
    np.testing.assert_allclose(found, drawn)


def test_without_a_text_the_docstrings_of_python_are_taken(tmp_path, monkeypatch):
    # A library of one package, another one that was installed, and a module that cannot be read.
    library = tmp_path / "lib"
    shutil.copytree(Path(asyncio.__file__).parent, library / "asyncio")
    (library / "site-packages").mkdir()
    (library / "site-packages" / "own.py").write_text('"""Zyzzyva."""')
    (library / "old.py").write_text('"""Print."""\nprint "old"\n')
    paths = {"stdlib": str(library)}
    monkeypatch.setattr(sysconfig, "get_path", paths.__getitem__)
    (figure,) = hf.reproduce("suresh2024", figure="unigrams").figures
    assert "docstrings" in figure.text
    assert figure.curves["value"].max() > 500
    figures.write_docstrings(tmp_path / "text.txt")
    assert "Zyzzyva" not in (tmp_path / "text.txt").read_text(encoding="utf-8")


def test_mistakes_are_refused():
    with pytest.raises(ArgumentError, match="figure: got theorem-9, takes one of"):
        hf.reproduce("suresh2024", figure="theorem-9")
    with pytest.raises(DataError, match="no such file"):
        hf.reproduce("suresh2024", figure="unigrams", corpus="nowhere.txt")
