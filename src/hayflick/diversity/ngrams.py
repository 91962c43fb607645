"""Count n-grams inside answers, as numbers before they are spelled out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from hayflick.core.errors import ArgumentError
from hayflick.corpus.tokenizers import Tokenizer, tokenizer_for, tokenizer_named

_SAMPLES = 1000


def chosen_tokenizer(name: str, *, samples: Sequence[str]) -> Tokenizer:
    """Return the tokenizer of a name; ``auto`` chooses one by the first `samples`.

    Raises
    ------
    ArgumentError
        If there is no tokenizer of that name.

    Examples
    --------
    >>> chosen_tokenizer("auto", samples=["今天天气很好"]).name
    'mixed'
    """
    return tokenizer_for(samples[:_SAMPLES]) if name == "auto" else tokenizer_named(name)


def refuse_single_text(texts: Iterable[str]) -> None:
    """Refuse a string in place of a list of them: its letters would be taken for answers.

    Raises
    ------
    ArgumentError
        If `texts` is a string.
    """
    if isinstance(texts, str):
        raise ArgumentError("texts", got="one text", takes="several, in a list")


def count_ngrams(
    texts: Sequence[str],
    *,
    tokenizer: Tokenizer,
    lengths: Iterable[int],
    once_per_text: bool = False,
) -> list[pl.DataFrame]:
    """Return how often each n-gram occurs, one table per n.

    Parameters
    ----------
    texts
        The answers; no n-gram spans two of them.
    tokenizer
        Splits them; its tokens come in the order of the text.
    lengths
        The values of n.
    once_per_text
        Whether an n-gram counts once per text, however often it occurs there.

    Returns
    -------
    Columns ``symbol`` (tokens with spaces between them) and ``number``, in no order.

    Examples
    --------
    >>> from hayflick.corpus.tokenizers import Words
    >>> [pairs] = count_ngrams(["so so so"], tokenizer=Words(), lengths=[2])
    >>> pairs.rows()
    [('so so', 2)]
    """
    numbered = pl.Series("text", texts, dtype=pl.String).to_frame().with_row_index("answer")
    tokens = tokenizer.tokens(numbered.lazy()).collect()
    spelled = tokens.get_column("symbol").unique().sort()
    coded = tokens.with_columns(pl.col("symbol").cast(pl.Enum(spelled)).to_physical())
    return pl.collect_all(
        [_counted(coded, spelled, length, once_per_text=once_per_text) for length in lengths]
    )


def _counted(
    coded: pl.DataFrame, spelled: pl.Series, length: int, *, once_per_text: bool
) -> pl.LazyFrame:
    """Count n-grams of tokens that are given as positions in `spelled`."""
    places = [f"token_{ahead}" for ahead in range(length)]
    runs = coded.lazy().select(
        "answer",
        *(pl.col("symbol").shift(-ahead).alias(place) for ahead, place in enumerate(places)),
        (pl.col("answer").shift(1 - length) == pl.col("answer")).alias("inside"),
    )
    runs = runs.filter("inside")
    if once_per_text:
        runs = runs.unique(["answer", *places])
    words = [pl.lit(spelled).gather(pl.col(place)) for place in places]
    counted = runs.group_by(places).agg(pl.len().cast(pl.Int64).alias("number"))
    return counted.select(pl.concat_str(words, separator=" ").alias("symbol"), "number")
