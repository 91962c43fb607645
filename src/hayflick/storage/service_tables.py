"""The tables of the service: projects, streams, rounds, readings, alerts, reviews and accounts.

They are as the steps of `hayflick.storage.migrations` leave them: whoever changes one here adds a
step there. Times are seconds since 1970 in UTC. Records without a table of their own are JSON, or
packed as `pack` does. Everything belongs to a project, most of it by way of its stream.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import sqlalchemy as sa

TABLES = sa.MetaData()

_Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A number that the database gives out; SQLite does so for its own integers alone."""


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _Key, primary_key=True, autoincrement=True)


def _stream(*, key: bool = False) -> sa.Column[int]:
    return sa.Column("stream", _Key, sa.ForeignKey("streams.id"), primary_key=key, nullable=False)


def _project() -> sa.Column[int]:
    return sa.Column("project", _Key, sa.ForeignKey("projects.id"), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, server_default=default)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


projects = sa.Table("projects", TABLES, _number("id"), _text("name"), _time("created"))
sa.Index("projects_by_name", projects.c.name, unique=True)

streams = sa.Table(
    "streams",
    TABLES,
    _number("id"),
    _project(),
    _text("name"),
    # What its items hold: answers, vectors, counts or values.
    _text("kind"),
    # `hayflick.service.stream_settings.StreamSettings` as JSON.
    _text("settings"),
    _time("created"),
    # The round that answers go into now, and how many it has.
    _count("open_round"),
    _count("open_answers"),
    # All answers, those that came late included.
    _count("answers"),
    _count("late"),
    # When the last answer came; None before the first.
    _time("last_answer", nullable=True),
    # baseline, healthy, falling, alarm or no reading; and since when.
    _text("state", default="baseline"),
    _time("state_since", nullable=True),
    # The last round that was measured, and what fell most, for the overview (`Headline.text`).
    _count("measured_round"),
    _text("headline", nullable=True),
    # Since when it is silent; None while it is not.
    _time("silent_since", nullable=True),
)
sa.Index("streams_by_name", streams.c.project, streams.c.name, unique=True)

