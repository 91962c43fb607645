"""Why a number is not charted: the reason that is true."""

import pytest

import hayflick as hf

WORDS = [f"word{place}" for place in range(200)]


def stream(rng, *, size=20, **columns):
    rows = []
    for week in range(1, 15):
        for place in range(size):
            answer = " ".join(rng.choice(WORDS, 8))
            made = {name: make(week, place, answer) for name, make in columns.items()}
            rows.append({"week": week, "answer": answer, **made})
    return rows


def reasons(rows, **options):
    watched = hf.watch(rows, by="week", **{"text": "answer", **options})
    return {(one.metric, one.reason) for one in watched.missing_charts}


def test_one_answer_to_each_prompt_makes_no_pair(rng):
    rows = stream(rng, prompt=lambda week, place, answer: f"question {place}")
    found = "no round has two answers to the same prompt, and pairs are within a prompt"
    assert reasons(rows, prompt="prompt") == {("spread", found)}


def test_other_prompts_in_every_round_make_no_mix(rng):
    rows = stream(rng, prompt=lambda week, place, answer: f"question {week}-{place // 2}")
    found = "no two prompts are asked in every round of the baseline"
    assert reasons(rows, prompt="prompt") == {("between_prompts", found)}


def test_mostly_equal_answers_are_not_all_alike(rng):
    rows = stream(rng, said=lambda week, place, answer: answer if place % 10 == 0 else "yes")
    (found,) = reasons(rows, text="said")
    assert found[0] == "spread"
    assert "at least half of the pairs of answers in the first rounds are exactly alike" in found[1]


def test_two_charts_of_one_number_give_their_reason_once(rng, tmp_path):
    rows = stream(rng, said=lambda week, place, answer: answer if place % 10 == 0 else "yes")
    watched = hf.watch(rows, by="week", text="said")
    assert len(watched.missing_charts) > 1
    page = watched.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("in the first rounds are exactly alike") == 1


def test_equal_answers_are_all_alike(rng):
    rows = stream(rng, said=lambda *_: "yes of course")
    with pytest.raises(hf.HayflickError, match="all alike, so there is nothing to lose"):
        reasons(rows, text="said")
    # A number beside them can be watched.
    rows = [{**row, "score": float(rng.random())} for row in rows]
    found = dict(reasons(rows, text="said", values=["score"]))
    assert "all alike" in found["spread"]
    assert "lowest" in found["effective_answers"]


def test_rounds_of_two_answers_are_too_few_for_their_number(rng):
    found = dict(reasons(stream(rng, size=2)))
    assert "fewer than 4 answers" in found["effective_answers"]


def test_an_empty_baseline_says_so(rng):
    rows = stream(rng, said=lambda week, place, answer: "" if week <= 10 else answer)
    with pytest.raises(hf.HayflickError, match="no two answers that could be compared") as refused:
        reasons(rows, text="said")
    assert "have no answer that is not empty" in str(refused.value)


def test_a_column_without_numbers_is_not_looked_up_among_the_metrics(rng):
    rows = stream(rng, score=lambda *_: None)
    with pytest.raises(hf.HayflickError, match=r"score: .*; its column holds no number"):
        reasons(rows, values=["score"], charts=["score=rank"])


@pytest.mark.parametrize("size", [1, 3])
def test_ready_made_numbers_are_watched_by_default(rng, size):
    rows = [
        {"week": f"week {week}", "score": rng.normal(10.0, 1.0) - max(0, week - 15) * 0.5}
        for week in range(1, 36)
        for _ in range(size)
    ]
    watched = hf.watch(rows, by="week", values=["score"])
    (chart,) = watched.charts
    assert (chart.text, chart.weight) == ("score=rank", 1.0)
    assert watched.verdict.value == "alarm"
    assert chart.first_alarm.name.startswith("week ")
    assert len(chart.power) == 6
    steady = [row for row in rows if int(row["week"].split()[1]) <= 15]
    assert not hf.watch(steady, by="week", values=["score"]).alarms
