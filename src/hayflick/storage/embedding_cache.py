"""A cache of embeddings, by the hash of the text and the id of the embedder.

Damage does not go unnoticed: every row has a checksum. A row that fails it counts as missing, and
the next write replaces it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects import postgresql, sqlite

from hayflick.storage.database import Database

# SQLite refuses more than 32,766 variables in a statement.
_HASHES_IN_A_QUERY = 1000

_KEY = ("embedder", "text_hash")
_KEPT = ("dimensions", "vector", "checksum")

_embeddings = sa.table(
    "embeddings",
    sa.column("embedder", sa.String),
    sa.column("text_hash", sa.LargeBinary),
    sa.column("dimensions", sa.Integer),
    # As it is stored: of a damaged number, `LargeBinary` would make as many bytes.
    sa.column("vector"),
    sa.column("checksum", sa.BigInteger),
)


class EmbeddingCache:
    """The vectors of one embedder in a database; several processes may share it.

    Parameters
    ----------
    database
        The database that stores them.
    embedder
        Id of the embedder; vectors of other embedders are ignored.

    Examples
    --------
    >>> import tempfile
    >>> vector = np.ones(3, np.float32)
    >>> with tempfile.TemporaryDirectory() as folder, Database(f"{folder}/kept.db") as database:
    ...     cache = EmbeddingCache(database, embedder="ones")
    ...     cache.put_many({b"hash of a text": vector})
    ...     cache.get_many([b"hash of a text", b"of another"])
    {b'hash of a text': array([1., 1., 1.], dtype=float32)}
    """

    def __init__(self, database: Database, *, embedder: str) -> None:
        self._database = database
        self._embedder = embedder

    def get_many(self, hashes: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return vectors by hash, except those that are missing or damaged."""
        found: dict[bytes, NDArray[np.float32]] = {}
        with self._database.connect() as connection:
            for start in range(0, len(hashes), _HASHES_IN_A_QUERY):
                wanted = hashes[start : start + _HASHES_IN_A_QUERY]
                ours = _embeddings.c.embedder == self._embedder
                query = sa.select(_embeddings).where(ours, _embeddings.c.text_hash.in_(wanted))
                for row in connection.execute(query):
                    vector = _vector(row)
                    if vector is not None:
                        found[bytes(row.text_hash)] = vector
        return found

    def put_many(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store vectors by hash in one transaction, except those with NaN (blank texts)."""
        rows = [
            {"embedder": self._embedder, "text_hash": key, **_kept(vector)}
            for key, vector in vectors.items()
            if np.isfinite(vector).all()
        ]
        if not rows:
            return
        with self._database.transaction() as connection:
            connection.execute(upsert(self._database.dialect), rows)


def upsert(dialect: str) -> Any:
    """Return the statement that inserts rows or replaces those with the same key."""
    added: Any = postgresql if dialect == "postgresql" else sqlite
    added = added.insert(_embeddings)
    replaced = {name: added.excluded[name] for name in _KEPT}
    return added.on_conflict_do_update(index_elements=_KEY, set_=replaced)


def _kept(vector: NDArray[np.float32]) -> dict[str, Any]:
    content = np.asarray(vector, "<f4").tobytes()
    return {"dimensions": vector.size, "vector": content, "checksum": zlib.crc32(content)}


def _vector(row: sa.Row[Any]) -> NDArray[np.float32] | None:
    if not isinstance(row.vector, bytes | memoryview):
        return None
    content = bytes(row.vector)
    whole = len(content) == 4 * row.dimensions and zlib.crc32(content) == row.checksum
    return np.frombuffer(content, "<f4").astype(np.float32) if whole else None
