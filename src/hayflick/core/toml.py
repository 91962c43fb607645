"""Read TOML: rules files, experiments and panels."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from hayflick.core.documents import (
    DEEPEST,
    check_depth,
    check_integers,
    read_small_text,
    refuse_digits,
)
from hayflick.core.errors import DataError

# Brackets, and strings and comments as a whole. A string that does not end runs on to the end of
# its line or text: the parser refuses it, and no character is looked at twice.
_MARKS = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+(?:"{3,5}|\\?\Z)'
    r"|'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+"
    r"|[\[\]{}]",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{DEEPEST}}}")


def read_toml(path: str | os.PathLike[str], *, what: str = "a TOML file") -> dict[str, Any]:
    """Return the values of a TOML file.

    Parameters
    ----------
    path
        The file, of at most 1 MB.
    what
        What the file is, for messages: ``"a rules file"``.

    Raises
    ------
    DataError
        If it cannot be read, is too large, not UTF-8, or no TOML (see `parse_toml`).
    """
    return parse_toml(read_small_text(path, what=what), name=str(Path(path)))


def parse_toml(text: str, *, name: str) -> dict[str, Any]:
    """Return the values of a TOML document.

    Parameters
    ----------
    text
        The document.
    name
        Its name, for messages.

    Raises
    ------
    DataError
        If it is no TOML, is nested deeper than 100 levels, or holds a whole number beyond 64
        bits; the line is named where it is known.

    Examples
    --------
    >>> parse_toml("rounds = 12", name="experiment.toml")
    {'rounds': 12}
    >>> parse_toml("rounds = ", name="experiment.toml")
    Traceback (most recent call last):
        ...
    hayflick.core.errors.DataError: experiment.toml: is no TOML: Invalid value (at end of document)
    """
    check_depth(text, name=name, marks=_MARKS)
    # Quoted parts of a key stand for themselves as one letter; lines stay where they are.
    keys = _MARKS.sub(lambda found: "x" + "\n" * found[0].count("\n"), text)
    deep = _LONG_KEY.search(keys)
    if deep is not None:
        line = keys.count("\n", 0, deep.start()) + 1
        raise DataError(f"{name}: line {line} is nested deeper than {DEEPEST} levels")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise DataError(f"{name}: is no TOML: {fault}") from None
    except RecursionError:
        raise DataError(f"{name}: is nested deeper than {DEEPEST} levels") from None
    except ValueError:
        raise refuse_digits(text, name=name) from None
    check_integers(found, name=name)
    return found
