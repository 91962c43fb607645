import re

import pytest

from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.rounds import round_order


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["10", "9", "-1.5"], ("-1.5", "9", "10")),
        (["2026-11-03", "2026-11-01T08:00"], ("2026-11-01T08:00", "2026-11-03")),
        (["warm", "cold", "7"], ("warm", "cold", "7")),
        (["第二回", "第一回"], ("第一回", "第二回")),
        (["nan", "1"], ("nan", "1")),
        ([str(10**30 + 1), str(10**30)], (str(10**30), str(10**30 + 1))),
    ],
)
def test_labels_are_sorted_by_what_they_are(labels, names):
    assert round_order(labels).names == names


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        # Numbers in names.
        ("round 2", "round 10"),
        ("Round 2", "round 10"),
        ("epoch-003", "epoch-020"),
        ("epoch_9", "epoch_10"),
        ("v1.9", "v1.10"),
        ("model-1.9", "model-1.10"),
        ("1.9.2", "1.10.0"),
        ("run 3, step 900", "run 3, step 1000"),
        ("9th", "10th"),
        ("第2回", "第10回"),
        ("第９回", "第10回"),
        ("第二回", "第十回"),
        ("第二十回", "第百一回"),
        ("10회차", "11회차"),
        ("t=0.25", "t=0.50"),
        ("2/20", "10/20"),
        ("1,000", "12,000"),
        ("0,25", "0,5"),
        # Days.
        ("2026/11/03", "2026/11/20"),
        ("2026.11.3", "2026.11.20"),
        ("2026_11_03", "2026_11_20"),
        ("20261103", "20261120"),
        ("20.11.2026", "03.12.2026"),
        ("20-11-2026", "03-12-2026"),
        ("11/20/2026", "12/03/2026"),
        ("20112026", "03122026"),
        ("20 Nov 2026", "3 Dec 2026"),
        ("20-Nov-2026", "03-Dec-2026"),
        ("Nov 20, 2026", "Dec 3, 2026"),
        ("November 20th, 2026", "December 3rd, 2026"),
        ("20. November 2026", "3. Dezember 2026"),
        ("20 novembre 2026", "3 décembre 2026"),
        ("20 de noviembre de 2026", "3 de diciembre de 2026"),
        ("week of 20.11.2026", "week of 03.12.2026"),
        ("20.11.2026 – 26.11.2026", "03.12.2026 – 09.12.2026"),
        ("2026年11月3日", "2026年11月20日"),
        ("２０２６年１１月３日", "２０２６年１１月２０日"),
        ("平成31年4月30日", "令和元年5月1日"),
        ("2026년 9월 3일", "2026년 11월 3일"),
        # Times.
        ("Nov 20, 2026 10:00", "Nov 20, 2026 11:00"),
        ("11/20/2026 9:00 AM", "11/20/2026 1:00 PM"),
        ("2026/11/20 9:00", "2026/11/20 10:00"),
        ("Fri, 20 Nov 2026 10:00:00 +0900", "Fri, 20 Nov 2026 02:00:00 +0000"),
        ("Fri Nov 20 10:00:00 2026", "Thu Dec  3 10:00:00 2026"),
        ("20/Nov/2026:10:00:00 +0000", "03/Dec/2026:10:00:00 +0000"),
        ("20261120_090000", "20261120_100000"),
        ("2026年11月3日 9時30分", "2026年11月3日 午後1時"),
        # Weeks, months, quarters, halves.
        ("2026-W07", "2026-W10"),
        ("2026W7", "2026W10"),
        ("Week 51, 2026", "Week 2, 2027"),
        ("KW 51 2026", "KW 2 2027"),
        ("2026年第7週", "2026年第10週"),
        ("2026Q3", "2027Q1"),
        ("Q3 2026", "Q1 2027"),
        ("3Q2026", "1Q2027"),
        ("FY2026 Q3", "FY2027 Q1"),
        ("2026年第3四半期", "2027年第1四半期"),
        ("H2 2026", "H1 2027"),
        ("2026年上期", "2026年下期"),
        ("Nov 2026", "Jan 2027"),
        ("Sept 2026", "October 2026"),
        ("11/2026", "01/2027"),
        ("11.2026", "01.2027"),
        ("2026.9", "2026.10"),
        ("令和8年9月", "令和8年11月"),
    ],
)
def test_names_are_in_the_order_that_they_say_whatever_the_file(earlier, later):
    order = round_order([later, earlier])
    assert order.names == (earlier, later)
    assert earlier in str(order.notes[0])
    assert later in str(order.notes[0])
    assert "of the file" not in str(order.notes[0])


