"""What counts of tokens look like, and how a tokenizer spells ASCII text.

Apart from `hayflick.corpus.ascii_runs`, whose compiled code a short text does not need.
"""

from __future__ import annotations

import polars as pl

SEPARATOR = 0xFF
"""In `Tokenizer.ascii_spelling`, a character that is in no token."""


def no_counts() -> pl.DataFrame:
    """Return an empty table of counts."""
    return pl.DataFrame(schema={"symbol": pl.String, "number": pl.Int64})
