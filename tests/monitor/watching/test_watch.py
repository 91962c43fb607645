import json

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.corpus.answers import Answers
from hayflick.diversity.phrases import PhraseCounts
from hayflick.monitor.chart_requests import ChartRequest
from hayflick.report.language import Language
from hayflick.report.watch_findings import WatchFindings

ROUNDS, EACH, DIMENSIONS = 30, 60, 8


def stream(*, width=lambda number: 1.0, groups="ab", seed=1, **columns):
    """Return Gaussian vectors whose width depends on the round."""
    rng = np.random.default_rng(seed)
    rounds = np.repeat(np.arange(1, ROUNDS + 1), EACH)
    widths = np.array([width(number) for number in rounds])
    vectors = rng.normal(size=(rounds.size, DIMENSIONS)) * widths[:, None]
    frame = pl.DataFrame({"row": np.arange(rounds.size), "round": rounds, **columns})
    if groups:
        names = [groups[place % len(groups)] for place in range(rounds.size)]
        frame = frame.with_columns(group=pl.Series(names))
    names = tuple(f"day {number}" for number in range(1, ROUNDS + 1))
    return Answers("stream.jsonl", names, frame, vectors.astype(np.float32))


def narrowed(number):
    return 1.0 if number < 20 else 0.6


def test_a_healthy_stream_is_healthy():
    watched = hf.watch(stream())
    assert watched.healthy
    assert [(chart.text, chart.group) for chart in watched.charts] == [
        (text, group)
        for text in ("spread=guaranteed", "effective_answers=rank", "spread=rank")
        for group in ("", "a", "b")
    ]
    assert sum(chart.weight for chart in watched.charts) == pytest.approx(1.0)
    assert {len(chart.verdicts) for chart in watched.charts} == {20}
    assert {chart.read for chart in watched.charts} == {20}


def test_lost_spread_is_found_with_its_round():
    watched = hf.watch(stream(width=narrowed))
    whole = watched.alarms[0]
    assert whole.first_alarm.round in {20, 21}
    assert whole.first_alarm.since == 20
    assert whole.first_alarm.value < whole.threshold
    assert watched.rounds[whole.first_alarm.since - 1] == "day 20"


def test_more_spread_is_no_alarm():
    assert hf.watch(stream(width=lambda number: 1.0 if number < 20 else 2.0)).healthy


