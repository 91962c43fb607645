"""The files of an input: one, several, those of folders or of a pattern, or standard input.

They lie on a disk, or in an object store.
"""

from __future__ import annotations

import errno
import glob
import os
import re
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path, PurePath
from threading import Event
from types import TracebackType
from typing import BinaryIO, TypeAlias
from urllib.parse import unquote

from typing_extensions import override

from hayflick.core.decompression import MARK_BYTES, compressed_suffix
from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.core.notes import Note, translatable
from hayflick.core.object_copies import naming, rename
from hayflick.core.object_patterns import Match, is_pattern, matches
from hayflick.core.object_stores import FETCH, StoredObject, fetch, fetched, is_url
from hayflick.core.progress import Progress, silent
from hayflick.corpus.compression import opened
from hayflick.corpus.frames import input_path
from hayflick.corpus.tables import RECORD_SUFFIXES, is_table

PathLike: TypeAlias = str | os.PathLike[str]

STANDARD_INPUT = "standard input"
"""What messages call the input ``-``."""

_STANDARD_INPUT_PATHS = ("-", "/dev/stdin")


@dataclass(frozen=True)
class InputFile:
    """A file of an input.

    Parameters
    ----------
    path
        Where it is.
    name
        What to call it, different from the other files: below a folder the path from there.
    partitions
        Names and values of the folders ``name=value`` that it lies in, below a given folder.
    stored
        The object that it is, as it was listed; None for a file on a disk.
    is_fetched
        Whether `path` is a copy of the object; else it only tells the name.
    """

    path: Path
    name: str
    partitions: Mapping[str, str] = field(default_factory=dict)
    stored: StoredObject | None = None
    is_fetched: bool = False

    @property
    def url(self) -> str | None:
        """The URL of an object; None for a file on a disk."""
        return None if self.stored is None else self.stored.url

    @property
    def shown(self) -> str:
        """What messages call it by itself: where it was found."""
        return self.name if self.name == STANDARD_INPUT else self.url or str(self.path)

    @property
    def size(self) -> int:
        """Its size."""
        return self.path.stat().st_size if self.stored is None else self.stored.size

    @contextmanager
    def on_disk(self, *, progress: Progress = silent) -> Iterator[Path]:
        """Hold the file where it can be opened by path: an object in a temporary copy.

        Raises
        ------
        DataError, OutputError, StoreError
            As `hayflick.core.object_stores.fetched`.
        """
        if self.stored is None or self.is_fetched:
            yield self.path
            return
        with fetched(self.stored, progress=progress) as path, naming({str(path): self.shown}):
            yield path


@dataclass(frozen=True, eq=False)
class InputFiles(AbstractContextManager["InputFiles"]):
    """The files of an input, in order.

    Standard input is copied to a temporary file, which lives as long as this object or the block
    of ``with``; inside such a block, errors name standard input in place of that file.

    Parameters
    ----------
    files
        The files, at least one.
    name
        What to call all of them, such as ``a.jsonl and 3 more files`` or ``logs (4 files)``.
    notes
        What was left out.
    arguments
        The words that name them on a command line.
    """

    files: tuple[InputFile, ...]
    name: str
    notes: tuple[Note, ...] = ()
    arguments: tuple[str, ...] = ()
    _copies: tuple[weakref.finalize[[Path], InputFiles], ...] = field(
        default=(), init=False, repr=False
    )
    _fetched: tuple[InputFile, ...] = field(default=(), init=False, repr=False)
    _origin: InputFiles | None = field(default=None, init=False, repr=False)

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for copy in self._copies:
            copy()
        rename(fault, self._shown_copies)

    @property
    def _shown_copies(self) -> dict[str, str]:
        copies = (file for file in self.files if file.is_fetched or file.name == STANDARD_INPUT)
        return {str(file.path): file.shown for file in copies}

    def naming(self) -> AbstractContextManager[None]:
        """Return a block in which errors name files by where they lie, in place of copies."""
        return naming(self._shown_copies)

    def local(self, progress: Progress = silent) -> InputFiles:
        """Return the files where each can be opened by path: objects are fetched, several at once.

        The copies live as long as this object and what is returned, or its block of ``with``;
        they are fetched once.

        Raises
        ------
        DataError, OutputError, StoreError
            As `hayflick.core.object_stores.fetched`.
        """
        if all(file.stored is None or file.is_fetched for file in self.files):
            return self
        if not self._fetched:
            folder = Path(tempfile.mkdtemp(prefix="hayflick-"))
            copy = weakref.finalize(self, _remove, folder)
            try:
                files = _fetched(self.files, folder, progress)
            except BaseException:
                copy()
                raise
            object.__setattr__(self, "_copies", (*self._copies, copy))
            object.__setattr__(self, "_fetched", files)
        found = replace(self, files=self._fetched)
        # Whoever holds copies holds what they go with.
        object.__setattr__(found, "_origin", self)
        return found


