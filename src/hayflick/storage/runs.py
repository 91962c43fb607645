"""The state of a run of a network of agents, in one database.

Answers are stored as they arrive. A round is stored in one transaction (decisions, retrieved texts
and new texts of the pool) and does not exist before. Its readings may follow, as they are computed
from what is stored. JSON preserves every digit, so a resumed run continues with the same numbers.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import sqlalchemy as sa

from hayflick.core.errors import DataError
from hayflick.storage.database import Database

FORMAT_VERSION = 1
"""Version of the stored state."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text of the pool.

    Parameters
    ----------
    number
        Its number in the store, from 0.
    author
        Name of the agent that wrote or owns it; empty for none.
    round
        The round after which it was added, 0 for the first pool.
    synthetic
        Whether a model wrote it.
    origin
        ``first``, ``answer`` or ``injected``.
    text, embedding
        The text, and its vector as little-endian single-precision numbers.
    admitted
        The round after which it is in the pool; None while it awaits review.
    withdrawn
        The round after which it is no longer in the pool; None if never.
    """

    number: int
    author: str
    round: int
    synthetic: bool
    origin: str
    text: str
    embedding: bytes = field(repr=False)
    admitted: int | None = 0
    withdrawn: int | None = None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer with its round, agent and query, and its number among the answers to it."""

    round: int
    agent: str
    query: int
    place: int
    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency_s: float | None = None
    attempts: int = 1
    finish: str = "stop"
    model: str = ""


@dataclass(frozen=True, slots=True)
class StoredRead:
    """The texts that an agent read for a query, and the mean of its answers' vectors.

    `texts` holds numbers of texts as little-endian 32-bit integers, in the order of reading;
    `mean` holds little-endian double-precision numbers; None if all answers were empty.
    """

    round: int
    agent: str
    query: int
    texts: bytes = field(repr=False)
    mean: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredRound:
    """A finished round: its readings and decisions, ready for JSON.

    The readings are empty until they are computed.
    """

    number: int
    readings: Sequence[Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]


RecordT = TypeVar("RecordT", StoredText, StoredAnswer, StoredRead)

_TYPES: Mapping[str, tuple[type, ...]] = {
    "bool": (bool, int),
    "bytes": (bytes, memoryview),
    "float": (float, int),
    "int": (int,),
    "str": (str,),
}
_REMEDY = "the file is damaged: restore a copy of it"


def _table(name: str, record: type[StoredText | StoredAnswer | StoredRead]) -> sa.TableClause:
    """Return the table that holds records of a class: a column for each of their fields."""
    # Without types: what is stored is read as it is, and checked.
    return sa.table(name, *(sa.column(one.name) for one in fields(record)))


_ROWS_AT_ONCE = 1000


def _stored(kind: type[RecordT], found: sa.Result[Any], *, name: str) -> list[RecordT]:
    """Return the records of rows, whose values SQLite may hold in any type."""
    columns = [(one.name, str(one.type).partition(" | ")) for one in fields(kind)]

    def value(found: object, column: tuple[str, tuple[str, str, str]]) -> Any:
        field_name, (takes, _, optional) = column
        if not isinstance(found, _TYPES[takes]) and not (found is None and optional):
            got = f"{field_name} is {type(found).__name__}, takes {takes}"
            raise DataError(f"{name}: a row of a run's {kind.__name__}: {got}; {_REMEDY}")
        if takes == "bool":
            return bool(found)
        return bytes(found) if isinstance(found, memoryview) else found

    rows = itertools.chain.from_iterable(found.partitions(_ROWS_AT_ONCE))
    return [kind(*map(value, row, columns)) for row in rows]


_run = sa.table("run", sa.column("format_version"), sa.column("seed"), sa.column("config"))
_usage = sa.table("run_usage", sa.column("tokens"), sa.column("money"))
_texts = _table("run_texts", StoredText)
_answers = _table("run_answers", StoredAnswer)
_rounds = sa.table("run_rounds", sa.column("number"), sa.column("readings"), sa.column("decisions"))
_reads = _table("run_reads", StoredRead)

# Built once: building a statement takes longer than executing it.
_add_answer = sa.insert(_answers)
_spend = sa.update(_usage).values(
    tokens=sa.bindparam("all_tokens"), money=sa.bindparam("all_money")
)


