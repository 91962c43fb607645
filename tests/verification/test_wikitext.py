"""The main job on real text: half a million words of WikiText-2.

The text itself is not shipped; `wikitext2_spectrum.json` holds how many of its words occur
how often, which is all that the laws need.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import hayflick as hf

ROUNDS = [1, 2, 5, 10, 50]


@pytest.fixture(scope="module")
def model():
    path = Path(__file__).with_name("wikitext2_spectrum.json")
    spectrum = json.loads(path.read_text(encoding="utf-8"))
    counts = np.repeat(spectrum["count"], spectrum["types"])
    return hf.Discrete.from_counts(
        {f"word{place}": int(count) for place, count in enumerate(counts)}
    )


def test_counts(wikitext, model):
    read = hf.Discrete.from_text(wikitext)
    assert read.source.tokenizer == "words"
    assert read.total == pytest.approx(436_577, rel=0.0005)
    assert read.types == pytest.approx(19_919, rel=0.0005)
    assert np.sum(read.weights == 1) == pytest.approx(4378, abs=10)
    assert sorted(read.weights) == sorted(model.weights)


def test_surviving_fraction_under_replace(model):
    result = hf.survival(model, generations=50)
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
    result = hf.survival(model, generations=50, regime=hf.Fresh(share=share))
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
