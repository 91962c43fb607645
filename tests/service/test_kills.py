"""A service that is killed under load, once on each engine; `make soak` kills it twenty times."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from service_kills import campaign


def test_every_acknowledged_answer_is_counted_once(place, tmp_path):
    assert campaign(place, tmp_path, kills=1, longest=0.5) == ""
