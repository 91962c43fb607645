"""Runs of a real trainer: the calibrated chain against the curves through the same rounds.

    python benchmarks/trainers.py record build/records    # 20 runs of 8 rounds, about 40 minutes
    python benchmarks/trainers.py table build/records
    python benchmarks/trainers.py verify build/verified   # a plan, and what the trainer makes of it

The trainer is the recurrent network of `examples/trainers/gru.py`. It takes torch, which `make
test-trainers` installs: build/trainers/bin/python benchmarks/trainers.py record build/records.
A folder of runs holds one folder a run, of `hayflick loop` or of files round0.txt, round1.txt, …
`python benchmarks trainers` writes the table into README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import hayflick as hf
from hayflick.calibration.reading import read_rounds
from hayflick.papers.suresh2024.figures import write_docstrings
from pairs import Result

sys.path.append(str(Path(__file__).parents[1] / "examples" / "trainers"))

import prepare_words  # a script among examples

ROOT = Path(__file__).parents[1]
RECORDS, VERIFIED = ROOT / "build" / "records", ROOT / "build" / "verified"
WIKITEXT = ROOT.parent / "shared" / "data" / "wikitext2-500k.txt"
ROUNDS, KNOWN = 8, 4
KEEP, CONFIDENCE, HORIZON, SEEDS = 0.7, 0.95, 6, range(2, 17)
HEADER = (
    "| run | calibrated chain: mean error | ideal law, power law, exponential, last value |"
    " rounds within 90 % | target | met |"
)
NAIVE = ("ideal law", "power law", "exponential", "last value")


@dataclass(frozen=True)
class Run:
    """A run to record: words of a text, how the model learns from them and how it writes."""

    name: str
    text: str
    skip: int
    temperature: float = 1.0
    top_k: int = 0
    epochs: int = 8
    size: int = 128
    words: int = 1500
    items: int = 15_000

    def prepare(self, folder: Path) -> Path:
        """Return the file of the real words."""
        data = folder / f"{self.name}.txt"
        text = text_named(self.text, folder)
        prepare_words.prepare(text, data, words=self.words, items=self.items, skip=self.skip)
        return data

    def record(
        self, data: Path, folder: Path, *, seed: int, rounds: int, regime: str = "replace"
    ) -> hf.LoopRun:
        """Return the run, recorded in a folder; one that was cut short goes on."""
        sizes = {"rounds": rounds, "seed": seed, "regime": regime, "keep_texts": True}
        settings = {"data": str(data), **sizes}
        return hf.loop(settings, trainer=self.train_and_generate, out=folder, say=print)

    def train_and_generate(self, data: str, items: int, out: str, seed: int) -> None:
        """Train a model and have it write."""
        import gru

        gru.torch.set_num_threads(1)
        with tempfile.TemporaryDirectory() as place:
            model = Path(place) / "model"
            gru.train(Path(data), model, self.epochs, self.size, rate=3e-3, seed=seed)
            gru.generate(model, items, Path(out), seed, self.temperature, self.top_k)


# Different parts of the texts, so that no two runs learn from the same words.
RUNS = (
    Run("wikitext 1", "wikitext", 0),
    Run("docstrings 0.9", "docstrings", 0, temperature=0.9),
    Run("wikitext 0.95", "wikitext", 20_000, temperature=0.95),
    Run("docstrings 1", "docstrings", 20_000),
    Run("wikitext 0.9", "wikitext", 40_000, temperature=0.9),
    Run("docstrings 1.1", "docstrings", 40_000, temperature=1.1),
    Run("wikitext 1, 3 epochs", "wikitext", 60_000, epochs=3),
    Run("docstrings top-k 200", "docstrings", 60_000, top_k=200),
    Run("wikitext 1, a small layer", "wikitext", 80_000, size=32),
    Run("docstrings 0.8", "docstrings", 80_000, temperature=0.8),
    Run("wikitext 1, 24 epochs", "wikitext", 100_000, epochs=24),
    Run("docstrings 1, 3,000 words", "docstrings", 100_000, words=3000),
    Run("wikitext 1.1", "wikitext", 120_000, temperature=1.1),
    Run("docstrings 0.9, 5,000 tokens", "docstrings", 120_000, temperature=0.9, items=5000),
    Run("wikitext top-k 500", "wikitext", 140_000, top_k=500),
    Run("docstrings 1.05", "docstrings", 140_000, temperature=1.05),
    Run("wikitext 1, 2,500 words", "wikitext", 160_000, words=2500),
    Run("docstrings 0.95", "docstrings", 160_000, temperature=0.95),
    Run("wikitext 0.9, 24 epochs", "wikitext", 180_000, temperature=0.9, epochs=24),
    Run("docstrings 1 again", "docstrings", 180_000),
)


def text_named(name: str, folder: Path) -> Path:
    """Return the file of a text."""
    if name == "wikitext":
        return WIKITEXT
    text = folder / "docstrings.txt"
    if not text.exists():
        write_docstrings(text)
    return text


def record_runs(folder: Path) -> None:
    """Record all runs that are not yet in a folder; a run that was cut short goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, run in enumerate(RUNS):
        if run.text == "wikitext" and not WIKITEXT.exists():
            print(f"{run.name}: left out, for {WIKITEXT} is not there", flush=True)
            continue
        print(run.name, flush=True)
        run.record(run.prepare(folder), folder / run.name, seed=number + 1, rounds=ROUNDS)


