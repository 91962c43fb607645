import json
import os

import pytest

from hayflick.cli.main import main

FILES = {
    "verses.txt": b"rain rain rain\nsnow and hail and sleet\n\nrain and snow\nthunder\n" * 3,
    "labels.csv": b"id,label\n"
    + b"".join(b"%d,%s\n" % (i, b"xxyz"[i % 4 :][:1]) for i in range(9)),
    "counts.json": b'{"a": 3}',
    "empty.txt": b"",
    "blank.txt": b" \n\n",
    "binary.txt": b"PK\x03\x04\x00\x00",
    "keep.txt": b"Hail\nthunder\n",
    "foreign.txt": b"\n".join(b"word%d" % i for i in range(12)),
    "keep.json": b'["sleet"]',
    "taken.jsonl": b"old",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_real_lines_are_written_and_described(folder, capsys):
    assert main(["reserve", "verses.txt", "--size", "2"]) == 0
    out, err = capsys.readouterr()
    assert err == "wrote reserve-verses.jsonl\n"
    shown = " ".join(out.split())
    assert "Chosen from verses.txt: 2 items with 8 tokens." in shown
    assert "They hold 5 of 6 different symbols, 83.3% of the weight" in shown
    assert "Guarantee: no reserve within this budget covers more than" in shown
    assert "uniform, as many tokens: best" in shown
    header, *items = lines(folder / "reserve-verses.jsonl")
    assert header["hayflick_reserve"]["source"] == "verses.txt"
    assert items == [
        {"line": 1, "text": "rain rain rain"},
        {"line": 2, "text": "snow and hail and sleet"},
    ]


def test_a_forecast_takes_it_as_an_anchor(folder, capsys):
    main(["reserve", "verses.txt", "--size", "2", "--out", "reserve.jsonl"])
    capsys.readouterr()
    arguments = ["verses.txt", "--regime", "anchor:reserve.jsonl", "--format", "json"]
    assert main(["forecast", *arguments, "--replicates", "0"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert "anchor:file=reserve.jsonl" in json.dumps(record)
    main(["reserve", "labels.csv", "--column", "label", "--size", "3", "--out", "rows.jsonl"])
    arguments = ["labels.csv", "--column", "label", "--regime", "anchor:rows.jsonl"]
    assert main(["forecast", *arguments, "--replicates", "0", "--format", "json"]) == 0


def test_a_name_that_is_taken_gets_a_number(folder, capsys):
    for _ in range(2):
        main(["reserve", "verses.txt", "--tokens", "6"])
    assert capsys.readouterr().err == "wrote reserve-verses.jsonl\nwrote reserve-verses-2.jsonl\n"


def test_a_named_file_is_replaced_by_force_alone(folder, capsys):
    arguments = ["reserve", "verses.txt", "--size", "1", "--out", "taken.jsonl"]
    assert main(arguments) == 2
    assert "taken.jsonl: exists already" in capsys.readouterr().err
    assert (folder / "taken.jsonl").read_bytes() == b"old"
    assert main([*arguments, "--force"]) == 0
    assert len(lines(folder / "taken.jsonl")) == 2


def test_plain_text_goes_to_txt(folder):
    assert main(["reserve", "verses.txt", "--size", "1", "--out", "reserve.txt"]) == 0
    assert (folder / "reserve.txt").read_text() == "snow and hail and sleet\n"


@pytest.mark.parametrize("keep", ["keep.txt", "keep.json"])
def test_json_has_the_same_numbers(keep, folder, capsys):
    arguments = ["verses.txt", "--size", "3", "--must-keep", keep, "--format", "json"]
    assert main(["reserve", *arguments]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["format_version"] == 1
    listed = {"keep.txt": 2, "keep.json": 1}[keep]
    assert record["items"] == listed
    assert record["must_keep"] == {"listed": listed, "covered": listed, "missing": []}
    assert record["weight"]["share"] == record["guarantee"]["these_data"] == 1.0
    assert record["guarantee"]["any_data"] == pytest.approx(0.6133, abs=1e-4)
    assert record["uniform_samples"]["same_items"]["samples"] == 20
    assert record["uniform_samples"]["same_tokens"]["tokens"] >= record["tokens"]
    assert record["provenance"]["parameters"]["size"] == 3


def test_what_there_is_no_room_for_is_named(capsys):
    arguments = ["verses.txt", "--size", "1", "--must-keep", "keep.txt"]
    assert main(["reserve", *arguments]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Listed as must-keep: 2; in the reserve: 1." in shown
    assert "No room for: thunder. Raise the budget." in shown


def test_a_budget_that_is_not_needed_is_said_so(capsys):
    assert main(["reserve", "verses.txt", "--size", "9"]) == 0
    assert "the rest of the budget is not used" in " ".join(capsys.readouterr().out.split())


def test_japanese_is_spoken(capsys):
    assert main(["reserve", "verses.txt", "--size", "2", "--lang", "ja"]) == 0
    assert "取り置き" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verses.txt"], "size: got neither size nor tokens, takes one of them"),
        (["verses.txt", "--size", "1", "--tokens", "3"], "size: got both size and tokens"),
        (["verses.txt", "--size", "0"], "size: got 0, takes a whole number of at least 1"),
        (["verses.txt", "--tokens", "0"], "tokens: got 0"),
        (["verses.txt", "--size", "13"], "size: got 13, takes at most 12: verses.txt holds 12"),
        (["verses.txt", "--tokens", "99"], "tokens: got 99, takes at most 36"),
        (
            ["verses.txt", "--size", "1", "--must-keep", "foreign.txt"],
            "'word6', 'word7', 'word8', 'word9' and 2 more; take them off the list",
        ),
        (["verses.txt", "--size", "1", "--must-keep", "blank.txt"], "blank.txt: names nothing"),
        (["verses.txt", "--size", "1", "--must-keep", "none.txt"], "none.txt: no such file"),
        (["empty.txt", "--size", "1"], "empty.txt: the file is empty"),
        (["blank.txt", "--size", "1"], "blank.txt: holds no symbol"),
        (["binary.txt", "--size", "1"], "binary.txt: looks binary (byte 0x00 at offset 4)"),
        (["missing.txt", "--size", "1"], "missing.txt: no such file"),
        (["counts.json", "--size", "1"], "counts.json: holds counts, and no items to store"),
        (["labels.csv", "--size", "1"], "name a column with --column: 'id', 'label'"),
        (
            ["labels.csv", "--size", "1", "--column", "z"],
            "has no column 'z'; it has: 'id', 'label'",
        ),
        (["verses.txt", "--size", "1", "--column", "z"], "leave --column out"),
        (["verses.txt", "--size", "1", "--tokenizer", "word"], "did you mean words?"),
        (["verses.txt", "--size", "1", "--seed", "-1"], "seed: got -1"),
        (["verses.txt", "--size", "1", "--out", "a.csv"], "out: got a.csv, takes a name ending in"),
        (["verses.txt", "--size", "1", "--out", "verses.txt", "--force"], "is the input"),
        (
            [
                "verses.txt",
                "--size",
                "1",
                "--must-keep",
                "keep.txt",
                "--out",
                "keep.txt",
                "--force",
            ],
            "keep.txt: is the input",
        ),
        (["verses.txt", "--size", "1", "--out", "no/where.jsonl"], "the folder does not exist"),
        (
            ["labels.csv", "--size", "1", "--column", "label", "--out", "a.txt"],
            "out: got a.txt, takes a name ending in .jsonl, .ndjson",
        ),
        (["verses.txt", "--size", "1", "--weights", "zipf"], "Invalid value for '--weights'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(arguments, message, folder, capsys):
    assert main(["reserve", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ")
    assert message in err
    assert sorted(os.listdir(folder)) == sorted(FILES)
