import string
from importlib.resources import files

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from hayflick.core.checks import LANGUAGES
from hayflick.core.errors import ArgumentError
from hayflick.report.language import Language

PACKAGE, REPORT = files("hayflick"), files("hayflick.report")
METHODS = [("**.py", "python"), ("**.jinja", "jinja2")]


def fields(message):
    return {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}


def catalogue(code):
    path = REPORT / "locale" / code / "LC_MESSAGES" / "hayflick.po"
    with path.open("rb") as file:
        return {entry.id: entry.string for entry in read_po(file, locale=code) if entry.id}


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_a_catalogue_has_every_message_and_no_other(code):
    keywords = dict.fromkeys(("text", "Note", "LeftOut", "without", "translatable"))
    asked = {found[2] for found in extract_from_dir(PACKAGE, METHODS, keywords=keywords)}
    translated = catalogue(code)
    assert asked == set(translated), "run make catalog and translate what is new"
    assert len(asked) > 50


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_a_translation_fills_in_what_the_message_fills_in(code):
    for message, translation in catalogue(code).items():
        assert translation, message
        assert fields(translation) == fields(message), message


def test_messages_are_filled_in_once():
    name = "{nouns} 100 % <b>"
    filled = Language("ja").text("Forecast: {name}", name=name)
    assert filled == f"予測：{name}"


def test_a_message_without_translation_stays_english():
    assert Language("ja").text("no such message {n}", n=1) == "no such message 1"


@pytest.mark.parametrize("code", ["de", "", "EN", None])
def test_an_unknown_language_is_refused(code):
    with pytest.raises(ArgumentError, match="takes one of en, ja"):
        Language(code)


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0.0%"), (1, "100.0%"), (0.0004, "<0.1%"), (0.9996, ">99.9%"), (0.12345, "12.3%")],
)
def test_a_share_is_never_rounded_to_nothing_or_all(share, shown):
    assert Language("en").percent(share) == shown


def test_numbers_have_separators_and_few_decimals():
    language = Language("en")
    assert [language.number(value) for value in (1234567, 302611.1, 3.14159, 2.0)] == [
        "1,234,567",
        "302,611",
        "3.1",
        "2",
    ]
