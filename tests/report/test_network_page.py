from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import BudgetExhausted
from hayflick.core.records import ActionKind, Reading
from hayflick.network.interventions import RecordedAction
from hayflick.report.language import Language
from hayflick.report.network import charts, page
from hayflick.report.network_charts import distance_chart, perspective_chart, place_pictures
from hayflick.report.network_findings import NetworkFindings, run_marks
from hayflick.storage.runs import StoredRead

TEXTS = ["The cat sat on the mat.", "A dog <b>ran</b> on.", "The sea rose.", "A cat fell."]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    agents = [
        {"name": name, "kind": "ngram", "texts": TEXTS[start:], "tokenizer": "whitespace"}
        for start, name in enumerate(["<anna>", "bert"])
    ]
    values = {"format_version": 1, "rounds": 12, "answers": 3, "query": "How is <it>?"}
    values["embedder"] = "hashing:dimensions=64"
    village = hf.Experiment.of({**values, "pool": {"texts": TEXTS}, "agents": agents})
    return hf.run_network(village, out=tmp_path_factory.mktemp("place") / "run")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_page_holds_the_run_and_no_script(run, lang):
    shown = page(run, lang=lang)
    steps = run.rounds
    charted = NetworkFindings(run, Language(lang)).charted.numbers
    assert {"separation", "effective_words"} <= {one.metric for one in charted}
    # Five charts, the places of agents round by round, and the echo: each step, and all on paper.
    echo = charts(NetworkFindings(run, Language(lang)))[-1].slider
    assert shown.count("<svg") == 5 + steps + len(charted) + len(echo.steps) + 1
    assert "<script" not in shown
    assert "<anna>" not in shown
    assert "&lt;anna&gt;" in shown
    assert "How is &lt;it&gt;?" in shown
    first = next(one for one in run.answers if one.agent == "bert")
    assert first.text.split()[0] in shown


def test_the_excess_is_the_norm_over_its_floor(run):
    findings = NetworkFindings(run, Language("en"))
    norms, floors = run.series("group_frobenius_norm"), run.series("noise_floor")
    by_hand = (sum(v * v for v in norms[-6:]) / sum(v * v for v in floors[-6:])) ** 0.5
    assert findings.excess(slice(-6, None)) == pytest.approx(by_hand)
    assert findings.excess(slice(0, 0)) is None
    # Twelve rounds: the first half, and the last.
    assert f"{by_hand:.2f} times" in findings.agreement()


def test_charts_carry_the_numbers_they_were_drawn_from(run):
    drawn = {one.name: one for one in charts(NetworkFindings(run, Language("en")))}
    assert list(drawn) == ["distance", "perspective", "scatter", "pool", "contamination", "echo"]
    assert set(drawn["echo"].numbers.columns) == {"reader", "author", "round", "copies"}
    assert drawn["distance"].numbers.height == 24
    places = drawn["perspective"].numbers
    assert places["generation"].unique().to_list()[-1] == 12
    assert set(places["series"]) == {"<anna>", "bert"}


def test_the_map_has_a_step_for_every_round_of_a_short_run(run):
    slider = perspective_chart(NetworkFindings(run, Language("ja"))).slider
    assert [label for label, _ in slider.steps] == [f"ラウンド {n} / 12" for n in range(1, 13)]
    assert list(slider.colours) == ["<anna>", "bert"]
    shown = page(run)
    assert shown.count('type="radio" name="perspective"') == 12
    assert shown.count(" checked>") == 2
    assert 'aria-label="Round 12 of 12" checked>' in shown


def test_the_map_of_a_long_run_has_forty_steps_the_first_and_last_among_them(run):
    rounds = 97
    means = np.random.default_rng(3).normal(size=(rounds, 2, 1, 4))
    reads = [
        StoredRead(number + 1, name, 0, b"", means[number, agent].tobytes())
        for number in range(rounds)
        for agent, name in enumerate(run.agents)
    ]
    long = replace(run, readings={"": [Reading(n + 1) for n in range(rounds)]}, reads=reads)
    chart = perspective_chart(NetworkFindings(long, Language("en")))
    labels = [label for label, _ in chart.slider.steps]
    assert len(labels) == 40
    assert (labels[0], labels[-1]) == ("Round 1 of 97", "Round 97 of 97")
    assert chart.slider.note.endswith("40 of 97 rounds are drawn.")