def input_files(
    source: PathLike | Sequence[PathLike], *, patterns: Sequence[str] = ()
) -> InputFiles:
    r"""Return the files that paths and patterns name.

    Parameters
    ----------
    source
        A path or several: of files, of folders, whose tables are taken at any depth (part-2 before
        part-10) except where a name begins with a dot or an underscore, or ``-`` for standard
        input. A path with ``*`` or ``[`` is a name like any other. A URL of an object store, such
        as ``s3://bucket/answers/``, is an object, a folder of them, or a pattern.
    patterns
        Patterns for paths, in which ``*``, ``?``, ``[...]`` and ``**`` stand for what they do in a
        shell; only tables are taken.

    Raises
    ------
    ArgumentError
        If nothing is named, a file is named twice, or standard input is a terminal.
    DataError
        If a file or folder is missing, a folder holds no table, a pattern fits none, or standard
        input is empty.
    OutputError
        If standard input cannot be copied, as the disk is full.
    StoreError
        If an object store does not answer.
    MissingExtraError
        If object stores need an extra.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for day in ("2026-10-01", "2026-10-02"):
    ...     (folder / "logs" / f"day={day}").mkdir(parents=True)
    ...     _ = (folder / "logs" / f"day={day}" / "part-0.csv").write_text("answer\nIt rains.\n")
    >>> found = input_files(folder / "logs")
    >>> found.name, found.files[1].name, dict(found.files[1].partitions)
    ('logs (2 files)', 'day=2026-10-02/part-0.csv', {'day': '2026-10-02'})
    """
    paths = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    if not paths and not patterns:
        takes = "a file, several, a folder, or - for standard input"
        raise ArgumentError("source", got="nothing", takes=takes)
    given = list(map(_spelled, paths))
    if sum(path in _STANDARD_INPUT_PATHS for path in given) > 1:
        raise ArgumentError("source", got="standard input twice", takes="it once")
    named = [file for path in given for file in _files_of(path)]
    named += (file for pattern in patterns for file in _fitting(pattern))
    words = [path if is_url(path) else str(Path(path)) for path in given]
    found, notes = _each_once(named, words)
    files = tuple(map(_copied, _apart(found)))
    arguments = (*map(_as_argument, given), *(f"--glob={pattern}" for pattern in patterns))
    inputs = InputFiles(files, _name(files, given, patterns), notes, arguments)
    copies = [file.path.parent for file in files if file.name == STANDARD_INPUT]
    finalizers = (weakref.finalize(inputs, _remove, copy) for copy in copies)
    object.__setattr__(inputs, "_copies", tuple(finalizers))
    return inputs


def _spelled(path: PathLike) -> str:
    """Return a path as it was given: ./- is a file, and - is standard input."""
    if is_url(path):
        return path
    input_path(path)
    return os.fsdecode(path)


