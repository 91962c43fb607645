"""How long the service's pages take: the overview of 500 streams, a stream with 1,000 rounds.

    PYTHONPATH=src python benchmarks/service_pages.py

Over HTTP on loopback, signed in: the first time, when nothing of the page is kept, and the median
and the slowest of twenty. Charts are drawn when a browser asks for them, and timed apart.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import sqlalchemy as sa

from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import project_named
from hayflick.storage.database import Database
from hayflick.storage.readings import LONGEST_LINE, Headline
from hayflick.storage.service_tables import streams
from hayflick.storage.streams import create_stream
from service_load import TOKEN, serving

OVERVIEW_MS, STREAM_MS = 300.0, 500.0
ROUND, BATCH = 20, 2000
PASSWORD = "a password of a benchmark"


def main() -> int:
    """Print how long each page took, and return 1 where one took too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "service.db")
        _fill(place, options.streams - 1)
        with serving(place, every=ROUND) as (url, _), httpx.Client(base_url=url) as client:
            _sign_in(client)
            _send(client, options.rounds)
            overview = _timed(client, "/")
            stream = _timed(client, "/streams/long")
            page = client.get("/streams/long").text
            charts = re.findall(r'<img src="([^"]+)"', page)
            drawn = [_seconds(client, chart.replace("&amp;", "&")) for chart in charts]
    print("| page | first, ms | median of 20, ms | slowest, ms | target, ms | met |")
    print("|---|---|---|---|---|---|")
    _print(f"overview of {options.streams} streams", overview, OVERVIEW_MS)
    _print(f"a stream with {options.rounds} rounds", stream, STREAM_MS)
    print(f"\nIts {len(charts)} charts, drawn for the first time: {_ms(median(drawn))} ms each.")
    return int(median(overview[1:]) > OVERVIEW_MS / 1e3 or stream[0] > STREAM_MS / 1e3)


def _fill(place: str, number: int) -> None:
    rng, now = random.Random(1), time.time()
    settings = StreamSettings().model_dump_json()
    with Database(place) as database, database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        for name in (f"stream {place:03}" for place in range(number)):
            made = create_stream(
                connection, project, name, kind="answers", settings=settings, now=now
            )
            line = tuple(rng.gauss(1.0, 0.1) for _ in range(LONGEST_LINE))
            headline = Headline(
                metric="spread", loss=0.02, before=1.0, now=0.98, line=line, baseline=10
            )
            values = {"headline": headline.text(), "state": "healthy", "last_answer": now}
            connection.execute(sa.update(streams).where(streams.c.id == made.id).values(values))


def _sign_in(client: httpx.Client) -> None:
    client.headers["Accept"] = "text/html"
    form = {"token": TOKEN, "name": "ann", "password": PASSWORD, "again": PASSWORD}
    # As a browser does.
    client.get("/setup").raise_for_status()
    answer = client.post("/setup", data=form)
    assert answer.status_code == 303, answer.text


def _send(client: httpx.Client, rounds: int) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    for batch in _batches(rounds * ROUND):
        address = "/v1/streams/long/answers"
        client.post(address, json=batch, headers=headers, timeout=120.0).raise_for_status()
    while True:
        found = client.get("/v1/streams/long", headers=headers).json()
        if found["measured_round"] >= rounds:
            return
        time.sleep(1.0)


def _batches(answers: int) -> Iterator[list[dict[str, str]]]:
    rng = random.Random(2)
    words = [f"word{number}" for number in range(2000)]
    for first in range(0, answers, BATCH):
        yield [
            {"text": " ".join(rng.choices(words, k=30)), "group": ("a", "b", "c")[number % 3]}
            for number in range(first, min(answers, first + BATCH))
        ]


def _timed(client: httpx.Client, path: str) -> list[float]:
    """Return the seconds of the first call, and of twenty more."""
    return [_seconds(client, path) for _ in range(21)]


def _seconds(client: httpx.Client, path: str) -> float:
    begun = time.perf_counter()
    client.get(path, timeout=60.0).raise_for_status()
    return time.perf_counter() - begun


def _print(name: str, seconds: list[float], target: float) -> None:
    typical = median(seconds[1:])
    met = "yes" if max(seconds[0], typical) * 1e3 <= target else "no"
    cells = (_ms(seconds[0]), _ms(typical), _ms(max(seconds[1:])), f"{target:g}", met)
    print(f"| {name} | {' | '.join(cells)} |")


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.0f}"


if __name__ == "__main__":
    raise SystemExit(main())
