"""All figures by name, computed one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.workflows.figure import Figure
from hayflick.workflows.wang2025.networks import network
from hayflick.workflows.wang2025.surrogates import mixtures, silos

_ELEVEN = tuple(10.0 * place for place in range(-5, 6))
"""As far from one another as the two of the paper; it says only that they are even."""

_MADE: Mapping[str, Callable[[int], Figure]] = {
    "surrogate-two": partial(mixtures, "surrogate-two", (-5.0, 5.0)),
    "surrogate-eleven": partial(mixtures, "surrogate-eleven", _ELEVEN),
    "silos": silos,
    "network-complete": partial(network, "network-complete", "complete"),
    "network-ring": partial(network, "network-ring", "ring:1"),
    "network-blocks": partial(network, "network-blocks", "blocks:count=2,bridges=1"),
}
FIGURES = tuple(_MADE)
"""Their names, in order."""


def figures(
    names: Sequence[str] = FIGURES, *, seed: int = 1, progress: Progress = silent
) -> Iterator[Figure]:
    """Yield the figures of Wang et al. that need no language model, each as it is finished.

    The surrogates are the paper's; the silos are those of arXiv:2506.00077; the networks of
    discrete chains join the paper to arXiv:2412.17646, and their law is exact.

    Parameters
    ----------
    names
        Which ones, from `FIGURES`.
    seed
        Of the simulations.
    progress
        Told the figures done.

    Raises
    ------
    ArgumentError
        If there is no figure of a name.

    Examples
    --------
    >>> [figure.agreement < 4.5 for figure in figures(["network-ring"])]
    [True]
    """
    check_names(names)
    for done, name in enumerate(names):
        progress("reproducing", done, len(names))
        yield _MADE[name](seed)
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