def _as_argument(path: str) -> str:
    """Return a path as a command takes it, which holds words with a dash in front for options."""
    return f"./{path}" if path.startswith("-") and path != "-" else path


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _name(files: Sequence[InputFile], given: Sequence[str], patterns: Sequence[str]) -> str:
    """Return what to call all files: the folder that they are in, or the first one and how many."""
    more = len(files) - 1
    if not more:
        return files[0].name
    if len(given) == 1 and not patterns:
        path = given[0].rstrip("/")
        folder = path.rpartition("/")[2] if is_url(path) else Path(path).resolve().name
        return f"{folder} ({len(files):,} files)"
    return f"{files[0].name} and {more:,} more file{'s' if more > 1 else ''}"


def _files_of(text: str) -> list[InputFile]:
    """Return a file, or the tables in a folder."""
    if text in _STANDARD_INPUT_PATHS:
        return [InputFile(Path(text), STANDARD_INPUT)]
    if is_url(text):
        return _objects_of(text)
    path = input_path(text)
    refuse_pipe(path)
    if path.is_dir():
        found = list(_tables_below(path, root=path))
        if not found:
            remedy = f"takes {', '.join(RECORD_SUFFIXES)}"
            if any(path.glob("*.summary")):
                remedy = f"summaries are named by their ending: {path}/*.summary"
            raise DataError(f"{path}: the folder holds no table that is not empty; {remedy}")
        return found
    if not path.exists():
        pattern = "give a pattern with --glob" if _MAGIC.search(text) else "check the path"
        raise DataError(f"{path}: no such file or directory; {pattern}")
    if not is_table(path, records=True):
        raise DataError(f"{path}: is no table; takes {', '.join(RECORD_SUFFIXES)}")
    return [InputFile(path, path.name)]


def _objects_of(url: str) -> list[InputFile]:
    """Return the tables of a store that a URL names."""
    found = matches(url)
    if len(found) == 1 and found[0].stored.url == url:
        return [_table_of(found[0])]
    tables = [_as_file(one) for one in found if _is_read(one)]
    if not tables:
        what = f"{url!r}: the pattern fits" if is_pattern(url) else f"{url}: the folder holds"
        takes = f"takes {', '.join(RECORD_SUFFIXES)}"
        if any(one.stored.url.endswith(".summary") for one in found):
            takes = f"summaries are named by their ending: {url.rstrip('/*')}/*.summary"
        raise DataError(f"{what} no table that is not empty; {takes}")
    return sorted(tables, key=lambda file: _natural(file.path))


def _table_of(one: Match) -> InputFile:
    url = one.stored.url
    if not is_table(Path(url), records=True):
        raise DataError(f"{url}: is no table; takes {', '.join(RECORD_SUFFIXES)}")
    if not one.stored.size:
        raise DataError(f"{url}: is empty; check what writes it")
    return _as_file(one)


def _as_file(one: Match) -> InputFile:
    partitions = _partitions(Path(one.stored.url), one.inside)
    return InputFile(Path(one.stored.url), one.inside.as_posix(), partitions, one.stored)


def _is_read(one: Match) -> bool:
    """Return whether an object is a table that is not empty, in no folder that is hidden."""
    is_filled = one.stored.size > 0 and is_table(Path(one.stored.url), records=True)
    return is_filled and all(map(_is_shown, one.free.parts))


def _tables_below(folder: Path, *, root: Path) -> Iterator[InputFile]:
    """Yield the tables in a folder at any depth, in natural order, with their folders' values."""
    found: list[Path] = []
    for below, folders, names in os.walk(folder):
        folders[:] = filter(_is_shown, folders)
        found += (Path(below) / name for name in names if _is_shown(name))
    for path in sorted(filter(_is_filled_table, found), key=_natural):
        inside = path.relative_to(root)
        yield InputFile(path, inside.as_posix(), _partitions(path, inside))


def _is_shown(name: str) -> bool:
    return not name.startswith((".", "_"))


