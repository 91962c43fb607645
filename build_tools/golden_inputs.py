"""The small inputs of the golden cases: texts, tables, answers, numbers and a trial."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping
from pathlib import Path

SENTENCES = (
    "The cat sat on the mat. A dog saw the cat run! Did it sing? Nobody in the harbour heard it. "
    "The old bridge was closed in May. Rain came over the hills, and the river rose again. "
)
JAPANESE = "雨が降る。古い橋は五月に閉じた。猫が橋の上で眠る。川の水は冷たい。雪が山に降る。"


def write_inputs(folder: Path, files: Mapping[str, str]) -> None:
    """Write the inputs of all cases, and those of one case, into its folder."""
    for name, content in {**generated_inputs(), **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def generated_inputs() -> dict[str, str | bytes]:
    """Return the inputs that every case finds, the same in every call."""
    rng = random.Random(7)
    words = [f"w{rank}" for rank in range(1, 120) for _ in range(1 + 100 // rank)]
    rng.shuffle(words)
    lines = [" ".join(words[start : start + 9]) for start in range(0, len(words), 9)]
    return {
        "corpus.txt": "\n".join(lines) + "\n",
        "story.txt": SENTENCES * 8,
        "folder/one.txt": SENTENCES * 2,
        "folder/two.txt": "A dog ran to the harbour. " * 6,
        "japanese.txt": JAPANESE * 6,
        "japanese-cp932.txt": (JAPANESE * 6).encode("cp932"),
        "latin.txt": "café crème".encode("latin-1"),
        "binary.txt": b"PK\x03\x04\x00\x00",
        "empty.txt": "",
        "counts.json": json.dumps({f"s{rank}": 60 // rank for rank in range(1, 31)}),
        "zero.json": '{"a": 3, "b": 0}',
        "table.csv": table(rng),
        "holes.csv": "x,label\n1.5,a\n,b\n2.5,\n3.5,a\n",
        "schedule.csv": "samples,fresh\n300,0\n250,25\n200,50\n300,100\n",
        "reserve.txt": "w1 w2 w3 w50 w60 w70\n",
        "keep.txt": "w5\nw40\nw100\n",
        "keep.json": '["w7", "w90"]',
        "weights.json": '{"red": 1.0, "green": 2.0, "blue": 0.5}',
        **answers(rng),
        **trial(rng),
    }


def table(rng: random.Random) -> str:
    """Return a table with labels, counts and two columns of numbers."""
    labels = ("red", "red", "red", "green", "green", "blue", "grey", "gold")
    rows = ["id,label,visits,weight,height"]
    for number in range(80):
        weight = rng.gauss(70, 12)
        height = 120 + 0.7 * weight + rng.gauss(0, 5)
        visits = min(9, int(rng.expovariate(0.4)))
        rows.append(f"{number},{rng.choice(labels)},{visits},{weight:.3f},{height:.3f}")
    return "\n".join(rows) + "\n"


def answers(rng: random.Random) -> dict[str, str]:
    """Return tables of answers: healthy ones, and ones that become the same."""
    words = [f"word{rank}" for rank in range(200)]
    rows = [
        {
            "round": number,
            "time": f"2026-03-{number:02d}T10:{place:02d}:00",
            "model": "ab"[place % 2],
            "prompt": f"Question {place % 3}?",
            "answer": " ".join(rng.choices(words, k=8)),
            "accuracy": round(0.7 + 0.01 * rng.gauss(0, 1), 6),
        }
        for number in range(1, 21)
        for place in range(40)
    ]
    same = "as an assistant I can say"
    collapsed = [{**row, "answer": same} if row["round"] > 16 else row for row in rows]
    as_csv = io.StringIO()
    writer = csv.DictWriter(as_csv, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(collapsed)
    return {
        "healthy.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "collapsed.jsonl": "".join(json.dumps(row) + "\n" for row in collapsed),
        "collapsed.csv": as_csv.getvalue(),
        **numbers_by_round(rng),
    }


def numbers_by_round(rng: random.Random) -> dict[str, str]:
    """Return readings that fall, and vectors that come together."""
    scores = [0.4 if number > 48 else round(0.7 + rng.gauss(0, 0.01), 4) for number in range(1, 51)]
    rows = ["round,score", *(f"{number},{score}" for number, score in enumerate(scores, 1))]
    vectors = [
        json.dumps({"round": number, "v": [round(rng.gauss(1, width), 4) for _ in range(4)]})
        for number in range(1, 17)
        for width in [1.0 if number < 13 else 0.05] * 40
    ]
    return {"values.csv": "\n".join(rows) + "\n", "vectors.jsonl": "\n".join(vectors) + "\n"}


def trial(rng: random.Random) -> dict[str, str]:
    """Return the readings before a trial, and the results of one."""
    before = [f"{place // 50},{rng.gauss(1, 0.2):.4f}" for place in range(600)]
    results = []
    for arm, mean in (("0", 0.5), ("0.05", 0.5), ("0.2", 0.62)):
        for number in range(1, 7):
            center = mean + rng.gauss(0, 0.03)
            rows = ({"value": round(center + rng.gauss(0, 0.24), 6)} for _ in range(100))
            results += [json.dumps({"arm": arm, "round": number, **row}) for row in rows]
    return {
        "before.csv": "\n".join(["week,score", *before]) + "\n",
        "results.jsonl": "\n".join(results) + "\n",
    }
