"""What a processor of the service takes: answers, bytes, writes and rounds, and what follows.

``python benchmarks/capacity.py`` starts PostgreSQL and a process with the role ingest, sends it
answers of 60 words, measures rounds of several sizes, and writes the tables of docs/capacity.md.
Processor time is that of the processes, so that others on the machine change little. About two
minutes; ``--seconds 4`` for a quick look, ``--print`` to leave the page as it is.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import sqlalchemy as sa

import hayflick as hf
from hayflick.service.ingest import ingest
from hayflick.service.ingest_summaries import ingest_summary
from hayflick.service.round_keeper import RoundKeeper
from hayflick.service.service import Service
from hayflick.service.settings import ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.streams import put_stream
from hayflick.storage.accounts import Principal, project_named
from hayflick.storage.database import Database
from service_kills import store
from service_load import TOKEN, serving

PAGE = Path(__file__).parents[1] / "docs" / "capacity.md"
BATCH, WORDS, SENDERS = 100, 60, 4
CAPACITY, FULL = 1000, 10_000
"""Answers of a round that are stored of the load, and of a summary."""

SIZES = (200, 2000, 10_000)
MACHINES, CORES, BUSY = (1, 10, 100, 1000), 16, 0.7
"""Machines of the tables, their processors, and the share of these that is to be busy."""

SERVER_CORES, SERVER_LOG = 64, 500.0
"""Of a large PostgreSQL server: processors, and MB that its log takes in a second."""

DAY = 86_400.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What an answer costs on its way into the store.

    Parameters
    ----------
    answers, seconds
        How many were sent, and for how long.
    ingest, server
        Processor seconds of an answer in the ingest process, and in PostgreSQL.
    log, kept, rows, commits
        Bytes of PostgreSQL's log, bytes and rows that are kept, and transactions, of an answer.
    """

    answers: int
    seconds: float
    ingest: float
    server: float
    log: float
    kept: float
    rows: float
    commits: float


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Processor seconds of a round: those of any, and those of an answer that is measured."""

    fixed: float
    answer: float

    def seconds(self, answers: float) -> float:
        """Return those of a round."""
        return self.fixed + self.answer * answers


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that was measured."""

    plain: Intake
    sampled: Intake
    single: Intake
    rounds: Rounds
    one_stream: float
    commit: float
    summarise: float
    summary: float


