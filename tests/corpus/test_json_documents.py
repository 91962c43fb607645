"""JSON in other shapes than a record in each line: lists, objects over several lines."""

import itertools
import json

import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.corpus.json_lines import json_lines

ROWS = [
    {"label": "x", "n": 1.5, "text": 'line\nbreak, {brace} and [bracket] "quoted" \\ é \u2028'},
    {"label": "y", "of": {"data": [{"deep": [1, {"a": None}]}]}},
    {"label": "x", "big": 12345678901234567890, "yes": True},
]


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def read(path):
    return [record for _, record in json_lines(path)]


def counts(path):
    law = hf.Discrete.from_file(path, column="label")
    return dict(zip(law.symbols, law.weights.tolist(), strict=True))


def pretty(rows):
    return "\n".join(json.dumps(row, indent=2) for row in rows)


SHAPES = {
    "list": json.dumps,
    "list over lines": lambda rows: json.dumps(rows, indent=4, ensure_ascii=False),
    "list of lines": lambda rows: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n",
    "list with commas first": lambda rows: "[" + "\n, ".join(map(json.dumps, rows)) + "]",
    "objects over lines": pretty,
    "objects over lines, together": lambda rows: pretty(rows).replace("}\n{", "}{"),
    "blank lines": lambda rows: "\n\n  " + pretty(rows) + "\n\n",
    "data on one line": lambda rows: json.dumps({"data": rows, "meta": {"page": 1}}),
    "data over lines": lambda rows: json.dumps({"meta": None, "data": rows}, indent=1),
    "data with lines inside": lambda rows: (
        '{"data": [\n' + ",\n".join(map(json.dumps, rows)) + "]}"
    ),
    "rows": lambda rows: json.dumps({"features": [], "rows": rows}, indent=2),
    "pages": lambda rows: pretty([{"data": rows[:2]}, {"data": rows[2:]}]),
    "lines": lambda rows: "\n".join(map(json.dumps, rows)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 7, 64, 1 << 18])
def test_records_are_the_same_in_every_shape(tmp_path, monkeypatch, shape, size):
    # Text comes in pieces, which may end anywhere.
    monkeypatch.setattr("hayflick.corpus.encodings.CHUNK_BYTES", size)
    path = write(tmp_path / "a.jsonl", SHAPES[shape](ROWS))
    assert read(path) == ROWS
    assert counts(path) == {"x": 2, "y": 1}


@pytest.mark.parametrize("shape", SHAPES)
def test_one_record_is_one_in_every_shape(tmp_path, shape):
    if shape != "pages":
        assert read(write(tmp_path / "a.jsonl", SHAPES[shape](ROWS[:1]))) == ROWS[:1]


def test_lines_are_those_that_records_begin_in(tmp_path):
    path = write(tmp_path / "a.jsonl", '\n[\n{"a": 1}, {"a": 2},\n\n{\n"a": 3}\n]')
    assert list(json_lines(path)) == [(3, {"a": 1}), (3, {"a": 2}), (5, {"a": 3})]
    path = write(tmp_path / "b.jsonl", '{\n "a": 1\n}\n{\n "a": 2\n}')
    assert list(json_lines(path)) == [(1, {"a": 1}), (4, {"a": 2})]


def test_long_lists_are_read_piece_by_piece(tmp_path):
    rows = [{"label": "xy"[at % 2], "text": "word " * (at % 1000)} for at in range(2000)]
    path = write(tmp_path / "a.json", json.dumps(rows, indent=1))
    seen = itertools.islice(json_lines(path, progress=lambda *at: told.append(at)), 2)
    told: list[object] = []
    assert [record for _, record in seen] == rows[:2]
    assert len(told) < 2
    assert read(path) == rows


def test_an_empty_list_holds_nothing(tmp_path):
    for text in ("[]", "[ \n ]\n"):
        assert read(write(tmp_path / "a.jsonl", text)) == []
        with pytest.raises(DataError, match="holds no row"):
            counts(tmp_path / "a.jsonl")