def test_all_steps_share_their_axes_and_show_the_way_so_far():
    places = {"generation": [1, 1, 2, 2], "series": ["<a>", "b"] * 2}
    axes = {"first_axis": [0.0, -2.0, 1.0, -2.0], "second_axis": [0.0, 0.0, 2.0, 0.0]}
    numbers = pl.DataFrame({**places, **axes})
    first, second = place_pictures(numbers, colours={"b": "#123456"}, reach=2.0).values()
    assert '<circle cx="0" cy="200" r="7" fill="#123456"' in first
    assert '<circle cx="300" cy="0"' in second
    assert 'd="M200 200 300 0"' in second
    assert 'd="M200 200' not in first
    assert "<title>&lt;a&gt;</title>" in second


def with_spread(run, *, rounds, falls_after=None, groups=("", "bert"), pairs=60):
    """Return the run with other readings: the spread halves after a round."""
    rng = np.random.default_rng(5)

    def reading(number, group):
        fallen = falls_after is not None and number > falls_after and group in groups
        scores = rng.beta(12, 8, pairs) * (0.5 if fallen else 1.0)
        values = {"spread": float(scores.mean()), "group_frobenius_norm": 1.0, "noise_floor": 0.5}
        return Reading(number, values, {"spread": scores}, group)

    numbers = range(1, rounds + 1)
    names = ("", *run.agents)
    readings = {group: [reading(number, group) for number in numbers] for group in names}
    reads = [one for one in run.reads if one.round <= rounds]
    return replace(run, readings=readings, reads=reads)


def test_a_run_without_rules_is_watched_as_answers_are(run):
    marks = run_marks(with_spread(run, rounds=30, falls_after=20), Language("en"))
    assert list(marks.rounds) == ["alarm: all answers", "alarm: an agent"]
    first = [rounds[0] for rounds in marks.rounds.values()]
    assert all(20 < round_ <= 23 for round_ in first)
    assert marks.rounds["alarm: all answers"] == list(range(first[0], 31))
    assert "with the first 10 rounds as healthy: spread of answers" in marks.sentences[0]
    fallen = with_spread(run, rounds=30, falls_after=20)
    told = NetworkFindings(fallen, Language("en"))
    assert told.verdict() == "Alarm: spread of answers, since round 21"
    assert told.verdict_class() == "alarm"
    assert f"first alarm in round {first[0]}; the change began about round 21." in told.lead()[0]
    assert told.lead()[1].startswith("Agents that have alarmed, 1 of 2: bert (−")
    shown = page(fallen)
    assert '<p class="verdict alarm">Alarm: spread of answers, since round 21</p>' in shown
    assert shown.index("verdict alarm") < shown.index("Stopped: 30 of 12") < shown.index("<svg")


def test_agents_that_can_no_longer_be_told_apart_are_never_called_healthy(run):
    quiet = with_spread(run, rounds=30)
    rng = np.random.default_rng(2)
    merged = {
        group: [
            replace(
                one,
                values={
                    **one.values,
                    "group_frobenius_norm": rng.normal(2.0 if one.round <= 15 else 1.0, 0.1),
                    "noise_floor": 1.0,
                },
            )
            for one in series
        ]
        for group, series in quiet.readings.items()
    }
    findings = NetworkFindings(replace(quiet, readings=merged), Language("en"))
    assert findings.verdict() == "Alarm: the agents can no longer be told apart"
    assert findings.verdict_class() == "alarm"
    assert "separation" in {chart.metric for chart in findings.watched.result.alarms}
    alike = {
        group: [replace(one, values={**one.values, "group_frobenius_norm": 0.5}) for one in series]
        for group, series in quiet.readings.items()
    }
    findings = NetworkFindings(replace(quiet, readings=alike), Language("en"))
    assert (findings.verdict(), findings.verdict_class()) == (
        "The agents cannot be told apart",
        "falling",
    )
    assert "エージェントは互いに区別できません" in page(findings.run, lang="ja")


def test_alarms_are_drawn_on_the_trace_and_in_its_numbers(run):
    findings = NetworkFindings(with_spread(run, rounds=30, falls_after=20), Language("en"))
    chart = distance_chart(findings)
    marked = chart.numbers.filter(pl.col("value").is_null())
    alarms = findings.marks.rounds
    assert marked.height == sum(map(len, alarms.values()))
    assert set(marked["series"]) == {"alarm: all answers", "alarm: an agent"}
    for label in alarms:
        assert chart.svg.count(f">{label}</text>") == 1
    assert chart.svg.count('aria-roledescription="point"') == marked.height
    assert "Triangles mark the rounds in which a chart" in chart.caption


def test_a_quiet_run_says_that_no_chart_has_alarmed(run):
    marks = run_marks(with_spread(run, rounds=30), Language("en"))
    assert (marks.rounds, marks.meaning) == ({}, "No chart has alarmed.")


