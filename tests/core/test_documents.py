"""TOML and JSON that is read whole: what fits is read, all else is refused by file and line."""

import os

import pytest

from hayflick.cli.main import main
from hayflick.core.documents import parse_json, read_json
from hayflick.core.errors import DataError
from hayflick.core.toml import parse_toml, read_toml

RULES = """format_version = 1
mode = "observe"
[[watch]]
name = "words"
metric = "vocabulary_kept"
below = 0.8
"""

TOO_DEEP = {
    "lists": "x = " + "[" * 20_000,
    "closed lists": "x = " + "[" * 101 + "]" * 101,
    "tables": "x = " + "{a = " * 200 + "1" + "}" * 200,
    "a dotted key": "x = 1\n" + ".".join("a" * 5_000) + " = 1",
    "a table's name": "[" + ".".join(["a"] * 500) + "]",
    "quoted parts": " . ".join(['"a.b"'] * 500) + " = 1",
}
MALFORMED = {
    "an endless string": 'x = """' + '\\"""' * 200_000,
    "quotes": '"' * 999_999,
    "one long word": "a" * 999_999,
    "backslashes": "\\" * 999_999,
    "no date": "x = 2024-02-30",
    "no time": "x = 2024-02-03T25:61:00Z",
}
TOO_LARGE = {
    "5,000 digits": "\nx = " + "9" * 5_000,
    "underscores": "\nx = " + "9_9" * 3_000,
    "10^400": "x = 1" + "0" * 400,
    "65 bits": "x = " + str(2**65),
    "hexadecimal": "x = 0x" + "f" * 20_000,
}


@pytest.mark.parametrize("text", TOO_DEEP.values(), ids=TOO_DEEP)
def test_deep_toml_is_refused_before_it_is_parsed(text):
    with pytest.raises(DataError, match=r"mine\.toml: line \d is nested deeper than 100"):
        parse_toml(text, name="mine.toml")


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_toml_is_refused_in_linear_time(text):
    with pytest.raises(DataError, match=r"mine\.toml: is no TOML: "):
        parse_toml(text, name="mine.toml")


@pytest.mark.parametrize("text", TOO_LARGE.values(), ids=TOO_LARGE)
def test_numbers_that_do_not_fit_are_refused(text):
    with pytest.raises(DataError, match=r"mine\.toml: .*(digits|bits)"):
        parse_toml(text, name="mine.toml")


def test_brackets_in_strings_and_comments_are_no_levels():
    brackets = "[" * 500
    strings = f"a = '{brackets}' # {brackets}\nb = \"\\\"{brackets}\"\nc = '''\n{brackets}'''\n"
    assert parse_toml(strings + "d = [[1], [2]]", name="mine.toml")["d"] == [[1], [2]]
    assert parse_json(f'{{"a\\"{brackets}": [1]}}', name="mine.json") == {f'a"{brackets}': [1]}


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 50_000, "[" * 101 + "]" * 101])
def test_deep_json_is_refused_before_it_is_parsed(text):
    with pytest.raises(DataError, match=r"mine\.json: line 1 is nested deeper than 100"):
        parse_json(text, name="mine.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1,\n" + "9" * 5_000 + "]", "line 2 holds a whole number of thousands of digits"),
        ('{"items": 1' + "0" * 400 + "}", "items: got a whole number of 1329 bits"),
        ('{"a": -Infinity}', "holds -Infinity"),
        ('{"a": 1\n"b": 2}', "line 2, column 1"),
        ("", "is no JSON"),
    ],
)
def test_unusable_json_is_refused_by_line_or_key(text, words):
    with pytest.raises(DataError, match=words):
        parse_json(text, name="mine.json")


@pytest.mark.parametrize("read", [read_toml, read_json])
def test_what_cannot_be_opened_is_named(read, tmp_path):
    def refused(path, words):
        with pytest.raises(DataError, match=words) as error:
            read(path, what="a plan")
        assert "takes a plan" in str(error.value) or "NUL" in str(error.value)

    refused(tmp_path / "absent", "no such file")
    refused(tmp_path, "is a folder")
    refused(f"{tmp_path}/{'x' * 300}", "file name too long")
    refused(f"{tmp_path}/a\0b", "NUL")
    large = tmp_path / "large"
    large.write_bytes(b" " * 1_000_001)
    refused(large, "larger than 1,000,000 bytes")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "no ordinary file")
    latin = tmp_path / "latin"
    latin.write_bytes(b'# fine\nname = "caf\xe9"\n')
    with pytest.raises(DataError, match="line 2 is not UTF-8"):
        read(latin, what="a plan")


def test_a_byte_order_mark_is_skipped(tmp_path, capsys):
    path = tmp_path / "rules.toml"
    path.write_text(RULES, encoding="utf-8-sig")
    assert main(["rules", "check", str(path)]) == 0
    assert "words" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["rules", "check"], ["network", "run"], ["probe"]])
def test_every_command_refuses_deep_toml(command, tmp_path, capsys):
    path = tmp_path / "deep.toml"
    path.write_text(TOO_DEEP["lists"])
    assert main([*command, str(path)]) == 2
    assert "nested deeper than 100 levels" in capsys.readouterr().err


def test_the_shared_cases(cases, capsys):
    for command in (["rules", "check"], ["network", "estimate"], ["probe"]):
        assert main([*command, str(cases / "attack" / "deep.toml")]) == 2
        assert "nested deeper than 100 levels" in capsys.readouterr().err
    # The mark is no fault of the file; that it watches nothing is.
    assert main(["rules", "check", str(cases / "rules_bom.toml")]) == 2
    assert "lacks the key mode" in capsys.readouterr().err


def test_a_url_in_place_of_a_file_is_told(capsys):
    for command in ("sweep", "network run"):
        assert main([*command.split(), "s3://bucket/study.toml"]) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: s3://bucket/study.toml: lies in an object store, takes a")