@pytest.mark.parametrize(
    ("labels", "readings"),
    [
        (["01/11/2026", "02/11/2026"], ("1 November 2026", "11 January 2026")),
        (["1.2.2026", "3.4.2026"], ("1 February 2026", "2 January 2026")),
        (["05-06-2026 10:00", "06-05-2026 10:00"], ("5 June 2026", "6 May 2026")),
        (["03112026", "04112026"], ("3 November 2026", "11 March 2026")),
    ],
)
def test_days_and_months_that_cannot_be_told_apart_are_refused(labels, readings):
    for every in (None, "1d"):
        with pytest.raises(DataError, match="day and month cannot be told apart") as fault:
            round_order(labels, every=every)
        assert all(reading in str(fault.value) for reading in readings)
        assert "write dates as 2026-" in str(fault.value)


def test_a_day_that_is_a_month_too_is_clear_where_both_readings_agree():
    assert round_order(["11/11/2026", "10/10/2026"]).names == ("10/10/2026", "11/11/2026")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["13/11/2026", "11/13/2026"], "'13/11/2026' has the day first and '11/13/2026' the month"),
        (["01/11/26", "02/11/26"], "has a year of two digits; write all four"),
        (["20.11.26", "3.12.26"], "has a year of two digits"),
        (["26-11-20", "26-11-05"], "has a year of two digits"),
        (["20 Nov 26", "3 Dec 26"], "has a year of two digits"),
        (["Q3 26", "Q1 27"], "has a year of two digits"),
        (["Nov 26", "Dec 26"], "a month of the year 2026"),
        (["Nov 3", "Dec 20"], "without a year"),
        (["3/11", "20/11", "3/12"], "without a year"),
        (["11月3日", "12月20日"], "without a year"),
        (["0001-01-01", "2026-11-03"], "is in the year 1, takes years from 1900 to 2199"),
        (["0001-01-01T00:00+09:00", "2026-11-03T00:00+09:00"], "is in the year 1"),
        (["9999-12-31", "2026-11-03"], "is in the year 9999"),
        (["2026/11/03", "2026/11/04", "2026/02/30"], "is no time, as most rounds are"),
        (["2026-11-03 10:00 JST", "2026-11-04 10:00 JST"], "names the time zone 'JST'"),
        (["1.9", "1.10"], "a version that comes after '1.9'; write v1.10"),
        (["1.1", "1.10"], "is the number 1.1, or a version"),
        (["t=0.25", "t=0.5"], "if they are versions, and after it if they are decimals"),
        (["warm-up", "round 1", "round 10", "round 2"], "'warm-up' cannot be put between them"),
    ],
)
def test_an_order_that_is_unclear_is_refused_with_the_remedy(labels, message):
    with pytest.raises(DataError, match=re.escape(message)):
        round_order(labels)


@pytest.mark.parametrize(
    "labels", [["warm", "cold"], ["warm-up", "round 1", "round 2"], ["b", "a"]]
)
def test_names_without_an_order_keep_that_of_the_file_and_a_note_says_so(labels):
    order = round_order(labels)
    assert order.names == tuple(labels)
    note = str(order.notes[0])
    assert "give no order, so they are in that of the file" in note
    assert f"the first is {labels[0]}, the last {labels[-1]}" in note


def test_a_zone_is_needed_where_some_times_name_one():
    labels = ["2026-11-01T02:00:00", "2026-11-01T02:00:00+09:00"]
    for every in (None, "1d"):
        with pytest.raises(DataError, match="names no time zone and") as fault:
            round_order(labels, every=every)
        assert all(label in str(fault.value) for label in labels)
        assert "--time-zone" in str(fault.value)
    order = round_order(labels, every="1d", time_zone="Asia/Tokyo")
    assert order.names == ("2026-11-01",)
    assert round_order(labels, every="1d", time_zone="UTC").names == ("2026-10-31", "2026-11-01")


