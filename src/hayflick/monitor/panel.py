"""The default panel of `watch`: several numbers that share one rate of false alarms.

Sudden losses are the business of pair charts, slow ones of rank charts. Spread, effective number of
answers and effective number of words are different things: streams of language models are on
record that lose a third of their words while the spread of their answers stays. With prompts, pairs
within a prompt see the variety of the answers to one question, and pairs between prompts whether
every question gets the same answer.

Every chart alarms on a loss alone. Chart k has a weight w_k, with Σ w_k = 1 over all charts, those
of groups included, and alarms at w_k M_k ≥ 1/α. By the union bound,

    product form   Pr(ever a false alarm) ≤ α
    sum form       Pr(a false alarm within t rounds) ≤ α t, so that the mean number of rounds to a
                   false alarm is at least 1 / (2 α)

whatever the dependence between the charts; the error of the baselines of pair charts is part of
their share. α follows from the stated rate: r in the product form, r / 2 in the sum form.

References
----------
Vovk & Wang, *E-values: calibration, combination and applications*, Annals of Statistics 49
(2021). Choe & Ramdas, *Combining evidence across filtrations*, arXiv:2402.09698: why evidence of
different numbers is not averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hayflick.detection.control_chart import one_of, open_probability
from hayflick.detection.evidence import FALSE_ALARMS, FORMS
from hayflick.diversity.observing import BETWEEN_PROMPTS, SPREAD

FALLING_SHARE = 0.05
"""Share of a number of the panel that may be lost before a stream is called falling."""


@dataclass(frozen=True, slots=True)
class ChartPanel:
    """The rate of false alarms that all charts of a panel share.

    Parameters
    ----------
    false_alarms
        r, above 0 and below 1. Sum form: at most one false alarm in 1/r rounds on average.
        Product form: the chance of ever a false alarm, at most.
    form
        ``sum`` or ``product``.

    Raises
    ------
    ArgumentError
        If the rate is out of its range, or there is no such form.

    Examples
    --------
    >>> ChartPanel(false_alarms=0.001).alpha
    0.0005
    """

    false_alarms: float = FALSE_ALARMS
    form: str = "sum"

    def __post_init__(self) -> None:
        open_probability("false_alarms", self.false_alarms)
        one_of("form", self.form, names=FORMS)

    @property
    def alpha(self) -> float:
        """α, which the weights are shares of."""
        return self.false_alarms / 2.0 if self.form == "sum" else self.false_alarms


def panel_charts(
    *, has_vectors: bool, has_text: bool, has_prompts: bool, values: Sequence[str]
) -> tuple[str, ...]:
    """Return the charts of the panel in the grammar of the command line.

    Examples
    --------
    >>> panel_charts(has_vectors=False, has_text=True, has_prompts=False, values=["score"])
    ('effective_words=rank', 'score=rank')
    """
    charts: list[str] = []
    if has_vectors:
        charts += [f"{SPREAD}=guaranteed"]
        charts += [f"{BETWEEN_PROMPTS}=guaranteed"] if has_prompts else []
    charts += ["effective_words=rank"] if has_text else []
    if has_vectors:
        charts += ["effective_answers=rank", f"{SPREAD}=rank"]
        charts += [f"{BETWEEN_PROMPTS}=rank"] if has_prompts else []
    return (*charts, *(f"{name}=rank" for name in values))


def shares(groups: Sequence[str]) -> dict[str, float]:
    """Return the share of a request's weight by group: half for all answers together.

    The other half is for the groups, in equal parts; without groups, all is for the whole.

    Examples
    --------
    >>> shares(["", "a", "b"])
    {'': 0.5, 'a': 0.25, 'b': 0.25}
    """
    parts = [group for group in groups if group]
    if not parts:
        return dict.fromkeys(groups, 1.0)
    whole = 0.5 if "" in groups else 0.0
    each = (1.0 - whole) / len(parts)
    return {group: each if group else whole for group in groups}