def main() -> None:
    """Measure, and write the tables of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each kind of load")
    parser.add_argument("--print", action="store_true", help="leave the page as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, store(Path(folder), "postgresql") as place:
        text = tables(_measured(place, options.seconds, Path(folder)))
    if options.print:
        print(text)
        return
    page = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- measured -->\n", "<!-- end of measured -->"
    pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
    page = re.sub(pattern, lambda _: begin + text + end, page, flags=re.DOTALL)
    PAGE.write_text(page, encoding="utf-8")
    print(f"wrote {PAGE}")


def _measured(place: str, seconds: float, folder: Path) -> Measured:
    bodies = [_body(seed) for seed in range(20)]
    with serving(place, role="ingest") as (url, process):
        _put(url, "plain", every="1d")
        _put(url, "sampled", every="1d", capacity=CAPACITY)
        _put(url, "single", every="1d")
        found = {}
        for name, some in (("plain", bodies), ("sampled", bodies), ("single", _singles(bodies))):
            # What is compiled and cached at first is no part of it.
            _load(url, name, some, min(2.0, seconds))
            found[name] = _intake(place, url, process.pid, name, some, seconds)
            print(f"{name}: {found[name]}", flush=True)
    with Database(place, durable=True) as database:
        rounds = _rounds(database)
        one_stream, commit = _one_stream(database, seconds / 3), _commit(database, seconds / 5)
        summarise, summary = _summary(database, folder)
    return Measured(
        **found,
        rounds=rounds,
        one_stream=one_stream,
        commit=commit,
        summarise=summarise,
        summary=summary,
    )


def _texts(seed: int, number: int) -> list[str]:
    """Return texts whose words are frequent and rare as those of a language are."""
    rng = np.random.default_rng(seed)
    law = 1.0 / np.arange(1.0, 5001.0)
    drawn = rng.choice(5000, size=(number, WORDS), p=law / law.sum())
    return [" ".join(f"word{one}" for one in text) for text in drawn]


def _items(seed: int, number: int) -> list[dict[str, Any]]:
    return [{"text": one, "group": f"g{at % 4}"} for at, one in enumerate(_texts(seed, number))]


def _body(seed: int) -> bytes:
    return json.dumps({"items": _items(seed, BATCH)}).encode()


def _singles(bodies: list[bytes]) -> list[bytes]:
    return [json.dumps(item).encode() for body in bodies for item in json.loads(body)["items"]]


def _put(url: str, name: str, **settings: Any) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    httpx.put(f"{url}/v1/streams/{name}", json=settings, headers=headers).raise_for_status()


def _load(url: str, name: str, bodies: list[bytes], seconds: float) -> int:
    """Send as much as is taken, and return the number of answers."""
    counted = [0] * SENDERS
    end = time.monotonic() + seconds

    def send(place: int) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        with httpx.Client(base_url=url, headers=headers, timeout=60.0) as client:
            sent = 0
            while time.monotonic() < end:
                key = {"Idempotency-Key": f"{place}-{sent}-{end}"}
                body = bodies[(sent * SENDERS + place) % len(bodies)]
                reply = client.post(f"/v1/streams/{name}/answers", content=body, headers=key)
                if reply.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    time.sleep(0.05)
                    continue
                counted[place] += reply.raise_for_status().json()["accepted"]
                sent += 1

    threads = [threading.Thread(target=send, args=(place,)) for place in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted)


def _intake(
    place: str, url: str, pid: int, name: str, bodies: list[bytes], seconds: float
) -> Intake:
    postmaster = _postmaster(place)
    with Database(place) as database:
        before = _counts(database, name)
        used = _processor(pid), _processor_of_all(postmaster)
        answers = _load(url, name, bodies, seconds)
        after = _counts(database, name)
        spent = _processor(pid) - used[0], _processor_of_all(postmaster) - used[1]
    log, size, rows, commits = ((b - a) / answers for a, b in zip(before, after, strict=True))
    return Intake(
        answers=answers,
        seconds=seconds,
        ingest=spent[0] / answers,
        server=spent[1] / answers,
        log=log,
        kept=size,
        rows=rows,
        commits=commits,
    )


def _counts(database: Database, name: str) -> tuple[float, ...]:
    """Return the bytes of the log, of the tables, the rows of a stream, and the transactions."""
    queries = (
        "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn",
        "SELECT pg_database_size(current_database())",
        f"SELECT count(*) FROM answers a JOIN streams s ON s.id = a.stream WHERE s.name = '{name}'",
        "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
    )
    with database.connect() as connection:
        return tuple(float(connection.scalar(sa.text(query)) or 0.0) for query in queries)


def _postmaster(place: str) -> int:
    host = parse_qs(urlsplit(place).query)["host"][0]
    return int((Path(host) / "postmaster.pid").read_text().split()[0])


def _processor(pid: int, *, reaped: bool = False) -> float:
    """Return the processor seconds of a process, with those of its ended children if wanted."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if reaped else 13])) / _TICKS


