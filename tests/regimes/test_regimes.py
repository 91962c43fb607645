import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.source import Source
from hayflick.regimes.regime import parse_regime

WORDS = Source("corpus.txt", tokenizer="words")


def test_replace_draws_everything_from_the_model():
    mix = hf.Replace().mix(3, samples=100)
    assert (mix.generated, mix.fresh, mix.reserved) == (100, 0, 0)


@pytest.mark.parametrize(
    ("share", "fresh"), [(0, 0), (0.05, 5), (0.125, 13), (0.499, 50), (1, 100)]
)
def test_fresh_rounds_to_the_nearest_item(share, fresh):
    mix = hf.Fresh(share=share).mix(1, samples=100)
    assert (mix.generated, mix.fresh) == (100 - fresh, fresh)


def test_anchor_makes_room_for_its_reserve():
    mix = hf.Anchor.from_mapping({"a": 3, "b": 4}).mix(1, samples=10)
    assert (mix.generated, mix.fresh, mix.reserved) == (3, 0, 7)


def test_a_reserve_larger_than_the_training_set_is_refused():
    with pytest.raises(ArgumentError, match="reserve: got 7, takes at most 6 items"):
        hf.Anchor.from_mapping({"a": 7}).mix(1, samples=6)


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("replace", "replace"),
        ("fresh:0.05", "fresh:share=0.05"),
        ("fresh:share=0.05", "fresh:share=0.05"),
        ("fresh:0.3333333333333333", "fresh:share=0.3333333333333333"),
        ("periodic:0.2,every=5", "periodic:share=0.2,every=5"),
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
        ("periodic:0.2", "takes periodic:share=SHARE,every=EVERY"),
        ("periodic:0.2,every=0", "every: got 0, takes a whole number of at least 1"),
        ("periodic:0.2,every=2.5", "every: got 2.5, takes a whole number"),
        ("periodic:1.2,every=2", "share: got 1.2, takes a number from 0 to 1"),
        ("scheduled", "takes scheduled:file=FILE"),
    ],
)
def test_what_is_no_regime_is_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_regime(text, like=WORDS)


def test_periodic_data_come_when_they_are_due():
    regime = hf.Periodic(share=0.125, every=3)
    mixes = [regime.mix(generation, samples=100) for generation in range(1, 8)]
    assert [mix.fresh for mix in mixes] == [0, 0, 13, 0, 0, 13, 0]
    assert not regime.constant
    assert hf.Periodic(share=0.125, every=1).constant


def test_a_schedule_is_followed_and_its_end_repeats():
    regime = hf.Scheduled(samples=(10, 20, 20), fresh=(0, 5))
    mixes = [regime.mix(generation, samples=999) for generation in range(1, 6)]
    assert [mix.samples for mix in mixes] == [10, 20, 20, 20, 20]
    assert [mix.fresh for mix in mixes] == [0, 5, 5, 5, 5]
    assert regime.describe() == "scheduled:samples 10 20 x2, fresh 0 5"


@pytest.mark.parametrize(
    ("samples", "fresh", "message"),
    [
        ((), (1,), "rounds in samples: got 0"),
        ((1,), (), "rounds in fresh: got 0"),
        ((10, 0), (0,), "samples of round 2: got 0, takes a whole number of at least 1"),
        ((10, 5), (6,), "fresh of round 2: got 6, takes a whole number from 0 to 5"),
        ((10,), (0, -1), "fresh of round 2: got -1"),
        ((10.5,), (0,), "samples of round 1: got 10.5"),
    ],
)
def test_a_schedule_out_of_range_is_refused(samples, fresh, message):
    with pytest.raises(ArgumentError, match=message):
        hf.Scheduled(samples=samples, fresh=fresh)


def test_a_schedule_is_read_from_a_table(tmp_path):
    plan = tmp_path / "plan=a,b.csv"
    plan.write_text("round,fresh,samples\n1, 0,100\n2,20,200\n")
    regime = parse_regime(f"scheduled:{plan}", like=WORDS)
    assert (regime.samples, regime.fresh) == ((100, 200), (0, 20))
    assert regime.describe() == "scheduled:file=plan=a,b.csv"
    plan.write_text("samples;fresh\n100.0;0.0\n\n200.;20\n")
    assert hf.Scheduled.from_file(plan).fresh == (0, 20)
    lines = tmp_path / "plan.jsonl"
    lines.write_text('{"samples": 100, "fresh": 0}\n{"samples": 200, "fresh": 20}\n')
    assert hf.Scheduled.from_file(lines).fresh == (0, 20)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("plan.txt", "samples,fresh\n1,1\n", "is no table; takes .csv, "),
        ("plan.csv", "samples,real\n1,1\n", "has no column 'fresh'; it has: 'samples', 'real'"),
        ("plan.csv", "samples,fresh\n", "has no rows"),
        ("plan.csv", "samples,fresh\n9,1\n9,\n", "line 3, column 'fresh': holds nothing"),
        ("plan.csv", "samples,fresh\n1e3,1\n", "line 2, column 'samples': holds '1e3'"),
        ("plan.csv", "samples,fresh\n9,1,1\n", "line 2 has 3 cells, the header has 2"),
    ],
)
def test_what_is_no_schedule_is_refused(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        hf.Scheduled.from_file(path)


def test_a_missing_schedule_is_refused():
    with pytest.raises(DataError, match="no such file"):
        parse_regime("scheduled:nowhere.csv", like=WORDS)


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


def test_a_reserve_longer_than_a_path_stands_in_the_regime():
    stored = {f"a label with a long name {place}": 5 for place in range(200)}
    regime = parse_regime(hf.Anchor.from_mapping(stored).in_full(), like=Source("x"))
    assert regime.reserve.total == 1000
