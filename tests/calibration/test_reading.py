"""Recorded rounds are read from files, tables and memory, and refused where they are none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from recorded_rounds import count_files, mappings, recorded_counts, records_of, text_files, text_of

from hayflick.calibration.reading import read_rounds
from hayflick.core.errors import ArgumentError, DataError
from hayflick.regimes.anchor import Anchor

_COUNTS = recorded_counts()


def _by_symbol(found: object) -> dict[str, list[int]]:
    record = found.record
    return dict(zip(record.symbols, record.counts.T.tolist(), strict=True))


_EXPECTED = {f"w{place}": column for place, column in enumerate(_COUNTS.T.tolist())}


def test_texts_counts_tables_and_objects_are_the_same_record(tmp_path: Path) -> None:
    rows = records_of(_COUNTS)
    lines = tmp_path / "rounds.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    labels = pl.DataFrame(
        {
            "round": np.repeat(np.arange(4), _COUNTS.sum(axis=1)),
            "word": np.concatenate(
                [np.repeat([f"w{place}" for place in range(row.size)], row) for row in _COUNTS]
            ),
        }
    )
    of_rounds = [part.select("word") for part in labels.partition_by("round")]
    for found in (
        read_rounds(text_files(tmp_path, _COUNTS)),
        read_rounds([str(path) for path in count_files(tmp_path, _COUNTS)]),
        read_rounds(mappings(_COUNTS)),
        read_rounds(lines, by="round", text="text"),
        read_rounds([lines], by="round", text="text", tokenizer="whitespace"),
        read_rounds(rows, by="round", text="text"),
        read_rounds(labels, by="round", column="word"),
        read_rounds(of_rounds, column="word"),
        read_rounds(of_rounds),
    ):
        assert _by_symbol(found) == _EXPECTED
        assert found.record.fresh.tolist() == [0, 0, 0]
        assert len(found.names) == 4


def test_later_rounds_are_split_as_the_first(tmp_path: Path) -> None:
    counts = _COUNTS[:3]
    paths = text_files(tmp_path, counts)
    paths[1].write_text(text_of(counts[1]).replace(" ", "\n"))
    found = read_rounds(paths, tokenizer="whitespace")
    assert {source.tokenizer for source in found.sources} == {"whitespace"}
    assert [source.role for source in found.sources] == ["corpus", "round", "round"]


def test_rounds_of_a_table_are_in_the_order_of_their_numbers() -> None:
    rows = records_of(_COUNTS, ["round 0", "round 9", "round 10", "round 11"])
    found = read_rounds(rows[::-1], by="round", text="text")
    assert found.names == ("round 0", "round 9", "round 10", "round 11")
    np.testing.assert_array_equal(found.record.sizes, _COUNTS.sum(axis=1))


def test_the_mixing_of_a_regime_is_recorded() -> None:
    fresh = read_rounds(mappings(_COUNTS), regime="fresh:0.05")
    sizes = fresh.record.sizes[1:]
    np.testing.assert_array_equal(fresh.record.fresh, np.floor(0.05 * sizes + 0.5))
    assert not fresh.record.stored.any()
    anchor = read_rounds(mappings(_COUNTS), regime=Anchor.from_mapping({"w3": 2, "w9": 1}))
    assert anchor.record.stored.sum() == 3
    assert anchor.record.stored[anchor.record.symbols.index("w3")] == 2
    with pytest.raises(ArgumentError, match="regime: got accumulate"):
        read_rounds(mappings(_COUNTS), regime="accumulate")
    with pytest.raises(DataError, match="'nothing'"):
        read_rounds(mappings(_COUNTS), regime=Anchor.from_mapping({"nothing": 2}))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_too_few_rounds_are_refused(number: int) -> None:
    with pytest.raises(DataError, match="takes the real data and at least 2 rounds"):
        read_rounds(mappings(_COUNTS)[:number])
    with pytest.raises(DataError, match="at least 2 rounds"):
        read_rounds(records_of(_COUNTS[:2]), by="round", text="text")


def test_one_input_without_a_column_of_rounds_is_refused(tmp_path: Path) -> None:
    path = text_files(tmp_path, _COUNTS)[0]
    with pytest.raises(ArgumentError, match="or one table with by"):
        read_rounds(path)
    with pytest.raises(ArgumentError, match="sources: got 2 inputs, takes one table"):
        read_rounds([path, path], by="round", text="text")
    with pytest.raises(ArgumentError, match="text: got text"):
        read_rounds([path, path], text="text")
    with pytest.raises(ArgumentError, match="text for answers"):
        read_rounds(records_of(_COUNTS), by="round")


def test_rounds_in_another_order_are_refused(tmp_path: Path) -> None:
    paths = text_files(tmp_path, _COUNTS)
    swapped = [paths[0], paths[2], paths[1], paths[3]]
    with pytest.raises(DataError, match=r"round2\.txt is given where round1\.txt would follow"):
        read_rounds(swapped)
    real = paths[0].rename(tmp_path / "real.txt")
    with pytest.raises(DataError, match=r"round3\.txt is given where round1\.txt would follow"):
        read_rounds([real, *paths[:0:-1]])
    with pytest.raises(DataError, match=r"round 2 \(round 2\) holds .* are the rounds in their"):
        read_rounds([mappings(_COUNTS)[place] for place in (0, 3, 1, 2)])
    with pytest.raises(DataError, match="is the real data the first input"):
        read_rounds([mappings(_COUNTS)[place] for place in (1, 2, 3, 0)])


def test_identical_rounds_are_refused(tmp_path: Path) -> None:
    paths = text_files(tmp_path, _COUNTS)
    with pytest.raises(DataError, match=r"round 2 \(round1.txt\) and round 1 .* the same file"):
        read_rounds([paths[0], paths[1], paths[1]])
    paths[2].write_text(text_of(_COUNTS[1]) + "\n\n")
    with pytest.raises(DataError, match="the same counts"):
        read_rounds(paths)


def test_a_vocabulary_that_grows_is_refused_with_the_new_types() -> None:
    rounds = mappings(_COUNTS)
    few = [*rounds[:2], {**rounds[2], "extra": 5}]
    found = read_rounds(few)
    notes = [str(note) for source in found.sources for note in source.notes]
    assert any("'extra'" in note and "left out" in note for note in notes)
    assert found.record.sizes[2] == sum(rounds[2].values())
    many = [*rounds[:2], {**rounds[2], **{f"new{place}": 20 for place in range(12)}}]
    with pytest.raises(DataError, match=r"the vocabulary grows: .* 'new0'.* and 2 more"):
        read_rounds(many)
    # Fresh items may be of types that the real sample lacks.
    assert read_rounds(many, regime="fresh:0.1").record.transitions == 2


def test_rounds_of_very_different_sizes_are_told() -> None:
    counts = _COUNTS.copy()
    counts[3] //= 3
    found = read_rounds(mappings(counts))
    notes = [str(note) for source in found.sources for note in source.notes]
    assert any("very different sizes" in note for note in notes)
    assert not any(source.notes for source in read_rounds(mappings(_COUNTS)).sources)


def test_missing_rounds_of_a_table_are_refused() -> None:
    with pytest.raises(DataError, match="no round lies between 1 and 3"):
        read_rounds(records_of(_COUNTS, ["0", "1", "3", "4"]), by="round", text="text")
    steps = read_rounds(records_of(_COUNTS, ["0", "100", "200", "300"]), by="round", text="text")
    assert steps.record.transitions == 3


def test_a_column_of_too_many_rounds_is_refused() -> None:
    rows = [{"round": f"r{number}", "text": "a b c"} for number in range(300)]
    with pytest.raises(ArgumentError, match="by: got round, which names 300"):
        read_rounds(rows, by="round", text="text")


def test_empty_rounds_are_refused(tmp_path: Path) -> None:
    paths = text_files(tmp_path, _COUNTS)
    paths[2].write_text("")
    with pytest.raises(DataError, match=r"round2\.txt"):
        read_rounds(paths)
    rows = [*records_of(_COUNTS[:2]), {"round": "2", "text": " "}, {"round": "2", "text": "..."}]
    with pytest.raises(DataError, match="the round 2 holds no token"):
        read_rounds(rows, by="round", text="text")
