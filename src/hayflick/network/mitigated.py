"""A case of a mitigation grid, and which cases nothing beats.

What is chosen (real texts injected, topology, number of models, prompts) is compared at the same
share of irrelevant text, which is a circumstance and no choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import polars as pl

_SCHEMA = {
    "models": pl.Int64,
    "irrelevant": pl.Float64,
    "prompts": pl.String,
    "topology": pl.String,
    "injected": pl.Int64,
    "texts": pl.Int64,
    "kept": pl.Float64,
    "apart": pl.Float64,
    "on_frontier": pl.Boolean,
}


@dataclass(frozen=True, kw_only=True)
class Mitigated:
    """One case of the grid.

    Parameters
    ----------
    injected
        Real texts (of a surrogate: points) that join after every round.
    topology
        Who may read whom.
    models
        Among how many the real text is split; of a surrogate, its agents.
    irrelevant
        Share of the first pool that is irrelevant.
    prompts
        ``one`` for all, or ``varied``.
    kept
        Share of the real words that a round's answers use (of a surrogate: of the components),
        over the last quarter of rounds; None where no round of these has words.
    apart
        ‖D‖ in units of its noise floor, over the same rounds; None where it is undefined.
    texts
        Real texts that were injected in all.
    on_frontier
        Whether no case with as much irrelevant text keeps more for as few texts; a case without
        `kept` is not on it and beats none.
    """

    injected: int
    topology: str
    models: int
    irrelevant: float = 0.0
    prompts: str = "one"
    kept: float | None
    apart: float | None
    texts: int
    on_frontier: bool = False


def marked(cases: Sequence[Mitigated]) -> tuple[Mitigated, ...]:
    """Return cases in the same order, those that nothing beats on the frontier.

    Examples
    --------
    >>> alike = {"topology": "complete", "models": 2, "apart": None}
    >>> cases = [Mitigated(injected=n, texts=n, kept=0.5, **alike) for n in (0, 3)]
    >>> [case.on_frontier for case in marked(cases)]
    [True, False]
    """
    return tuple(
        replace(
            case,
            on_frontier=case.kept is not None and not any(_beats(other, case) for other in cases),
        )
        for case in cases
    )


def _beats(other: Mitigated, case: Mitigated) -> bool:
    """Say whether `other` keeps as many words for as few texts, and is better in one of both."""
    if other.kept is None or case.kept is None or other.irrelevant != case.irrelevant:
        return False
    no_worse = other.kept >= case.kept and other.texts <= case.texts
    return no_worse and (other.kept > case.kept or other.texts < case.texts)


def cases_table(cases: Sequence[Mitigated]) -> pl.DataFrame:
    """Return cases as a table, one a row."""
    return pl.DataFrame([asdict(case) for case in cases], schema=_SCHEMA)
