"""`assert_diverse`: a test of answers, as a line in any test or program."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from hayflick.core.display_text import display_text
from hayflick.core.errors import DataError, UnknownLogError

if TYPE_CHECKING:
    from hayflick.embed.embedder import Embedder
    from hayflick.monitor.compare_result import Comparison
    from hayflick.monitor.comparison import Difference

Texts: TypeAlias = str | os.PathLike[str] | Iterable[str] | Mapping[str, Iterable[str]]
"""Answers: a file or a folder of them, texts, or the texts by prompt."""

_MOST_PHRASES, _LONGEST = 3, 100


class DiversityError(AssertionError):
    """Answers are less diverse than a baseline.

    Attributes
    ----------
    comparison : Comparison
        What was compared.
    """

    def __init__(self, message: str, comparison: Comparison) -> None:
        self.comparison = comparison
        super().__init__(message)


def assert_diverse(
    answers: Texts,
    baseline: Texts,
    *,
    least: float = 0.8,
    text: str | None = None,
    prompt: str | None = None,
    log: str | None = None,
    confidence: float = 0.95,
    embedder: str | Embedder = "hashing",
    seed: int = 1,
) -> Comparison:
    """Fail if answers are less diverse than those of a baseline, beyond chance.

    A number fails if it fell below the share `least` of the baseline's and its interval excludes
    that it did not fall at all; where nothing has changed, that happens to at most 1 - `confidence`
    of calls. Each side takes 20 answers, and the more there are, the smaller a loss is seen.

    Parameters
    ----------
    answers, baseline
        Texts, the texts by prompt, or a path to a table or an exported log of answers. With texts
        by prompt on both sides, answers to the same prompts are compared.
    least
        Share of the baseline's numbers that must be left, above 0 and at most 1.
    text, prompt
        Of paths: the columns of the answers and of what was asked; without `text` the log of a
        tool is recognised.
    log
        Of paths: the tool that wrote the log.
    confidence, embedder, seed
        See `hayflick.compare`.

    Returns
    -------
    The comparison, such as for its page (`save`).

    Raises
    ------
    DiversityError
        An AssertionError, if they are; the message names the numbers, and phrases that have become
        frequent.
    DataError
        If one side has fewer than 20 answers, or cannot be read.
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> openings = [f"word{k * k % 97} and word{k % 23}" for k in range(60)]
    >>> assert_diverse(openings, openings).verdict.value
    'identical'
    >>> assert_diverse(["Thank you for asking!"] * 60, openings)
    Traceback (most recent call last):
        ...
    hayflick.integrations.assertions.DiversityError: the answers are less diverse than the baseline:
      effective number of words: 3.983, and 20.7 in the baseline: 19% of it is left (18% to 21%)
      ...
    """
    __tracebackhide__ = True
    from hayflick.monitor.compare import compare
    from hayflick.monitor.compare_result import checked_share

    least = checked_share(least, argument="least")
    named = {"text": text, "prompt": prompt, "log": log}
    new, old = _table(answers, "answers", **named), _table(baseline, "baseline", **named)
    by_prompt = "prompt" in new and "prompt" in old
    result = compare(
        old,
        new,
        text="text",
        prompt="prompt" if by_prompt else None,
        confidence=confidence,
        embedder=embedder,
        seed=seed,
    )
    if result.below(least):
        raise DiversityError(_message(result, least), result)
    return result


def _table(
    given: Texts, name: str, *, text: str | None, prompt: str | None, log: str | None
) -> dict[str, list[str]]:
    """Return answers as columns; without prompts, only the column of the texts."""
    if isinstance(given, str | os.PathLike):
        found = _read(given, text=text, prompt=prompt, log=log)
    elif isinstance(given, Mapping):
        pairs = [(asked, one) for asked, texts in given.items() for one in _texts(texts, name)]
        found = {"text": [one for _, one in pairs], "prompt": [str(asked) for asked, _ in pairs]}
    else:
        found = {"text": _texts(given, name)}
    known = sum(bool(one.strip()) for one in found["text"])
    if known < 20:
        raise DataError(
            f"{name}: has {known} answers that are not empty, a comparison takes at least 20 on "
            "each side; ask the same prompts several times"
        )
    return found


def _texts(given: object, name: str) -> list[str]:
    """Return texts, each a string."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise DataError(f"{name}: got {type(given).__name__} {given!r:.40}, takes several texts")
    texts = list(given)
    for place, one in enumerate(texts):
        if not isinstance(one, str):
            raise DataError(
                f"{name}: text {place} is {type(one).__name__} {one!r:.40}; give the text of each "
                "answer, such as response.content"
            )
    return texts


def _read(
    path: str | os.PathLike[str], *, text: str | None, prompt: str | None, log: str | None
) -> dict[str, list[str]]:
    from hayflick.corpus.answer_columns import AnswerColumns
    from hayflick.corpus.answers import read_answers

    columns = AnswerColumns(by=None, text=text, prompt=prompt)
    try:
        frame = read_answers(path, columns=columns, log=log).frame
    except UnknownLogError as fault:
        raise DataError(f"{fault.places}\nSay which of them is the answer with text=...") from None
    names = ["text", "prompt"] if prompt is not None else ["text"]
    return {name: frame[name].fill_null("").to_list() for name in names}


def _message(result: Comparison, least: float) -> str:
    """Return what has become less diverse, in words."""
    lines = ["the answers are less diverse than the baseline:"]
    lines += [f"  {_loss(one)}" for one in result.below(least)]
    gained = [one for one in result.phrases if not one.lost][:_MOST_PHRASES]
    lines += [
        f"  said more often: {_quoted(one.phrase)} in {one.present_rate:.0%} of the answers, "
        f"{one.baseline_rate:.0%} of the baseline"
        for one in gained
    ]
    for name, side in (("now", result.new), ("in the baseline", result.old)):
        lines += [f"  a typical answer {name}: {_quoted(one)}" for one in side.typical[:1]]
    prompts = "" if result.prompts is None else f" to {result.prompts:,} prompts"
    lines.append(
        f"At least {least:.0%} of each number must be left. {result.new.compared:,} answers"
        f"{prompts} were compared with {result.old.compared:,}; where nothing has changed, this "
        f"fails in at most {1 - result.confidence:.0%} of all runs."
    )
    return "\n".join(lines)


def _loss(one: Difference) -> str:
    from hayflick.report.language import Language, metric_label

    assert one.ratio is not None
    name = metric_label(one.metric, Language("en"))
    share = f"{one.ratio:.0%} of it is left ({one.low:.0%} to {one.high:.0%})"
    return f"{name}: {one.new:.4g}, and {one.old:.4g} in the baseline: {share}"


def _quoted(text: str) -> str:
    return f'"{display_text(text, longest=_LONGEST, isolated=False)}"'
