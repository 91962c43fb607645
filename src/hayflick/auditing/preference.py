"""How much more often generated items are taken than others of the same offer.

An offer holds M1 generated and M0 other items, of which k are taken one after the other, without
replacement, with weight w for generated ones and 1 for the others. The expected number mu of
generated ones solves ``1 - mu / M1 = (1 - (k - mu) / M0) ** w``, an approximation that is exact for
large offers. The estimate of w is the one whose expectations add up to what was taken. For k much
smaller than the offer, w is the ratio of the shares of generated and of other items that are
taken.

References
----------
Manly (1974), A model for certain types of selection experiments: the expectation. Cameron, Gelbach
and Miller (2011), Robust inference with multiway clustering: the variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.notes import translatable

_STEPS = 60
_LEAST, _MOST = -14.0, 14.0
_SMALL = 1e-4


@final
@dataclass(frozen=True, slots=True)
class TakenShare:
    """The share of generated items among those that were taken.

    Parameters
    ----------
    value
        The share; None where nothing was taken whose origin is known.
    low, high
        The interval, for other choices and other items of the same kinds; None where `value` is.
    taken, generated
        Number of items of known origin that were taken, and of generated ones among them.
    unknown
        Number of items that were taken whose origin is not known; they are left out.
    """

    value: float | None
    low: float | None
    high: float | None
    taken: int
    generated: int
    unknown: int = 0


@final
@dataclass(frozen=True, slots=True)
class Preference:
    """How many times as likely a generated item is to be taken as another of the same offer.

    Parameters
    ----------
    value
        The weight of a generated item, 1 for no preference; None where it is undefined.
    low, high
        The interval; None where it is undefined.
    choices
        Number of choices that say something: both kinds were on offer, and not all was taken.
    reason
        Why the value, or the interval, is undefined; empty where both are defined.
    """

    value: float | None
    low: float | None
    high: float | None
    choices: int
    reason: str = ""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no preference out."""
        return self.low is not None and self.high is not None and not self.low <= 1.0 <= self.high


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Choices:
    """What was on offer, and what was taken of it.

    Parameters
    ----------
    generated
        Whether each item is generated, shape ``(items,)``.
    offer
        Number of the offer of each choice, shape ``(choices,)``.
    cluster
        Choices with the same number are not independent of one another, shape ``(choices,)``.
    offered_offer, offered_item
        An offer and an item of it, each pair once.
    taken_choice, taken_item
        A choice and an item that was taken, of its offer, each pair once.
    """

    generated: NDArray[np.bool_]
    offer: Integers
    cluster: Integers
    offered_offer: Integers
    offered_item: Integers
    taken_choice: Integers
    taken_item: Integers

    def share(self, *, quantile: float, unknown: int = 0) -> TakenShare:
        """Return the share of generated items among those taken, with a Wilson interval.

        Its size is that of a random sample with the same variance, where choices of a cluster
        and repeated takings of an item depend on one another.
        """
        taken = self.taken_item.size
        if not taken:
            return TakenShare(None, None, None, 0, 0, unknown)
        is_generated = self.generated[self.taken_item]
        number = int(np.count_nonzero(is_generated))
        share = number / taken
        residual = is_generated.astype(np.float64) - share
        variance = _two_way(residual, self.cluster[self.taken_choice], self.taken_item) / taken**2
        if variance > 0.0:
            size = share * (1.0 - share) / variance
        else:
            clusters = np.unique(self.cluster[self.taken_choice]).size
            size = float(min(clusters, np.unique(self.taken_item).size))
        low, high = _wilson(share, max(size, 1.0), quantile)
        return TakenShare(share, low, high, taken, number, unknown)

    def preference(self, *, confidence: float) -> Preference:
        """Return how much more often generated items are taken than others, with an interval."""
        both = (self._available > 0).all(axis=1)
        informative = both & (self._taken > 0) & (self._taken < self._available.sum(axis=1))
        choices = int(np.count_nonzero(informative))
        if not choices:
            return Preference(None, None, None, 0, _ALL_OR_NONE if both.any() else _ALIKE)
        one = self._only(informative)
        least = np.maximum(0, one._taken - one._available[:, 0]).sum()
        most = np.minimum(one._taken, one._available[:, 1]).sum()
        found = one._taken_generated.sum()
        if found == least:
            return Preference(None, None, None, choices, _NONE_TAKEN)
        if found == most:
            return Preference(None, None, None, choices, _ALL_TAKEN)
        return one._estimated(float(found), confidence, choices)

    def ratio(self, *, confidence: float) -> Preference:
        """Return how many times as probable it is that a generated item is taken as another one.

        Each item is taken by itself, with a probability that may differ from choice to choice.
        """
        both = (self._available > 0).all(axis=1)
        chosen = both & (self._taken > 0)
        choices = int(np.count_nonzero(chosen))
        if not both.any():
            return Preference(None, None, None, 0, _ALIKE)
        if not choices:
            return Preference(None, None, None, 0, _NOTHING_TAKEN)
        return self._only(chosen)._ratio(confidence, choices)

    def _ratio(self, confidence: float, choices: int) -> Preference:
        others, generated = self._available.T
        total = others + generated
        taken_others = self._taken - self._taken_generated
        above = float((self._taken_generated * others / total).sum())
        below = float((taken_others * generated / total).sum())
        if not above or not below:
            reason = _OTHERS_ALONE if not above else _GENERATED_ALONE
            return Preference(None, None, None, choices, reason)
        ratio = above / below
        # The probabilities of each choice are those with which it takes as many as it took.
        of_other = self._taken / (others + ratio * generated)
        probability = np.stack([of_other, ratio * of_other], axis=1)
        weight = np.stack([-ratio * generated / total, others / total], axis=1)
        variance = self._clustered(weight, probability)
        return self._interval(math.log(ratio), variance, above, confidence, choices)

    def _interval(
        self, estimate: float, variance: float, slope: float, confidence: float, choices: int
    ) -> Preference:
        """Return an estimate, given its log, with the interval of t for few clusters or items."""
        from scipy.special import stdtrit

        least = min(self._groups)
        if least < 2 or slope <= 0.0:
            return Preference(math.exp(estimate), None, None, choices, _TOO_FEW)
        error = math.sqrt(variance * least / (least - 1)) / slope
        width = min(float(stdtrit(least - 1, (1.0 + confidence) / 2)) * error, 300.0)
        low, high = math.exp(estimate - width), math.exp(estimate + width)
        return Preference(math.exp(estimate), low, high, choices)

    def _estimated(self, found: float, confidence: float, choices: int) -> Preference:
        from scipy.optimize import brentq

        def gap(log_weight: float) -> float:
            return float(self._expected(log_weight).sum()) - found

        if gap(_LEAST) > 0.0 or gap(_MOST) < 0.0:
            return Preference(None, None, None, choices, _ALL_TAKEN)
        estimate = float(brentq(gap, _LEAST, _MOST, xtol=1e-9))
        slope = (gap(estimate + _SMALL) - gap(estimate - _SMALL)) / (2 * _SMALL)
        expected = self._expected(estimate)
        others, generated = self._available.T
        share = generated / (generated + others)
        probability = np.stack([(self._taken - expected) / others, expected / generated], axis=1)
        variance = self._clustered(np.stack([-share, 1.0 - share], axis=1), probability)
        return self._interval(estimate, variance, slope, confidence, choices)

    def _only(self, chosen: NDArray[np.bool_]) -> Choices:
        """Return some of the choices, renumbered."""
        numbers = np.cumsum(chosen) - 1
        kept = chosen[self.taken_choice]
        return replace(
            self,
            offer=self.offer[chosen],
            cluster=self.cluster[chosen],
            taken_choice=numbers[self.taken_choice[kept]],
            taken_item=self.taken_item[kept],
        )

    @cached_property
    def _available(self) -> Integers:
        """Number of other and of generated items on offer, shape ``(choices, 2)``."""
        offers = int(max(self.offer.max(initial=-1), self.offered_offer.max(initial=-1))) + 1
        is_generated = self.generated[self.offered_item]
        counts = [
            np.bincount(self.offered_offer[kind], minlength=offers)
            for kind in (~is_generated, is_generated)
        ]
        return np.stack(counts, axis=1)[self.offer]

    @cached_property
    def _taken(self) -> Integers:
        return np.bincount(self.taken_choice, minlength=self.offer.size)

    @cached_property
    def _taken_generated(self) -> Integers:
        of_generated = self.taken_choice[self.generated[self.taken_item]]
        return np.bincount(of_generated, minlength=self.offer.size)

    @cached_property
    def _groups(self) -> tuple[int, int, int]:
        """Number of clusters, of generated items on offer, and of others."""
        used = np.zeros(int(self.offered_offer.max()) + 1, dtype=np.bool_)
        used[self.offer] = True
        items = np.unique(self.offered_item[used[self.offered_offer]])
        generated = int(np.count_nonzero(self.generated[items]))
        return np.unique(self.cluster).size, generated, items.size - generated

    @cached_property
    def _kinds(self) -> tuple[Floats, Integers]:
        """The different offers and numbers taken, and the one of each choice."""
        kinds, inverse = np.unique(
            np.column_stack([self._available, self._taken]), axis=0, return_inverse=True
        )
        return kinds.astype(np.float64), inverse.ravel()

    def _expected(self, log_weight: float) -> Floats:
        """Return the expected number of generated items in each choice."""
        kinds, inverse = self._kinds
        others, generated, taken = kinds.T
        low, high = np.maximum(0.0, taken - others), np.minimum(taken, generated)
        weight = math.exp(log_weight)
        with np.errstate(divide="ignore"):
            for _ in range(_STEPS):
                middle = (low + high) / 2
                ahead = np.log1p(-middle / generated)
                ahead -= weight * np.log1p(-np.minimum((taken - middle) / others, 1.0))
                low, high = np.where(ahead > 0, middle, low), np.where(ahead > 0, high, middle)
        found: Floats = ((low + high) / 2)[inverse]
        return found

    def _clustered(self, weight: Floats, probability: Floats) -> float:
        """Return the variance of a weighted sum of residuals, by clusters of choices and by items.

        The residual of an item of an offer is whether it was taken, less the probability of that;
        weights and probabilities are those of other and of generated items in each choice.
        """
        taken = np.stack([self._taken - self._taken_generated, self._taken_generated], axis=1)
        missed = weight * probability
        by_choice = (weight * taken - missed * self._available).sum(axis=1)
        by_cluster = np.bincount(self.cluster, by_choice)
        # Of an item: the choices in which it was taken, less all choices with an offer of it.
        offers, items = int(self.offered_offer.max()) + 1, self.generated.size
        of_offers = np.stack(
            [np.bincount(self.offer, missed[:, k], offers) for k in (0, 1)], axis=1
        )
        kind = self.generated.astype(np.int64)
        by_item = np.bincount(
            self.taken_item, weight[self.taken_choice, kind[self.taken_item]], items
        )
        by_item -= np.bincount(
            self.offered_item, of_offers[self.offered_offer, kind[self.offered_item]], items
        )
        left = self._available - taken
        both = taken * (1.0 - probability) ** 2 + left * probability**2
        of_pairs = float((weight**2 * both).sum())
        choices, of_items = float((by_cluster**2).sum()), float((by_item**2).sum())
        return max(choices, of_items, choices + of_items - of_pairs)