def _processor_of_all(pid: int) -> float:
    """Return the processor seconds of a process and its children, ended ones too."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return _processor(pid, reaped=True) + sum(_processor(int(one)) for one in children)


@contextmanager
def _service(database: Database, name: str, **settings: Any) -> Iterator[tuple[Service, Principal]]:
    """Yield a service in this process, with a stream."""
    service = Service(database, ServiceSettings())
    service.start()
    now = service.clock.now()
    with database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        made = StreamSettings(**settings)
        put_stream(connection, project, name, kind="answers", settings=made, most=1000, now=now)
    try:
        yield service, Principal(project, "benchmark", frozenset({"ingest"}))
    finally:
        service.stop()


def _rounds(database: Database) -> Rounds:
    """Return what rounds of several sizes cost, as a line through them."""
    found = [_round(database, size) for size in SIZES]
    answer, fixed = np.polyfit(SIZES, found, 1, w=1.0 / np.array(found))
    return Rounds(fixed=max(0.0, float(fixed)), answer=float(answer))


def _round(database: Database, size: int) -> float:
    """Return the processor seconds of a round."""
    name, number = f"rounds {size}", 4
    with _service(database, name, every=size, baseline=2) as (service, sender):
        keeper = RoundKeeper(service)
        # The first two rounds are the baseline; the next one compiles what is used.
        for parts in (range(3), range(3, 3 + number)):
            for first in (part * size + one for part in parts for one in range(0, size, 1000)):
                items = _items(first, min(1000, size))
                ingest(service, sender, name, "answers", items).result()
            begun = time.process_time()
            measured = keeper.work()
            spent = (time.process_time() - begun) / measured
    print(f"a round of {size:,} answers: {spent:.3f} processor s", flush=True)
    return spent


def _one_stream(database: Database, seconds: float) -> float:
    """Return for how many seconds an answer holds its stream, which one process does at a time."""
    held = 0.0
    with _service(database, "held", every="1d") as (service, sender):
        write = service.writer._write

        def timed(batch: Any) -> None:
            nonlocal held
            begun = time.perf_counter()
            write(batch)
            held += time.perf_counter() - begun

        service.writer._write = timed  # type: ignore[method-assign]
        batches, answers, end = [_items(seed, BATCH) for seed in range(20)], 0, 0.0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            futures = [ingest(service, sender, "held", "answers", one) for one in batches]
            answers += sum(one.result().accepted for one in futures)
    return held / answers


def _commit(database: Database, seconds: float) -> float:
    """Return the seconds of a small transaction."""
    number, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        with database.transaction() as connection:
            statement = "INSERT INTO service_values (name, content) VALUES ('b', '1')"
            statement += f" ON CONFLICT (name) DO UPDATE SET content = '{number}'"
            connection.exec_driver_sql(statement)
        number += 1
    return (time.perf_counter() - begun) / number


def _summary(database: Database, folder: Path) -> tuple[float, float]:
    """Return the processor seconds of an answer that is summarised, and of taking a summary in."""
    path, number = folder / "day.jsonl", 10 * FULL
    texts = _texts(7, FULL)
    with path.open("w", encoding="utf-8") as file:
        for place in range(number):
            row = {"at": "2026-10-01T10:00:00Z", "answer": f"{place} {texts[place % FULL]}"}
            file.write(json.dumps(row) + "\n")
    begun = time.process_time()
    made = hf.summarise(path, by="at", every="1d", text="answer", capacity=FULL)
    summarise = (time.process_time() - begun) / number
    body = made.save(folder / "day.summary").read_bytes()
    with _service(database, "summaries", every="1d", capacity=FULL) as (service, sender):
        begun = time.process_time()
        ingest_summary(service, sender, "summaries", body).result()
        return summarise, time.process_time() - begun


def tables(found: Measured) -> str:
    """Return the tables of the page."""
    parts = (_measured_table(found), _processor_table(found), _machine_table(found))
    return "\n\n".join((*parts, ""))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _measured_table(found: Measured) -> str:
    machine = f"{platform.python_implementation()} {platform.python_version()}"
    machine += f", {os.cpu_count()} processors, {platform.machine()}"
    said = f"Measured: {machine}, PostgreSQL on the same machine; answers of {WORDS} words"
    loads = (found.plain, found.sampled, found.single)
    rows = [f"{said}, {SENDERS} senders.", ""]
    rows.append(
        _row("of an answer", "100 a request", f"100, `capacity` {CAPACITY:,}", "1 a request")
    )
    rows.append(_row(*["---"] * 4))
    rows.append(_row("sent", *(f"{one.answers:,} in {one.seconds:g} s" for one in loads)))
    rows.append(_row("*a*: processor, ingest", *(_time(one.ingest) for one in loads)))
    rows.append(_row("*p*: processor, PostgreSQL", *(_time(one.server) for one in loads)))
    rows.append(_row("*w*: log of PostgreSQL", *(f"{one.log:,.0f} bytes" for one in loads)))
    rows.append(_row("*b*: growth of its tables", *(f"{one.kept:,.0f} bytes" for one in loads)))
    rows.append(_row("rows kept", *(f"{one.rows:.3f}" for one in loads)))
    rows.append(_row("transactions", *(f"{one.commits:.3f}" for one in loads)))
    rounds = found.rounds
    sizes = ", ".join(f"{one:,}" for one in SIZES)
    rates = ", ".join(_large(1.0 / rounds.seconds(one)) for one in SIZES)
    line = f"{_time(rounds.fixed)} + *n* × {_time(rounds.answer)}"
    rows += ["", _row("of the rest", ""), _row("---", "---")]
    rows.append(_row("*r*: processor, to measure a round of *n* answers", line))
    rows.append(_row(f"rounds a second of a processor, of {sizes} answers", rates))
    rows.append(_row("*h*: a stream is held for an answer, 100 a request", _time(found.one_stream)))
    rows.append(_row("a small transaction of one connection", _time(found.commit)))
    rows.append(_row("*s*: processor, an answer that is summarised", _time(found.summarise)))
    rows.append(
        _row(f"*t*: processor, a summary of {FULL:,} answers taken in", _time(found.summary))
    )
    return "\n".join(rows)


def _processor_table(found: Measured) -> str:
    """Return what one processor does in a day."""
    plain, sampled = found.plain, found.sampled
    head = ("of a processor in a day", "all stored", f"`capacity` {CAPACITY:,}", "summaries")
    rows = ["Computed, **an extrapolation** from seconds to a day:", "", _row(*head)]
    rows.append(_row(*["---"] * 4))
    answers = [_large(DAY / one) for one in (plain.ingest, sampled.ingest, found.summarise)]
    rows.append(_row("answers: 86,400 / *a*, or *s*", *answers))
    log = [_bytes(DAY / one.ingest * one.log) for one in (plain, sampled)]
    rows.append(_row("bytes of log: × *w*", *log, "those of the samples"))
    kept = _bytes(DAY / plain.ingest * plain.kept)
    most = f"at most {_bytes(1.5 * CAPACITY * plain.kept)} a round"
    rows.append(
        _row("bytes kept: × *b*", kept, most, f"at most {_bytes(1.5 * FULL * plain.kept)} a round")
    )
    return "\n".join(rows)


def _machine_table(found: Measured) -> str:
    """Return what many machines do, and where they meet a limit."""
    said = f"Computed, **an extrapolation**: machines of {CORES} processors that take answers,"
    said += f" {BUSY:.0%} busy, and one PostgreSQL of {SERVER_CORES} processors whose log takes"
    said += f" {SERVER_LOG:g} MB/s, {BUSY:.0%} busy at most. Of summaries each machine sends one of"
    said += f" {FULL:,} answers an hour."
    head = (
        "machines",
        "answers a second",
        "a day",
        "PostgreSQL's processors",
        "its log",
        "one will do",
    )
    rows = [said, "", _row(*head), _row(*["---"] * 6)]
    per_hour = FULL / 3600.0
    for name, answer, stored in (
        ("all stored", found.plain.ingest, None),
        (f"`capacity` {CAPACITY:,}", found.sampled.ingest, None),
        ("summaries", found.summarise, per_hour),
    ):
        load = found.sampled if "capacity" in name else found.plain
        for number in MACHINES:
            rate = number * CORES * BUSY / answer
            written = rate if stored is None else number * stored
            server, log = written * load.server / BUSY, written * load.log / 1e6
            fits = server <= SERVER_CORES and log <= BUSY * SERVER_LOG
            cells = (_large(rate), _large(rate * DAY), f"{math.ceil(server):,}", f"{log:,.1f} MB/s")
            rows.append(_row(f"{number:,}, {name}", *cells, "yes" if fits else "**no**"))
    rows.append("")
    for name, load in (("All stored", found.plain), (f"`capacity` {CAPACITY:,}", found.sampled)):
        most = BUSY * min(SERVER_CORES / load.server, SERVER_LOG * 1e6 / load.log)
        machines = most * load.ingest / (CORES * BUSY)
        text = f"- {name}: that PostgreSQL takes {_large(most)} answers a second, which"
        rows.append(f"{text} {machines:,.1f} such machines send.")
    rows.append(f"- One stream takes {_large(1.0 / found.one_stream)} answers a second: 1 / *h*.")
    closed = BUSY * CORES / found.rounds.seconds(FULL)
    text = f"- {CORES} processors that close rounds measure {_large(closed)} of {FULL:,} answers a"
    rows.append(f"{text} second: {_large(3600.0 * closed)} streams with a window of an hour.")
    taken = BUSY * CORES / found.summary
    text = f"- {CORES} processors take in {_large(taken)} summaries of {FULL:,} answers a second,"
    rows.append(f"{text} whatever the number of answers that they stand for.")
    return "\n".join(rows)


def _figures(number: float) -> str:
    """Return a number with two figures."""
    return f"{float(f'{number:.2g}'):,g}" if number < 1e5 else f"{number:,.0f}"


def _time(seconds: float) -> str:
    for size, name in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{_figures(seconds / size)} {name}"
    return f"{_figures(seconds * 1e6)} µs"


def _large(number: float) -> str:
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{_figures(number / size)} {name}"
    return f"{float(f'{number:.2g}'):,g}"


def _bytes(number: float) -> str:
    for size, name in ((1e12, "TB"), (1e9, "GB")):
        if number >= size:
            return f"{_figures(number / size)} {name}"
    return f"{_figures(number / 1e6)} MB"


if __name__ == "__main__":
    main()