def _is_filled_table(path: Path) -> bool:
    # A log that was just rotated is empty.
    return is_table(path, records=True) and path.is_file() and path.stat().st_size > 0


_DIGITS = re.compile(r"(\d+)")


def _natural(path: Path) -> tuple[object, ...]:
    """Return the key of an order in which part-2 comes before part-10."""
    parts = (
        [int(piece) if at % 2 else piece for at, piece in enumerate(_DIGITS.split(part))]
        for part in path.parts
    )
    return (*parts, []), str(path)


_MISSING = ("", "__HIVE_DEFAULT_PARTITION__")


def _partitions(path: Path, inside: PurePath) -> Mapping[str, str]:
    """Return the names and values of folders ``name=value``, as Hive spells them.

    Those count that lie below the given folder, that folder itself, and those right above it.
    """
    folders = path.parts[:-1]
    given = len(folders) - len(inside.parts[:-1])
    above = takewhile(_is_partition, reversed(folders[:given]))
    pairs = (folder.partition("=") for folder in (*reversed([*above]), *folders[given:]))
    found = {unquote(name): unquote(value) for name, equals, value in pairs if name and equals}
    return {name: value for name, value in found.items() if value not in _MISSING}


def _is_partition(folder: str) -> bool:
    name, equals, _ = folder.partition("=")
    return bool(name and equals)


_MAGIC = re.compile(r"[*?\[]")


def _fitting(pattern: str) -> list[InputFile]:
    """Return the tables that fit a pattern, and those in the folders that do."""
    if is_url(pattern):
        return _objects_of(pattern)
    fixed = []
    for part in Path(pattern).parts[:-1]:
        if _MAGIC.search(part):
            break
        fixed.append(part)
    root = Path(*fixed)
    try:
        fitting = sorted(map(Path, glob.glob(pattern, recursive=True)), key=_natural)
    except (ValueError, re.error, OSError) as fault:
        raise DataError(f"{pattern!r}: is no pattern for paths ({fault})") from None
    found: dict[Path, InputFile] = {}
    for path in fitting:
        if path.is_dir():
            # Of a pattern that ends in ** the files in folders fit by themselves.
            inner = () if Path(pattern).name == "**" else _tables_below(path, root=root)
            found |= {file.path: file for file in inner}
        elif _is_filled_table(path):
            inside = path.relative_to(root)
            found[path] = InputFile(path, inside.as_posix(), _partitions(path, inside))
    if not found:
        fits = "no table" if fitting else "nothing"
        takes = f"takes {', '.join(RECORD_SUFFIXES)}" if fitting else "check it, and the folder"
        raise DataError(f"{pattern!r}: the pattern fits {fits} that is not empty; {takes}")
    return list(found.values())


def _each_once(
    files: Sequence[InputFile], given: Sequence[str]
) -> tuple[list[InputFile], tuple[Note, ...]]:
    """Return files each once, with notes on those found twice; refuse those named twice."""
    by_place: dict[tuple[object, ...], InputFile] = {}
    notes: list[Note] = []
    for file in files:
        first = by_place.setdefault(_place(file), file)
        if first is file:
            continue
        name, other = file.shown, first.shown
        if all(given.count(one) >= [name, other].count(one) for one in (name, other)):
            raise ArgumentError("source", got=f"the file {name} twice", takes="each file once")
        if name == other:
            notes.append(Note("{name} is named in two ways, and is read once", name=name))
        else:
            message = translatable("{name} is the same file as {other}, and is read once")
            notes.append(Note(message, name=name, other=other))
    return list(by_place.values()), tuple(notes)


def _place(file: InputFile) -> tuple[object, ...]:
    """Return what is the same for two names of one file."""
    if file.name == STANDARD_INPUT or file.url is not None:
        return (file.shown,)
    status = file.path.stat()
    return (status.st_dev, status.st_ino)


