"""The page of an audit, as a reader finds it."""

import html
import re

import pytest

import hayflick as hf
from hayflick.cli.main import main


def text_of(page):
    body = re.sub("<style>.*?</style>|<pre>.*?</pre>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", body)).split())


def texts(number):
    """Return texts with nothing in common but their last three words."""
    return [f"item{place} part{place} thing{place} in the end" for place in range(number)]


def data():
    """Return 40 rows: 30 items, of which one stands there ten times more and one is a class."""
    rows = [*texts(30), *["item0 part0 thing0 in the END"] * 9, "item0 part0 thing0 in the night"]
    return {"text": rows, "topic": ["weather"] * 39 + ["<b>rare</b>"]}


@pytest.fixture(scope="module")
def audited():
    return hf.audit(data(), text="text", label="topic", rare_share=0.05,
                    max_duplicates=0.1, max_cluster=20, min_effective=5.0)  # fmt: skip


def saved(result, tmp_path, lang="en"):
    return result.save(tmp_path / f"{lang}.html", lang=lang).read_text(encoding="utf-8")


def test_the_first_screen_says_what_fails_with_intervals(audited, tmp_path):
    page = saved(audited, tmp_path)
    header = text_of(page[: page.index("</header>")])
    assert "Failed: copies and near copies" in header
    assert "10 of 40, 9 exact fails" in header
    effective = audited.effective_items
    assert f"{effective.low:.1f}".rstrip("0").rstrip(".") in header
    assert header.count("(95%)") == 1
    assert header.count("passes") == 1


def test_thresholds_stand_in_a_table_with_what_is_allowed(audited, tmp_path):
    told = text_of(saved(audited, tmp_path))
    assert "--max-duplicates 25% at most 10% fails" in told
    assert "--max-cluster 11 at most 20 passes" in told
    assert "--min-effective" in told
    assert "at least 5 passes" in told


def test_clusters_phrases_and_classes_are_shown_escaped(audited, tmp_path):
    page = saved(audited, tmp_path)
    told = text_of(page)
    assert "11 items with 2 different texts" in told
    assert "item0 part0 thing0 in the night" in told
    assert "in the end 97.5%" in told
    assert "<b>rare" not in page
    assert "Classes with less than 5.0% of the items: 1 (<b>rare</b>: 1)" in html.unescape(page)


def test_charts_carry_their_numbers(audited, tmp_path):
    page = saved(audited, tmp_path)
    titles = re.findall('<figure [^>]*aria-label="(.*?)"', page)
    assert titles[0] == "How long the items are"
    assert "How large the clusters of near copies are" in titles
    assert titles[-1] == "Items by class (topic)"
    assert page.count('download="') == len(titles)
    assert "weather 39 9 " in text_of(page)


def test_what_was_not_asked_for_is_not_shown(tmp_path):
    told = text_of(saved(hf.audit({"text": texts(6)}, text="text"), tmp_path))
    for absent in ("Thresholds", "clusters of near", "Rare classes", "generated", "clean copy"):
        assert absent not in told, absent


def test_a_share_that_cannot_be_told_is_named(tmp_path):
    # The detector says the same of texts of either origin.
    scored = {"text": texts(12), "score": [0.1, 0.9] * 6}
    result = hf.audit(scored, text="text", score="score", confusion=(5, 5, 5, 5), max_synthetic=0.1)
    page = saved(result, tmp_path)
    assert 'class="verdict no-reading">Not measured, so not decided: generated texts' in page
    assert "generated, by scores not measured" in text_of(page)


def test_generated_texts_leaks_and_the_clean_copy_are_shown(tmp_path):
    path = tmp_path / "train.csv"
    rows = [*texts(20), texts(20)[3]]
    path.write_text("text\n" + "".join(f"{one}\n" for one in rows), encoding="utf-8")
    holdout = ["one two three four five six seven eight nine", rows[2]]
    result = hf.audit(path, text="text", holdout=holdout, write_clean=tmp_path / "clean.csv")
    told = text_of(saved(result, tmp_path))
    assert "leaked evaluation items 50.0% 1 of 2 items" in told
    assert "item2 part2 thing2 in the end 2 4 100.0%" in told
    assert "reason rows exact copy 1" in told


def test_japanese_pages_have_no_english_sentence(audited, tmp_path):
    told = text_of(saved(audited, tmp_path, "ja"))
    for words in ("passes", "fails", "at most", "clusters", "Phrases", "items with", "Rare"):
        assert words not in told, words
    assert "しきい値" in told
    assert "10%以下" in told


def test_the_command_writes_the_page(tmp_path):
    path, page = tmp_path / "train.csv", tmp_path / "audit.html"
    path.write_text("text\n" + "".join(f"{one}\n" for one in texts(9)), encoding="utf-8")
    code = main(
        ["audit", str(path), "--text", "text", "--max-duplicates", "0.1", "--out", str(page)]
    )
    assert code == 0
    assert "The data set passes all thresholds." in page.read_text(encoding="utf-8")


def test_a_notebook_shows_sentences_and_charts(audited):
    shown = audited._repr_html_()
    assert "The data set fails --max-duplicates." in shown
    assert shown.count("<svg") == 3


def test_scripts_have_names_in_the_readers_language(tmp_path):
    rows = ["Это предложение", "This is one", "これは文です", "42", "ᚠᚢᚦᚨᚱᚲ ᚠᚢᚦ"]
    result = hf.audit({"text": rows}, text="text")
    english, japanese = (text_of(saved(result, tmp_path, lang)) for lang in ("en", "ja"))
    for name in ("Cyrillic", "Latin", "Japanese", "without letters", "another script"):
        assert f"{name} 1 0" in english, name
        assert name not in japanese, name
    assert "キリル文字 1 0" in japanese


def test_of_very_many_classes_the_page_keeps_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr("hayflick.report.audit_charts._MOST_ROWS", 25)
    columns = {"text": texts(60), "user": [f"user {place:02}" for place in range(60)]}
    page = saved(hf.audit(columns, text="text", label="user"), tmp_path)
    assert "Smaller ones that are not drawn: 40." in page
    assert "user 24 1 0" in text_of(page)
    assert "user 25 1 0" not in text_of(page)


def test_phrases_that_were_not_counted_have_no_share(tmp_path):
    columns = {"text": [one[:-11] for one in texts(9)], "kind": ["", None, *"bcdefgh"]}
    page = saved(hf.audit(columns, text="text", label="kind", max_phrase=0.5), tmp_path)
    told = text_of(page)
    assert "--max-phrase none is listed at most 50% passes" in told
    assert "“” 1 0" in told
    assert "none 1 0" in told
