import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError


def test_counts_are_ordered_by_number_then_symbol():
    counts = hf.Counts.from_mapping({"b": 1, "a": 1, "c": 5})
    assert counts.symbols == ("c", "a", "b")
    assert counts.numbers.tolist() == [5, 1, 1]
    assert (counts.total, counts.types) == (7, 3)


def test_merging_is_associative_and_commutative():
    parts = [hf.Counts.from_mapping(m) for m in ({"a": 1, "b": 2}, {"b": 3}, {"c": 1, "a": 4})]
    left = parts[0].merge(parts[1]).merge(parts[2])
    right = parts[0].merge(parts[1].merge(parts[2]))
    swapped = parts[2].merge(parts[1]).merge(parts[0])
    for other in (right, swapped):
        assert other.symbols == left.symbols
        assert other.numbers.tolist() == left.numbers.tolist()


@pytest.mark.parametrize("number", [0, -3, 1.5, "2", None, True])
def test_what_is_no_count_is_refused_by_name(number):
    with pytest.raises(ArgumentError, match="for 'pear', takes whole numbers from 1"):
        hf.Counts.from_mapping({"apple": 2, "pear": number})


def test_no_counts_at_all_are_refused():
    with pytest.raises(DataError, match="takes at least one symbol"):
        hf.Counts.from_mapping({})


def test_the_constructor_checks_too():
    with pytest.raises(ArgumentError, match="0 for 'b'"):
        hf.Counts(("a", "b"), np.array([1, 0]))
    with pytest.raises(DataError, match="1 symbols, 2 numbers"):
        hf.Counts(("a",), np.array([1, 2]))


def test_counts_cannot_be_changed():
    counts = hf.Counts.from_mapping({"a": 1})
    with pytest.raises(ValueError, match="read-only"):
        counts.numbers[0] = 2


def test_keys_that_are_the_same_symbol_are_refused():
    with pytest.raises(DataError, match="the same symbol"):
        hf.Counts.from_mapping({1: 3, "1": 2})


def test_the_callers_array_stays_the_callers():
    numbers = np.array([2, 1])
    counts = hf.Counts(("a", "b"), numbers)
    numbers[0] = 5
    assert counts.numbers.tolist() == [2, 1]


def test_a_representation_is_short():
    counts = hf.Counts.from_mapping({f"word{number}": 1 for number in range(1000)})
    assert repr(counts) == "Counts(types=1000, total=1000)"
