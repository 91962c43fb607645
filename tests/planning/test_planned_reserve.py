"""The reserve that a plan recommends, as a file."""

import json

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, OutputError
from hayflick.core.source import Source

WORDS = hf.Discrete.from_counts(
    {"the": 60, "cat": 30, "sat": 9, "here": 1, "there": 1, "été, 雨": 1}
)


def planned(**settings):
    return hf.plan(WORDS, generations=10, replicates=0, **settings)


def test_the_file_is_the_recommended_design(tmp_path):
    result = planned(keep=0.9)
    result.save_reserve(tmp_path / "stored.json")
    stored = result.reserve
    held = json.loads((tmp_path / "stored.json").read_text(encoding="utf-8"))
    assert held == dict.fromkeys(stored.symbols, 1)
    assert sum(held.values()) == result.best.real_per_round
    regime = hf.Anchor.from_file(tmp_path / "stored.json", like=Source("words"))
    kept = hf.survival(WORDS, regime=regime, generations=10).surviving_fraction
    assert kept == pytest.approx(result.best.retention.expected, abs=1e-9)


def test_only_what_is_listed_is_stored(tmp_path):
    result = planned(keep=0.99, must_keep=["sat", "there"])
    result.save_reserve(tmp_path / "stored.json")
    stored = result.reserve
    assert set(stored.symbols) == {"sat", "there"}


def test_a_file_that_exists_is_replaced_only_if_forced(tmp_path):
    path = tmp_path / "stored.json"
    path.write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        planned().save_reserve(path)
    assert path.read_text() == "old"
    planned().save_reserve(path, force=True)
    assert path.read_text() != "old"


def test_a_plan_without_stored_symbols_has_none_to_write(tmp_path):
    nothing = planned(keep=0.01)
    numbers = hf.plan(hf.Gaussian(50.0, 12.0, total=200), keep=0.8, generations=5, replicates=32)
    for result in (nothing, numbers):
        with pytest.raises(ArgumentError, match="one that recommends stored items"):
            result.save_reserve(tmp_path / "stored.json")
    assert list(tmp_path.iterdir()) == []


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"takes a file name that ends in \.json"):
        planned().save_reserve(tmp_path / "stored.jsonl")
