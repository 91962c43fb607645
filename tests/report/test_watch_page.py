"""The page and the table of a watched stream, as a reader finds them."""

import html
import re

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.corpus.answers import Answers
from hayflick.diversity.separation import Separation
from hayflick.monitor.grouping import grouping_delay, groups_apart

WORDS = [f"word{place}" for place in range(300)]
COLUMNS = {"by": "week", "text": "answer"}


def stream(vocabulary, *, rounds=30, each=30, groups=None, own=None, seed=1):
    """Return answers whose words are the first so many; `own` gives a group other words."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(1, rounds + 1):
        for group in groups or [""]:
            words = WORDS[: vocabulary(number, group)] if own is None else own(number, group)
            rows += [(number, group, " ".join(rng.choice(words, 10))) for _ in range(each)]
    frame = pl.DataFrame(rows, schema=["round", "group", "text"], orient="row")
    frame = frame.with_row_index("row") if groups else frame.drop("group").with_row_index("row")
    return Answers("talk", tuple(f"2026-W{number:02d}" for number in range(1, rounds + 1)), frame)


def narrowing(number, group=""):
    return 300 if number <= 15 else max(12, 300 - 30 * (number - 15))


@pytest.fixture(scope="module")
def fallen():
    return hf.watch(stream(narrowing))


def saved(watched, tmp_path, lang="en"):
    return watched.save(tmp_path / f"{lang}.html", lang=lang).read_text(encoding="utf-8")


def text_of(page):
    body = re.sub("<style>.*?</style>|<pre>.*?</pre>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", body)).split())


def test_the_first_screen_tells_the_story(fallen, tmp_path):
    page = saved(fallen, tmp_path)
    header = text_of(page[: page.index("<section>")])
    alarm = fallen.alarms[0]
    verdict = re.search("Alarm: (.*?), since round (2026-W..)", header)
    assert verdict[2] == fallen.rounds[alarm.since - 1]
    assert f"{verdict[1]} has fallen by".lower() in header.lower()
    tiles = re.findall('<li class="(alarm|falling|healthy)"><span>(.*?)</span><b>(.*?)</b>', page)
    assert len(tiles) == 3
    assert [state for state, *_ in tiles] == sorted(state for state, *_ in tiles)
    loss = next(one.change.loss for one in fallen.charts if one.metric == "effective_words")
    assert ("alarm", "Effective number of words", f"−{100 * loss:.1f}%") in tiles
    order = ["Phrases that took over", "The numbers over time", "Typical answers", "can be found"]
    places = [page.index(heading) for heading in order if heading in page]
    assert places == sorted(places)
    assert len(places) >= 3


def test_a_number_is_said_to_have_fallen_once(fallen, tmp_path):
    sentences = text_of(saved(fallen, tmp_path))
    for metric in ("effective number of words", "effective number of answers"):
        assert len(re.findall(f"{metric} has fallen by", sentences, re.IGNORECASE)) <= 1
    assert "evidence of the" not in sentences


def test_a_number_has_one_picture_with_its_range_limit_and_evidence(fallen, tmp_path):
    page = saved(fallen, tmp_path)
    pictures = page[page.index("The numbers over time") : page.index("Typical answers")]
    assert pictures.count("<svg") == 3
    titles = re.findall(r'aria-label="([^"]+)">\n<h3>', pictures)
    assert len(set(titles)) == 3
    for meaning in ("range of the baseline", "evidence of a slow loss", "of a sudden loss"):
        assert meaning in pictures
    # Names of the data at the axis, and a width that a telephone shows at nearly full size.
    assert "2026-W" in pictures
    widths = [float(width) for width in re.findall(r'<svg[^>]*viewBox="0 0 ([\d.]+)', pictures)]
    assert max(widths) < 430


def test_typical_answers_are_cut_by_style_and_open_without_a_script(fallen, tmp_path):
    page = saved(fallen, tmp_path)
    assert page.count('<details class="answer">') == 10
    assert "-webkit-line-clamp: 3" in page
    assert "<script" not in page


def test_what_falls_without_an_alarm_is_said_with_its_evidence(tmp_path, capsys):
    watched = hf.watch(stream(lambda number, _: 300 if number <= 18 else 170, rounds=22))
    assert watched.verdict.value == "falling"
    page = saved(watched, tmp_path)
    assert re.search('class="verdict falling">Falling, without an alarm: effective number', page)
    assert re.search(r"evidence [\d.,]+ of the [\d,]+ that alarm", text_of(page))
    assert "低下中" in saved(watched, tmp_path, "ja")


def shortened(tmp_path, capsys, *options):
    """Return exit code and output of watching a number that is lower on the last three days."""
    rng = np.random.default_rng(1)
    days = [f"2026-10-{day:02d}" for day in range(1, 31)]
    lengths = rng.normal(np.where(np.arange(30) < 27, 10.0, 9.0), 0.4)
    rows = [
        {"day": day, "answer": f"said {rng.integers(40)}", "length": length}
        for day, length in zip(days, lengths, strict=True)
        for _ in range(20)
    ]
    pl.DataFrame(rows).write_ndjson(tmp_path / "log.jsonl")
    given = [str(tmp_path / "log.jsonl"), "--by", "day", "--text", "answer", "--value", "length"]
    capsys.readouterr()
    code = main(["watch", *given, *options])
    return code, " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("chart", ["shewhart", "shewhart:direction=falls", "rank"])
def test_a_number_with_a_chart_of_its_own_is_called_falling_too(chart, tmp_path, capsys):
    said = r"Falling, without an alarm: length −\d+\.\d%"
    code, usual = shortened(tmp_path, capsys)
    verdict = re.match(said, usual)
    assert code == 0
    assert verdict is not None
    code, own = shortened(tmp_path, capsys, "--chart", f"length={chart}", "--fail-on", "falling")
    assert (code, re.match(said, own)[0]) == (1, verdict[0])
    assert "evidence –" not in own


def test_what_falls_without_an_alarm_has_a_way_to_tell_it_from_chance(tmp_path, capsys):
    page = tmp_path / "page.html"
    advice = "hayflick compare of the answers before and after tells a sudden loss from chance."
    _, shown = shortened(tmp_path, capsys, "--out", str(page))
    assert shown.count(advice) == text_of(page.read_text(encoding="utf-8")).count(advice) == 1
    assert "前後の回答を hayflick compare で" in shortened(tmp_path, capsys, "--lang", "ja")[1]
    rises = ("--chart", "length=shewhart:direction=rises")
    assert advice not in shortened(tmp_path, capsys, *rises)[1]


def test_a_fall_of_what_must_not_rise_is_healthy(tmp_path, capsys):
    options = ("--chart", "length=shewhart:direction=rises", "--fail-on", "falling")
    code, shown = shortened(tmp_path, capsys, *options)
    assert code == 0
    assert shown.startswith("Healthy")


def test_a_healthy_stream_says_what_healthy_means(tmp_path):
    watched = hf.watch(stream(lambda *_: 300))
    shown = text_of(saved(watched, tmp_path))
    assert "No number has lost more than 5% beyond the scatter of its baseline." in shown
    assert "Phrases that took over" not in shown


def test_the_terminal_begins_with_the_verdict_and_what_fell(tmp_path, capsys):
    answers = stream(narrowing)
    rows = answers.frame.select(answer="text", week=pl.lit("2026-W") + pl.col("round").cast(str))
    rows.write_ndjson(tmp_path / "a.jsonl")
    assert main(["watch", str(tmp_path / "a.jsonl"), "--by", "week", "--text", "answer"]) == 1
    first, second = " ".join(capsys.readouterr().out.split()).split(" has fallen by ")[:2]
    assert re.match(r"Alarm: .*, since round 2026-W\d+ ", first)
    assert "first alarm in round 2026-W" in second


@pytest.fixture(scope="module")
def grouped():
    groups = [f"agent {place:02d}" for place in range(45)]
    given = stream(
        lambda number, group: max(6, 300 - 50 * max(0, number - 9)) if group == "agent 07" else 300,
        rounds=16,
        each=8,
        groups=groups,
    )
    return hf.watch(given, baseline=8)


def test_many_groups_are_small_multiples_on_one_scale_by_loss(grouped, tmp_path):
    page = saved(grouped, tmp_path)
    pictures = re.search('<ul class="multiples">(.*?)</ul>', page, re.DOTALL)[1]
    names = re.findall("<li><b>(.*?)</b>", pictures)
    assert len(names) == 40
    assert names[0] == "agent 07"
    shown = text_of(page)
    assert "40 of 45 groups are drawn; all are in the table." in shown
    assert re.search(r"The groups are 1\.\d\d times as far apart as chance alone makes", shown)
    assert "Grouping by 45 costs time" in shown
    assert len(page) < 1_000_000


def test_the_cost_of_groups_follows_from_their_weights(grouped):
    delay = grouping_delay(grouped)
    assert delay.groups == 45
    assert delay.without <= delay.of_all <= delay.of_group
    assert grouped.to_dict()["groups"]["delay"]["of_group"] == delay.of_group
    assert grouping_delay(hf.watch(stream(lambda *_: 300, rounds=12))) is None


def test_groups_that_are_alike_are_at_the_floor_of_chance():
    def apart(number, group):
        first = 100 * (ord(group) - ord("a"))
        return WORDS[first : first + 100] if number <= 15 else WORDS[:200]

    watched = hf.watch(stream(None, groups="abc", own=apart))
    found = groups_apart(watched)
    assert found.before.ratio > 2.0
    assert found.now.ratio == pytest.approx(1.0, abs=0.25)
    assert found.merged
    assert watched.to_dict()["groups"]["separation"]["now"]["is_clear"] is False
    assert Separation.of([1.0, None], [1.0, None]) == Separation(1.0, None)


def test_a_group_is_measured_against_the_words_of_its_own_baseline():
    watched = hf.watch(
        stream(None, groups="ab", own=lambda _, group: WORDS[:60] if group == "a" else WORDS[60:])
    )
    kept = [value for value in watched.series("vocabulary_kept", group="a") if value is not None]
    # Sixty words, all of which come again: of the words of both, they would be a fifth.
    assert min(kept) > 0.9


def test_one_of_many_healthy_groups_is_not_falling_by_chance():
    groups = [f"agent {place:02d}" for place in range(30)]
    watched = hf.watch(stream(lambda *_: 300, rounds=20, each=8, groups=groups))
    assert watched.verdict.value == "healthy"