@pytest.mark.parametrize("zone", ["Asia/Tokio", "America", "", "/etc/passwd", "+09:00", "a\0b"])
def test_a_zone_that_does_not_exist_is_refused(zone):
    with pytest.raises(ArgumentError, match=r"time_zone: got .*takes an IANA name"):
        round_order(["2026-11-01"], time_zone=zone)


def test_days_are_those_of_the_zone_also_where_clocks_change():
    labels = ["2026-10-24T00:30", "2026-10-25T23:30", "2026-10-26T00:10", "2026-10-25T22:30Z"]
    order = round_order(labels, every="1d", time_zone="Europe/Berlin")
    assert order.names == ("2026-10-24", "2026-10-25", "2026-10-26")
    assert list(order.places.values()) == [1, 2, 3, 2]
    hours = ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T03:30"]
    order = round_order(hours, every="1h", time_zone="Europe/Berlin")
    assert [name[11:] for name in order.names] == ["02:00+02:00", "02:00+01:00", "03:00+01:00"]


@pytest.mark.parametrize(
    "labels",
    [
        ["1795046400", "1795132800"],
        ["1795046400000", "1795132800000"],
        ["1795046400.5", "1795132800.5"],
        ["20261119", "20261120"],
        ["20261119000000", "20261120000000"],
    ],
)
def test_digits_are_times_where_a_length_of_rounds_is_given(labels):
    assert round_order(labels, every="1d").names == ("2026-11-19", "2026-11-20")


def test_rounds_without_an_answer_are_said():
    notes = round_order(["2026-11-01", "2026-11-10"], every="1d").notes
    assert "8 of 10 rounds have no answer" in map(str, notes)


def test_spellings_that_become_one_round_are_said():
    notes = round_order(["1", "2", "1.0", "01"]).notes
    assert "one round is spelled in several ways: '1', '1.0', '01'" in map(str, notes)
    assert len(round_order([f"{k}{tail}" for k in range(9) for tail in ("", ".0")]).notes) == 5


def test_long_labels_are_cut_in_notes_and_messages():
    order = round_order(["9" * 5000, "8" * 5000])
    assert order.names[0] == "8" * 5000
    assert len(str(order.notes[0])) < 300
    assert round_order(["run " + "9" * 5000, "run 2"]).names[0] == "run 2"


@pytest.mark.parametrize(
    ("labels", "name", "number"),
    [
        (["1.0", "2.0", "5.0"], "5", 3),
        (["1", "2", "5"], "5.0", 3),
        (["007", "7.5"], "7", 1),
        (["2026/11/04", "2026/11/05"], "2026-11-05", 2),
        (["round 1", "round 2"], "round 2", 2),
        (["round 1", "round 2"], "2", None),
        (["1", "2"], "nan", None),
    ],
)
def test_a_round_is_found_by_name_number_or_date(labels, name, number):
    assert round_order(labels).number_of(name) == number


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
        round_order(["1900-01-01", "2026-11-02"], every="1m")


@pytest.mark.parametrize(
    "names",
    [
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "21st"],
        ["1er tour", "2e tour", "3e tour", "10e tour"],
        ["first round", "second round", "ninth round", "tenth round"],
        ["round_one", "round_two", "round_three", "round_twelve"],
        ["I", "II", "III", "IV", "V", "VIII", "IX", "X", "XI", "XIV", "XL", "XCIX"],
        ["Phase Ⅰ", "Phase Ⅱ", "Phase Ⅳ", "Phase Ⅸ"],
    ],
)
def test_numbers_are_also_read_in_words_as_ordinals_and_in_roman_digits(names):
    assert round_order(names[::-1]).names == tuple(names)


@pytest.mark.parametrize("names", [["mild", "civil", "vivid"], ["ten", "men"], ["run 1e", "run 1"]])
def test_words_that_are_no_numbers_keep_the_order_of_the_file(names):
    assert round_order(names).names == tuple(names)
