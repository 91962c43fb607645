import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError


def test_a_law_from_counts(words):
    assert words.symbols == ("the", "cat", "sat", "here")
    assert words.probabilities.tolist() == [0.6, 0.3, 0.09, 0.01]
    assert (words.types, words.total) == (4, 100)


def test_every_way_in_gives_the_same_law(tmp_path):
    (tmp_path / "a.txt").write_text("rain rain snow")
    (tmp_path / "a.csv").write_text("weather\nrain\nrain\nsnow\n")
    (tmp_path / "a.json").write_text('{"rain": 2, "snow": 1}')
    laws = [
        hf.Discrete.from_text(tmp_path / "a.txt"),
        hf.Discrete.from_text(tmp_path),
        hf.Discrete.from_table(tmp_path / "a.csv", column="weather"),
        hf.Discrete.from_file(tmp_path / "a.json"),
        hf.Discrete.from_counts({"rain": 2, "snow": 1}),
    ]
    assert {law.symbols for law in laws} == {("rain", "snow")}
    assert {tuple(law.weights) for law in laws} == {(2, 1)}


def test_the_zipf_mandelbrot_law_by_hand():
    law = hf.Discrete.zipf_mandelbrot(3, exponent=2.0, offset=1.0)
    weights = np.array([1 / 4, 1 / 9, 1 / 16])
    np.testing.assert_allclose(law.probabilities, weights / weights.sum())
    assert law.counts is None
    assert law.total is None


@pytest.mark.parametrize(
    "arguments",
    [{"types": 0, "exponent": 1}, {"types": 5, "exponent": -1}, {"types": 5, "exponent": "x"}],
)
def test_a_bad_zipf_law_is_refused(arguments):
    with pytest.raises(ArgumentError):
        hf.Discrete.zipf_mandelbrot(arguments.pop("types"), **arguments)


def test_weights_must_be_positive_and_finite():
    for weights in ([0.5, 0.0], [0.5, np.nan], [0.5, -0.1]):
        with pytest.raises(DataError, match="take finite numbers above 0"):
            hf.Discrete(("a", "b"), np.array(weights))
    with pytest.raises(DataError, match="2 symbols and 1 weights"):
        hf.Discrete(("a", "b"), np.array([1]))


def test_the_training_size_is_the_datas_own_unless_stated(words):
    assert words.training_size(None) == 100
    assert words.training_size(7) == 7
    with pytest.raises(ArgumentError, match="samples: got 0"):
        words.training_size(0)
    with pytest.raises(ArgumentError, match="a law without data has no size of its own"):
        hf.Discrete.zipf_mandelbrot(5, exponent=1).training_size(None)


def test_a_reserve_is_aligned_by_symbol(words):
    reserve = hf.Counts.from_mapping({"here": 2, "the": 1})
    assert words.align(reserve).tolist() == [1, 0, 0, 2]
    assert words.align(None).tolist() == [0, 0, 0, 0]


def test_a_reserve_of_unknown_symbols_is_refused_by_name(words):
    reserve = hf.Counts.from_mapping({f"x{number:02}": 1 for number in range(12)})
    with pytest.raises(DataError, match=r"counts lacks: 'x00', .*'x09' and 2 more; remove"):
        words.align(reserve)