def _apart(files: Sequence[InputFile]) -> Iterator[InputFile]:
    """Yield files under names that tell them apart: the whole path where names are the same."""
    names = [file.name for file in files]
    for file in files:
        same = names.count(file.name) > 1
        yield replace(file, name=file.shown) if same else file


_AT_ONCE, _TOLD_EVERY_S = 8, 0.1


def _fetched(files: Sequence[InputFile], folder: Path, progress: Progress) -> tuple[InputFile, ...]:
    """Return files of which objects were copied below a folder, under their own names."""
    total = sum(file.size for file in files if file.stored)
    come: dict[str, float] = {}
    is_stopped = Event()

    def copied(file: InputFile) -> InputFile:
        if file.stored is None or file.is_fetched:
            return file
        scheme, _, key = file.stored.url.partition("://")
        path = folder / scheme / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            reason = (fault.strerror or "no name of a file").lower()
            raise DataError(f"{file.shown}: {reason}; rename the object") from None

        def tell(stage: str, done: float, total: float) -> None:  # noqa: ARG001
            come[file.shown] = done
            if is_stopped.is_set():
                raise CancelledError

        fetch(file.stored, path, progress=tell)
        return replace(file, path=path, is_fetched=True)

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        futures = [pool.submit(copied, file) for file in files]
        for future in futures:
            # Without a timeout, Ctrl-C would have to wait.
            while not future.done():
                wait([future], timeout=_TOLD_EVERY_S)
                progress(FETCH, sum(come.copy().values()), max(total, 1))
            future.result()
        progress(FETCH, total, max(total, 1))
        return tuple(future.result() for future in futures)
    finally:
        is_stopped.set()
        pool.shutdown(cancel_futures=True)


_CHUNK_BYTES = 1 << 20


def _copied(file: InputFile) -> InputFile:
    """Return a file, or that to which standard input was copied."""
    if file.name != STANDARD_INPUT:
        return file
    return InputFile(_copied_standard_input(), STANDARD_INPUT)


def _copied_standard_input() -> Path:
    """Return the path of a copy of standard input, whose suffix says what it holds."""
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if sys.stdin is None or stream is None or sys.stdin.isatty():
        remedy = "such as: zcat app.jsonl.gz | hayflick watch -"
        raise ArgumentError(
            "source", got="standard input from a terminal", takes="a pipe or a file", remedy=remedy
        )
    folder = Path(tempfile.mkdtemp(prefix="hayflick-"))
    try:
        path = folder / STANDARD_INPUT
        with path.open("wb") as copy:
            shutil.copyfileobj(stream, copy, _CHUNK_BYTES)
        if not path.stat().st_size:
            raise DataError(f"{STANDARD_INPUT}: is empty; check the command that writes it")
        return path.rename(folder / f"{STANDARD_INPUT}{_kind(path)}")
    except BaseException as fault:
        _remove(folder)
        if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
            remedy = "free some space, or name another folder with TMPDIR"
            raise OutputError(f"{folder}: {fault.strerror}; {remedy}") from None
        raise


_HEAD_BYTES = 4096
_KINDS = ((b"PAR1", ".parquet"), (b"PK\x03\x04", ".xlsx"))


def _kind(path: Path) -> str:
    """Return the suffix of a file by its first bytes: that of its content, and of compression."""
    with path.open("rb") as file:
        packed = compressed_suffix(file.read(MARK_BYTES))
    try:
        with opened(path) as (stream, _):
            head = stream.read(_HEAD_BYTES)
    except DataError as fault:
        raise DataError(str(fault).replace(str(path), STANDARD_INPUT)) from None
    kind = next((suffix for mark, suffix in _KINDS if head.startswith(mark)), None)
    if kind is None:
        # Without the mark of UTF-8, and the zeros of UTF-16.
        text = head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
        kind = ".jsonl" if text[:1] in (b"{", b"[") else ".csv"
    return kind + packed
