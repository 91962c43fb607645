"""The loop over a user's own trainer: what each round is trained on, and what is recorded."""

import json
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.calibration.calibration_file import resampler_of
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError

WORDS = [f"word{number}" for number in range(60)]
WEIGHTS = [1 / (number + 1) for number in range(60)]
DRAW = random.Random(3)
REAL = "\n".join(" ".join(DRAW.choices(WORDS, WEIGHTS, k=10)) for _ in range(100)) + "\n"

TRAIN = """
import sys
data, model = sys.argv[1:3]
open(model, "w", encoding="utf-8").write(open(data, encoding="utf-8").read())
"""
SAMPLE = """
import random, sys
model, n, out, seed = sys.argv[1:5]
words = open(model, encoding="utf-8").read().split()
drawn = random.Random(int(seed)).choices(words, k=int(n))
lines = (" ".join(drawn[at : at + 10]) for at in range(0, len(drawn), 10))
open(out, "w", encoding="utf-8").write("\\n".join(lines))
"""


def unigrams(data_path, n, out_path, seed, *, more=0):
    words = Path(data_path).read_text(encoding="utf-8").split()
    drawn = random.Random(seed).choices(words, k=n + more)
    lines = (" ".join(drawn[at : at + 10]) for at in range(0, len(drawn), 10))
    Path(out_path).write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with blanks in its name, real data and a trainer of two commands."""
    place = tmp_path / "my trainer"
    place.mkdir()
    (place / "real.txt").write_text(REAL, encoding="utf-8")
    (place / "train.py").write_text(TRAIN)
    (place / "sample.py").write_text(SAMPLE)
    monkeypatch.chdir(tmp_path)
    return place


def commands(*, python=sys.executable):
    return {
        "train": f"'{python}' train.py {{data}} {{model}}",
        "generate": f"'{python}' sample.py {{model}} {{n}} {{out}} {{seed}}",
    }


def write_settings(folder, **values):
    settings = {"data": "real.txt", "rounds": 2, "calibrate": False, **commands(), **values}
    lines = (f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    path = folder / "trainer.toml"
    path.write_text("format_version = 1\n" + "".join(lines))
    return path


def in_python(folder, trainer=unigrams, *, out="run", **values):
    settings = {"data": str(folder / "real.txt"), "rounds": 2, "calibrate": False, **values}
    return hf.loop(settings, trainer=trainer, out=folder / out)


def counted(folder, number, run="trainer-run"):
    return json.loads((folder / run / f"round{number}.json").read_text(encoding="utf-8"))


def test_the_command_line_runs_all_rounds(folder, capsys):
    write_settings(folder)
    assert main(["loop", "my trainer/trainer.toml", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["finished"]
    assert [one["items"] for one in shown["rounds"]] == [1000, 1000, 1000]
    assert shown["rounds"][0]["share"] == 1.0
    assert set(shown["rounds"][1]["seconds"]) == {"train", "generate"}
    first, second = counted(folder, 0), counted(folder, 1)
    assert first == Counter(REAL.split())
    assert sum(second.values()) == 1000
    kept = len(set(second) & set(first)) / len(first)
    assert shown["rounds"][1]["share"] == pytest.approx(kept)


def test_a_step_does_one_round_and_the_loop_the_others(folder, capsys):
    path = write_settings(folder, rounds=3)
    assert main(["loop", "step", str(path), "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rounds"]) == 2
    assert main(["loop", str(path)]) == 0
    assert "3 of 3 rounds are done" in capsys.readouterr().out
    whole = hf.loop(path, out=folder / "other")
    for number in range(4):
        assert counted(folder, number) == counted(folder, number, "other")
    assert main(["loop", "step", str(path), "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["rounds"] == json.loads(json.dumps(hf.step_loop(path).to_dict()))["rounds"]
    assert [one.kept for one in whole.rounds] == [one["share"] for one in again["rounds"]]


def test_more_rounds_are_added_to_a_run_that_is_done(folder):
    path = write_settings(folder, rounds=1)
    assert hf.loop(path).finished
    run = hf.loop(write_settings(folder, rounds=2))
    assert len(run.rounds) == 3
    assert run.finished


def test_each_round_is_trained_on_the_one_before(folder):
    seen = []

    def trainer(data_path, n, out_path, seed):
        seen.append(Path(data_path).read_text(encoding="utf-8"))
        unigrams(data_path, n, out_path, seed)

    run = in_python(folder, trainer, rounds=3)
    assert seen[0] == REAL
    assert [len(text.split()) for text in seen] == [1000, 1000, 1000]
    assert Counter(seen[2].split()) == counted(folder, 2, "run")
    assert run.record.transitions == 3
    assert run.record.sizes.tolist() == [1000] * 4
    assert run.record.kept.tolist() == [one.kept for one in run.rounds]


def test_more_than_wanted_is_cut_and_said(folder):
    said = []

    def trainer(data_path, n, out_path, seed):
        unigrams(data_path, n, out_path, seed, more=13)

    settings = {"data": str(folder / "real.txt"), "rounds": 1, "calibrate": False, "samples": 333}
    run = hf.loop(settings, trainer=trainer, out=folder / "run", say=said.append)
    assert run.rounds[1].items == 333
    assert run.rounds[1].cut == 13
    assert "note: 13 tokens more than wanted were written, and cut" in said


@pytest.mark.parametrize(
    ("text", "wanted", "tokenizer", "counts"),
    [
        ("one two three", 2, "words", {"one": 1, "two": 1}),
        ("one two,three", 2, "words", {"one": 1, "two": 1}),
        ("one\n\n\ntwo three\n", 2, "words", {"one": 1, "two": 1}),
        ("abcd efg", 3, "characters:2", {"ab": 1, "bc": 1, "cd": 1}),
        ("a b\nc d\ne f", 2, "lines", {"a b": 1, "c d": 1}),
        ("café naïve thé", 2, "words", {"café": 1, "naïve": 1}),
        ("one\r\ntwo\r\nthree\r\n", 2, "whitespace", {"one": 1, "two": 1}),
    ],
)
def test_a_text_is_cut_between_tokens(folder, text, wanted, tokenizer, counts):
    def trainer(data_path, n, out_path, seed):
        Path(out_path).write_text(text, encoding="utf-8", newline="")

    in_python(folder, trainer, rounds=1, samples=wanted, tokenizer=tokenizer)
    assert counted(folder, 1, "run") == counts


@pytest.mark.parametrize("wanted", [1, 4999, 12_345])
def test_a_text_of_one_long_line_is_cut(folder, wanted):
    def trainer(data_path, n, out_path, seed):
        Path(out_path).write_text(" ".join(f"w{number}" for number in range(20_000)))

    in_python(folder, trainer, rounds=1, samples=wanted)
    assert counted(folder, 1, "run") == {f"w{number}": 1 for number in range(wanted)}


def test_fresh_items_are_real_ones(folder):
    def trainer(data_path, n, out_path, seed):
        Path(out_path).write_text("generated " * n, encoding="utf-8")

    run = in_python(folder, trainer, regime="fresh:0.25")
    found = Counter(counted(folder, 2, "run"))
    assert found.pop("generated") == 750
    assert found.total() == 250
    assert set(found) <= set(WORDS)
    assert run.record.fresh.tolist() == [250, 250]
    assert counted(folder, 1, "run") != counted(folder, 2, "run")


def test_fresh_items_follow_the_real_law(folder):
    def trainer(data_path, n, out_path, seed):
        raise AssertionError("nothing is generated")

    run = in_python(folder, trainer, regime="fresh:1.0", samples=50_000, rounds=1)
    real, drawn = counted(folder, 0, "run"), counted(folder, 1, "run")
    assert run.rounds[1].items == 50_000
    shares = np.array([drawn.get(word, 0) / 50_000 for word in real])
    expected = np.array([real[word] / 1000 for word in real])
    assert np.abs(shares - expected).max() < 0.01


def test_a_text_of_one_line_is_drawn_in_parts(folder):
    (folder / "real.txt").write_text(" ".join(f"w{n}" for n in range(5000)))
    run = in_python(folder, unigrams, regime="fresh:1.0", samples=3000, rounds=1)
    drawn = {int(word[1:]) for word in counted(folder, 1, "run")}
    assert run.rounds[1].items == 3000
    assert max(drawn) > 4000
    assert drawn <= set(range(5000))


@pytest.mark.parametrize(
    "regime", ["periodic:share=0.5,every=2", "scheduled:samples 500, fresh 0 250"]
)
def test_fresh_items_by_round(folder, regime):
    run = in_python(folder, regime=regime, samples=500)
    assert [one.fresh for one in run.rounds] == [0, 0, 250]
    assert [one.items for one in run.rounds] == [1000, 500, 500]


def test_stored_lines_are_in_every_round(folder):
    (folder / "store.txt").write_text("a stored line\nand one more\n")
    run = hf.loop(write_settings(folder, regime="anchor:store.txt"))
    assert [one.stored for one in run.rounds] == [0, 6, 6]
    assert [one.items for one in run.rounds] == [1000] * 3
    assert counted(folder, 1)["stored"] == 1
    # They are no types of the real data.
    assert run.record.stored.sum() == 0


def test_a_reserve_of_hayflick_is_stored(folder):
    chosen = hf.reserve(folder / "real.txt", size=3)
    chosen.save(folder / "reserve.jsonl")
    run = hf.loop(write_settings(folder, regime="anchor:reserve.jsonl", keep_texts=True))
    assert run.rounds[1].stored == 30
    assert run.record.stored.sum() == 30
    text = (folder / "trainer-run" / "round1.txt").read_text(encoding="utf-8").splitlines()
    assert set(chosen_texts(chosen)) <= set(text)


def chosen_texts(chosen):
    return [item["text"] for item in chosen.items]


def test_stored_counts_become_lines(folder):
    run = in_python(folder, regime='anchor:{"word59": 40}', keep_texts=True)
    assert run.rounds[2].stored == 40
    text = (folder / "run" / "round2.txt").read_text(encoding="utf-8").splitlines()
    assert text.count("word59") == 40
    # They are spread over the text, not at its end.
    assert set(text[-20:]) != {"word59"}


def test_accumulated_rounds_stay(folder):
    run = in_python(folder, regime="accumulate", samples=200)
    assert [one.items for one in run.rounds] == [1000, 1200, 1400]
    first, last = Counter(counted(folder, 0, "run")), Counter(counted(folder, 2, "run"))
    assert not first - last
    with pytest.raises(DataError, match="accumulate"):
        _ = run.record


def test_a_folder_of_texts_and_other_encodings(folder):
    texts = folder / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("früh spät", encoding="utf-16")
    (texts / "b.txt").write_text("spät\r\nnie", encoding="utf-16")
    settings = {"data": str(texts), "rounds": 1, "calibrate": False, "encoding": "utf-16"}
    run = hf.loop(settings, trainer=unigrams, out=folder / "run")
    assert counted(folder, 0, "run") == {"spät": 2, "früh": 1, "nie": 1}
    assert run.sources[0].name == "texts"
    assert (folder / "run" / "round0.txt").read_bytes().decode() == "früh spät\nspät\nnie\n"


def rows(data_path, n, out_path, seed):
    table = pl.read_csv(data_path, infer_schema=False)
    table.sample(n, with_replacement=True, seed=seed).write_csv(out_path)


@pytest.fixture
def labels(folder):
    draw = random.Random(1)
    cells = draw.choices(["G", "PG", "R", "NC-17"], [50, 30, 18, 2], k=400)
    lines = [f'{label},{draw.random():.3f},"a, b"' for label in cells]
    (folder / "films.csv").write_text("rating,score,title\n" + "\n".join(lines) + "\n,0.1,none\n")
    return folder / "films.csv"


@pytest.mark.parametrize("regime", ["replace", "fresh:0.5", "accumulate"])
def test_rows_of_a_table(folder, labels, regime):
    settings = {
        "data": str(labels),
        "column": "rating",
        "rounds": 2,
        "calibrate": False,
        "regime": regime,
    }
    run = hf.loop(settings, trainer=rows, out=folder / "run")
    assert counted(folder, 0, "run").keys() == {"G", "PG", "R", "NC-17"}
    expected = [400, 800, 1200] if regime == "accumulate" else [400] * 3
    assert [one.items for one in run.rounds] == expected
    assert [one.number for one in run.sources[0].left_out] == [1]
    last = pl.read_csv(folder / "run" / "round2.csv", infer_schema=False)
    assert last.columns == ["rating", "score", "title"]
    assert last.height == expected[-1]
    assert set(last["title"]) == {"a, b"}


def test_stored_rows_of_a_table(folder, labels):
    hf.reserve(labels, column="rating", size=4).save(folder / "reserve.jsonl")
    settings = {"data": str(labels), "column": "rating", "rounds": 1, "calibrate": False}
    run = hf.loop(
        {**settings, "regime": f"anchor:{folder}/reserve.jsonl"}, trainer=rows, out=folder / "run"
    )
    assert run.rounds[1].stored == 4
    assert run.rounds[1].items == 400
    with pytest.raises(DataError, match="lacks the column 'score', 'title' of the data"):
        hf.loop({**settings, "regime": 'anchor:{"NC-17": 5}'}, trainer=rows, out=folder / "other")


def test_rows_of_one_column_are_stored_by_their_counts(folder):
    (folder / "labels.csv").write_text("label\n" + "a\nb\n" * 20)
    settings = {
        "data": str(folder / "labels.csv"),
        "rounds": 1,
        "calibrate": False,
        "regime": 'anchor:{"b": 5}',
    }
    run = hf.loop(settings, trainer=rows, out=folder / "run")
    assert run.rounds[1].items == 40
    assert counted(folder, 1, "run")["b"] >= 5


def test_a_table_without_a_column_is_refused(folder, labels):
    def trainer(data_path, n, out_path, seed):
        Path(out_path).write_text("rating\n" + "G\n" * n)

    settings = {"data": str(labels), "column": "rating", "rounds": 1, "calibrate": False}
    with pytest.raises(DataError, match="lacks the column 'score', 'title'"):
        hf.loop(settings, trainer=trainer, out=folder / "run")


def test_labels_of_typed_tables_are_spelled_as_elsewhere(folder):
    pl.DataFrame({"stars": [1.0, 2.0, 2.0, None]}).write_parquet(folder / "stars.parquet")
    settings = {"data": str(folder / "stars.parquet"), "rounds": 1, "calibrate": False}
    hf.loop(settings, trainer=rows, out=folder / "run")
    assert counted(folder, 0, "run") == {"1": 1, "2": 2}


def test_texts_and_models_are_kept_where_wanted(folder):
    hf.loop(write_settings(folder, rounds=3))
    run = folder / "trainer-run"
    assert sorted(one.name for one in run.glob("round*.txt")) == ["round0.txt", "round3.txt"]
    assert not (run / "models").exists()
    assert not (run / "work").exists()
    hf.loop(write_settings(folder, rounds=3, keep_texts=True, keep_models=True), out=folder / "all")
    run = folder / "all"
    assert len(list(run.glob("round*.txt"))) == 4
    models = sorted(one.name for one in (run / "models").iterdir())
    assert models == ["round1", "round2", "round3"]
    assert (run / "models" / "round1" / "model").read_text(encoding="utf-8") == REAL


def test_what_the_commands_print_is_kept(folder, capsys):
    (folder / "train.py").write_text(
        f"{TRAIN}\nprint('loss 3.5'); print('\x1b[1m', file=sys.stderr)"
    )
    path = write_settings(
        folder, generate=f"'{sys.executable}' sample.py {{model}} {{n}} {{out}} 3"
    )
    assert main(["loop", str(path)]) == 0
    shown = capsys.readouterr()
    assert "loss" not in shown.out + shown.err
    assert "note: no command has {seed}: a round that is done again will differ" in shown.err
    logs = folder / "trainer-run" / "logs"
    assert sorted(one.name for one in logs.iterdir()) == [
        f"round{number}.train.{stream}.log" for number in (1, 2) for stream in ("stderr", "stdout")
    ]
    assert (logs / "round2.train.stdout.log").read_text() == "loss 3.5\n"


def test_a_function_of_a_module(folder):
    (folder / "mine.py").write_text(
        "class Trainers:\n"
        "    @staticmethod\n"
        "    def words(data, n, out, seed):\n"
        "        import random\n"
        "        words = open(data).read().split()\n"
        "        open(out, 'w').write(' '.join(random.Random(seed).choices(words, k=n)))\n"
    )
    path = folder / "function.toml"
    path.write_text(
        'data = "real.txt"\nrounds = 1\ncalibrate = false\ntrainer = "mine:Trainers.words"\n'
    )
    assert hf.loop(path).rounds[1].items == 1000


def test_the_environment_is_the_users_own(folder, monkeypatch):
    monkeypatch.setenv("MY_WORD", "environment")
    (folder / "sample.py").write_text(
        "import os, sys\nopen(sys.argv[3], 'w').write((os.environ['MY_WORD'] + ' ') * 1000)\n"
    )
    hf.loop(write_settings(folder, rounds=1))
    assert counted(folder, 1) == {"environment": 1000}


def test_seeds_differ_by_round_and_are_the_same_again(folder):
    seeds = []

    def trainer(data_path, n, out_path, seed):
        seeds.append(seed)
        unigrams(data_path, n, out_path, seed)

    in_python(folder, trainer, rounds=3)
    in_python(folder, trainer, rounds=3, out="again")
    in_python(folder, trainer, rounds=3, out="other", seed=2)
    assert len(set(seeds[:3])) == 3
    assert seeds[:3] == seeds[3:6]
    assert not set(seeds[:3]) & set(seeds[6:])
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_settings_that_changed_are_named(folder, capsys):
    hf.loop(write_settings(folder))
    assert main(["loop", str(write_settings(folder, seed=5, samples=10))]) == 2
    shown = capsys.readouterr().err
    assert "samples was None and is 10; seed was 1 and is 5" in shown
    assert "--out" in shown
    (folder / "real.txt").write_text(REAL + "one more line\n")
    with pytest.raises(DataError, match=r"real\.txt: is not what the run in .* began with"):
        hf.loop(write_settings(folder))


def test_data_that_were_touched_alone_are_the_same(folder):
    path = write_settings(folder)
    hf.step_loop(path)
    (folder / "real.txt").touch()
    assert hf.loop(path).finished
    (folder / "real.txt").unlink()
    with pytest.raises(DataError, match="no such file"):
        hf.loop(path)


def test_hours_stop_a_loop_that_goes_on_later(folder, capsys):
    path = write_settings(folder, hours=1e-6)
    assert main(["loop", str(path)]) == 3
    shown = capsys.readouterr()
    assert "0 of 2 rounds are done, and the stated 1e-06 hours are used" in shown.err
    assert "raise hours, then go on with: hayflick loop" in shown.err
    assert "No round is done yet" in shown.out
    assert main(["loop", str(path), "--hours", "1"]) == 0
    run = hf.loop(path)
    assert run.finished
    assert run.stopped is None
    assert run.spent > sum(sum(one.seconds.values()) for one in run.rounds) - 1e-6


def test_a_round_that_would_take_too_long_is_not_begun(folder):
    path = write_settings(folder, rounds=3)
    took = hf.step_loop(path).spent
    run = hf.loop(path, hours=1.5 * took / 3600.0)
    assert not run.finished
    assert len(run.rounds) == 2
    assert "the next one would take about" in str(run.stopped)
    assert run.to_dict()["stopped"] == str(run.stopped)


def test_progress_is_in_rounds(folder):
    seen = []
    settings = {"data": str(folder / "real.txt"), "rounds": 2, "calibrate": False}
    hf.loop(
        settings, trainer=unigrams, out=folder / "run", progress=lambda *stage: seen.append(stage)
    )
    rounds = [done for stage, done, _ in seen if stage == "rounds"]
    assert rounds == sorted(rounds)
    assert rounds[-1] == 2


def test_a_page_in_both_languages(folder):
    run = in_python(folder)
    for lang, title in (("en", "Rounds of the trainer"), ("ja", "学習器の世代")):
        page = run.save(folder / f"{lang}.html", lang=lang).read_text(encoding="utf-8")
        assert title in page
    assert "2 of 2 rounds are done" in run._repr_html_()


def test_new_types_are_said(folder):
    said = []

    def trainer(data_path, n, out_path, seed):
        Path(out_path).write_text("word0 " * (n - 50) + "invented " * 50)

    settings = {"data": str(folder / "real.txt"), "rounds": 1, "calibrate": False}
    run = hf.loop(settings, trainer=trainer, out=folder / "run", say=said.append)
    assert run.rounds[1].new == pytest.approx(0.05)
    assert any("5.0% of the items of round 1 are of types" in one for one in said)


def test_settings_in_python(folder):
    settings = hf.LoopSettings.of(
        {"data": str(folder / "real.txt"), "rounds": 1, "calibrate": False}
    )
    assert hf.loop(settings, trainer=unigrams, out=folder / "run").finished
    with pytest.raises(ArgumentError, match="out: got None, takes a folder for the run"):
        hf.loop(settings, trainer=unigrams)
    with pytest.raises(ArgumentError, match="settings: got 3, takes a file such as trainer"):
        hf.loop(3, trainer=unigrams, out=folder / "other")


def test_all_rounds_are_calibrated(folder, capsys):
    path = write_settings(folder, rounds=3, regime="fresh:0.1", calibrate=True)
    assert main(["loop", "step", str(path)]) == 0
    run = folder / "trainer-run"
    assert not (run / "calibration.json").exists()
    capsys.readouterr()
    assert main(["loop", str(path)]) == 0
    shown = capsys.readouterr()
    assert "3 of 3 rounds are done" in shown.out
    assert "calibration.json" in shown.out
    assert "of the words" in shown.out
    assert "calibration.html" in shown.err
    assert "real.txt" in (run / "calibration.html").read_text(encoding="utf-8")
    found = json.loads((run / "calibration.json").read_text(encoding="utf-8"))
    assert 0.5 < found["parameters"]["sharpening"]["value"] < 1.5
    again = hf.loop(path)
    counts = [run / f"round{number}.json" for number in range(4)]
    other = hf.calibrate(counts, regime="fresh:0.1")
    assert again.calibrated.resampler == other.resampler
    assert again.record.fresh.tolist() == other.record.fresh.tolist()
    assert resampler_of(run / "calibration.json") == other.resampler


def test_rounds_that_cannot_be_calibrated(folder, capsys):
    path = write_settings(folder, rounds=1, calibrate=True)
    assert main(["loop", str(path)]) == 0
    assert "Not calibrated: " in capsys.readouterr().out
    run = in_python(folder, regime="accumulate", calibrate=True)
    assert "accumulate" in run.to_dict()["uncalibrated"]
    assert run.calibrated is None


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_folder_whose_name_is_no_text(folder, capsys):
    place = folder.with_name("r\udcffn")
    folder.rename(place)
    path = write_settings(place)
    assert main(["loop", str(path)]) == 0
    capsys.readouterr()
    assert main(["loop", str(path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["finished"]
