"""The page of a comparison says what differs and what was left out, in both languages."""

import random
import re

import pytest

import hayflick as hf

HOSTILE = "<script>alert(1)</script>"
SAID = {
    "en": ["Less diverse", "The new one says", "Typical answers", "Only the old table", "higher"],
    "ja": ["多様性が低下", "新に多い表現", "典型的な回答", "だけにあるプロンプト", "上昇"],
}


@pytest.fixture(scope="module")
def compared():
    draw = random.Random(1)
    words = [f"word{number}" for number in range(150)]
    old = {
        "answer": [" ".join(draw.choices(words, k=8)) for _ in range(90)],
        "prompt": ["x", "y", HOSTILE] * 30,
        "time": [1.0 + draw.random() for _ in range(90)],
    }
    new = {
        "answer": ["as a model " + " ".join(draw.choices(words[:30], k=6)) for _ in range(90)],
        "prompt": ["x", "y", "y"] * 30,
        "time": [3.0 + draw.random() for _ in range(90)],
    }
    return hf.compare(old, new, text="answer", prompt="prompt", values=["time"])


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_page_says_what_differs_and_what_was_left_out(compared, lang, tmp_path):
    page = compared.save(tmp_path / "page.html", lang=lang).read_text(encoding="utf-8")
    plain = re.sub("[\u2066-\u2069]", "", page)
    for sentence in SAID[lang]:
        assert sentence in plain
    assert "as a model" in plain
    assert "<svg" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_a_notebook_shows_the_verdict_and_the_intervals(compared):
    view = compared._repr_html_()
    assert "Less diverse" in view
    assert "<svg" in view
