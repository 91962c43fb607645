"""The folder of a loop: what is recorded of each round, whole or not at all.

``loop.json`` says what is done; it is replaced at the end of a round, and what it does not name is
left over from a loop that was killed. A round is made in ``work``, in folders whose names are
never used again, so that a program which survived a killed loop writes where nobody looks.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter

from hayflick.calibration.loop_settings import LoopSettings
from hayflick.calibration.processes import end_leftover
from hayflick.core.arrays import Integers
from hayflick.core.documents import read_json
from hayflick.core.errors import DataError, HayflickError, OutputError, listed
from hayflick.core.locks import file_lock
from hayflick.core.output import check_folder, check_name, write_text
from hayflick.core.source import Source
from hayflick.corpus.counts import LARGEST_MAPPING, Counts, read_mapping

FORMAT_VERSION = 1
RECORD, CALIBRATION, _LOCK, _WORK, _TRAINED = (
    "loop.json",
    "calibration.json",
    "lock.db",
    "work",
    "trained.json",
)
_MODELS, _LOGS = "models", "logs"
_LARGEST_RECORD = 1 << 24


@dataclass(frozen=True, slots=True)
class LoopRound:
    """What is known of a round; round 0 is the real data.

    Parameters
    ----------
    round
        Its number.
    items
        Of its training set.
    types
        Different symbols of its training set.
    kept
        Share of the types of round 0 that it holds.
    new
        Share of its items whose types round 0 does not hold.
    fresh, stored
        How many of its items are new draws from the real data, and stored real items.
    cut
        What the trainer wrote beyond the items that were wanted.
    seconds
        What the trainer took, by stage.
    own_seconds
        What was spent beside it.
    """

    round: int
    items: int
    types: int
    kept: float = 1.0
    new: float = 0.0
    fresh: int = 0
    stored: int = 0
    cut: int = 0
    seconds: Mapping[str, float] | None = None
    own_seconds: float = 0.0


@dataclass(frozen=True)
class LoopState:
    """What ``loop.json`` holds.

    Parameters
    ----------
    settings
        The settings of the last call.
    folder
        Where files that they name are looked up.
    sources
        What was read: the real data, and the files of the regime.
    data
        How the file of the real data is recognised.
    rounds
        The rounds that are done, from round 0.
    spent
        Seconds that the trainer took in all, failures included.
    """

    settings: LoopSettings
    folder: str
    sources: tuple[Source, ...]
    data: Mapping[str, Any]
    rounds: tuple[LoopRound, ...]
    spent: float = 0.0

    @property
    def done(self) -> int:
        """Number of the last round that is done."""
        return len(self.rounds) - 1

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain values."""
        return {
            "format_version": FORMAT_VERSION,
            "settings": self.settings.model_dump(mode="json", exclude_none=True),
            "folder": self.folder,
            "sources": [source.to_dict() for source in self.sources],
            "data": dict(self.data),
            "spent_seconds": self.spent,
            "rounds": [asdict(one) for one in self.rounds],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Return the state of plain values."""
        rounds = _ROUNDS.validate_python(record["rounds"])
        sources = tuple(map(_source, record["sources"]))
        if not sources:
            raise ValueError("the source of the data is missing")
        if not rounds or [one.round for one in rounds] != list(range(len(rounds))):
            raise ValueError("the rounds are not numbered from 0 on")
        return cls(
            settings=LoopSettings.of(record["settings"]),
            folder=str(record["folder"]),
            sources=sources,
            data=dict(record["data"]),
            rounds=rounds,
            spent=float(record["spent_seconds"]),
        )


_ROUNDS = TypeAdapter(tuple[LoopRound, ...])
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "role", "encoding", "normalization"), (str,)),
    **dict.fromkeys(("tokenizer", "column", "sheet", "sha256"), (str, type(None))),
    "rows": (int, type(None)),
    "missing": (int,),
}


def _source(record: Mapping[str, Any]) -> Source:
    """Return the source of plain values, whose types are checked."""
    source = Source.from_dict(record)
    wrong = [name for name, kinds in _KINDS.items() if not isinstance(getattr(source, name), kinds)]
    if wrong or not all(isinstance(one.number, int) for one in source.left_out):
        raise ValueError(f"the source of the data has no {(*wrong, 'number')[0]}")
    return source


class LoopFolder:
    """The folder of a loop.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def work(self) -> Path:
        """Where a round is made."""
        return self.path / _WORK

    @property
    def calibration(self) -> Path:
        """The file of the calibration."""
        return self.path / CALIBRATION

    def counts_file(self, number: int) -> Path:
        """Return the file of a round's counts."""
        return self.path / f"round{number}.json"

    def data_file(self, number: int, suffix: str) -> Path:
        """Return the file of a round's training set."""
        return self.path / f"round{number}{suffix}"

    def state(self) -> LoopState | None:
        """Return what is recorded; None where nothing is.

        Raises
        ------
        DataError
            If it is damaged, or of another version.
        """
        file = self.path / RECORD
        check_name(file)
        if not file.exists():
            return None
        record = read_json(file, what="the record of a loop", at_most=_LARGEST_RECORD)
        try:
            version = record["format_version"]
            if version == FORMAT_VERSION:
                return LoopState.from_dict(record)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
            reason = str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
            raise DataError(f"{file}: is damaged ({reason}); restore a copy of it") from None
        reads = f"this version of hayflick reads {FORMAT_VERSION}"
        raise DataError(f"{file}: has format_version {version}, {reads}")

    def write_state(self, state: LoopState) -> None:
        """Replace what is recorded."""
        text = json.dumps(state.to_dict(), ensure_ascii=False, indent=1)
        write_text(self.path / RECORD, text + "\n", force=True)

    def write_counts(self, number: int, counts: Counts) -> None:
        """Write the counts of a round, as a JSON object of symbol: number."""
        numbers = dict(zip(counts.symbols, counts.numbers.tolist(), strict=True))
        write_text(self.counts_file(number), json.dumps(numbers, ensure_ascii=False), force=True)

    def counts(self, number: int) -> Counts:
        """Return the counts of a round.

        Raises
        ------
        DataError
            If its file is missing or damaged.
        """
        file = self.counts_file(number)
        if file.is_file() and file.stat().st_size > 4 * LARGEST_MAPPING:
            raise DataError(f"{file}: is too large for counts; restore a copy of it")
        # What was counted is spelled as it is to be.
        return read_mapping(file, normalize="none")[0]

    def attempt(self, stage: str) -> Path:
        """Make a folder for a stage of the present round, whose name was never used."""
        place = self.work / f"{stage}-{secrets.token_hex(4)}"
        place.mkdir(parents=True)
        return place

    def trained(self, number: int) -> tuple[Path, dict[str, float]] | None:
        """Return the folder and the seconds of a training that was done before a loop stopped."""
        with suppress(OSError, ValueError, LookupError, TypeError, DataError):
            record = read_json(self.work / _TRAINED, what="a record")
            place = self.work / Path(record["place"]).name
            seconds = {str(key): float(value) for key, value in record["seconds"].items()}
            # A model that was already moved to its place is trained again.
            if record["round"] == number and (place / "model").is_dir():
                return place, seconds
        return None

    def write_trained(self, number: int, place: Path, seconds: Mapping[str, float]) -> None:
        """Record that the training of a round is done, so that it is not done again."""
        record = {"round": number, "place": place.name, "seconds": dict(seconds)}
        write_text(self.work / _TRAINED, json.dumps(record), force=True)

    def keep(self, number: int, *, models: bool) -> None:
        """Keep what the programs of a round have printed, and its model where that is wanted."""
        for place in self.work.iterdir() if self.work.is_dir() else ():
            if models and (place / "model").is_dir():
                (self.path / _MODELS).mkdir(exist_ok=True)
                os.replace(place / "model", self.path / _MODELS / f"round{number}")
            for log in place.glob("std*.log"):
                if log.stat().st_size:
                    (self.path / _LOGS).mkdir(exist_ok=True)
                    name = f"round{number}.{place.name.partition('-')[0]}.{log.name}"
                    os.replace(log, self.path / _LOGS / name)

    def clean(self, done: int) -> float:
        """Remove what loops that were killed have left, and end what they left at work.

        Parameters
        ----------
        done
            The last round that is recorded; -1 for none.

        Returns
        -------
        The seconds that the trainer had worked when they were killed.
        """
        lost = 0.0
        kept = self.trained(done + 1)
        for place in self.work.iterdir() if self.work.is_dir() else ():
            lost += end_leftover(place)
            is_marker = place.name == _TRAINED and kept is not None
            if not is_marker and (kept is None or place != kept[0]):
                remove(place)
        for file in self.path.glob("round*"):
            if _number(file.name) > done:
                remove(file)
        for file in self.path.glob(".hayflick-*.tmp"):
            remove(file)
        for folder in (self.path / _MODELS, self.path / _LOGS):
            for place in folder.iterdir() if folder.is_dir() else ():
                if _number(place.name) > done:
                    remove(place)
        return lost

    def finish(self) -> None:
        """Remove what a round was made in."""
        remove(self.work)


def _number(name: str) -> int:
    """Return the number of a file such as ``round3.json``; -1 for another name."""
    digits = name.removeprefix("round").partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else -1


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, whether it is there or not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def open_folder(path: Path) -> Iterator[LoopFolder]:
    """Yield the folder of a loop, made if it is missing, locked against other processes.

    Raises
    ------
    OutputError
        If it holds something else, or cannot be made.
    DataError
        If another loop is at work in it.
    """
    check_name(path)
    made = not path.exists()
    if made:
        check_folder(path.parent)
        try:
            path.mkdir(exist_ok=True)
        except OSError as fault:
            raise OutputError(f"{path}: cannot be made ({fault.strerror})") from None
    if not path.is_dir():
        raise OutputError(f"{path}: is no folder; name another one for the run with --out")
    check_folder(path)
    others = sorted(one.name for one in path.iterdir() if not _is_ours(one.name))
    if others and not (path / RECORD).exists():
        holds = f"holds {listed(others, most=3)}, and no loop"
        raise OutputError(f"{path}: {holds}; name another folder for the run with --out")
    try:
        with file_lock(path / _LOCK, subject=str(path)):
            yield LoopFolder(path)
    except HayflickError:
        if made and not (path / RECORD).exists():
            remove(path)
        raise


def _is_ours(name: str) -> bool:
    """Return whether a loop that was killed at its very beginning may have left a file."""
    return name == _WORK or _number(name) == 0 or name.startswith((_LOCK, ".hayflick-"))


def changed_settings(before: LoopSettings, now: LoopSettings) -> dict[str, tuple[Any, Any]]:
    """Return the settings that must not change and did, as they were and are, by key."""
    old, new = before.fixed(), now.fixed()
    return {key: (old[key], new[key]) for key in new if old.get(key) != new[key]}


def data_mark(path: Path, *, copy: Path, source: Source) -> dict[str, Any]:
    """Return how real data are recognised: without reading them, and by their hash.

    Parameters
    ----------
    path
        The data.
    copy
        What was written of them.
    source
        Has the hash of the copy, which is that of the data where no byte was left out.
    """
    quick = _quick_mark(path)
    same = source.column is None and quick["bytes"] == copy.stat().st_size
    return {**quick, "sha256": source.sha256 if same else Source.of(path).sha256}


def _quick_mark(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {"bytes": None, "modified": None}
    status = os.stat(path)
    return {"bytes": status.st_size, "modified": status.st_mtime_ns}


def same_data(path: Path, mark: Mapping[str, Any]) -> bool:
    """Return whether real data are those of a run; they are read where their file was touched."""
    quick = _quick_mark(path)
    if quick["bytes"] is not None and all(mark.get(key) == quick[key] for key in quick):
        return True
    if not path.exists():
        # The run has a copy of its own.
        return True
    return Source.of(path).sha256 == mark.get("sha256")


def counts_over(first: Counts, counts: Counts) -> Integers:
    """Return how often the types of round 0 occur, shape ``(types,)``."""
    places = {symbol: place for place, symbol in enumerate(first.symbols)}
    found = np.zeros(first.types, np.int64)
    for symbol, number in zip(counts.symbols, counts.numbers.tolist(), strict=True):
        place = places.get(symbol)
        if place is not None:
            found[place] = number
    return found