rounds = sa.Table(
    "rounds",
    TABLES,
    _stream(key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    # Its name in readings: the beginning of a window in the stream's zone, or its number.
    _text("name"),
    # Of a window of time; None for a round of a number of answers.
    _time("begins", nullable=True),
    _time("ends", nullable=True),
    # When the clock closes it: its end, or when it was made if that was later, and the grace.
    _time("due", nullable=True),
    # open, closed (nothing goes in any more), measured or failed (the note says why).
    _text("status", default="open"),
    _count("answers"),
    # Answers that came after it was closed.
    _count("late"),
    _time("closed", nullable=True),
    _text("note", nullable=True),
    # A `RoundSummary`, which merges into those of hours and days; packed.
    sa.Column("summary", sa.LargeBinary),
    # A sample of texts for phrases and for "then and now"; packed. None where no text is kept.
    sa.Column("texts", sa.LargeBinary),
)
sa.Index("rounds_by_status", rounds.c.status, rounds.c.due)

answers = sa.Table(
    "answers",
    TABLES,
    _number("id"),
    _stream(),
    # Given by the sender, or made here: the same key again is the same answer.
    _text("key"),
    # Hash of all that the sender gave: another body with the same key is refused.
    sa.Column("digest", sa.LargeBinary, nullable=False),
    # 0 if it was given before the first round, and is late.
    sa.Column("round", sa.BigInteger, nullable=False),
    # Came after its round was closed; never measured.
    sa.Column("late", sa.Boolean, nullable=False, server_default=sa.false()),
    _time("received"),
    # When it was given, as the sender says; `received` where it says nothing.
    _time("at"),
    _text("group", nullable=True),
    _text("prompt", nullable=True),
    # None after pruning, where texts are not kept, and where the sender gave none.
    _text("text", nullable=True),
    # Little-endian float32.
    sa.Column("vector", sa.LargeBinary),
    # Numbers by name, as a JSON object.
    _text("numbers", nullable=True),
    # How often it was given: of a row of label counts, its count.
    sa.Column("weight", sa.BigInteger, nullable=False, server_default="1"),
)
sa.Index("answers_by_key", answers.c.stream, answers.c.key, unique=True)
sa.Index("answers_by_round", answers.c.stream, answers.c.round)
sa.Index("answers_by_time", answers.c.received)

round_samples = sa.Table(
    "round_samples",
    TABLES,
    _stream(key=True),
    sa.Column("round", sa.BigInteger, primary_key=True),
    # Of a round that is not measured yet, and of which a sample is stored: its totals; packed.
    sa.Column("content", sa.LargeBinary, nullable=False),
)

parcels = sa.Table(
    "parcels",
    TABLES,
    _stream(key=True),
    # Hash of a file that was summarised, or of a request whose items are not all stored.
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    _time("received"),
)

readings = sa.Table(
    "readings",
    TABLES,
    _stream(key=True),
    sa.Column("round", sa.BigInteger, primary_key=True),
    # Empty for all answers together.
    sa.Column("group", sa.Text, primary_key=True),
    # Values and scores; packed.
    sa.Column("content", sa.LargeBinary, nullable=False),
)

observers = sa.Table(
    "observers",
    TABLES,
    _stream(key=True),
    # What measures every round after the baseline; packed.
    sa.Column("content", sa.LargeBinary, nullable=False),
)

verdicts = sa.Table(
    "verdicts",
    TABLES,
    _stream(key=True),
    sa.Column("round", sa.BigInteger, primary_key=True),
    sa.Column("metric", sa.Text, primary_key=True),
    sa.Column("group", sa.Text, primary_key=True),
    # The chart in the grammar of the command line.
    sa.Column("chart", sa.Text, primary_key=True),
    _text("state"),
    sa.Column("value", sa.Double),
    sa.Column("statistic", sa.Double),
    sa.Column("limit", sa.Double),
    sa.Column("evidence", sa.Double),
    sa.Column("since", sa.BigInteger),
)

chart_states = sa.Table(
    "chart_states",
    TABLES,
    _stream(key=True),
    sa.Column("metric", sa.Text, primary_key=True),
    sa.Column("group", sa.Text, primary_key=True),
    sa.Column("chart", sa.Text, primary_key=True),
    # The last round that it has taken up.
    sa.Column("round", sa.BigInteger, nullable=False),
    # `ControlChart.state`; packed.
    sa.Column("content", sa.LargeBinary, nullable=False),
)

rollups = sa.Table(
    "rollups",
    TABLES,
    _stream(key=True),
    # hour or day
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("begins", sa.Double, primary_key=True),
    _count("rounds"),
    _count("answers"),
    # The merged `RoundSummary` of its rounds; packed.
    sa.Column("summary", sa.LargeBinary, nullable=False),
)

rules = sa.Table(
    "rules",
    TABLES,
    _number("id"),
    _project(),
    _text("name"),
    sa.Column("version", sa.BigInteger, nullable=False),
    # The rule file.
    _text("text"),
    _time("created"),
    _text("author"),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
)
sa.Index("rules_by_name", rules.c.project, rules.c.name, rules.c.version, unique=True)

actions = sa.Table(
    "actions",
    TABLES,
    _number("id"),
    _project(),
    _stream(),
    sa.Column("round", sa.BigInteger, nullable=False),
    _text("group", default=""),
    # inject, vary_prompts, review or notify
    _text("kind"),
    # open or done
    _text("state", default="open"),
    # Reason, items, rounds and texts, as JSON.
    _text("content"),
    _time("created"),
    _time("done", nullable=True),
    _text("done_by", nullable=True),
)
sa.Index("actions_by_state", actions.c.project, actions.c.state, actions.c.id)

alerts = sa.Table(
    "alerts",
    TABLES,
    _number("id"),
    _project(),
    _stream(),
    # alarm or silent
    _text("kind"),
    # open or cleared
    _text("state", default="open"),
    sa.Column("round", sa.BigInteger, nullable=False),
    # What alarms: charts with value, limit and evidence; JSON.
    _text("content"),
    _time("opened"),
    _time("cleared", nullable=True),
    _time("acknowledged", nullable=True),
    _text("acknowledged_by", nullable=True),
    _time("snoozed_until", nullable=True),
)
sa.Index("alerts_by_state", alerts.c.project, alerts.c.state, alerts.c.id)
sa.Index(
    "open_alerts",
    alerts.c.stream,
    alerts.c.kind,
    unique=True,
    sqlite_where=alerts.c.state == "open",
    postgresql_where=alerts.c.state == "open",
)

targets = sa.Table(
    "targets",
    TABLES,
    _number("id"),
    _project(),
    _text("name"),
    # apprise (alerts) or webhook (alerts and actions)
    _text("kind"),
    # Holds passwords and keys, so it is shown masked.
    _text("url"),
    # Signs a web hook's messages; None for apprise.
    _text("secret", nullable=True),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    _time("created"),
)
sa.Index("targets_by_name", targets.c.project, targets.c.name, unique=True)

deliveries = sa.Table(
    "deliveries",
    TABLES,
    _number("id"),
    sa.Column("target", _Key, sa.ForeignKey("targets.id"), nullable=False),
    # alarm, cleared, silent, action or test; and the alert or action that it is about.
    _text("kind"),
    sa.Column("subject", _Key),
    # The message, as JSON.
    _text("content"),
    # waiting, sent or given up
    _text("state", default="waiting"),
    _count("attempts"),
    _time("created"),
    _time("next_attempt"),
    _text("error", nullable=True),
)
sa.Index("deliveries_by_state", deliveries.c.state, deliveries.c.next_attempt)

reviews = sa.Table(
    "reviews",
    TABLES,
    _number("id"),
    _project(),
    _stream(),
    sa.Column("round", sa.BigInteger, nullable=False),
    # The answer's key; its text as it was when it was drawn.
    _text("key"),
    _text("group", default=""),
    _text("prompt", nullable=True),
    _text("text"),
    # How many answers it was drawn from, and how many were drawn.
    _count("size"),
    _count("drawn"),
    # pending, accepted, rejected or unsure
    _text("state", default="pending"),
    _time("created"),
    _time("decided", nullable=True),
    _text("decided_by", nullable=True),
)
sa.Index("reviews_by_key", reviews.c.stream, reviews.c.key, unique=True)
sa.Index("reviews_by_state", reviews.c.project, reviews.c.state, reviews.c.id)

tokens = sa.Table(
    "tokens",
    TABLES,
    _number("id"),
    _project(),
    _text("name"),
    # Of ingest, read, review and admin, with blanks between them.
    _text("scopes"),
    # SHA-256 of the token, which is random; it is shown once. And its first letters.
    sa.Column("hash", sa.LargeBinary, nullable=False),
    _text("prefix"),
    _time("created"),
    _time("last_used", nullable=True),
    _time("revoked", nullable=True),
)
sa.Index("tokens_by_hash", tokens.c.hash, unique=True)

users = sa.Table(
    "users",
    TABLES,
    _number("id"),
    _project(),
    _text("name"),
    # As scrypt writes it, with its salt and costs.
    _text("password"),
    _text("scopes"),
    _time("created"),
)
sa.Index("users_by_name", users.c.name, unique=True)

sessions = sa.Table(
    "sessions",
    TABLES,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("user", _Key, sa.ForeignKey("users.id"), nullable=False),
    # What every form must hold.
    _text("csrf"),
    _time("created"),
    _time("expires"),
)

audit = sa.Table(
    "audit",
    TABLES,
    _number("id"),
    sa.Column("project", _Key, sa.ForeignKey("projects.id")),
    _time("at"),
    # A user, a token's name, or the service itself.
    _text("actor"),
    # Such as "token created", and what of.
    _text("action"),
    _text("subject"),
)

changes = sa.Table(
    "changes",
    TABLES,
    _number("id"),
    _project(),
    sa.Column("stream", _Key),
    _time("at"),
    # round, state, alert, action, review or rules; the viewers are told.
    _text("kind"),
    # JSON.
    _text("content"),
    # A number is never given out again, so that viewers can ask for what came after one.
    sqlite_autoincrement=True,
)

TABLE_OF_VALUES = sa.Table(
    "service_values", TABLES, sa.Column("name", sa.Text, primary_key=True), _text("content")
)
"""Single values: the last time that was given out, when the last backup was made."""


def pack(record: Any) -> bytes:
    """Return a record as compressed JSON, whose checksum finds damage.

    Examples
    --------
    >>> unpack(pack({"round": 3}))
    {'round': 3}
    """
    return zlib.compress(json.dumps(record, allow_nan=False).encode(), 1)


def unpack(content: bytes) -> Any:
    """Return what `pack` has packed."""
    return json.loads(zlib.decompress(content))
