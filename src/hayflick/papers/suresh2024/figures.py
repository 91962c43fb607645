"""All figures by name, computed one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.docstrings import write_docstrings
from hayflick.corpus.reading import read_text
from hayflick.papers.figure import Figure
from hayflick.papers.suresh2024.languages import bigrams, unigrams, zipf
from hayflick.papers.suresh2024.paths import bernoulli_paths, gaussian_paths
from hayflick.papers.suresh2024.theorems import (
    bernoulli_theorem,
    gaussian_theorem,
    mixture_theorem,
    poisson_theorem,
)

_OF_NUMBERS: Mapping[str, Callable[[int], Figure]] = {
    "bernoulli-runs": bernoulli_paths,
    "gaussian-runs": gaussian_paths,
    "theorem-1-rare": partial(bernoulli_theorem, "theorem-1-rare", 0.001, 10_000),
    "theorem-1-common": partial(bernoulli_theorem, "theorem-1-common", 0.01, 100),
    "theorem-2-low": partial(poisson_theorem, "theorem-2-low", 1.0),
    "theorem-2-high": partial(poisson_theorem, "theorem-2-high", 10.0),
    "theorem-3": gaussian_theorem,
    "theorem-4": mixture_theorem,
    "zipf-flat": partial(zipf, "zipf-flat", 1.0, 2.7),
    "zipf-steep": partial(zipf, "zipf-steep", 2.0, 5.0),
}
_OF_A_TEXT: Mapping[str, Callable[[str, int], Figure]] = {"unigrams": unigrams, "bigrams": bigrams}
FIGURES = (*_OF_NUMBERS, *_OF_A_TEXT)
"""Their names, in order."""


def figures(
    names: Sequence[str] = FIGURES,
    *,
    corpus: str | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> Iterator[Figure]:
    """Yield the figures of Suresh et al., each as it is finished.

    Parameters
    ----------
    names
        Which ones, from `FIGURES`.
    corpus
        The text of those that need one; the docstrings of Python's standard library where
        None (the paper's is 500,000 words of WikiText-2).
    seed
        Of the simulations.
    progress
        Told the figures done.

    Raises
    ------
    ArgumentError
        If there is no figure of a name.
    DataError
        If the text cannot be read.

    Examples
    --------
    >>> [figure.agreement < 4.5 for figure in figures(["theorem-3"])]
    [True]
    """
    check_names(names)
    with _text(corpus, needed=any(name in _OF_A_TEXT for name in names)) as text:
        for done, name in enumerate(names):
            progress("reproducing", done, len(names))
            yield _OF_A_TEXT[name](text, seed) if name in _OF_A_TEXT else _OF_NUMBERS[name](seed)
        progress("reproducing", len(names), len(names))


def check_names(names: Sequence[str]) -> None:
    """Refuse names that no figure has.

    Raises
    ------
    ArgumentError
        If there is one.
    """
    for name in names:
        if name not in FIGURES:
            raise ArgumentError("figure", got=name, takes=f"one of {', '.join(FIGURES)}")


@contextmanager
def _text(corpus: str | None, *, needed: bool) -> Iterator[str]:
    if corpus is not None or not needed:
        if corpus is not None and needed:
            # A text that cannot be used is refused before any figure is made.
            read_text(corpus, tokenizer="words")
        yield corpus or ""
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docstrings of Python's standard library"
        write_docstrings(path)
        yield str(path)