def files_of(folder: Path) -> list[Path]:
    """Return the files of a run's rounds: their counts, or their texts."""
    ending = "json" if (folder / "loop.json").exists() else "txt"
    return sorted(folder.glob(f"round*.{ending}"), key=lambda file: int(file.stem[5:]))


@dataclass(frozen=True)
class Comparison:
    """Mean absolute errors of a run's later rounds, and how many of them the intervals hold."""

    name: str
    chain: float
    largest: float
    naive: dict[str, float | None]
    within: int
    rounds: int
    half_width: float
    kept: float


def compare(folder: Path) -> Comparison:
    """Return the errors of the rounds that a calibration on the first ones has not seen."""
    files = files_of(folder)
    actual = read_rounds(files).record.kept[KNOWN:]
    found = hf.calibrate(files[:KNOWN], ahead=len(actual), seed=1).prediction
    errors = np.abs(found.share - actual)
    return Comparison(
        name=folder.name,
        chain=float(errors.mean()),
        largest=float(errors.max()),
        naive={
            one.name: None if one.share is None else float(np.abs(one.share - actual).mean())
            for one in found.naive
        },
        within=int(((found.low <= actual) & (actual <= found.high)).sum()),
        rounds=len(actual),
        half_width=float((found.high - found.low).mean() / 2),
        kept=float(actual[-1]),
    )


def compare_all(folder: Path) -> Iterator[Comparison]:
    """Yield the comparisons of all runs of a folder that are done."""
    for place in sorted(folder.iterdir()):
        if not place.name.startswith(".") and len(files_of(place)) > ROUNDS:
            yield compare(place)


def results() -> Iterator[Result]:
    if not RECORDS.is_dir():
        print(f"left out: {RECORDS} is not there; see benchmarks/trainers.py", flush=True)
        return
    found = list(compare_all(RECORDS))
    for one in found:
        yield _row(one, target="compared", met=True)
    yield _row(_mean(found), target="below each of the others", met=_best(_mean(found)))
    for text in ("wikitext", "docstrings"):
        for name in ("calibrated", "ideal"):
            if runs := _runs(VERIFIED / text, name):
                yield _verified(text, name, runs)


def _mean(found: list[Comparison]) -> Comparison:
    """Return the mean of the runs; a curve without a reading is left out of its own mean."""
    naive = {}
    for name in NAIVE:
        readings = [one.naive[name] for one in found if one.naive[name] is not None]
        naive[name] = float(np.mean(readings)) if readings else None
    return Comparison(
        name=f"all {len(found)} runs",
        chain=float(np.mean([one.chain for one in found])),
        largest=max(one.largest for one in found),
        naive=naive,
        within=sum(one.within for one in found),
        rounds=sum(one.rounds for one in found),
        half_width=float(np.mean([one.half_width for one in found])),
        kept=float(np.mean([one.kept for one in found])),
    )


