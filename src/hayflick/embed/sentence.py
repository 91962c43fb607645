"""Sentence models through sentence-transformers, loaded on first use (extra ``embeddings``)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from hayflick.core.checks import whole_number
from hayflick.core.errors import DataError, MissingExtraError
from hayflick.embed.embedder import Vectors, embed_nonblank


@final
@dataclass(frozen=True, kw_only=True)
class SentenceEmbedder:
    """A model of the sentence-transformers library: texts of similar meaning are close.

    The last bits of a vector may depend on the other texts of its batch.

    Parameters
    ----------
    model
        A local folder, or a name on the Hugging Face hub.
    batch
        Number of texts in a batch.
    device
        ``cpu``, ``cuda``, …; the library's choice if None.
    normalise
        Whether vectors get unit length.
    revision
        Commit of a model on the hub. Without one the name stands for the latest version, and a
        cache does not notice when that changes.

    Examples
    --------
    >>> SentenceEmbedder(model="all-MiniLM-L6-v2", revision="c9745ed").id
    'sentence:model=all-MiniLM-L6-v2,revision=c9745ed,normalise=True'
    """

    model: str
    batch: int = 32
    device: str | None = None
    normalise: bool = True
    revision: str | None = None

    def __post_init__(self) -> None:
        whole_number("batch", self.batch, at_least=1)

    @cached_property
    def id(self) -> str:
        """Everything that determines the vectors; for a folder, with a digest of its files."""
        folder = Path(self.model)
        version = f"sha256={_digest(folder)}" if folder.is_dir() else f"revision={self.revision}"
        return f"sentence:model={self.model},{version},normalise={self.normalise}"

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector; loads the model."""
        return int(self._encode(["length"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts; NaN for one of nothing but whitespace.

        Raises
        ------
        MissingExtraError
            If the extra ``embeddings`` is not installed.
        DataError
            If the model cannot be loaded.
        """
        return embed_nonblank(texts, dimensions=lambda: self.dimensions, embed=self._encode)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        encoded = self._loaded.encode(
            texts,
            batch_size=self.batch,
            normalize_embeddings=self.normalise,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(encoded, np.float32)

    @cached_property
    def _loaded(self) -> Any:
        try:
            library = import_module("sentence_transformers")
        except ModuleNotFoundError as fault:
            raise MissingExtraError("a sentence model", extra="embeddings") from fault
        try:
            return library.SentenceTransformer(
                self.model, device=self.device, revision=self.revision
            )
        except (OSError, ValueError, RuntimeError) as fault:
            remedy = "give a local folder, or the name of a model on the hub"
            reason = str(fault).partition("\n")[0]
            raise DataError(f"{self.model}: cannot be loaded ({reason}); {remedy}") from fault


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{name}\n{content}\n".encode())
    return digest.hexdigest()[:16]
