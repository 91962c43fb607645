"""Inputs of every kind that commands read, and ways to damage them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

WORDS = [f"word{number}" for number in range(40)]
RULES = """format_version = 1
mode = "act"
baseline = 6
corpus = "corpus.txt"
values = ["score"]
[[watch]]
name = "voice"
metric = ["score", "spread"]
chart = "cusum"
actions = ["real"]
[[watch]]
name = "words"
metric = "vocabulary_kept"
target = 0.5
cool_down = 2
actions = ["tell"]
[[action]]
name = "real"
kind = "inject"
items = 5
rounds = 2
[[action]]
name = "tell"
kind = "notify"
message = "look"
"""
EXPERIMENT = """format_version = 1
seed = 1
rounds = 2
answers = 3
query = "What is new"
retrieval = "uniform:0.5"
embedder = "hashing:dimensions=16"
[pool]
texts = {texts}
[budget]
tokens = 100000
[[agents]]
name = "one"
kind = "ngram"
texts = {texts}
[[agents]]
name = "two"
kind = "ngram"
texts = {texts}
"""
PANEL = """format_version = 1
prompts = ["How is it"]
answers = 2
file = "probed.jsonl"
[[agents]]
name = "anna"
kind = "ngram"
texts = ["It rains in May. The sea is calm."]
"""


def make_inputs(folder: Path) -> None:
    """Write one valid input of every kind; the run folder and the like come from commands."""
    draw = random.Random(5)
    sentences = [" ".join(draw.choices(WORDS, range(40, 0, -1), k=7)) + "." for _ in range(60)]
    records = [
        {
            "round": row // 6 + 1,
            "answer": sentences[row % 60],
            "model": draw.choice("ab"),
            "prompt": draw.choice(["p", "q"]),
            "score": draw.gauss(0.0, 1.0),
            "arm": ("control", "treated")[row // 6 % 2],
            "value": draw.random(),
            "label": draw.choice(WORDS[:9]),
            "number": draw.randrange(9),
        }
        for row in range(96)
    ]
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    header = ",".join(records[0])
    rows = "".join(",".join(map(str, record.values())) + "\n" for record in records)
    texts = json.dumps(sentences[:6])
    counts = {word: 60 // (place + 1) for place, word in enumerate(WORDS)}
    written = {
        "corpus.txt": "\n".join(sentences),
        "answers.jsonl": lines,
        "answers.csv": f"{header}\n{rows}",
        "answers.tsv": f"{header}\n{rows}".replace(",", "\t"),
        "counts.json": json.dumps(counts),
        "reserve.json": json.dumps({"word1": 2, "word5": 1}),
        "keep.txt": "word1\nword5\n",
        "keep.json": '["word1", "word2"]',
        "schedule.csv": "samples,fresh\n40,5\n40,0\n40,5\n40,0\n40,5\n",
        "rules.toml": RULES,
        "village.toml": EXPERIMENT.format(texts=texts),
        "panel.toml": PANEL,
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "answers.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "texts").mkdir()
    for place in range(4):
        (folder / "texts" / f"{place}.txt").write_text(sentences[place])


def make_odd_files(folder: Path) -> None:
    """Add what is no ordinary file: a circle of links, an empty folder, an empty file."""
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()
    (folder / "empty.csv").touch()


CELLS = (
    *("", "NaN", "null", "1e400", "-0.0", "9" * 5_000, "1" + "0" * 400, "=1+1", "2024-02-30"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "03/04/2024", "round 10", "１"),
    *("x" * 200_000, "\x00", "\x1b]0;x\x07", "\u2028", "\u202e", "\ufeff", "e\u0301", '"', "'"),
    *("{" * 2_000, "[" * 200_000, "true", '{"a": 1}', "[1, 2]", "\\ud800", "a\nb", "a\rb"),
)


def damage_text(draw: random.Random, text: str) -> str:
    """Return a text table with a cell, a line or the header changed."""
    lines = text.split("\n")
    place = draw.randrange(len(lines))
    line = lines[place]
    separator = draw.choice([",", "\t", ": ", " = "])
    cells = line.split(separator)
    kind = draw.randrange(9)
    if kind == 0:
        cells[draw.randrange(len(cells))] = draw.choice(CELLS)
        lines[place] = separator.join(cells)
    elif kind == 1:
        del lines[place]
    elif kind == 2:
        lines.insert(place, draw.choice(["", " ", line, ",,,", "{}", "[]", "null", "# x"]))
    elif kind == 3:
        lines[0] = lines[0].replace("answer", draw.choice(["round", "", " answer", "ANSWER"]))
    elif kind == 4:
        lines[place] = line[: draw.randrange(len(line) + 1)]
    elif kind == 5:
        return text.replace(
            draw.choice([",", ".", '"', "\n", "word", "1"]), draw.choice(CELLS[:12])
        )
    elif kind == 6:
        return text.replace("\n", draw.choice(["\r\n", "\r", "\n\n", "\u2028"]))
    elif kind == 7:
        return text.replace(",", draw.choice([";", "|", "\t", " , "]))
    else:
        key = draw.choice(["round", "answer", "score", "model", "metric", "rounds", "texts"])
        return text.replace(f'"{key}"', draw.choice(['"x"', '""', '"round"', f'"{key}": 1, "y"']))
    return "\n".join(lines)


TOML_VALUES = (
    *("0", "-1", "1000000", "18446744073709551615", "9" * 5_000, "1.5", "inf", "nan", '""', "[]"),
    *(
        "{}",
        "true",
        '"x"',
        '["a", 1]',
        "2024-01-01",
        "[" * 500,
        "{a = " * 150,
        '"\\u0000"',
        "1e400",
    ),
    *('"cusum"', '"fresh:0.1"', '"ring:1"', '"../../etc"', '"\\u2028"', '["*"]', "'''x'''", "0x_"),
)


def damage_toml(draw: random.Random, text: str) -> str:
    """Return TOML with a key or a value changed, or a line moved."""
    lines = text.splitlines()
    places = [place for place, line in enumerate(lines) if " = " in line]
    kind = draw.randrange(6)
    if kind <= 2 and places:
        place = draw.choice(places)
        key, _, value = lines[place].partition(" = ")
        if kind == 2:
            key = draw.choice([key + "x", f"{key}.{key}", '"' + key + '"', key.upper(), "a" * 900])
        else:
            value = draw.choice(TOML_VALUES)
        lines[place] = f"{key} = {value}"
    elif kind == 3:
        place = draw.randrange(len(lines))
        lines.insert(draw.randrange(len(lines)), lines.pop(place))
    elif kind == 4:
        lines += lines[draw.randrange(len(lines)) :] * draw.choice([1, 1, 40])
    else:
        return damage_text(draw, text)
    return "\n".join(lines)


def damage_bytes(draw: random.Random, data: bytes) -> bytes:
    """Return bytes that were cut, changed, compressed or encoded again."""
    kind = draw.randrange(8)
    if kind == 0:
        return data[: draw.randrange(len(data) + 1)]
    if kind == 1:
        return (
            draw.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\x1f\x8b", b"PK\x03\x04"]) + data
        )
    if kind == 2:
        codec = draw.choice(["utf-16", "utf-16-le", "utf-32", "cp932", "utf-8-sig"])
        return data.decode("utf-8", "replace").encode(codec, "replace")
    if kind == 3:
        return b""
    if kind == 4:
        return gzip.compress(data)
    changed = bytearray(data)
    for _ in range(draw.choice([1, 3, 30])):
        if changed:
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def damage(draw: random.Random, path: Path) -> None:
    """Damage a file, or one inside a folder, in a way that fits its kind."""
    if path.is_symlink() or path.is_fifo() or not path.exists():
        return
    if path.is_dir():
        inside = sorted(one for one in path.rglob("*") if one.is_file())
        if inside:
            one = draw.choice(inside)
            if draw.random() < 0.2:
                one.unlink()
            else:
                damage(draw, one)
        return
    if draw.random() < 0.04:
        path.unlink()
        path.mkdir()
        return
    data = path.read_bytes()
    textual: Callable[[random.Random, str], str] | None = None
    if path.suffix == ".toml":
        textual = damage_toml
    elif path.suffix in (".csv", ".tsv", ".jsonl", ".json", ".txt"):
        textual = damage_text
    if textual is None or not data or draw.random() < 0.25:
        path.write_bytes(damage_bytes(draw, data))
        return
    text = data.decode("utf-8", "replace")
    for _ in range(draw.choice([1, 1, 1, 2])):
        text = textual(draw, text) or "\n"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
