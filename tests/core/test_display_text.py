"""Text of users is safe to show, short, and told apart."""

import sys
import unicodedata

import pytest

from hayflick.core.display_text import display_text, distinct_names

FSI, PDI = "\u2068", "\u2069"


def test_nothing_is_shown_that_a_terminal_or_an_xml_file_cannot_hold():
    shown = display_text("".join(map(chr, range(sys.maxunicode + 1))), longest=sys.maxunicode * 2)
    assert {unicodedata.category(sign) for sign in shown} & {"Cc", "Cs", "Zl", "Zp"} == set()
    assert not {"\ufffe", "\uffff", "\ufdd0", "\U0010ffff", "\u202e", "\u202a"} & set(shown)
    shown.encode()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "word",
            "返品・交換",
            "👩‍👩‍👧",
            "می‌خواهم",
            "e\u0301",
            "a b",
            "",
            " ",
            "«x»",
            "{a}",
            "[bold]",
        ),
        *("ไทย", "\U0001f3f4\U000e0067\U000e007f"),
    ],
)
def test_ordinary_words_of_any_script_are_whole(text):
    assert display_text(text, isolated=False) == text


@pytest.mark.parametrize(
    "text", ["\u200b", "\ufeff\u200d", "\u2060", "\u3164", "\ufe0f", "\u2066\u2069"]
)
def test_a_name_of_invisible_signs_is_seen(text):
    assert display_text(text) == "�" * len(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("עברית", f"{FSI}עברית{PDI}"),
        ("العربية 1", f"{FSI}العربية 1{PDI}"),
        ("\u202eabc", "�abc"),
        ("a\u200fb", f"{FSI}a\u200fb{PDI}"),
        ("\u2067abc", f"\u2067abc{PDI}"),
        ("abc\u2069", "abc�"),
        ("\u2069א", f"{FSI}�א{PDI}"),
        (f"{FSI}א{PDI}", f"{FSI}א{PDI}"),
        (f"{FSI}א{PDI} and {FSI}ב{PDI}", f"{FSI}א{PDI} and {FSI}ב{PDI}"),
    ],
)
def test_what_runs_from_right_to_left_is_isolated(text, shown):
    assert display_text(text) == shown


@pytest.mark.parametrize(
    "text", ["a\x00b", "א" * 500, "\u2067" * 50, "x" * 10**6, "\u2069א\u202e", FSI]
)
def test_a_second_pass_changes_nothing(text):
    once = display_text(text)
    assert display_text(once) == once
    assert len(once) <= 200 + 51


def test_a_long_text_is_cut_in_the_middle():
    assert display_text("a" * 500 + "b" * 500, longest=11) == "aaaaaa…bbbbb"[-11:]


def test_names_that_look_alike_get_a_number():
    alike = ["a", "a\u200b", " a", "a\x00", "a\x01", "x" * 500, "x" * 501, "é", "e\u0301"]
    shown = distinct_names(alike)
    assert shown == [
        "a",
        "(2) a\u200b",
        "(3)  a",
        "a�",
        "(2) a�",
        shown[5],
        f"(2) {shown[5]}",
        "é",
        "(2) e\u0301",
    ]
    assert distinct_names(["(2) b", "b\x00", "b\ufffd", "b\x01"])[1:] == ["b�", "(2) b�", "(3) b�"]
