"""Ten thousand cells of studies that laws answer, into a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import hayflick as hf
from pairs import Result, duration

STUDY = {
    "format_version": 1,
    "family": "zipf:1000",
    "generations": 20,
    "samples": [100 + 40 * step for step in range(100)],
    "share": [step / 100 for step in range(100)],
}

NETWORKS = {
    "format_version": 1,
    "kind": "trained-network",
    "agents": [5, 10, 20, 40],
    "topology": ["ring:1", "complete"],
    "samples": [100 + 40 * step for step in range(50)],
    "share": [step / 25 for step in range(25)],
    "rounds": 50,
}


def results() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        yield duration(
            "a study of 10,000 cells by law: Zipf's 1,000 types, 20 rounds, 100 sizes × 100 shares",
            task=lambda: hf.sweep(STUDY, out=out / str(len(list(out.iterdir())))),
            described="`hf.sweep`, with its folder",
            target=60.0,
            runs=1,
        )
        yield duration(
            "a study of 10,000 networks by law: 5 to 40 models, 50 rounds, two topologies",
            task=lambda: hf.sweep(NETWORKS, out=out / str(len(list(out.iterdir())))),
            described="`hf.sweep`, with its folder",
            target=60.0,
            runs=1,
        )