_ALIKE = translatable("generated and other texts were never on offer together")
_NONE_TAKEN = translatable("no generated text was taken that could have been left")
_ALL_TAKEN = translatable("every generated text was taken that could have been left")
_ALL_OR_NONE = translatable(
    "wherever generated and other texts were on offer together, all or none of them were taken"
)
_NOTHING_TAKEN = translatable("nothing was taken where both kinds of texts were on offer")
_OTHERS_ALONE = translatable("no generated text was taken where both kinds were on offer")
_GENERATED_ALONE = translatable("only generated texts were taken where both kinds were on offer")
_TOO_FEW = translatable("too few texts of one kind, or choices, for an interval")


def _two_way(residual: Floats, cluster: Integers, item: Integers) -> float:
    """Return the variance of a sum whose terms depend on those of their cluster and item."""
    clusters = np.bincount(cluster, residual)
    items = np.bincount(item, residual)
    _, pair = np.unique(np.stack([cluster, item]), axis=1, return_inverse=True)
    pairs = np.bincount(pair.ravel(), residual)
    one, other = float((clusters**2).sum()), float((items**2).sum())
    return max(one, other, one + other - float((pairs**2).sum()))


def _wilson(share: float, size: float, quantile: float) -> tuple[float, float]:
    square = quantile**2 / size
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
