"""Which file a page may be written to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_writable

SUFFIXES = (".html", ".htm")
"""What the name of a page ends in."""


def check_page(
    path: str | os.PathLike[str],
    *,
    name: str = "out",
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool = False,
) -> None:
    """Refuse a file that no page can be written to, before any work starts.

    Parameters
    ----------
    path
        Where the page is to go.
    name
        Of the argument that says so.
    inputs
        What is read; None stands for no input.
    force
        Whether a file that exists is replaced.

    Raises
    ------
    ArgumentError
        If the name does not end in one of `SUFFIXES`: a browser would not open it as a page.
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
    if page.suffix.lower() not in SUFFIXES:
        raise ArgumentError(name, got=str(page), takes=f"a name ending in {', '.join(SUFFIXES)}")
