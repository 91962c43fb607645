import json
import re

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, OutputError

VERSES = [
    "rain rain rain",
    "snow and hail and sleet",
    "",
    "rain and snow",
    "thunder",
    "rain rain and rain",
]
RARE = [f"word{number}" for number in range(30)]


@pytest.fixture
def verses(tmp_path):
    path = tmp_path / "verses.txt"
    path.write_text("\n".join(VERSES))
    return path


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    rows = ["refund"] * 50 + ["delivery"] * 30 + ["legal"] * 2 + [""] * 3
    path.write_text("id,label\n" + "".join(f"{row},{label}\n" for row, label in enumerate(rows)))
    return path


def texts(reserve):
    return [item["text"] for item in reserve.items]


def test_a_size_covers_the_most_symbols(verses):
    reserve = hf.reserve(verses, size=2)
    assert texts(reserve) == [VERSES[0], VERSES[1]]
    assert [item["line"] for item in reserve.items] == [1, 2]
    assert reserve.counts.total == 8
    assert set(reserve.counts.symbols) == {"snow", "and", "hail", "sleet", "rain"}
    assert (reserve.types, reserve.total, reserve.cover.value) == (6, 6.0, 5.0)
    assert reserve.cover.bound == 6.0
    assert reserve.share == reserve.cover.value / reserve.total


def test_tokens_buy_the_densest_items(verses):
    reserve = hf.reserve(verses, tokens=4)
    assert texts(reserve) == [VERSES[3], VERSES[4]]
    assert reserve.counts.total == 4


def test_frequency_weighs_by_count(verses):
    assert texts(hf.reserve(verses, size=1, weights="frequency")) == [VERSES[3]]


def test_a_must_keep_list_alone_has_weight(verses):
    reserve = hf.reserve(verses, size=5, must_keep=["Thunder", "hail"])
    assert texts(reserve) == [VERSES[1], VERSES[4]]
    assert reserve.must_keep == reserve.kept == ("hail", "thunder")
    assert reserve.share == 1.0


def test_what_a_budget_has_no_room_for_is_not_kept(verses):
    reserve = hf.reserve(verses, size=1, must_keep=["thunder", "sleet", "hail"])
    assert reserve.kept == ("hail", "sleet")
    assert reserve.cover.of_best == 1.0


def test_rows_of_a_table_are_kept_whole(labels):
    reserve = hf.reserve(labels, column="label", size=3)
    assert reserve.items == (
        {"id": "0", "label": "refund"},
        {"id": "50", "label": "delivery"},
        {"id": "80", "label": "legal"},
    )


def test_the_seed_moves_the_samples_alone(verses):
    first, again, other = (
        hf.reserve(verses, size=2, seed=seed).same_items.values.tolist() for seed in (1, 1, 2)
    )
    assert first == again != other
    assert hf.reserve(verses, size=2, seed=2).items == hf.reserve(verses, size=2).items


def test_the_samples_are_of_the_same_size(verses):
    reserve = hf.reserve(verses, size=2)
    assert np.all(reserve.same_items.items == 2)
    assert np.all(reserve.same_tokens.tokens >= reserve.counts.total)
    assert reserve.same_items.types.size == 20


def test_an_anchor_of_the_reserve_keeps_what_it_holds(verses):
    reserve = hf.reserve(verses, size=2)
    model = hf.Discrete.from_text(verses)
    kept = hf.survival(model, generations=200, regime=hf.Anchor(reserve.counts))
    assert kept.surviving_fraction[-1] >= reserve.counts.types / reserve.types


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_page_is_saved_too(verses, tmp_path, lang):
    result = hf.reserve(verses, size=2)
    page = result.save(tmp_path / "reserve.html", lang=lang).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f'<html lang="{lang}">' in page
    assert "83.3%" in page
    assert "<h3>Reserve: verses.txt</h3>" in result._repr_html_()
    assert result.to_dict()["items"] == 2


def test_a_list_in_a_file_is_read(verses, tmp_path):
    (tmp_path / "keep.txt").write_text("Thunder\nhail\n")
    listed = hf.reserve(verses, size=5, must_keep=tmp_path / "keep.txt")
    assert listed.items == hf.reserve(verses, size=5, must_keep=["thunder", "hail"]).items


def test_the_old_name_warns(verses):
    with pytest.warns(DeprecationWarning, match="build_reserve is hayflick.reserve now"):
        assert hf.build_reserve(verses, size=2).items == hf.reserve(verses, size=2).items


def test_reading_tells_its_stages(verses):
    stages = []
    hf.reserve(verses, size=2, progress=lambda stage, done, total: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["reading", "numbering", "choosing"]


def test_a_reserve_is_saved_whole(verses, tmp_path):
    reserve = hf.reserve(verses, size=2)
    path = reserve.save(tmp_path / "reserve.jsonl")
    header, *items = map(json.loads, path.read_text().splitlines())
    assert header["hayflick_reserve"]["format_version"] == 1
    assert header["hayflick_reserve"]["items"] == 2
    assert tuple(items) == reserve.items
    with pytest.raises(OutputError, match="exists already"):
        reserve.save(path)
    assert reserve.save(path, numbered=True).name == "reserve-2.jsonl"
    plain = reserve.save(tmp_path / "reserve.txt")
    assert plain.read_text() == f"{VERSES[0]}\n{VERSES[1]}\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "size: got neither size nor tokens, takes one of them"),
        ({"size": 2, "tokens": 5}, "size: got both size and tokens"),
        ({"size": 0}, "size: got 0, takes a whole number of at least 1"),
        ({"tokens": -1}, "tokens: got -1"),
        ({"size": 6}, "size: got 6, takes at most 5: verses.txt holds 5 items"),
        ({"tokens": 17}, "tokens: got 17, takes at most 16: verses.txt holds 16 tokens"),
        ({"size": 1, "weights": "zipf"}, "weights: got zipf, takes one of uniform, frequency"),
        ({"size": 1, "seed": -1}, "seed: got -1"),
        ({"size": 1, "must_keep": []}, "must_keep: got no symbol"),
        ({"tokens": 2, "must_keep": ["hail"]}, "every item with a listed symbol has more tokens"),
        ({"size": 1, "column": "label"}, "leave --column out"),
    ],
    ids=str,
)
def test_a_bad_argument_is_named(settings, message, verses):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        hf.reserve(verses, **settings)


def test_tokens_below_the_shortest_item_are_refused(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("one two three\nfour five six seven\n")
    with pytest.raises(ArgumentError, match="at least 3: the shortest item of long"):
        hf.reserve(path, tokens=2)


def test_what_the_data_lack_is_listed_up_to_ten(verses):
    with pytest.raises(DataError) as fault:
        hf.reserve(verses, size=1, must_keep=["rain", *RARE])
    assert str(fault.value).startswith("must-keep: verses.txt lacks: 'word0', 'word1'")
    assert "'word9' and 20 more" in str(fault.value)
    assert "rain" not in str(fault.value)


def test_the_reserve_of_wikitext_beats_uniform_samples(wikitext):
    reserve = hf.reserve(wikitext, size=500)
    assert len(reserve.items) == 500
    assert reserve.counts.types >= 1.5 * reserve.same_items.types.max()
    assert reserve.counts.types > reserve.same_tokens.types.max()
    assert reserve.counts.types == reserve.cover.value == 13_355
    assert reserve.cover.of_best > reserve.cover.proven
