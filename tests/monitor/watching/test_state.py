"""`watch` with a state: the same result as reading everything again, from any number of calls."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.diversity.observing import Observer

WORDS = [f"word{number}" for number in range(60)]
RULES = """format_version = 1
mode = "observe"
baseline = 6
[[watch]]
name = "spread"
metric = "spread"
chart = "guaranteed"
"""


def rows(rounds: int = 14, answers: int = 24, *, collapse: int = 99) -> list[dict[str, object]]:
    rng = random.Random(3)
    found: list[dict[str, object]] = []
    for number in range(1, rounds + 1):
        for place in range(answers):
            words = WORDS if number < collapse else WORDS[:2]
            found.append(
                {
                    "round": number,
                    "day": f"2026-11-{number:02d}T{place % 24:02d}:00",
                    "model": "ab"[place % 2],
                    "prompt": f"q{place // 2 % 4}",
                    "answer": " ".join(rng.choices(words, k=6)) if place % 23 else "",
                    "score": None if place == 5 else rng.random(),
                    "vector": [round(rng.gauss(0, 1), 3) for _ in range(4)],
                }
            )
    return found


def write(path: Path, found: list[dict[str, object]]) -> Path:
    if path.suffix == ".csv":
        pl.DataFrame(found).drop("vector").write_csv(path)
    elif path.suffix == ".parquet":
        pl.DataFrame(found).write_parquet(path)
    else:
        path.write_text("".join(json.dumps(one) + "\n" for one in found), encoding="utf-8")
    return path


def plain(result: hf.WatchResult) -> dict[str, object]:
    """Return what must be the same with a state and without one."""
    record = result.to_dict()
    record["inputs"] = [one for one in record["inputs"] if one["role"] != "state"]
    return {name: value for name, value in record.items() if name != "alarms"}


CALLS = {
    "plain": {"by": "round", "text": "answer"},
    "groups": {"by": "round", "text": "answer", "group": "model"},
    "prompts": {"by": "round", "text": "answer", "prompt": "prompt", "group": "model"},
    "values": {"by": "round", "text": "answer", "values": ["score"]},
    "values alone": {"by": "round", "values": ["score"]},
    "vectors": {"by": "round", "vectors": "vector", "group": "model"},
    "must keep": {"by": "round", "text": "answer", "must_keep": ["word1", "word2"]},
    "slow": {"by": "round", "text": "answer", "metrics": ["drift", "near_duplicate_rate"]},
    "times": {"by": "day", "text": "answer", "every": "1d", "time_zone": "Europe/Berlin"},
    "from": {"by": "round", "text": "answer", "start": "3"},
    "charts": {"by": "round", "text": "answer", "charts": ["guaranteed", "distinct_2=rank"]},
}


INPUTS = [
    *((name, ".jsonl") for name in CALLS),
    *(("values", ".csv"), ("vectors", ".parquet"), ("times", ".parquet")),
]


@pytest.mark.parametrize(("name", "suffix"), INPUTS)
def test_a_state_gives_the_result_of_reading_everything_again(
    tmp_path: Path, name: str, suffix: str
) -> None:
    how = {"baseline": 6, **CALLS[name]}
    found = rows(12, collapse=11)
    path, state = tmp_path / f"answers{suffix}", tmp_path / "watch.state"
    # In the middle of a round, nothing new, at a round's end, and several rounds at once.
    for cut, calls in ((24 * 8 + 7, 2), (24 * 10, 1), (len(found), 1)):
        write(path, found[:cut])
        whole = plain(hf.watch(path, **how))
        for _ in range(calls):
            assert plain(hf.watch(path, state=state, **how)) == whole


def test_rules_decide_on_what_the_state_knows(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    found, path = rows(collapse=11), tmp_path / "answers.jsonl"
    for cut in (24 * 9, 24 * 12, len(found)):
        write(path, found[:cut])
        how = {"by": "round", "text": "answer", "rules": rules}
        result = hf.watch(path, state=tmp_path / "watch.state", **how)
        assert plain(result) == plain(hf.watch(path, **how))


HOW = {"by": "round", "text": "answer", "baseline": 6, "charts": ["distinct_2=rank"]}


@pytest.fixture(scope="module")
def first_call(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("begun")
    path, state = write(folder / "answers.jsonl", rows(10)), folder / "watch.state"
    hf.watch(path, state=state, **HOW)
    return path, state


@pytest.fixture
def begun(tmp_path: Path, first_call: tuple[Path, Path]) -> tuple[Path, Path]:
    """A stream of ten rounds, and the state after a call."""
    path, state = (Path(shutil.copy(one, tmp_path)) for one in first_call)
    return path, state


def test_only_what_is_behind_is_read(
    begun: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, state = begun
    write(path, rows(12))
    read: list[int] = []
    observe = Observer.read

    def counted(self: Observer, answers: Any, **more: Any) -> Any:
        read.append(answers.round)
        return observe(self, answers, **more)

    monkeypatch.setattr(Observer, "read", counted)
    result = hf.watch(path, state=state, **HOW)
    # The last one that was known may have grown.
    assert read == [10, 11, 12]
    assert [one.role for one in result.sources] == ["data", "state"]
    assert result.sources[1].name == "watch.state"


def test_files_that_hold_new_rounds_alone_are_put_behind(tmp_path: Path) -> None:
    found, state = rows(13), tmp_path / "watch.state"
    for number, (low, high) in enumerate(((0, 9 * 24 + 5), (9 * 24 + 5, 11 * 24), (11 * 24, None))):
        part = write(tmp_path / f"answers-{number}.jsonl", found[low:high])
        result = hf.watch(part, state=state, **HOW)
    whole = plain(hf.watch(write(tmp_path / "all.jsonl", found), **HOW))
    kept = {"inputs": 0, "input": 0, "provenance": 0}
    assert {**plain(result), **kept} == {**whole, **kept}


def test_an_empty_file_after_a_rotation_adds_nothing(begun: tuple[Path, Path]) -> None:
    path, state = begun
    before = plain(hf.watch(path, state=state, **HOW))
    path.write_text("")
    after = plain(hf.watch(path, state=state, **HOW))
    assert {**after, "inputs": 0} == {**before, "inputs": 0}
    write(path, [one for one in rows(12) if int(str(one["round"])) > 10])
    assert len(hf.watch(path, state=state, **HOW).rounds) == 12


def test_bad_rows_are_counted_through_all_calls(tmp_path: Path) -> None:
    path, state = write(tmp_path / "answers.jsonl", rows(10)), tmp_path / "watch.state"
    for _ in range(3):
        with path.open("a") as file:
            file.write("nonsense\n" + json.dumps(rows(11)[-1]) + "\n")
        result = hf.watch(path, state=state, skip_bad=True, **HOW)
        assert plain(result) == plain(hf.watch(path, skip_bad=True, **HOW))
    assert result.bad.total == 3


def test_a_last_line_that_was_cut_off_is_read_when_it_is_whole(tmp_path: Path) -> None:
    found, path, state = rows(11), tmp_path / "answers.jsonl", tmp_path / "watch.state"
    whole = write(path, found).read_text()
    path.write_text(whole[:-40])
    hf.watch(path, state=state, skip_bad=True, **HOW)
    path.write_text(whole)
    result = hf.watch(path, state=state, skip_bad=True, **HOW)
    assert plain(result) == plain(hf.watch(path, **HOW))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"baseline": 5}, "--baseline: .* with 6, and this call has 5"),
        ({"seed": 2}, "--seed: .* with 1, and this call has 2"),
        ({"tokenizer": "words"}, "--tokenizer: .* with auto"),
        ({"normalize": "casefold"}, "--normalize: .* with nfc"),
        ({"group": "model"}, "--group: .* without it, and this call has model"),
        ({"must_keep": ["word1"]}, "--must-keep: .* without it"),
        ({"metrics": ["drift"]}, "--metric"),
        ({"embedder": "hashing:dimensions=64"}, "--embedder"),
    ],
)
def test_other_settings_are_refused_by_name(
    begun: tuple[Path, Path], setting: dict[str, Any], message: str
) -> None:
    path, state = begun
    with pytest.raises(DataError, match=message):
        hf.watch(path, state=state, **{**HOW, **setting})


def test_charts_and_false_alarms_may_change(begun: tuple[Path, Path]) -> None:
    path, state = begun
    how = {**HOW, "charts": None, "false_alarms": 0.01}
    assert plain(hf.watch(path, state=state, **how)) == plain(hf.watch(path, **how))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: [*found, {**found[0], "round": 3}], "line 241 .* rounds '3', behind rows"),
        (lambda found: [{**found[0], "answer": "else"}, *found[1:]], "answers of round '1' are"),
        (lambda found: [*found, {**found[0], "round": 2.5}], "'2.5' would come before '10'"),
        (lambda found: found[:-2], "answers of round '10' are"),
    ],
)
def test_a_known_part_that_has_changed_is_refused(
    begun: tuple[Path, Path], change: Any, message: str
) -> None:
    path, state = begun
    write(path, change(rows(10)))
    with pytest.raises(DataError, match=message):
        hf.watch(path, state=state, **HOW)
    write(path, rows(10))
    assert len(hf.watch(path, state=state, **HOW).rounds) == 10


def test_bad_state_files_are_refused(begun: tuple[Path, Path], tmp_path: Path) -> None:
    path, state = begun
    with pytest.raises(OutputError, match="is the input"):
        hf.watch(path, state=path, **HOW)
    with pytest.raises(OutputError, match="folder does not exist"):
        hf.watch(path, state=tmp_path / "none" / "watch.state", **HOW)
    with pytest.raises(ArgumentError, match="a reference with state"):
        hf.watch(path, state=state, baseline_from=write(tmp_path / "a.csv", rows(3)), **HOW)
    (tmp_path / "text.state").write_text("this is no state, but a text of some length\n" * 50)
    with pytest.raises(DataError, match=r"text\.state: is no database"):
        hf.watch(path, state=tmp_path / "text.state", **HOW)
    with closing(sqlite3.connect(state)) as database, database:
        database.execute("UPDATE watch_rounds SET content = x'0102' WHERE number = 3")
    with pytest.raises(DataError, match="the state of the stream is damaged"):
        hf.watch(path, state=state, **HOW)


def test_a_failed_call_leaves_the_state_as_it_was(begun: tuple[Path, Path]) -> None:
    path, state = begun
    write(path, rows(12))
    with pytest.raises(DataError):
        hf.watch(path, state=state, **{**HOW, "charts": ["near_duplicate_rate=rank"]})
    assert plain(hf.watch(path, state=state, **HOW)) == plain(hf.watch(path, **HOW))


_CALL = """
import sys, time
import hayflick as hf
from hayflick.monitor import watch
judged = watch._judged
def slowly(*given):
    found = judged(*given)
    print("measured", flush=True)
    time.sleep(float(sys.argv[3]))
    return found
