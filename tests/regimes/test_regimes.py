import pytest

from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.source import Source
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.parsing import parse_regime
from hayflick.regimes.replace import Replace

WORDS = Source("corpus.txt", tokenizer="words")


def test_replace_draws_everything_from_the_model():
    mix = Replace().mix(3, samples=100)
    assert (mix.generated, mix.fresh, mix.reserved) == (100, 0, 0)


@pytest.mark.parametrize(
    ("share", "fresh"), [(0, 0), (0.05, 5), (0.125, 13), (0.499, 50), (1, 100)]
)
def test_fresh_rounds_to_the_nearest_item(share, fresh):
    mix = Fresh(share=share).mix(1, samples=100)
    assert (mix.generated, mix.fresh) == (100 - fresh, fresh)


def test_anchor_makes_room_for_its_reserve():
    mix = Anchor.from_mapping({"a": 3, "b": 4}).mix(1, samples=10)
    assert (mix.generated, mix.fresh, mix.reserved) == (3, 0, 7)


def test_a_reserve_larger_than_the_training_set_is_refused():
    with pytest.raises(ArgumentError, match="reserve: got 7, takes at most 6 items"):
        Anchor.from_mapping({"a": 7}).mix(1, samples=6)


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("replace", "replace"),
        ("fresh:0.05", "fresh:share=0.05"),
        ("fresh:share=0.05", "fresh:share=0.05"),
        ("fresh:0.3333333333333333", "fresh:share=0.3333333333333333"),
    ],
)
def test_the_grammar_goes_both_ways(text, described):
    regime = parse_regime(text, like=WORDS)
    assert regime.describe() == described
    assert parse_regime(described, like=WORDS) == regime


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fesh:0.1", "did you mean fresh"),
        ("", "takes one of replace, "),
        ("fresh", "takes fresh:share=SHARE"),
        ("fresh:", "takes fresh:share=SHARE"),
        ("fresh:share=", "takes fresh:share=SHARE"),
        ("fresh:lots", "share: got lots, takes a number"),
        ("fresh:1.5", "share: got 1.5, takes a number from 0 to 1"),
        ("fresh:-0.1", "takes a number from 0 to 1"),
        ("fresh:nan", "takes a number from 0 to 1"),
        ("replace:0.5", "takes replace"),
        ("anchor", "takes anchor:file=FILE"),
    ],
)
def test_what_is_no_regime_is_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_regime(text, like=WORDS)


def test_an_anchor_is_read_as_the_data_were(tmp_path):
    text = tmp_path / "re,serve=1.txt"
    text.write_text("Quince, medlar; QUINCE")
    anchor = parse_regime(f"anchor:{text}", like=WORDS)
    assert anchor.reserve.symbols == ("quince", "medlar")
    assert anchor.describe() == "anchor:file=re,serve=1.txt"


def test_a_reserve_of_labels_is_one_per_line_or_a_table(tmp_path):
    labels = Source("labels.csv", column="label")
    (tmp_path / "reserve.txt").write_text("wrong item\nlate\nwrong item\n")
    (tmp_path / "reserve.csv").write_text("id,label\n1,wrong item\n2,late\n3,wrong item\n")
    (tmp_path / "reserve.json").write_text('{"wrong item": 2, "late": 1}')
    for name in ("reserve.txt", "reserve.csv", "reserve.json"):
        anchor = parse_regime(f"anchor:file={tmp_path / name}", like=labels)
        assert anchor.reserve.symbols == ("wrong item", "late")
        assert anchor.reserve.numbers.tolist() == [2, 1]


def test_a_missing_reserve_is_refused():
    with pytest.raises(DataError, match="no such file"):
        parse_regime("anchor:nowhere.txt", like=WORDS)