def test_objects_with_other_lists_stay_whole(tmp_path):
    for record in (
        {"choices": [{"text": "x"}], "id": "1"},
        {"resourceSpans": [{"scopeSpans": []}]},
        {"data": {"rows": [{"a": 1}]}},
        {"data": [{"a": 1}, 2]},
        {"data": []},
    ):
        for text in (json.dumps(record), json.dumps(record, indent=2)):
            assert read(write(tmp_path / "a.jsonl", text)) == [record]
    # Of several lines each is a record.
    twice = [{"data": [{"a": 1}]}] * 2
    assert read(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, twice)))) == twice


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[{"a": 1},\n{"a": }]',
            r"line 2 is no JSON \(Expecting value\); fix it, .*jq -c '.\[\]' ",
        ),
        ('[{"a": 1}\n{"a": 2}]', r"line 2 is no JSON \(Expecting ',' delimiter\)"),
        ('[{"a": 1},\n{"a": 2', "line 2 is the end, within a list or an object"),
        ('[{"a": 1},\n{"a": 2}', "line 2 is the end, within a list or an object"),
        ('[{"a": 1}, {"a": "cut', "line 1 is the end, within a list or an object"),
        ('[{"a": 1}]\n[{"a": 2}]', "line 2 holds more behind the list"),
        ('{\n"a": 1,\n"b": 2\n', r"line 4 is the end, .*jq -c '\.' "),
        ('{\n"a": 1\n}\n{\n"b": oh\n}', r"line 5 is no JSON \(Expecting value\)"),
        ('[{"a": ' + "[" * 100_000, "line 1 is nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(tmp_path, text, told):
    path = write(tmp_path / "of mine.jsonl", text)
    with pytest.raises(DataError, match=told) as refusal:
        read(path)
    assert str(refusal.value).startswith(f"{path}: ")
    if "jq" in told:
        assert str(refusal.value).endswith(f"'{path}'")


def test_items_that_cannot_be_used_can_be_skipped(tmp_path):
    path = write(tmp_path / "a.jsonl", '[{"a": 1},\n"text",\n{"b": 1, "b": 2}, 12,\n{"a": 2}]')
    other = "holds something else than an object"
    assert list(json_lines(path)) == [
        (1, {"a": 1}),
        (2, other),
        (3, "names the column 'b' twice; remove one of the two"),
        (3, other),
        (4, {"a": 2}),
    ]


@pytest.mark.parametrize("size", [3, 1 << 18])
def test_damaged_lines_stay_lines(tmp_path, monkeypatch, size):
    monkeypatch.setattr("hayflick.corpus.encodings.CHUNK_BYTES", size)
    good = ['{"label": "x"}', '{"label": "y"}']
    for bad in ('{"label": ', '{"label": "x",', "{", '{"label": "cut', "oh", '{"a": 1}}'):
        found = read(write(tmp_path / "a.jsonl", "\n".join([bad, *good])))
        assert [isinstance(one, dict) for one in found] == [False, True, True], bad
        found = read(write(tmp_path / "a.jsonl", "\n".join([bad, good[0]])))
        assert [isinstance(one, dict) for one in found] == [False, True], bad


def test_a_record_longer_than_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hayflick.corpus.json_lines.LONGEST_LINE", 2000)
    monkeypatch.setattr("hayflick.corpus.encodings.CHUNK_BYTES", 100)
    rows = [{"label": "x" * 50}] * 200
    assert read(write(tmp_path / "a.jsonl", json.dumps(rows))) == rows
    path = write(tmp_path / "b.jsonl", json.dumps({"data": rows}, indent=2))
    told = r"line 1 begins a record of more than 2,000 characters; .* jq -c '.data\[\]' "
    with pytest.raises(DataError, match=told):
        read(path)


def test_half_letters_are_replaced(tmp_path):
    path = write(tmp_path / "a.jsonl", '[{"label": "a\\ud800"}]')
    assert read(path) == [{"label": "a?"}]


def test_counts_stay_counts(tmp_path):
    law = hf.Discrete.from_file(write(tmp_path / "a.json", '{"x": 2, "y": 1}'))
    assert law.symbols == ("x", "y")