@pytest.mark.parametrize("rounds", [1, 10])
def test_a_run_no_longer_than_its_baseline_says_that_alarms_cannot_be_told(run, rounds):
    findings = NetworkFindings(with_spread(run, rounds=rounds), Language("en"))
    assert findings.marks.rounds == {}
    caption = distance_chart(findings).caption
    assert "Alarms cannot be told: a chart takes the first 10 rounds as healthy" in caption
    assert caption.endswith(f"here are {rounds}.")
    assert "警報の有無は判断できません" in page(findings.run, lang="ja")


def test_a_run_with_too_few_answers_says_so_and_why(run):
    marks = run_marks(run, Language("en"))
    assert marks.rounds == {}
    assert marks.technical[0].startswith("spread of answers: baseline")
    assert "takes" in marks.technical[0]
    silent = {"": [Reading(number, {"answers": 1.0}) for number in range(1, 13)]}
    findings = NetworkFindings(replace(run, readings=silent, answers=[]), Language("en"))
    assert "the answers of the first 10 rounds are too few" in findings.marks.meaning
    assert findings.verdict() == "No verdict: the run cannot be watched yet"
    assert findings.verdict_class() == "no-reading"


def test_an_agent_that_is_not_watched_is_named(run):
    long = with_spread(run, rounds=30)
    readings = {**long.readings, "bert": with_spread(run, rounds=30, pairs=1).readings["bert"]}
    marks = run_marks(replace(long, readings=readings), Language("en"))
    assert "Not watched in full, for reasons given below: bert." in marks.sentences
    assert marks.technical[0].startswith("spread of answers of bert: baseline")


def test_decisions_are_marked_by_kind_with_their_reasons_in_a_table(run):
    decided = [
        RecordedAction(4, ActionKind.INJECT, "narrow <b>", items=2, rounds=1),
        RecordedAction(4, ActionKind.VARY_PROMPTS, "narrow", items=1, rounds=1),
        RecordedAction(9, ActionKind.INJECT, "narrow", items=2, rounds=1),
    ]
    ruled = replace(run, decisions=decided)
    findings = NetworkFindings(ruled, Language("en"))
    assert findings.marks.rounds == {"decided: real texts": [4, 9], "decided: other prompts": [4]}
    assert findings.decision_rows()[0] == ("4", "put in 2 real items", "narrow <b>")
    shown = page(ruled)
    assert "The rules of this run have decided 3 times, first after round 4." in shown
    assert '<td class="name">narrow &lt;b&gt;</td>' in shown
    assert ">decided: real texts</text>" in shown


def test_rules_that_decided_nothing_are_not_taken_for_a_chart(run):
    experiment = run.experiment.model_copy(update={"rules": "rules.toml"})
    marks = run_marks(replace(run, experiment=experiment), Language("en"))
    assert (marks.rounds, marks.meaning) == ({}, "The rules of this run have decided nothing.")


def test_a_run_that_stopped_says_so(run, tmp_path, monkeypatch):
    async def poor(*_, **__):
        raise BudgetExhausted("nothing left")

    monkeypatch.setattr("hayflick.network.agents.ngram.NGramAgent.answer", poor)
    with pytest.raises(BudgetExhausted):
        hf.run_network(run.experiment, out=tmp_path / "run")
    stopped = hf.report_network(tmp_path / "run")
    shown = page(stopped)
    assert "Stopped: 0 of 12 rounds are done." in shown
    assert "<svg" not in shown


def test_a_run_without_a_word_has_a_page_without_lines(run):
    groups = ("", *run.agents)
    silent = {group: [Reading(1, {"empty_answers": 6.0}, group=group)] for group in groups}
    shown = page(replace(run, readings=silent, reads=[]))
    assert shown.count("<svg") == 3
    assert "The agents&#39; distance cannot be told from these rounds." in shown


def test_a_run_is_shown_in_a_notebook_and_saved_as_page_or_answers(run, tmp_path):
    shown = run._repr_html_()
    assert shown.count("<svg") == 1
    assert "Finished: 12 rounds." in shown
    saved = run.save(tmp_path / "run.html").read_text(encoding="utf-8")
    assert saved == page(hf.report_network(run))
    answers = hf.record_network(run).save(tmp_path / "answers.jsonl")
    assert answers.read_text(encoding="utf-8").splitlines() == list(run.records())
    with pytest.warns(DeprecationWarning, match="report_network"):
        assert hf.read_run(run.folder).to_dict() == run.to_dict()
