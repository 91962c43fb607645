"""All figures by name, computed one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.network.running import Say, quiet
from hayflick.papers.figure import Figure
from hayflick.papers.wang2025.mitigations import of_agents, of_mixtures
from hayflick.papers.wang2025.models import (
    MODEL_FIGURES,
    Asked,
    check_models,
    models,
    run_models,
)
from hayflick.papers.wang2025.networks import network
from hayflick.papers.wang2025.surrogates import (
    MIXTURES,
    cost,
    mixtures,
    silos,
)

_MADE: Mapping[str, Callable[[int], Figure]] = {
    **{name: partial(mixtures, name) for name in MIXTURES},
    "silos": silos,
    "network-complete": partial(network, "network-complete", "complete"),
    "network-ring": partial(network, "network-ring", "ring:1"),
    "network-blocks": partial(network, "network-blocks", "blocks:count=2,bridges=1"),
    "mitigation": of_agents,
    "mitigation-surrogate": of_mixtures,
}
FIGURES = tuple(_MADE)
"""Names of those that need no language model, in order; `MODEL_FIGURES` has the others."""


def figures(
    names: Sequence[str] = FIGURES,
    *,
    seed: int = 1,
    asked: Asked | None = None,
    folder: Path | None = None,
    say: Say = quiet,
    progress: Progress = silent,
) -> Iterator[Figure]:
    """Yield the figures of Wang et al., each as it is finished.

    The surrogates are the paper's; the silos are those of arXiv:2506.00077; the networks of
    discrete chains join the paper to arXiv:2412.17646, and their law is exact. Those of
    `MODEL_FIGURES` are measured on an endpoint.

    Parameters
    ----------
    names
        Which ones, from `FIGURES` and `MODEL_FIGURES`.
    seed
        Of the simulations.
    asked
        The endpoint, for the figures that need one.
    folder
        Where the run of the models is kept, or gone on with; the present folder where None.
    say
        Told what work begins, where it may be long.
    progress
        Told the figures done.

    Raises
    ------
    ArgumentError
        If there is no figure of a name, or one needs an endpoint and there is none.
    EndpointError, BudgetExhausted
        If the models cannot go on now; the same call takes their run up.

    Examples
    --------
    >>> [figure.agreement < 4.5 for figure in figures(["network-ring"])]
    [True]
    """
    check_names(names, asked=asked)
    place = Path() if folder is None else folder
    if asked is not None and not set(names).isdisjoint(MODEL_FIGURES):
        check_models(asked, folder=place, seed=seed)
    for done, name in enumerate(names):
        progress("reproducing", done, len(names))
        if name in MIXTURES:
            say(cost(name))
        if asked is not None and name in MODEL_FIGURES:
            run = run_models(asked, folder=place, seed=seed, say=say, progress=progress)
            yield models(name, asked, run)
        else:
            yield _MADE[name](seed)
    progress("reproducing", len(names), len(names))


def check_names(names: Sequence[str], *, asked: Asked | None = None) -> None:
    """Refuse names that no figure has, and figures that need an endpoint where there is none.

    Raises
    ------
    ArgumentError
        If there is one.
    """
    for name in names:
        if name not in (*FIGURES, *MODEL_FIGURES):
            takes = f"one of {', '.join((*FIGURES, *MODEL_FIGURES))}"
            raise ArgumentError("figure", got=name, takes=takes)
        if asked is None and name in MODEL_FIGURES:
            takes = "an endpoint to measure it on"
            remedy = "give --base-url URL and --model NAME (in Python, asked=Asked(…))"
            raise ArgumentError("figure", got=name, takes=takes, remedy=remedy)
