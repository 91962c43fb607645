"""Summaries in Markdown: what a job summary shows, whatever the names in the data are."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

import hayflick as hf
from hayflick.core.errors import DataError, OutputError
from hayflick.report.markdown import append_summary, block_line, markdown_summary
from hayflick.report.plot import save_plot

WORDS = [f"word{number}" for number in range(300)]
HOSTILE = "a|b <script>alert(1)</script> `x` **y** [z](http://e.example) $q$ @team\n# t ``` %%{init"


def answers(days: range, *, words: int = 300, **columns: str) -> list[dict[str, Any]]:
    return [
        {
            "day": day,
            "text": " ".join(random.Random(f"{day} {k}").choices(WORDS[:words], k=8)),
            **columns,
        }
        for day in days
        for k in range(24)
    ]


@pytest.fixture(scope="module")
def fallen() -> hf.WatchResult:
    found = [*answers(range(1, 16)), *answers(range(16, 31), words=8)]
    return hf.watch(found, by="day", text="text")


@pytest.fixture(scope="module")
def compared() -> hf.Comparison:
    return hf.compare(answers(range(6)), answers(range(6), words=60), text="text")


def drawings(summary: str) -> list[str]:
    return re.findall(r"^```mermaid\n(.*?)^```$", summary, re.DOTALL | re.MULTILINE)


def numbers(line: str) -> list[float]:
    return [float(one) for one in line.split("[")[1].strip(" ]").split(",")]


def html(summary: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(summary)


def test_an_alarm_is_told_tabled_and_drawn(fallen: hf.WatchResult) -> None:
    summary = markdown_summary(fallen)
    assert summary.startswith("### hayflick: Alarm: ")
    assert ", since round 1" in summary.splitlines()[0]
    assert "has fallen by" in summary
    rows = [line for line in summary.splitlines() if line.startswith("| Effective number of words")]
    assert len(rows) == 1
    assert re.search(
        r"\| █[▆▇█]{6}[▂-█]?▁{8,9} \| alarm \| −\d\d\.\d% \| [\d.]+ → [\d.]+ \|", rows[0]
    )
    for drawing in drawings(summary):
        line, typical = [numbers(one) for one in drawing.splitlines() if " line [" in one]
        assert len(line) == len(typical) == 30
        assert min(line[:10]) <= typical[0] <= max(line[:10])
        low, high = map(float, re.findall(r"y-axis ([\d.]+) --> ([\d.]+)", drawing)[0])
        assert low <= min(line) < max(line) <= high
    assert 1 <= len(drawings(summary)) <= 3
    assert "<table>" in html(summary)


def test_the_numbers_drawn_are_the_readings(fallen: hf.WatchResult) -> None:
    for drawing in drawings(markdown_summary(fallen)):
        if "Effective number of words" in drawing:
            line = next(numbers(one) for one in drawing.splitlines() if " line [" in one)
            assert line == pytest.approx(fallen.series("effective_words"), rel=1e-4)
            return
    raise AssertionError("not drawn")


def test_a_healthy_stream_has_one_drawing_and_long_ones_sixty_points() -> None:
    found = [
        {"day": day, "score": 5 + random.Random(day).random()}
        for day in range(200)
        for _ in range(3)
    ]
    summary = markdown_summary(hf.watch(found, by="day", values=["score"]))
    assert summary.startswith("### hayflick: Healthy")
    (drawing,) = drawings(summary)
    assert "x-axis 1 --> 200" in drawing
    assert {len(numbers(one)) for one in drawing.splitlines() if " line [" in one} == {60}
    assert "Round 1 is 0, round 200 is 199." in summary


def test_rounds_without_a_reading_are_no_zeros() -> None:
    found = answers(range(1, 25))
    for one in found:
        one["text"] = "" if one["day"] in (3, 20) else one["text"]
    summary = markdown_summary(hf.watch(found, by="day", text="text"))
    (drawing,) = drawings(summary)
    line = next(numbers(one) for one in drawing.splitlines() if " line [" in one)
    assert len(line) == 24
    assert min(line) > 0.8 * max(line)


def test_numbers_of_any_size_have_no_exponent() -> None:
    for size in (1e-9, 1e12, -3.0):
        found = [{"day": day, "n": size * (1 + random.Random(day).random())} for day in range(20)]
        summary = markdown_summary(hf.watch(found, by="day", values=["n"], charts=["n=shewhart"]))
        (drawing,) = drawings(summary)
        assert not re.search(r"\de[-+]?\d", drawing)
        line = next(numbers(one) for one in drawing.splitlines() if " line [" in one)
        assert line == pytest.approx([one["n"] for one in found], rel=1e-3)


def test_names_are_no_markup() -> None:
    found = [*answers(range(1, 16), who=HOSTILE), *answers(range(16, 31), words=8, who=HOSTILE)]
    found += [{**one, "who": "- other"} for one in answers(range(1, 31))]
    for one in found:
        one[HOSTILE] = float(len(one["text"]))
    summary = markdown_summary(
        hf.watch(found, by="day", text="text", group="who", values=[HOSTILE])
    )
    page = html(summary)
    assert "<script" not in page
    assert "<a " not in page
    assert "<strong>" not in page
    assert "<h1" not in page
    assert "@team" not in page
    assert len(set(re.findall(r"<tr>\n(?:<td>.*</td>\n)+</tr>", page))) >= 2
    assert {row.count("<td>") for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)} <= {0, 5}
    for drawing in drawings(summary):
        assert drawing.count("%%{init") == 1
        assert not set('<>`|;#"') & set(re.findall(r'title "(.*)"', drawing)[0])


def test_a_comparison_tells_what_the_gate_says(compared: hf.Comparison) -> None:
    summary = markdown_summary(compared, fail_below=0.9)
    assert summary.startswith("### hayflick: Less diverse: effective number of words −")
    assert "\n- below 90% of the old number: effective number of words, 0." in summary
    assert "below" not in markdown_summary(compared)
    rows = re.findall(r"^(.*)  (?:effective|spread)\S* ", summary, re.MULTILINE)
    drawn = [row for row in rows if "●" in row and not row.startswith("|")]
    assert len(drawn) == 3
    assert all(len(row) == 25 for row in drawn)
    assert drawn[0].index("●") < drawn[0].index("│")


def test_japanese(fallen: hf.WatchResult, compared: hf.Comparison) -> None:
    assert "| 監視対象 | 推移 | 状態 |" in markdown_summary(fallen, lang="ja")
    assert "●" in markdown_summary(compared, lang="ja", fail_below=0.9)


def test_a_line_of_blocks() -> None:
    assert block_line([]) == ""
    assert block_line([None, None]) == ""
    assert block_line([2.0, 2.0]) == "▁▁"
    assert block_line([0.0, None, 7.0]) == "▁·█"
    assert len(block_line([float(k) for k in range(1000)])) == 16


def test_a_summary_is_put_behind_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("before\n")
    append_summary(path, "one\n")
    append_summary(path, "two\n")
    assert path.read_text() == "before\none\n\ntwo\n\n"
    with pytest.raises(OutputError, match="is a directory"):
        append_summary(tmp_path, "one")


def test_a_plot_has_every_chart_with_its_name(
    tmp_path: Path, fallen: hf.WatchResult, compared: hf.Comparison
) -> None:
    save_plot(fallen, tmp_path / "watch.svg")
    drawn = (tmp_path / "watch.svg").read_text(encoding="utf-8")
    for title in ("Effective number of words", "Effective number of answers", "Spread of answers"):
        assert drawn.count(f">{title}</text>") == 1
    save_plot(compared, str(tmp_path / "compare.svg"), lang="ja")
    assert "<svg" in (tmp_path / "compare.svg").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="exists"):
        save_plot(fallen, tmp_path / "watch.svg")
    save_plot(fallen, tmp_path / "watch.svg", force=True)
    nothing = replace(fallen, charts=())
    with pytest.raises(DataError, match="there is nothing to draw"):
        save_plot(nothing, tmp_path / "none.svg")