watch._judged = slowly
hf.watch(sys.argv[1], state=sys.argv[2], by="round", text="answer", baseline=6,
         charts=["distinct_2=rank"])
"""


def test_a_call_that_is_killed_leaves_the_state_and_others_wait(begun: tuple[Path, Path]) -> None:
    path, state = begun
    write(path, rows(12))
    command = [sys.executable, "-c", _CALL, str(path), str(state)]
    with subprocess.Popen([*command, "60"], stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        killed.kill()
    # This one holds the state for half a second, in which the call below waits for it.
    with subprocess.Popen([*command, "0.5"], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        result = hf.watch(path, state=state, **HOW)
    assert other.returncode == 0
    assert result.known_alarms is not None
    assert result.known_alarms.rounds == 12
    assert plain(result) == plain(hf.watch(path, **HOW))


def test_alarms_are_new_then_stand_then_are_over(tmp_path: Path, capsys: Any) -> None:
    path, state = tmp_path / "answers.jsonl", tmp_path / "watch.state"
    chart = "distinct_2=shewhart:run_length=100"
    options = ["--by", "round", "--text", "answer", "--baseline", "20", "--chart", chart]
    options += ["--state", str(state), "--exit-on", "new", "--format", "json"]
    healthy = rows(24)
    bad = [{**one, "round": 25, "answer": "word1 word2 word1 word2"} for one in healthy[:24]]
    good = [{**one, "round": 27} for one in healthy[-24:]]
    seen = []
    for found in (
        healthy,
        [*healthy, *bad],
        [*healthy, *bad, *({**one, "round": 26} for one in bad)],
        [*healthy, *bad, *({**one, "round": 26} for one in bad), *good],
    ):
        write(path, found)
        code = main(["watch", str(path), *options])
        alarms = json.loads(capsys.readouterr().out)["alarms"]
        seen.append((code, {name: len(charts) for name, charts in alarms.items() if charts}))
    assert seen == [(0, {}), (1, {"new": 1}), (0, {"standing": 1}), (0, {"cleared": 1})]
    assert main(["watch", str(path), *options[:-4]]) == 1
    assert "no new alarm" in capsys.readouterr().out
