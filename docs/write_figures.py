"""Draw the figures of docs/explanation by the package itself: `make trust`."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import hayflick as hf

FOLDER = Path(__file__).with_name("explanation")
_PAPERS = {
    "law-and-bounds": ("suresh2024", "theorem-1-common"),
    "network-law": ("wang2025", "network-ring"),
}


def paper_figures() -> None:
    """Take the figures of the papers that hold a law against its simulation."""
    for name, (paper, figure) in _PAPERS.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / name
            hf.reproduce(paper, figure=figure, out=folder)
            (FOLDER / f"{name}.svg").write_bytes((folder / f"{figure}.svg").read_bytes())


def shrinking_answers() -> list[dict[str, str]]:
    """Return answers that lose 15 of 600 words a week, from week 16 on."""
    draw = random.Random(1)
    words = [f"word{number}" for number in range(600)]
    return [
        {
            "week": f"week {week}",
            "answer": " ".join(draw.choices(words[: 600 - 15 * max(0, week - 15)], k=12)),
        }
        for week in range(1, 41)
        for _ in range(40)
    ]


def chart_figure() -> None:
    """Draw the charts of a stream that loses its words."""
    watched = hf.watch(shrinking_answers(), by="week", text="answer")
    hf.save_plot(watched, FOLDER / "charts.svg", force=True)


if __name__ == "__main__":
    paper_figures()
    chart_figure()
