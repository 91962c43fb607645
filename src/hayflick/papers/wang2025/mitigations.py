"""What keeps diversity at least cost: built-in agents on texts of our own, and mixtures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hayflick.core.provenance import provenance
from hayflick.network.experiment import Experiment
from hayflick.network.mitigated import Mitigated, cases_table
from hayflick.network.mitigation import mitigation
from hayflick.network.mitigation_surrogate import surrogate_mitigation
from hayflick.papers.figure import Figure

if TYPE_CHECKING:
    import xarray

_WHEN = "today often sometimes perhaps tonight"
_WHO = (
    "farmers ferrymen bakers tailors widows fiddlers captains potters teachers mayors cooks "
    "millers clerks sailors shepherds smiths gardeners painters judges butchers children"
)
_DO = (
    "sell mend count carry hide paint weigh buy borrow find clean steal repair remember collect "
    "draw lend polish forget"
)
_WHAT = (
    "bread nets lamps wool honey herring ropes stones clocks apples letters boats cheese pepper "
    "onions umbrellas cups bells books eels seeds barrels spectacles pianos candles horses "
    "envelopes potatoes coats bridges strawberries swallows cabbages bottles pigs mirrors keys "
    "gloves maps kites socks"
)
_WHERE = (
    "harbour mill market river pier well chapel wood hill island orchard lighthouse cellar "
    "stable garden square school"
)
_FIRST, _TEXTS = 15, 60


def village(*, seed: int = 1) -> Experiment:
    """Return an experiment on 60 real texts of our own, 15 of them in the first pool.

    Words come round at steps without a common divisor, so that texts share single words and no
    two are the same. The agents go on from the last word of a prompt: the one prompt asks for
    today, varied ones for the other moments.

    Examples
    --------
    >>> village().pool.texts[:2]
    ['today farmers sell bread near the harbour.', 'often ferrymen mend nets near the mill.']
    """
    when, who, do, what, where = (
        [words[place % len(words)] for place in range(_TEXTS)]
        for words in map(str.split, (_WHEN, _WHO, _DO, _WHAT, _WHERE))
    )
    texts = [
        f"{moment} {one} {act} {thing} near the {place}."
        for moment, one, act, thing, place in zip(when, who, do, what, where, strict=True)
    ]
    agent = {"kind": "ngram", "texts": texts, "order": 2, "trust": 0.3, "learning": 0.1}
    values: dict[str, Any] = {
        "format_version": 1,
        "seed": seed,
        "rounds": 30,
        "answers": 24,
        "query": "What is new today",
        "prompt_variations": [f"{{query}} and {moment}" for moment in _WHEN.split()],
        "embedder": "hashing:dimensions=64",
        "pool": {"texts": texts[:_FIRST]},
        "reserve": {"texts": texts[_FIRST:]},
        "agents": [{**agent, "name": "all", "most_tokens": 40, "most_sentences": 1}],
    }
    return Experiment.of(values)


def of_agents(seed: int) -> Figure:
    """Return the grid on built-in agents: injections, topologies, sizes, prompts, irrelevance."""
    experiment = village(seed=seed)
    cases = mitigation(experiment, folder=Path())
    return _figure("mitigation", cases, experiment.model_dump(exclude_none=True), seed)


def of_mixtures(seed: int) -> Figure:
    """Return the grid on interacting mixtures: injections, topologies, sizes."""
    cases = surrogate_mitigation(topologies=("complete", "ring:1", "blocks:count=2"), seed=seed)
    return _figure("mitigation-surrogate", cases, {"family": "surrogate"}, seed)


def _figure(name: str, cases: Sequence[Mitigated], parameters: dict[str, Any], seed: int) -> Figure:
    numbers = cases_table(cases)
    return Figure(
        name=name,
        quantity="frontier",
        curves=numbers,
        runs=_dataset(
            {column: numbers[column].to_numpy() for column in numbers.columns}
        ).assign_attrs(provenance=json.dumps(provenance(parameters, seed=seed))),
        agreement=None,
        paper="wang2025",
    )


def _dataset(columns: dict[str, Any]) -> xarray.Dataset:
    import xarray

    return xarray.Dataset({name: ("case", values) for name, values in columns.items()})
