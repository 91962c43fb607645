"""The words and numbers of a report, in the reader's language.

Messages are English in the code and the templates; other languages have gettext catalogues in
`locale`, which are read without being compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from hayflick.core.checks import check_language
from hayflick.core.display_text import LONGEST_NAME, LONGEST_VALUE, display_text

_DOMAIN = "LC_MESSAGES/hayflick.po"


@dataclass(frozen=True, slots=True)
class Language:
    """A language of reports.

    Parameters
    ----------
    code
        ``en`` or ``ja``.

    Raises
    ------
    ArgumentError
        If there is no such language.

    Examples
    --------
    >>> Language("en").text("{rounds} rounds", rounds=50)
    '50 rounds'
    >>> Language("en").percent(0.2383), Language("ja").number(436577)
    ('23.8%', '436,577')
    """

    code: str

    def __post_init__(self) -> None:
        check_language(self.code)

    def text(self, message: str, **values: object) -> str:
        """Return a message in this language, its ``{names}`` filled in.

        Texts among the values are shown as `display_text` returns them, and sequences of texts
        with commas between. A message without values is taken as it is, braces and all.
        """
        translated = message if self.code == "en" else _translation(self.code, message)
        if not values:
            return translated
        return translated.format(**{name: _shown(value) for name, value in values.items()})

    def joined(self, *sentences: str) -> str:
        """Return sentences joined to a paragraph."""
        return ("" if self.code == "ja" else " ").join(sentences)

    def number(self, value: float) -> str:
        """Return a number with separators, below 100 to at most one decimal."""
        pattern = "#,##0.#" if abs(value) < 100 else "#,##0"
        return str(format_decimal(value, format=pattern, locale=self.code))

    def difference(self, share: float) -> str:
        """Return a difference of two shares as a percentage, which may be negative.

        Examples
        --------
        >>> Language("en").difference(0.652), Language("en").difference(-1e-9)
        ('65.2%', '0.0%')
        """
        rounded = round(share, 3) + 0.0
        return str(format_percent(rounded, format="#,##0.0%", locale=self.code))

    def percent(self, share: float, *, digits: int = 1) -> str:
        """Return a share from 0 to 1 as a percentage.

        A share that would be rounded to 0 or 100 % is shown as a bound.
        """
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        step = 10.0 ** -(digits + 2)
        if 0.0 < share < step / 2:
            return f"<{format_percent(step, format=pattern, locale=self.code)}"
        if 1.0 - step / 2 < share < 1.0:
            return f">{format_percent(1.0 - step, format=pattern, locale=self.code)}"
        return str(format_percent(share, format=pattern, locale=self.code))

    def at_least(self, share: float) -> str:
        """Return a lower bound of a share; a dash where it says nothing.

        Examples
        --------
        >>> Language("en").at_least(0.875), Language("en").at_least(0.0), Language("en").at_least(1)
        ('≥ 87.5%', '–', '100.0%')
        """
        if share < 0.0005:
            return "\N{EN DASH}"
        shown = self.percent(share)
        return shown if share > 0.9995 else f"≥ {shown}"


def _shown(value: object) -> object:
    if isinstance(value, str):
        return display_text(value, longest=LONGEST_VALUE)
    if isinstance(value, list | tuple):
        return ", ".join(display_text(str(one), longest=LONGEST_NAME) for one in value)
    return value if isinstance(value, int | float) else display_text(str(value))


@cache
def _catalogue(code: str) -> Catalog:
    text = (files("hayflick.report") / "locale" / code / _DOMAIN).read_text(encoding="utf-8")
    return read_po(StringIO(text), locale=code)


def _translation(code: str, message: str) -> str:
    # The empty message is the header of a catalogue.
    found = _catalogue(code).get(message) if message else None
    if found is None or not found.string:
        # A missing translation is shown in English; a test keeps the catalogues complete.
        return message
    return str(found.string)


def metric_label(name: str, language: Language) -> str:
    """Return what a metric is called; a column of the user's own keeps its name.

    Examples
    --------
    >>> metric_label("spread", Language("en")), metric_label("accuracy", Language("en"))
    ('spread of answers', 'accuracy')
    """
    return {**_of_vectors(language), **_of_texts(language)}.get(name, name)


def _of_vectors(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "spread": text("spread of answers"),
        "between_prompts": text("distance between prompts"),
        "effective_answers": text("effective number of answers"),
        "frobenius_norm": text("norm of all distances ‖D‖"),
        "rms_distance": text("root mean square distance"),
        "mean_cosine": text("mean cosine of two answers"),
        "effective_rank": text("effective rank"),
        "participation_ratio": text("participation ratio"),
        "generalised_variance": text("generalised variance (log)"),
        "vendi_1": text("Vendi score"),
        "near_duplicate_rate": text("answers with a close neighbour"),
        "within": text("scatter within groups"),
        "between": text("scatter between groups"),
        "group_frobenius_norm": text("norm of the groups' distances ‖D‖"),
        "noise_floor": text("the same by chance, if groups are alike"),
        "separation": text("distance between agents, over chance"),
        "drift": text("distance from the baseline"),
        "drift_p": text("p-value of no drift"),
    }


def _of_texts(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "answers": text("answers"),
        "empty_answers": text("empty answers"),
        "unpaired_answers": text("answers that could not be paired"),
        "left_out_answers": text("answers left out to keep the mix of groups"),
        "distinct_1": text("different words per word"),
        "distinct_2": text("different pairs of words per pair"),
        "distinct_3": text("different triples of words per triple"),
        "type_token_ratio": text("type-token ratio"),
        "hill_0": text("different words"),
        "hill_1": text("Hill number of order 1"),
        "hill_2": text("Hill number of order 2"),
        "effective_words": text("effective number of words"),
        "entropy": text("entropy of the words"),
        "compression_ratio": text("compression ratio"),
        "duplicate_rate": text("answers that another one equals"),
        "vocabulary_kept": text("baseline's words still in use"),
        "tail_mass": text("share of the baseline's rare words"),
        "retention": text("share of the must-keep list in use"),
        "pool_size": text("texts in the pool"),
        "pool_read": text("texts in the pool before the round"),
        "texts_read": text("texts that an agent read"),
        "synthetic_share": text("share of the pool that models wrote"),
    }
