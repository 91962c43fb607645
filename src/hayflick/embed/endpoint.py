"""Any endpoint that speaks OpenAI's ``/v1/embeddings`` (extra ``llm``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from hayflick.core.checks import positive_number, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.http import LARGEST_REPLY, HttpClient, RequestFailure, Retries, run_to_end
from hayflick.embed.embedder import Vectors, embed_nonblank

_NOTHING = "nothing more"

_BYTES_OF_A_VECTOR, _LARGEST_REPLY = 200_000, 48_000_000
"""Of a reply in JSON: room for 8,192 numbers a text, and no more than this for all."""

_BRACKETS = 10
"""Most lists and objects of a reply for each text; a vector takes two."""


@final
@dataclass(frozen=True, kw_only=True)
class EndpointEmbedder:
    """An embedding model behind an HTTP endpoint.

    Parameters
    ----------
    url
        Base URL, up to ``/v1``.
    model
        Name of the model at the endpoint.
    key
        Name of the environment variable that holds the key; no key is sent if None.
    batch
        Texts in one request.
    retries
        How often a request is retried, with growing waits, if the endpoint is busy (429), fails
        (5xx) or does not answer.
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    ArgumentError
        If a parameter is out of its range, or the URL holds a password.

    Examples
    --------
    >>> EndpointEmbedder(url="http://localhost:8080/v1", model="bge-m3").id
    'endpoint:url=http://localhost:8080/v1,model=bge-m3'
    """

    url: str
    model: str
    key: str | None = None
    batch: int = 128
    retries: int = 5
    timeout: float = 60.0

    def __post_init__(self) -> None:
        whole_number("batch", self.batch, at_least=1)
        Retries(self.retries)
        positive_number("timeout", self.timeout)
        parts = urlsplit(self.url)
        if parts.username or parts.password:
            remedy = "name the variable that holds it with key"
            raise ArgumentError("url", got="a URL with a password", takes="none", remedy=remedy)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ArgumentError("url", got=self.url, takes="a URL such as https://HOST/v1")

    @property
    def id(self) -> str:
        """Everything that determines the vectors, as far as the client knows."""
        return f"endpoint:url={self.url.rstrip('/')},model={self.model}"

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector; makes a request."""
        return int(self._in_batches(["length"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts; NaN for one of nothing but whitespace.

        Raises
        ------
        MissingExtraError
            If the extra ``llm`` is not installed.
        ArgumentError
            If the variable that should hold the key is not set.
        DataError
            If the endpoint does not answer, or not with vectors.
        """
        return embed_nonblank(texts, dimensions=lambda: self.dimensions, embed=self._in_batches)

    def _in_batches(self, texts: list[str]) -> NDArray[np.float32]:
        parts = run_to_end(self._requests(texts))
        lengths = sorted({part.shape[1] for part in parts})
        if len(lengths) > 1:
            raise self._unusable(f"vectors of {lengths[0]} and of {lengths[-1]} dimensions")
        return np.concatenate(parts)

    async def _requests(self, texts: list[str]) -> list[NDArray[np.float32]]:
        client = HttpClient(
            self.url,
            feature="an embedding endpoint",
            key_variable=self.key,
            key_argument="key",
            timeout_s=self.timeout,
            redirects=True,
            largest_reply=min(LARGEST_REPLY + self.batch * _BYTES_OF_A_VECTOR, _LARGEST_REPLY),
        )
        try:
            starts = range(0, len(texts), self.batch)
            return [await self._request(client, texts[s : s + self.batch]) for s in starts]
        finally:
            await client.close()

    async def _request(self, client: HttpClient, texts: list[str]) -> NDArray[np.float32]:
        # Not every server knows another format, such as base64.
        body = {"model": self.model, "input": texts, "encoding_format": "float"}
        try:
            reply, _ = await self._retries.run(client.post, "/embeddings", body)
        except RequestFailure as failure:
            raise self._failed(failure) from None
        # Parsed, each of them takes many times its bytes.
        if reply.count(b"[") + reply.count(b"{") > _BRACKETS * (len(texts) + 100):
            raise self._unusable(f"far more than vectors of {len(texts)} texts")
        try:
            answer = json.loads(reply)
        except (ValueError, RecursionError):
            reason = client.one_line(reply) or _NOTHING
            raise self._unusable(f"something else ({reason})") from None
        try:
            by_index = {int(item["index"]): item["embedding"] for item in answer["data"]}
            vectors = np.array([by_index[place] for place in range(len(texts))], np.float32)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise self._unusable(
                f"no vector of one length for each of {len(texts)} texts"
            ) from None
        if len(by_index) != len(texts) or vectors.ndim != 2 or not vectors.shape[1]:
            raise self._unusable(f"{len(by_index)} vectors for {len(texts)} texts")
        if not np.isfinite(vectors).all():
            raise self._unusable("vectors that hold no numbers")
        return vectors

    @property
    def _retries(self) -> Retries:
        return Retries(self.retries, first_wait_s=0.5, longest_wait_s=8.0)

    def _unusable(self, what: str) -> DataError:
        remedy = f"is {self.model} an embedding model there?"
        return DataError(f"{self.url}: answered with {what}; {remedy}")

    def _failed(self, failure: RequestFailure) -> DataError:
        detail = failure.detail or _NOTHING
        if failure.status is not None:
            remedy = "check the URL, the model and the key"
            return DataError(f"{self.url}: answered {failure.status} ({detail}); {remedy}")
        if failure.timed_out:
            remedy = "is the server up? a longer timeout or smaller batches may help"
            return DataError(f"{self.url}: no answer in {self.timeout:g} s; {remedy}")
        if failure.reason.startswith("the reply"):
            return DataError(f"{self.url}: {failure.reason}; smaller batches may help")
        return DataError(f"{self.url}: cannot be reached ({detail}); is the server up?")
