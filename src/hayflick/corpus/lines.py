"""Running text to whole lines, however it was cut."""

from __future__ import annotations

from collections.abc import Iterator

from hayflick.core.errors import DataError

LONGEST_LINE = 1 << 26
"""Characters that a line may have: it is held in memory whole."""


def lines(texts: Iterator[str], *, name: str, longest: int = LONGEST_LINE) -> Iterator[list[str]]:
    r"""Yield the lines of running text, some at a time, without what ends them.

    Parameters
    ----------
    texts
        The text, cut anywhere.
    name
        What the text is called, for messages.
    longest
        Characters that a line may have.

    Raises
    ------
    DataError
        If a line is longer.

    Examples
    --------
    >>> list(lines(iter(["one tw", "o\r\nthr", "ee\n\nfo", "ur"]), name="verse"))
    [['one two'], ['three', ''], ['four']]
    """
    begun: list[str] = []
    length = 0
    for text in texts:
        head, newline, tail = text.rpartition("\n")
        begun.append(head if newline else tail)
        length += len(begun[-1])
        if length > longest and "\n" not in begun[-1]:
            raise DataError(f"{name}: a line is longer than {longest:,} characters; cut it")
        if newline:
            yield [line.removesuffix("\r") for line in "".join(begun).split("\n")]
            begun, length = [tail], len(tail)
    if rest := "".join(begun):
        yield [rest.removesuffix("\r")]
