import pytest

from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.rounds import round_order


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["10", "9", "-1.5"], ("-1.5", "9", "10")),
        (["2026-11-03", "2026-11-01T08:00"], ("2026-11-01T08:00", "2026-11-03")),
        (["warm", "cold", "7"], ("warm", "cold", "7")),
        (["第二回", "第一回"], ("第二回", "第一回")),
        (["nan", "1"], ("nan", "1")),
        ([str(10**30 + 1), str(10**30)], (str(10**30), str(10**30 + 1))),
    ],
)
def test_labels_are_sorted_by_what_they_are(labels, names):
    assert round_order(labels).names == names


def test_different_spellings_of_a_number_or_a_time_are_one_round():
    assert round_order(["1", "2", "1.0"]).places == {"1": 1, "1.0": 1, "2": 2}
    order = round_order(["2026-11-01T09:00+09:00", "2026-11-01T00:00Z"])
    assert order.names == ("2026-11-01T09:00+09:00",)


@pytest.mark.parametrize(
    ("every", "names"),
    [
        ("1d", ("2026-10-31", "2026-11-01", "2026-11-02")),
        ("1w", ("2026-10-26", "2026-11-02")),
        ("1mo", ("2026-10-01", "2026-11-01")),
        ("24h", ("2026-10-31", "2026-11-01", "2026-11-02")),
    ],
)
def test_times_fall_into_periods(every, names):
    order = round_order(["2026-11-02T12:00", "2026-10-31"], every=every)
    assert order.names == names
    assert order.places["2026-10-31"] == 1


@pytest.mark.parametrize("every", ["day", "0d", "1s", "-1d", "1d2h", ""])
def test_a_length_that_is_none_is_refused(every):
    with pytest.raises(ArgumentError, match=r"every: got .*takes a number and a unit"):
        round_order(["2026-11-02"], every=every)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["3", "2", "1", "n/a"], "by: is no number, as most rounds are: 'n/a'"),
        (["2026-11-01", "2026-11-02", "soon"], "by: is no time, as most rounds are: 'soon'"),
    ],
)
def test_one_odd_label_does_not_turn_the_order_round(labels, message):
    with pytest.raises(DataError, match=message):
        round_order(labels)


def test_labels_that_are_no_times_have_no_periods():
    with pytest.raises(DataError, match="by: is no time: 'cold'; takes ISO 8601"):
        round_order(["2026-11-02", "cold"], every="1d")
    with pytest.raises(ArgumentError, match="at most 1,000,000 rounds"):
        round_order(["0001-01-01", "2026-11-02"], every="1m")
