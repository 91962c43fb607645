"""Write files whole or not at all, and refuse bad paths before any work starts."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hayflick.core.errors import ArgumentError, OutputError
from hayflick.core.object_stores import was_url

if TYPE_CHECKING:
    import xarray

PAGE_SUFFIXES = (".html", ".htm")
"""File suffixes of pages."""

_LONGEST_STEM_BYTES = 150


def check_writable(path: Path, *, force: bool) -> None:
    """Refuse a path that cannot be written, before any work starts.

    Raises
    ------
    OutputError
        If its folder is missing, it is not a regular file, or it exists and `force` is not
        set.
    """
    check_name(path)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, takes a file name; give one inside it")
    check_folder(path.parent)
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is no ordinary file; choose another name")
    if path.exists() and not force:
        raise _taken(path)


def check_not_input(path: Path, inputs: Iterable[str | os.PathLike[str] | None]) -> None:
    """Refuse to overwrite an input, also with ``--force``.

    Raises
    ------
    OutputError
        If `path` is one of the inputs; None stands for no input.
    """
    check_name(path)
    if any(_same(path, Path(one)) for one in inputs if one is not None):
        raise OutputError(f"{path}: is the input; choose another name")


def check_name(path: Path) -> None:
    """Refuse a path that the file system cannot have, such as one with a name of 300 letters.

    Raises
    ------
    OutputError
        If it is too long, holds a NUL character, or leads through a file or a circle of links.
    """
    url = was_url(path)
    if url is not None and not path.parent.exists():
        remedy = "write a file on a disk, and copy it there"
        raise OutputError(f"{url}: lies in an object store, which takes no such file; {remedy}")
    try:
        path.stat()
    except FileNotFoundError:
        return
    except OSError as fault:
        raise OutputError(f"{path}: {(fault.strerror or 'no path').lower()}") from None
    except ValueError:
        raise OutputError(f"{str(path)!r}: holds a NUL character, which no path can") from None


def _same(path: Path, other: Path) -> bool:
    try:
        return os.path.realpath(path) == os.path.realpath(other)
    except ValueError:
        # A name with a NUL character is no file.
        return False


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before any work starts.

    Raises
    ------
    OutputError
        If it is missing or not writable.
    """
    check_name(folder)
    if not folder.is_dir():
        raise OutputError(f"{folder}: the folder does not exist; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: the folder is not writable; choose another")


def default_name(stem: str, *, prefix: str, suffix: str) -> Path:
    """Return a file name in the current folder from the name of an input of any length.

    Examples
    --------
    >>> str(default_name("corpus", prefix="forecast-", suffix=".html"))
    'forecast-corpus.html'
    """
    short = os.fsencode(stem)[:_LONGEST_STEM_BYTES].decode("utf-8", errors="ignore")
    return Path(f"{prefix}{short}{suffix}")


def write_text(path: Path, text: str, *, force: bool = False, numbered: bool = False) -> Path:
    """Write `text` as UTF-8, whole or not at all; see `write_file`.

    Lone surrogates, which UTF-8 cannot encode, are written as question marks.
    """

    def write(temporary: Path) -> None:
        with open(temporary, "x", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)

    return write_file(path, write, force=force, numbered=numbered)


def write_file(
    path: Path, write: Callable[[Path], None], *, force: bool = False, numbered: bool = False
) -> Path:
    """Write a temporary file beside `path`, then move it there.

    Parameters
    ----------
    path
        The file to write.
    write
        Called with the temporary file's path, to write it.
    force
        Whether an existing file is replaced.
    numbered
        Whether a number is appended to a name that is taken.

    Returns
    -------
    The path that was written.

    Raises
    ------
    OutputError
        If the name is taken, or the operating system refuses.
    """
    temporary = path.parent / f".hayflick-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        try:
            write(temporary)
            return _move(temporary, path, force=force, numbered=numbered)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror})") from fault


def write_netcdf(path: Path, runs: xarray.Dataset, *, force: bool = False) -> Path:
    """Write runs as NetCDF, whole or not at all.

    The file is made in memory first: the HDF5 library ends the process where a disk is full.

    Raises
    ------
    OutputError
        As `write_file`.
    """
    data = runs.to_netcdf(engine="h5netcdf")
    return write_file(path, lambda temporary: _write(temporary, data), force=force)


def _write(path: Path, data: bytes | memoryview) -> None:
    with open(path, "xb") as file:
        file.write(data)


def make_folder(path: Path, *, numbered: bool, force: bool) -> Path:
    """Create a folder to write several files into, and return its path.

    Parameters
    ----------
    path
        The folder; its parent exists.
    numbered
        Whether a number is appended to a name that is taken.
    force
        Whether to write into an existing folder.

    Raises
    ------
    OutputError
        If the name is taken, or the operating system refuses.
    """
    check_folder(path.parent)
    if force and path.is_dir():
        return path
    try:
        return _claim(path, Path.mkdir, numbered=numbered, stem=path.name, suffix="")
    except OSError as fault:
        raise OutputError(f"{path}: cannot be made ({fault.strerror})") from fault


def _move(temporary: Path, path: Path, *, force: bool, numbered: bool) -> Path:
    if force:
        os.replace(temporary, path)
        return path

    # Unlike a check beforehand, neither way has a race with another process.
    def move(target: Path) -> None:
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:
            # A file system without hard links.
            target.open("x").close()
            os.replace(temporary, target)

    return _claim(path, move, numbered=numbered, stem=path.stem, suffix=path.suffix)


def _claim(
    path: Path, make: Callable[[Path], object], *, numbered: bool, stem: str, suffix: str
) -> Path:
    """Create a file or folder under a name that is not taken, and return its path."""
    for number in itertools.count(1):
        target = path if number == 1 else path.with_name(f"{stem}-{number}{suffix}")
        try:
            make(target)
        except FileExistsError:
            if not numbered:
                raise _taken(path) from None
        else:
            break
    return target


def _taken(path: Path) -> OutputError:
    remedy = "choose another name, or replace it with --force (in Python, force=True)"
    return OutputError(f"{path}: exists already; {remedy}")


def check_page(
    path: str | os.PathLike[str],
    *,
    name: str = "out",
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool = False,
) -> None:
    """Refuse a file name that a page cannot be written to, before any work starts.

    Parameters
    ----------
    path
        The file of the page.
    name
        Name of the argument, for messages.
    inputs
        The input files; None stands for no input.
    force
        Whether an existing file is replaced.

    Raises
    ------
    ArgumentError
        If the name does not end in one of `PAGE_SUFFIXES`: a browser would not open it as a page.
    OutputError
        If it is an input, exists and `force` is not set, or cannot be written.

    Examples
    --------
    >>> check_page("plan.pdf")
    Traceback (most recent call last):
        ...
    hayflick.core.errors.ArgumentError: out: got plan.pdf, takes a name ending in .html, .htm
    """
    page = Path(path)
    check_not_input(page, inputs)
    check_writable(page, force=force)
    if page.suffix.lower() not in PAGE_SUFFIXES:
        takes = f"a name ending in {', '.join(PAGE_SUFFIXES)}"
        raise ArgumentError(name, got=str(page), takes=takes)
