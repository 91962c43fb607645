"""A rules file in a simulated chain: it decides after every round."""

from __future__ import annotations

import os

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.monitor.rules_evaluation import check_read
from hayflick.regimes.replace import Replace
from hayflick.regimes.triggered import Triggered
from hayflick.rules.loading import load_rules


def ruled_regime(
    path: str | os.PathLike[str],
    *,
    model: Discrete,
    base: Regime = Replace(),
    samples: int | None = None,
    generations: int = 50,
) -> Triggered:
    """Return the regime in which a rules file decides, on top of another regime.

    Its charts learn from the first rounds of each run.

    Parameters
    ----------
    path
        The rules file.
    model
        The real data's law, which targets are derived from.
    base
        What a round is trained on otherwise.
    samples, generations
        Size of a training set, and the horizon.

    Raises
    ------
    ArgumentError
        If the family is not the discrete one.
    DataError
        If the file cannot be used, or reads nothing that a simulation measures.
    """
    if not isinstance(model, Discrete):
        takes = "the family discrete; for others give --regime triggered:BELOW,items=N,metric=NAME"
        raise ArgumentError("rules", got=str(path), takes=takes)
    loaded = load_rules(path, model=model, samples=samples, generations=generations)
    check_read(loaded.rule_set, model, samples)
    return Triggered(loaded.rule_set.start(), base=base)
