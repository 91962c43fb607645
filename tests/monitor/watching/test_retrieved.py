"""`watch --retrieved`: a log with what was retrieved, by command and by function."""

from __future__ import annotations

import json
import random

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError

WORDS = [f"word{number}" for number in range(60)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a log in which every fourth answer is stored, and generated texts are liked."""
    draw = random.Random(5)

    def words(number):
        return " ".join(draw.choices(WORDS, k=number))

    store = [{"id": f"r{number}", "text": words(25), "generated": False} for number in range(30)]
    rows = []
    for number in range(240):
        weights = [4.0 if one["generated"] else 1.0 for one in store]
        docs = {one["id"]: one for one in draw.choices(store, weights, k=3)}
        copied = draw.choice(list(docs.values()))["text"].split()[:9]
        answer = f"{words(5)} {' '.join(copied)} {words(3)}"
        who = "xyz"[number % 3]
        rows.append(
            {"round": number // 20 + 1, "answer": answer, "who": who, "docs": [*docs.values()]}
        )
        if number % 4 == 0:
            store.append({"id": f"g{number}", "text": answer, "generated": True})
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_the_command_says_what_the_function_returns(path, tmp_path, capsys) -> None:
    page = tmp_path / "page.html"
    options = ["--by", "round", "--text", "answer", "--group", "who", "--retrieved", "docs"]
    assert main(["watch", str(path), *options, "--format", "json", "--out", str(page)]) in (0, 1)
    told = json.loads(capsys.readouterr().out)["contamination"]
    watched = hf.watch(path, by="round", text="answer", group="who", retrieved="docs")
    found = watched.contamination
    assert told["shares"]["retrieved"]["value"] == found.retrieved.value
    assert told["shares"]["pool"] is None
    assert told["amplification"]["retrieval"] is None
    assert told["echo"]["links"][0]["copies"] == found.echo.links[0].copies
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    flags = [doc["generated"] for row in rows for doc in row["docs"]]
    assert found.retrieved.value == pytest.approx(sum(flags) / len(flags))
    # Every answer copies nine words of one text, whatever it is.
    assert found.copied_rate == pytest.approx(len(rows) / len(flags), abs=0.05)
    assert found.by_chance < 0.05
    assert found.copying.low < 1.0 < found.copying.high
    shown = page.read_text()
    assert "Generated texts in retrieval" in shown
    assert "Generated texts in what is retrieved and in what answers copy" in shown


def test_flags_are_not_needed_where_answers_come_back(path) -> None:
    said = hf.watch(path, by="round", text="answer", group="who", retrieved="docs[*].text")
    known = hf.watch(path, by="round", text="answer", group="who", retrieved="docs")
    assert said.contamination.retrieved.value == known.contamination.retrieved.value
    assert "no retrieved text says" in str(said.contamination.notes[0])


def test_the_verdict_is_that_without_the_column(path) -> None:
    plain = hf.watch(path, by="round", text="answer", group="who")
    followed = hf.watch(path, by="round", text="answer", group="who", retrieved="docs")
    assert plain.contamination is None
    assert plain.to_dict()["contamination"] is None
    assert plain.to_dict()["charts"] == followed.to_dict()["charts"]
    reference = hf.watch(
        path, by="round", text="answer", retrieved="docs", baseline_from=other(path)
    )
    assert reference.contamination.answers == followed.contamination.answers


def other(path):
    """Return a reference without the column of documents."""
    copy = path.with_name("reference.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    copy.write_text("\n".join(json.dumps({**row, "docs": None}) for row in rows))
    return copy


@pytest.mark.parametrize(
    ("given", "message"), [({"state": "a.state"}, "a state"), ({"capacity": 100}, "a capacity")]
)
def test_what_keeps_a_part_of_the_answers_is_refused(path, tmp_path, given, message) -> None:
    if "state" in given:
        given = {"state": tmp_path / "a.state"}
    with pytest.raises(ArgumentError, match=message):
        hf.watch(path, by="round", text="answer", retrieved="docs", **given)


def test_answers_without_text_cannot_copy(path, capsys) -> None:
    wrong = ["watch", str(path), "--by", "round", "--value", "round", "--retrieved", "docs"]
    assert main(wrong) == 2
    assert "no column of texts" in capsys.readouterr().err


@pytest.fixture(scope="module")
def store():
    """Return documents of a store, a third of them generated."""
    draw = random.Random(4)
    return [
        {
            "id": f"d{number}",
            "text": " ".join(draw.choices(WORDS, k=20)),
            "generated": not number % 3,
        }
        for number in range(120)
    ]


def retrieved_from(store, *, weight, answers=300):
    """Return a log in which generated documents are retrieved with a weight, by their names."""
    draw = random.Random(5)
    rows = []
    for number in range(answers):
        keys = {
            one["id"]: draw.random() ** (1.0 / (weight if one["generated"] else 1.0))
            for one in store
        }
        docs = [{"id": name} for name in sorted(keys, key=keys.get)[-4:]]
        answer = " ".join(draw.choices(WORDS, k=10))
        rows.append({"round": number // 20 + 1, "answer": answer, "docs": docs})
    return rows


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_with_the_store_a_preference_of_retrieval_is_recovered(store, weight) -> None:
    rows = retrieved_from(store, weight=weight)
    watched = hf.watch(rows, by="round", text="answer", retrieved="docs", pool=store)
    found = watched.contamination
    assert found.pool == pytest.approx(1 / 3)
    assert found.retrieval.low < weight < found.retrieval.high
    assert found.retrieval.is_clear == (weight == 3.0)


def test_a_store_in_a_file_is_read_as_one_in_memory(store, tmp_path, capsys) -> None:
    rows = retrieved_from(store, weight=2.0, answers=120)
    log, pool = tmp_path / "log.jsonl", tmp_path / "pool.csv"
    log.write_text("\n".join(map(json.dumps, rows)))
    pl.DataFrame(store).write_csv(pool)
    options = ["--by", "round", "--text", "answer", "--retrieved", "docs", "--baseline", "3"]
    assert main(["watch", str(log), *options, "--pool", str(pool), "--format", "json"]) in (0, 1)
    told = json.loads(capsys.readouterr().out)["contamination"]["amplification"]["retrieval"]
    watched = hf.watch(
        rows, by="round", text="answer", retrieved="docs", pool=store[:-1], baseline=3
    )
    # Without one document of the store, the answers that had it are left out.
    found = watched.contamination
    assert found.retrieval.choices < told["choices"] == 120
    assert "answers had documents that are not in the pool" in str(found.notes[1])


def test_answers_that_come_back_are_in_the_pool_from_then_on(path) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    documents = {one["id"]: one for row in rows for one in row["docs"]}
    pool = [{**one, "generated": None} for one in documents.values()]
    bare = [{**row, "docs": [{**one, "generated": None} for one in row["docs"]]} for row in rows]
    watched = hf.watch(bare, by="round", text="answer", retrieved="docs", pool=pool)
    found = watched.contamination
    shares = [one.pool for one in found.rounds]
    assert shares[0] < 0.3 < shares[-1]
    assert sorted(shares) == shares
    # Generated texts were liked four times as much.
    assert found.retrieval.low < 4.0 < found.retrieval.high


def test_a_pool_takes_what_was_retrieved_from_it(path, capsys) -> None:
    assert main(["watch", str(path), "--by", "round", "--text", "answer", "--pool", "x.csv"]) == 2
    assert "none without retrieved" in capsys.readouterr().err
    with pytest.raises(DataError, match="line 1 holds an object with the keys 'a'"):
        hf.watch(path, by="round", text="answer", retrieved="docs", pool=[{"a": 1}])
