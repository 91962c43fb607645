import gzip

import numpy as np
import pytest

import hayflick as hf
from hayflick.cli.main import main
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


def counted(path, **options):
    law = hf.Discrete.from_file(path, **options)
    return dict(zip(law.symbols, law.weights.tolist(), strict=True)), law.source


def test_counts_of_a_file_are_labels_as_everywhere(tmp_path):
    path = tmp_path / "counts.json"
    path.write_text('{"": 50, "a": 3.0, "caf\\u00e9": 2, "cafe\\u0301": 1, "007": 4}')
    found, source = counted(path)
    assert found == {"a": 3, "caf\u00e9": 3, "007": 4}
    assert [(one.reason, one.number) for one in source.left_out] == [("empty cells", 50)]
    found, _ = counted(path, normalize="none")
    assert found == {"a": 3, "caf\u00e9": 2, "cafe\u0301": 1, "007": 4}


def test_counts_in_memory_are_read_as_those_of_a_file():
    found, source = counted({"a": 3.0, 1.0: 2, "": 5})
    assert found == {"a": 3, "1": 2}
    assert [(one.reason, one.number) for one in source.left_out] == [("empty cells", 5)]
    with pytest.raises(DataError, match="two keys are the label '1'"):
        counted({1: 3, "1": 2})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "is nested too deep; takes an object of symbol: count"),
        ('{"a": ' * 100_000, "is nested too deep; takes an object of symbol: count"),
        ('{"a": {"n": 3}}', "for 'a', takes a count; counts are at a: save that object"),
        ('{"run": {"id": "x", "freq": {"a": 3, "b": 2}}}', "counts are at run.freq"),
        ('{"a": [1, 2]}', "holds an object or a list for 'a', takes a count$"),
        ('{"a": %s}' % ("9" * 5000), "holds a whole number of 5,000 digits"),
        ('{"a": %s}' % ("9" * 400), "a number of 1,329 bits in all, takes at most"),
        ('{"a": 1e400}', "inf for 'a', takes whole numbers"),
        ('{"a": NaN}', "nan for 'a', takes whole numbers"),
        ('{"a": -2}', "-2 for 'a', takes whole numbers"),
        ('{"a": 2.5}', "2.5 for 'a', takes whole numbers"),
        ('{"a": true}', "True for 'a', takes whole numbers"),
        ('{"a": "3"}', "'3' for 'a', takes whole numbers"),
        ('{"": 3}', "holds no symbol that has a name"),
        ('{"\\ud800": 3}', "holds half a character"),
        ('{"a": 1, "a": 2}', "names 'a' twice"),
        ('{"a": 1', "line 1 is no JSON"),
        ("[1, 2]", "takes an object of symbol: count"),
        ("{}", "takes an object of symbol: count"),
        ("3", "takes an object of symbol: count"),
    ],
)
def test_a_file_of_counts_is_read_right_or_refused(tmp_path, capsys, text, message):
    path = tmp_path / "counts.json"
    path.write_text(text)
    with pytest.raises((DataError, ArgumentError), match=message):
        counted(path)
    assert main(["forecast", str(path), "--replicates", "0"]) == 2
    assert "internal" not in capsys.readouterr().err


def test_the_shared_files_of_counts(cases, capsys):
    found, source = counted(cases / "emptykey.json")
    assert found == {"a": 3, "b": 2}
    assert source.missing == 50
    assert main(["forecast", str(cases / "deep_counts.json"), "--replicates", "0"]) == 2
    assert "deep_counts.json: is nested too deep" in capsys.readouterr().err


def test_a_compressed_file_of_counts_has_a_limit(tmp_path, monkeypatch):
    path = tmp_path / "counts.json.gz"
    path.write_bytes(gzip.compress(b'{"a": 12}'))
    assert counted(path)[0] == {"a": 12}
    monkeypatch.setattr("hayflick.corpus.counts.LARGEST_MAPPING", 8)
    with pytest.raises(DataError, match=r"has more than 8 characters, .* give a table"):
        counted(path)
