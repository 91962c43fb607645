"""The main job on real text: half a million words of WikiText-2."""

import json

import numpy as np
import pytest

from hayflick.chains.discrete import Discrete
from hayflick.laws.survival import survival
from hayflick.regimes.fresh import Fresh

ROUNDS = [1, 2, 5, 10, 50]


@pytest.fixture(scope="module")
def model(wikitext):
    return Discrete.from_text(wikitext)


def test_counts(model):
    assert model.source.tokenizer == "words"
    assert model.total == pytest.approx(436_577, rel=0.0005)
    assert model.types == pytest.approx(19_919, rel=0.0005)
    assert np.sum(model.counts == 1) == pytest.approx(4378, abs=10)


def test_surviving_fraction_under_replace(model):
    result = survival(model, generations=50)
    assert result.name == "branching"
    assert result.error < 1e-4
    expected = [0.89021, 0.81110, 0.65931, 0.52299, 0.23831]
    assert result.surviving_fraction[ROUNDS] == pytest.approx(expected, abs=1.5e-4)


@pytest.mark.parametrize(
    ("share", "kept"),
    [
        (0, 0.2383),
        (0.01, 0.3905),
        (0.05, 0.6159),
        (0.1, 0.7152),
        (0.2, 0.7967),
        (0.5, 0.8684),
        (1, 0.8902),
    ],
)
def test_kept_after_fifty_rounds_by_fresh_share(model, share, kept):
    result = survival(model, generations=50, regime=Fresh(share=share))
    assert result.surviving_fraction[-1] == pytest.approx(kept, abs=1.5e-4)


@pytest.mark.parametrize(("regime", "kept"), [("replace", 0.2383), ("fresh:0.05", 0.6159)])
def test_the_command(wikitext, capsys, monkeypatch, tmp_path, regime, kept):
    from hayflick.cli.main import main

    monkeypatch.chdir(tmp_path)
    arguments = ["--generations", "50", "--format", "json", "--regime", regime]
    assert main(["forecast", str(wikitext), *arguments]) == 0
    record = json.loads(capsys.readouterr().out)
    law = np.array(record["surviving_fraction"])
    assert law[-1] == pytest.approx(kept, abs=0.0015)
    simulated = record["simulated"]
    distance = np.abs(np.array(simulated["mean"]) - law)
    assert (distance <= 4 * np.array(simulated["standard_error"]) + 1e-12).all()
    assert list(tmp_path.iterdir()) == []