class RunStore:
    """One run in a database.

    Parameters
    ----------
    database
        Stores the run; a database holds one run.

    Examples
    --------
    >>> with Database("sqlite://") as database:
    ...     store = RunStore(database)
    ...     store.begin({"rounds": 3}, seed=7, texts=[])
    ...     store.config, store.seed, store.finished
    ({'rounds': 3}, 7, 0)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def _value(self, query: sa.Select[Any]) -> Any:
        with self._database.connect() as connection:
            return connection.scalar(query)

    @property
    def begun(self) -> bool:
        """Whether there is a run."""
        return self._value(sa.select(_run.c.seed)) is not None

    def begin(self, config: Mapping[str, Any], *, seed: int, texts: Iterable[StoredText]) -> None:
        """Store the parameters of a new run and its first pool."""
        text = json.dumps(config, ensure_ascii=False)
        values = {"format_version": FORMAT_VERSION, "seed": seed, "config": text}
        rows = [_row(one) for one in texts]
        with self._database.transaction() as connection:
            connection.execute(sa.insert(_run).values(values))
            connection.execute(sa.insert(_usage).values(tokens=0, money=0.0))
            if rows:
                connection.execute(sa.insert(_texts), rows)

    def check(self) -> None:
        """Refuse a database without a run, or with one of another version.

        Raises
        ------
        DataError
            If there is no run, or its version differs.
        """
        version = self._value(sa.select(_run.c.format_version))
        if version is None:
            raise DataError(f"{self._database.name}: holds no run; begin one with network run")
        if version != FORMAT_VERSION:
            found = f"{self._database.name}: is a run of format_version {version}"
            reads = f"this version of hayflick reads {FORMAT_VERSION}"
            raise DataError(f"{found}, {reads}; resume it with the version that began it")

    @property
    def config(self) -> dict[str, Any]:
        """The parameters of the run."""
        found: dict[str, Any] = self._json(self._value(sa.select(_run.c.config)), dict)
        return found

    def set_config(self, config: Mapping[str, Any]) -> None:
        """Replace the parameters of the run."""
        text = json.dumps(config, ensure_ascii=False)
        with self._database.transaction() as connection:
            connection.execute(sa.update(_run).values(config=text))

    def _json(self, text: object, kind: type) -> Any:
        """Return what JSON of the store holds.

        Raises
        ------
        DataError
            If it is damaged.
        """
        try:
            found = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, kind):
            raise DataError(f"{self._database.name}: holds JSON that is damaged; {_REMEDY}")
        return found

    @property
    def seed(self) -> int:
        """The run's seed."""
        seed = self._value(sa.select(_run.c.seed))
        if not isinstance(seed, int):
            raise DataError(f"{self._database.name}: holds no seed; {_REMEDY}")
        return seed

    @property
    def spent(self) -> tuple[int, float]:
        """Tokens and money that the run has used so far."""
        with self._database.connect() as connection:
            row = connection.execute(sa.select(_usage)).first()
        known = row is not None and isinstance(row.tokens, int)
        if row is None or not known or not isinstance(row.money, float | int):
            raise DataError(f"{self._database.name}: holds no usage of the run; {_REMEDY}")
        return row.tokens, float(row.money)

    @property
    def finished(self) -> int:
        """Number of the last round that is finished; 0 for none."""
        last = self._value(sa.select(sa.func.max(_rounds.c.number))) or 0
        if not isinstance(last, int):
            raise DataError(f"{self._database.name}: a round has no number; {_REMEDY}")
        return last

    def texts(self) -> list[StoredText]:
        """Return all texts in order, including those that await review or were withdrawn."""
        with self._database.connect() as connection:
            rows = connection.execute(sa.select(_texts).order_by(_texts.c.number))
            return _stored(StoredText, rows, name=self._database.name)

    def answers(self, *, round: int | None = None) -> list[StoredAnswer]:  # noqa: A002
        """Return the answers of a round, or of all, by round, agent, query and place."""
        query = sa.select(_answers)
        if round is not None:
            query = query.where(_answers.c.round == round)
        keys = (_answers.c[name] for name in ("round", "agent", "query", "place"))
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(*keys))
            return _stored(StoredAnswer, rows, name=self._database.name)

    def rounds(self) -> list[StoredRound]:
        """Return the finished rounds in order."""
        with self._database.connect() as connection:
            rows = connection.execute(sa.select(_rounds).order_by(_rounds.c.number)).all()
        return [
            StoredRound(row.number, self._json(row.readings, list), self._json(row.decisions, list))
            for row in rows
        ]

    def reads(self) -> list[StoredRead]:
        """Return the texts read in finished rounds, by round, agent and query."""
        keys = (_reads.c.round, _reads.c.agent, _reads.c.query)
        with self._database.connect() as connection:
            rows = connection.execute(sa.select(_reads).order_by(*keys))
            return _stored(StoredRead, rows, name=self._database.name)

    def add_answers(self, answers: Sequence[StoredAnswer], *, spent: tuple[int, float]) -> None:
        """Store answers, and the tokens and money that the run has used with them."""
        with self._database.transaction() as connection:
            if answers:
                connection.execute(_add_answer, [_row(one) for one in answers])
            connection.execute(_spend, {"all_tokens": spent[0], "all_money": spent[1]})

    def finish_round(
        self, done: StoredRound, *, texts: Sequence[StoredText], reads: Sequence[StoredRead]
    ) -> None:
        """Store a finished round in one transaction."""
        row = {
            "number": done.number,
            "readings": json.dumps(list(done.readings), ensure_ascii=False),
            "decisions": json.dumps(list(done.decisions), ensure_ascii=False),
        }
        with self._database.transaction() as connection:
            connection.execute(sa.insert(_rounds).values(row))
            if texts:
                connection.execute(sa.insert(_texts), [_row(one) for one in texts])
            if reads:
                connection.execute(sa.insert(_reads), [_row(one) for one in reads])

    def add_readings(self, number: int, readings: Sequence[Mapping[str, Any]]) -> None:
        """Store the readings of a finished round that has none yet."""
        text = json.dumps(list(readings), ensure_ascii=False)
        with self._database.transaction() as connection:
            chosen = sa.update(_rounds).where(_rounds.c.number == number)
            connection.execute(chosen.values(readings=text))

    def review(self, *, admitted: Iterable[int], withdrawn: Iterable[int], after: int) -> None:
        """Store the result of a review of texts, effective after round `after`."""
        with self._database.transaction() as connection:
            for numbers, name in ((list(admitted), "admitted"), (list(withdrawn), "withdrawn")):
                if numbers:
                    chosen = sa.update(_texts).where(_texts.c.number.in_(numbers))
                    connection.execute(chosen.values({name: after}))


def _row(record: StoredText | StoredAnswer | StoredRead) -> dict[str, Any]:
    # `asdict` copies every value, which takes longer than storing them.
    return {name: getattr(record, name) for name in record.__slots__}
