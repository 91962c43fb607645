"""What a spreadsheet program would run is guarded, and numbers are left alone."""

import pytest

from hayflick.core.spreadsheets import guarded, is_formula


@pytest.mark.parametrize(
    "cell",
    [
        *("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\tplain", "\rplain", " =1+1", "\n=1+1"),
        *('"=1+1', "'=1", "' =1", "\u200b=1+1", "\ufeff@x", "\u202e=1", "\u3000=1", "\xa0=1"),
        *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", "\u22121", '=HYPERLINK("http://e","x")'),
        *("=cmd|' /C calc'!A0", "-cmd", "+cmd", "-", "--1", "+1-1", "-1,5", "\u201c=1", "\x00=1"),
    ],
)
def test_a_formula_is_guarded(cell):
    assert is_formula(cell)
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "12",
        "-5",
        "+5",
        "-0.25",
        "-1e-9",
        " -5 ",
        "so",
        "a=b",
        "1-2",
        "2026-01-01",
        "\u6d77",
        "'tis",
    ],
)
def test_numbers_and_plain_text_are_not(cell):
    assert guarded(cell) == cell