def _best(one: Comparison) -> bool:
    return all(error is None or one.chain < error for error in one.naive.values())


def _row(one: Comparison, *, target: str, met: bool) -> Result:
    naive = (one.naive[name] for name in NAIVE)
    return Result(
        name=f"{one.name} ({one.kept:.3f} left)",
        ours=f"{one.chain:.3f} (largest {one.largest:.3f})",
        alternative=", ".join("none" if error is None else f"{error:.3f}" for error in naive),
        figure=f"{one.within} of {one.rounds}, half-width {one.half_width:.3f}",
        target=target,
        met=met,
    )


def verify(folder: Path) -> bool:
    """Return whether the fresh data that plans ask for keep the target as often as they promise."""
    starts = {"wikitext": 220_000, "docstrings": 200_000}
    held = [_verify(folder / text, text, skip) for text, skip in starts.items()]
    return all(held)


def _verify(folder: Path, text: str, skip: int) -> bool:
    """Train with the share of fresh data that a plan asks for, and say in how many runs it does."""
    run = Run("verified", text, skip, temperature=0.9)
    folder.mkdir(parents=True, exist_ok=True)
    data = run.prepare(folder)
    run.record(data, folder / "measured", seed=1, rounds=3)
    clock = hf.calibrate(files_of(folder / "measured"))
    target = {"keep": KEEP, "confidence": CONFIDENCE, "generations": HORIZON}
    shares = {
        "calibrated": hf.plan(data, resampler=clock, **target).fresh.share,
        "ideal": hf.plan(data, **target).fresh.share,
    }
    for name, share in shares.items():
        print(f"{text}, {name} plan: {share:.1%} of fresh data in every round", flush=True)
        for seed in SEEDS:
            place, regime = folder / f"{name} {seed}", f"fresh:{share}"
            found = run.record(data, place, seed=seed, rounds=HORIZON, regime=regime)
            print(f"{text}, {name} plan, {seed}: {found.record.kept.round(3).tolist()}", flush=True)
    row = _verified(text, "calibrated", _runs(folder, "calibrated"))
    print(f"{row.name}: {row.figure}")
    return row.met


def _runs(folder: Path, name: str) -> list[hf.LoopRun]:
    return [hf.LoopRun.read(place) for place in sorted(folder.glob(f"{name} *"))]


def _verified(text: str, name: str, runs: list[hf.LoopRun]) -> Result:
    """Return what the real trainer kept with the fresh data that a plan had asked for."""
    lowest = [float(run.record.kept.min()) for run in runs]
    held = sum(kept >= KEEP for kept in lowest)
    least = CONFIDENCE - 2.0 * (CONFIDENCE * (1.0 - CONFIDENCE) / len(runs)) ** 0.5
    return Result(
        name=f"{text}: keep {KEEP:.0%} for {HORIZON} rounds, plan for {name} trainer, carried out",
        ours=runs[0].settings.regime,
        alternative="",
        figure=f"{held} of {len(runs)} runs keep it: {', '.join(f'{one:.3f}' for one in lowest)}",
        target=f"at least {least:.0%}" if name == "calibrated" else "compared",
        met=held >= least * len(runs) or name != "calibrated",
    )


def main() -> int:
    """Carry out a command; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("record", "table", "verify"))
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.command == "record":
        record_runs(given.folder)
        return 0
    if given.command == "verify":
        return int(not verify(given.folder))
    found = list(compare_all(given.folder))
    for one in (*found, _mean(found)):
        row = _row(one, target="compared", met=True)
        print(f"{row.name}: {row.ours} | {row.alternative} | {row.figure}")
    return int(not _best(_mean(found)))


if __name__ == "__main__":
    sys.exit(main())
