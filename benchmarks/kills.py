"""A run that is killed at random moments, resumed, and compared with one that was not.

``python benchmarks/kills.py 20`` kills so many times, over several runs, and returns 1 where a
resumed run differs.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from hayflick.network.run import run_network
from hayflick.network.run_results import report_network

VILLAGE = Path(__file__).parents[1] / "examples" / "village.toml"
KILLS_IN_A_RUN = 5
_GO_ON = (
    "import sys; from hayflick.network.run import resume_network as r, run_network as b; "
    "from pathlib import Path; out = Path(sys.argv[2]); "
    "r(out) if (out / 'run.db').exists() else b(sys.argv[1], out=out)"
)


def main() -> int:
    """Return 1 where a run that was killed differs from one that was not."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        start = time.monotonic()
        whole = _record(run_network(VILLAGE, out=folder / "whole"))
        seconds = time.monotonic() - start
        for number, first in enumerate(range(0, kills, KILLS_IN_A_RUN)):
            times = min(KILLS_IN_A_RUN, kills - first)
            out = folder / str(number)
            moments = [_killed(out, rng, seconds / KILLS_IN_A_RUN) for _ in range(times)]
            same = _record(_finished(out)) == whole
            print(
                f"killed after {moments} answers: {'the same' if same else 'DIFFERENT'}", flush=True
            )
            if not same:
                return 1
    return 0


def _killed(out: Path, rng: random.Random, seconds: float) -> int:
    """Kill a run some time after it began to work, and return how many answers it has."""
    before = _answers(out)
    process = subprocess.Popen([sys.executable, "-c", _GO_ON, str(VILLAGE), str(out)])
    while process.poll() is None and _answers(out) <= before:
        time.sleep(0.01)
    time.sleep(rng.uniform(0.0, seconds))
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return _answers(out)


def _answers(out: Path) -> int:

    try:
        with closing(sqlite3.connect(f"file:{out}/run.db?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM run_answers").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _finished(out: Path) -> Path:
    subprocess.run([sys.executable, "-c", _GO_ON, str(VILLAGE), str(out)], check=True)
    return out


def _record(out: Path) -> str:
    return json.dumps(report_network(out).to_dict())


if __name__ == "__main__":
    sys.exit(main())
