"""Standard output and standard error whose readers may leave: ``hayflick watch … | head -3``.

A reader that has left changes neither what a command does nor how it ends: what is written after
that is discarded, also by the interpreter's last flush.
"""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from typing_extensions import Buffer, override

from hayflick.core.errors import HayflickError, OutputError


class _Descriptor(io.RawIOBase):
    """A file descriptor that discards what nobody reads any more."""

    def __init__(self, descriptor: int, *, name: str, required: bool) -> None:
        self._descriptor, self._name, self._required = descriptor, name, required

    @override
    def writable(self) -> bool:
        return True

    @override
    def fileno(self) -> int:
        return self._descriptor

    @override
    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    @override
    def write(self, data: Buffer, /) -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError as fault:
                self._discard()
                if self._required and not isinstance(fault, ConnectionError):
                    raise OutputError(f"{self._name}: {fault.strerror}") from None
                return memoryview(data).nbytes

    def _discard(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._descriptor)
        os.close(null)


@contextmanager
def patient_streams() -> Iterator[None]:
    """Replace standard output and standard error with streams whose readers may leave.

    A stream that is closed from the start is opened on the null device: otherwise the next file
    that the command opens would take its place, and messages would be written into that file.
    """
    before = sys.stdout, sys.stderr
    _open_closed_descriptors()
    sys.stdout = _patient(sys.stdout, 1, name="standard output", required=True)
    sys.stderr = _patient(sys.stderr, 2, name="standard error", required=False)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(HayflickError):
                stream.flush()
        sys.stdout, sys.stderr = before


def one_destination() -> bool:
    """Return whether standard output and standard error go to the same terminal, file or pipe."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False


def _open_closed_descriptors() -> None:
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is given, which is this one.
            os.open(os.devnull, os.O_RDWR)


def _patient(stream: TextIO | None, number: int, *, name: str, required: bool) -> TextIO:
    """Return a stream that writes where `stream` does; itself if that is no file."""
    if stream is None:
        raw = _Descriptor(number, name=name, required=required)
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace")
    try:
        raw = _Descriptor(stream.fileno(), name=name, required=required)
        stream.flush()
    except (OSError, ValueError, AttributeError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        # A name that the terminal cannot show must not end the program.
        errors="backslashreplace",
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )
