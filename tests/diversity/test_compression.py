import pytest

from hayflick.core.errors import ArgumentError
from hayflick.diversity.repetition import compression_ratio


def test_repetition_compresses(rng):
    words = [" ".join(rng.choice(list("abcdefghij"), size=30)) for _ in range(200)]
    varied, same = compression_ratio(words), compression_ratio(words[:1] * 200)
    assert same > 10 * varied
    assert varied > 1


def test_it_is_bytes_over_bytes():
    import zlib

    texts = ["größer", "größer", "雨"]
    data = "größer\ngrößer\n雨\n".encode()
    assert compression_ratio(texts) == len(data) / len(zlib.compress(data, 6))
    assert compression_ratio(iter(texts)) == compression_ratio(texts)


def test_the_effort_matters(rng):
    texts = [" ".join(rng.choice(["one", "two", "three"], size=20)) for _ in range(300)]
    assert compression_ratio(texts, level=9) > compression_ratio(texts, level=1)


def test_nothing_said_is_no_reading():
    assert compression_ratio([]) is None
    assert compression_ratio(["", ""]) is None


@pytest.mark.parametrize("level", [0, 10, 2.5])
def test_levels_are_those_of_zlib(level):
    with pytest.raises(ArgumentError, match=r"level: got .*, takes a whole number from 1 to 9"):
        compression_ratio(["a"], level=level)


def test_letters_that_have_no_bytes_are_counted_as_one():
    assert compression_ratio(["\ud800"]) == compression_ratio(["?"])
