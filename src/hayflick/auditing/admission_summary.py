"""What an admission gate has decided about many texts: how many, for which reasons, examples."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

from hayflick.auditing.admission import Admission, AdmissionGate, Candidate
from hayflick.auditing.admission_rules import ACTIONS, ADMIT, DECISIONS
from hayflick.core.display import Result
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source

_EXAMPLES, _LONGEST_EXAMPLE = 3, 300


@final
@dataclass(frozen=True)
class AdmissionExample:
    """A text that was decided about.

    Parameters
    ----------
    number
        Its place among the texts, from 1.
    id
        What it is called; None without a name.
    text
        Its first 300 characters; None if it could not be read.
    details
        What the reason says of it, see `hayflick.auditing.admission.AdmissionReason`.
    """

    number: int
    id: str | None
    text: str | None
    details: Mapping[str, Any]


@final
@dataclass(frozen=True)
class ReasonCount:
    """The texts that a reason speaks against.

    Parameters
    ----------
    reason
        One of `hayflick.auditing.admission_rules.ACTIONS`.
    action
        What is done for it.
    texts
        Their number.
    decisive
        Those whose decision is this action; the others have a reason that is stricter.
    examples
        The first of them.
    """

    reason: str
    action: str
    texts: int
    decisive: int
    examples: tuple[AdmissionExample, ...]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class AdmissionSummary(Result):
    """What was decided about the texts that asked for admission to a pool.

    Parameters
    ----------
    name
        Of the texts.
    decisions
        Number of texts by decision.
    reasons
        Texts by reason, those that are rejected for it first; a text can have several.
    admitted
        Examples of texts that were admitted.
    pool_before, pool_after
        Texts of the pool before the first decision and after the last.
    sources
        What was read.
    settings
        What reproduces the result.
    """

    name: str
    decisions: Mapping[str, int]
    reasons: tuple[ReasonCount, ...]
    admitted: tuple[AdmissionExample, ...]
    pool_before: int
    pool_after: int
    sources: tuple[Source, ...] = ()
    settings: Mapping[str, Any]

    @property
    def texts(self) -> int:
        """Number of texts that were decided about."""
        return sum(self.decisions.values())

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the result."""
        return provenance(self.settings)


class AdmissionRecord:
    """A gate, and the numbers of what it has decided, in bounded memory.

    Parameters
    ----------
    gate
        Decides.
    name
        Of the texts.
    columns
        Those of the texts, by what they hold.
    update
        Whether texts that are admitted are added to the pool.
    """

    def __init__(
        self, gate: AdmissionGate, *, name: str, columns: Mapping[str, str | None], update: bool
    ) -> None:
        self.gate = gate
        self._name, self._update, self._before = name, update, len(gate)
        self._columns = columns
        self._decisions = Counter(dict.fromkeys(DECISIONS, 0))
        self._reasons: Counter[str] = Counter()
        self._decisive: Counter[str] = Counter()
        self._examples: dict[str, list[AdmissionExample]] = {}

    @property
    def has_grown(self) -> bool:
        """Whether texts were added to the pool."""
        return len(self.gate) > self._before

    def decide(self, candidates: Iterable[Candidate]) -> Iterator[Admission]:
        """Yield the decisions about texts, and count them."""
        waiting: deque[Candidate] = deque()

        def remembered() -> Iterator[Candidate]:
            for one in candidates:
                waiting.append(one)
                yield one

        for answer in self.gate.decide_all(remembered(), update=self._update):
            self._add(waiting.popleft(), answer)
            yield answer

    def _add(self, candidate: Candidate, answer: Admission) -> None:
        self._decisions[answer.decision] += 1
        if answer.decision == ADMIT:
            self._show(ADMIT, candidate, {})
        for one in answer.reasons:
            self._reasons[one.reason] += 1
            self._decisive[one.reason] += one.action == answer.decision
            self._show(one.reason, candidate, one.details)

    def _show(self, key: str, candidate: Candidate, details: Mapping[str, Any]) -> None:
        shown = self._examples.setdefault(key, [])
        if len(shown) < _EXAMPLES:
            text = None if candidate.text is None else candidate.text[:_LONGEST_EXAMPLE]
            number = self._decisions.total()
            shown.append(AdmissionExample(number, candidate.id, text, details))

    def summary(self) -> AdmissionSummary:
        """Return what was decided so far."""
        rules = self.gate.rules
        counts = [
            ReasonCount(
                reason,
                rules.action(reason),
                number,
                self._decisive[reason],
                tuple(self._examples[reason]),
            )
            for reason, number in self._reasons.items()
        ]
        order = [*reversed(DECISIONS)]
        counts.sort(key=lambda one: (order.index(one.action), -one.texts, one.reason))
        return AdmissionSummary(
            name=self._name,
            decisions=dict(self._decisions),
            reasons=tuple(counts),
            admitted=tuple(self._examples.get(ADMIT, ())),
            pool_before=self._before,
            pool_after=len(self.gate),
            sources=self.gate.sources,
            settings={
                "texts": self._name,
                **self._columns,
                **asdict(rules),
                "actions": {reason: rules.action(reason) for reason in ACTIONS},
                "similarity": self.gate.similarity,
                "update": self._update,
            },
        )