@pytest.mark.parametrize("empty", [None, ""])
def test_answers_without_a_group_are_a_group_of_their_own(empty):
    words = [f"w{place * place % 97} w{place % 13}" for place in range(600)]
    frame = pl.DataFrame(
        {
            "round": [place // 30 + 1 for place in range(600)],
            "text": words,
            "model": [empty if place % 3 == 0 else "a" for place in range(600)],
        }
    )
    watched = hf.watch(frame, by="round", text="text", group="model")
    assert list(watched.readings) == ["", "a", "no group"]
    answers = {name: series[0].values["answers"] for name, series in watched.readings.items()}
    assert answers == {"": 30.0, "a": 20.0, "no group": 10.0}


def test_one_narrow_group_is_named():
    given = stream()
    narrow = (given.frame["group"] == "b").to_numpy() & (given.frame["round"] >= 20).to_numpy()
    given.vectors[narrow] *= 0.4
    groups = {chart.group for chart in hf.watch(given).alarms}
    assert "b" in groups
    assert "a" not in groups


def test_charts_of_one_kind_share_their_rate():
    charts = ["guaranteed"]
    limits = {chart.verdicts[0].limit for chart in hf.watch(stream(), charts=charts).charts}
    alone = hf.watch(stream(groups=""), charts=charts).charts[0].verdicts[0].limit
    (shared,) = limits
    assert shared == pytest.approx(3 * alone, rel=1e-2)


def test_all_charts_of_the_panel_share_one_rate():
    for form, alpha in (("sum", 0.01), ("product", 0.02)):
        watched = hf.watch(stream(), false_alarms=0.02, form=form)
        for chart in watched.charts:
            # A pair chart spends part of its share on the error of its baseline.
            least = 1.0 / (chart.weight * alpha)
            assert least <= chart.limit * (1.0 + 1e-9)
            assert chart.text != "spread=rank" or chart.limit == pytest.approx(least)
        by_group = dict.fromkeys(("", "a", "b"), 0.0)
        for chart in watched.charts:
            by_group[chart.group] += chart.weight
        assert list(by_group.values()) == pytest.approx([0.5, 0.25, 0.25])


def test_what_the_panel_promises_takes_a_rate_and_a_form():
    for settings in ({"false_alarms": 0.0}, {"false_alarms": 1.5}, {"form": "both"}):
        with pytest.raises(ArgumentError):
            hf.watch(stream(groups=""), **settings)


def test_a_rate_of_the_panel_is_refused_where_there_is_none():
    with pytest.raises(ArgumentError, match=r"in a chart: guaranteed:false_alarms=0\.02"):
        hf.watch(stream(groups=""), charts=["cusum"], false_alarms=0.02)
    with pytest.raises(ArgumentError, match="form: got product"):
        hf.watch(stream(groups=""), charts=["cusum"], form="product")
    with pytest.raises(ArgumentError, match="in the rule file"):
        hf.watch(stream(groups=""), rules="rules.toml", false_alarms=0.02)


def test_a_slow_loss_is_called_falling_before_it_alarms():
    watched = hf.watch(stream(groups="", width=lambda number: 1.0 if number < 26 else 0.85))
    assert watched.verdict.value == "falling"
    assert watched.healthy
    assert [chart.metric for chart in watched.falling] == ["spread"]
    assert WatchFindings(watched, Language("en")).verdict().startswith("Falling, without an alarm")


def test_the_first_fifth_of_the_baseline_sets_the_scale_alone():
    watched = hf.watch(stream(groups=""), baseline=10)
    assert watched.charts[0].baseline == 8


def test_a_column_of_values_is_charted():
    rng = np.random.default_rng(3)
    accuracy = rng.normal(0.7, 0.02, ROUNDS * EACH)
    accuracy[25 * EACH :] -= 0.1
    given = stream(groups="", **{"value accuracy": accuracy})
    watched = hf.watch(given, charts=["accuracy=shewhart:run_length=100"], baseline=20)
    (chart,) = watched.charts
    assert (chart.metric, chart.first_alarm.round) == ("accuracy", 26)
    # By default, the rank chart needs no long baseline.
    assert "accuracy" in [chart.metric for chart in hf.watch(given).charts]
    # One that is too short for its chart is reported and no error.
    short = hf.watch(given, baseline=4)
    assert "takes at least" in short.missing_charts[-1].reason
    with pytest.raises(DataError, match="takes at least"):
        hf.watch(given, charts=["accuracy=cusum:run_length=1000"])


def test_a_round_without_answers_gives_no_reading():
    given = stream(groups="")
    keep = (given.frame["round"] != 15).to_numpy()
    without = Answers(given.name, given.rounds, given.frame.filter(keep), given.vectors[keep])
    watched = hf.watch(without)
    assert {chart.read for chart in watched.charts} == {19}
    chart = watched.charts[0]
    (silent,) = [verdict for verdict in chart.verdicts if verdict.round == 15]
    assert (silent.state.value, silent.value) == ("no reading", None)


def test_a_stream_that_has_gone_silent_is_not_healthy_in_words():
    given = stream(groups="")
    keep = (given.frame["round"] < 25).to_numpy()
    watched = hf.watch(
        Answers(given.name, given.rounds, given.frame.filter(keep), given.vectors[keep])
    )
    assert {chart.silent_since for chart in watched.charts} == {25}
    chart = watched.charts[0]
    findings = WatchFindings(watched, Language("en"))
    assert findings.verdict() == "No reading since round day 25"
    assert findings.state(chart) == "no reading"


def test_sentences_do_not_say_round_twice():
    given = stream(width=narrowed, groups="")
    names = tuple(f"Round {number}" for number in range(1, ROUNDS + 1))
    watched = hf.watch(Answers(given.name, names, given.frame, given.vectors))
    findings = WatchFindings(watched, Language("en"))
    since = watched.alarms[0].since
    assert findings.verdict() == f"Alarm: spread of answers, since round {since}"
    assert findings.round_name(since) == f"Round {since}"


def test_answers_that_are_all_alike_are_an_error_and_not_health():
    given = stream(groups="")
    given.vectors[:] = 1.0
    with pytest.raises(
        DataError, match="nothing can be watched: the answers of each round of the baseline are all"
    ):
        hf.watch(given)


def test_a_limit_that_is_reached_is_not_projected():
    watched = hf.watch(stream(width=lambda number: 0.97**number))
    projection = watched.charts[0].projection
    assert projection.round is None
    assert projection.reason


def test_a_narrower_mix_of_prompts_alarms_unless_pairs_are_formed_within_prompts():
    rng = np.random.default_rng(7)
    given = stream(groups="")
    rounds = given.frame["round"].to_numpy()
    many, few = rng.integers(0, 8, rounds.size), rng.integers(0, 2, rounds.size)
    prompts = np.where(rounds < 20, many, few)
    places = 4.0 * rng.normal(size=(8, DIMENSIONS))
    vectors = (given.vectors + places[prompts]).astype(np.float32)
    without = Answers(given.name, given.rounds, given.frame, vectors)
    assert not hf.watch(without).healthy
    asked = given.frame.with_columns(prompt=pl.Series([str(prompt) for prompt in prompts]))
    assert hf.watch(Answers(given.name, given.rounds, asked, vectors)).healthy


def test_texts_are_embedded_and_told_apart():
    rng = np.random.default_rng(2)
    words = [f"word{number}" for number in range(400)]
    texts = [
        " ".join(rng.choice(words, 8)) if number < 20 else "it is important to note that"
        for number in np.repeat(np.arange(1, ROUNDS + 1), EACH)
    ]
    given = stream(text=texts)
    watched = hf.watch(Answers(given.name, given.rounds, given.frame))
    assert watched.alarms[0].first_alarm.round == 20
    assert "it is important to note" in {one.phrase for one in watched.templates}
    assert watched.typical_last == ["it is important to note that"]
    assert len(watched.typical_first) == 5
    assert watched.readings[""][-1].values["duplicate_rate"] == 1.0
    json.dumps(watched.provenance())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"baseline": 1}, "baseline: got 1, takes a whole number of at least 2"),
        ({"baseline": 30}, "baseline: got 30, takes at most 29: stream.jsonl has 30 rounds"),
        ({"charts": ["guarded"]}, "chart: got guarded"),
        ({"charts": ["distinct_9=ewma"]}, "did you mean distinct_"),
        ({"charts": ["vendi_1=guaranteed"]}, "takes spread or between_prompts with"),
        ({"charts": ["ewma", "ewma"]}, "takes each chart once"),
        ({"metrics": ["drft"]}, "did you mean drift"),
        ({"metrics": ["entropy"]}, "takes one of near_duplicate_rate, drift"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        hf.watch(stream(), **settings)


def test_a_metric_without_a_reading_is_refused_where_it_was_asked_for():
    with pytest.raises(DataError, match="entropy: no round has a reading of it"):
        hf.watch(stream(), charts=["entropy=ewma"])


@pytest.mark.parametrize(
    ("text", "metric", "direction"),
    [
        ("guaranteed", "spread", "falls"),
        ("duplicate_rate=ewma", "duplicate_rate", "rises"),
        ("distinct_2=cusum:direction=both", "distinct_2", "both"),
        ("noise_floor=shewhart", "noise_floor", "both"),
    ],
)
def test_the_healthy_direction_belongs_to_the_metric(text, metric, direction):
    asked = ChartRequest.parsed(text)
    assert (asked.metric, asked.spec.settings["direction"]) == (metric, direction)


def test_the_verdict_says_alarm_healthy_or_no_reading():
    given = stream(groups="")
    keep = (given.frame["round"] < 25).to_numpy()
    silent = Answers(given.name, given.rounds, given.frame.filter(keep), given.vectors[keep])
    verdicts = [
        hf.watch(answers).verdict.value for answers in (given, stream(width=narrowed), silent)
    ]
    assert verdicts == ["healthy", "alarm", "no reading"]
    assert hf.watch(given, charts=()).verdict.value == "no reading"


def test_readings_are_a_table_with_a_row_per_group_and_round():
    watched = hf.watch(stream())
    frame = watched.to_frame()
    assert frame.shape[0] == 3 * ROUNDS
    assert frame.columns[:3] == ["round", "label", "group"]
    whole = frame.filter(pl.col("group") == "")
    assert whole["spread"].to_list() == watched.series("spread")
    assert whole["label"][0] == "day 1"
    assert frame.filter(pl.col("group") == "a")["within"].null_count() == ROUNDS


def test_a_result_is_saved_as_a_page_and_printed_as_values(tmp_path):
    watched = hf.watch(stream(width=narrowed))
    page = watched.save(tmp_path / "page.html", lang="ja")
    assert 'lang="ja"' in page.read_text(encoding="utf-8")
    record = json.loads(json.dumps(watched.to_dict(), allow_nan=False))
    assert not record["healthy"]
    assert "Alarm" in watched._repr_html_()
    with pytest.raises(OutputError, match="exists already"):
        watched.save(page)


@pytest.mark.parametrize(
    ("how", "said", "kept"), [("nfkc", "Ｓee", " Ｓee "), ("casefold", "Straße", "ＳTRASSE")]
)
def test_a_must_keep_list_is_spelled_as_the_answers_are(how, said, kept):
    rows = [{"round": k, "answer": f"{said} {k} {j}"} for k in range(1, 14) for j in range(7)]
    watched = hf.watch(
        rows, by="round", text="answer", normalize=how, must_keep=[kept], tokenizer="whitespace"
    )
    assert {one.values["retention"] for one in watched.readings[""]} == {1.0}


def test_phrases_are_sought_in_a_bounded_amount_of_text(tmp_path, monkeypatch):
    lines = (f'{{"r": {row // 50}, "a": "It rains {row} times."}}\n' for row in range(600))
    (tmp_path / "answers.jsonl").write_text("".join(lines))
    counted = []
    count = PhraseCounts.frequent
    monkeypatch.setattr("hayflick.monitor.changed_phrases._PHRASED_BYTES", 1000)
    monkeypatch.setattr(
        PhraseCounts, "frequent", lambda sides: counted.extend(map(len, sides)) or count(sides)
    )
    hf.watch(tmp_path / "answers.jsonl", text="a", by="r", baseline=6)
    # 18 or 19 bytes each, of 300 texts in 6 rounds.
    assert all(50 <= number <= 60 for number in counted)
    assert len(counted) == 2


@pytest.mark.parametrize("name", ["=x", "a=b", "](j:a(1))", "a=cusum:run_length=5", '"><b c=d>'])
def test_a_column_may_be_named_with_the_signs_of_a_chart(name):
    rows = [{"r": row // 5, name: row % 5 + 0.1 * (row % 7)} for row in range(300)]
    found = hf.watch(pl.DataFrame(rows), by="r", values=[name], baseline=50)
    assert [one.metric for one in found.charts] == [name]
    chosen = hf.watch(
        pl.DataFrame(rows),
        by="r",
        values=[name],
        baseline=50,
        charts=[f"{name}=shewhart:run_length=200"],
    )
    assert [one.metric for one in chosen.charts] == [name]
