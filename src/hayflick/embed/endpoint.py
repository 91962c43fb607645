"""Any endpoint that speaks OpenAI's ``/v1/embeddings``, through its SDK (extra ``llm``)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from hayflick.core.checks import positive_number, whole_number
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError
from hayflick.embed.embedder import Vectors, around_blanks

_LONGEST_REASON = 300

# The SDK wants a key even where the endpoint does not.
_NO_KEY = "none"


@final
@dataclass(frozen=True, kw_only=True)
class EndpointEmbedder:
    """A model behind an HTTP endpoint.

    Parameters
    ----------
    url
        Base URL, up to ``/v1``.
    model
        The model's name there.
    key
        Name of the environment variable that holds the key; no key is sent where None.
    batch
        Texts in one request.
    retries
        How often a request is made again, after waiting longer each time, where the endpoint
        is busy (429), fails (5xx) or does not answer.
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
        whole_number("retries", self.retries, at_least=0)
        positive_number("timeout", self.timeout)
        parts = urlsplit(self.url)
        if parts.username or parts.password:
            remedy = "name the variable that holds it with key"
            raise ArgumentError("url", got="a URL with a password", takes="none", remedy=remedy)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ArgumentError("url", got=self.url, takes="a URL such as https://HOST/v1")

    @property
    def id(self) -> str:
        """Everything that decides on the vectors, as far as it is known from here."""
        return f"endpoint:url={self.url.rstrip('/')},model={self.model}"

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector; makes a request."""
        return int(self._request(["length"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts; NaN for one of nothing but whitespace.

        Raises
        ------
        MissingExtraError
            If the extra ``llm`` is not installed.
        ArgumentError
            If the variable that should hold the key is not set.
        DataError
            If the endpoint does not answer, or with something else.
        """
        return around_blanks(texts, dimensions=lambda: self.dimensions, embed=self._in_batches)

    def _in_batches(self, texts: list[str]) -> NDArray[np.float32]:
        starts = range(0, len(texts), self.batch)
        parts = [self._request(texts[start : start + self.batch]) for start in starts]
        lengths = sorted({part.shape[1] for part in parts})
        if len(lengths) > 1:
            raise self._unusable(f"vectors of {lengths[0]} and of {lengths[-1]} dimensions")
        return np.concatenate(parts)

    def _request(self, texts: list[str]) -> NDArray[np.float32]:
        client = self._client
        with self._faults():
            # Not every server knows the SDK's own default, base64.
            answer = client.embeddings.create(
                model=self.model, input=texts, encoding_format="float"
            )
        try:
            by_index = {int(item.index): item.embedding for item in answer.data}
            vectors = np.array([by_index[place] for place in range(len(texts))], np.float32)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise self._unusable(
                f"no vector of one length for each of {len(texts)} texts"
            ) from None
        if len(by_index) != len(texts) or vectors.ndim != 2 or not vectors.shape[1]:
            raise self._unusable(f"{len(by_index)} vectors for {len(texts)} texts")
        if not np.isfinite(vectors).all():
            raise self._unusable("vectors that hold no numbers")
        return vectors

    def _unusable(self, what: str) -> DataError:
        remedy = f"is {self.model} an embedding model there?"
        return DataError(f"{self.url}: answered with {what}; {remedy}")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        sdk = _sdk()
        try:
            yield
        except sdk.APIStatusError as fault:
            remedy = "check the URL, the model and the key"
            reason = self._reason(fault.response.text)
            raise DataError(
                f"{self.url}: answered {fault.status_code} ({reason}); {remedy}"
            ) from None
        except sdk.APITimeoutError:
            remedy = "is the server up? a longer timeout or smaller batches may help"
            raise DataError(f"{self.url}: no answer in {self.timeout:g} s; {remedy}") from None
        except sdk.APIConnectionError as fault:
            reason = self._reason(str(fault.__cause__ or fault))
            raise DataError(
                f"{self.url}: cannot be reached ({reason}); is the server up?"
            ) from None
        except (sdk.APIError, ValueError) as fault:
            raise self._unusable(f"something else ({self._reason(str(fault))})") from None

    def _reason(self, text: str) -> str:
        """Return what a server said in one line, without the key, which some repeat."""
        shown = " ".join(text.split())
        key = os.environ.get(self.key or "")
        shown = shown.replace(key, "KEY") if key else shown
        return shown[:_LONGEST_REASON] or "nothing more"

    @cached_property
    def _client(self) -> Any:
        return _sdk().OpenAI(
            base_url=self.url,
            api_key=self._secret(),
            max_retries=self.retries,
            timeout=self.timeout,
        )

    def _secret(self) -> str:
        if self.key is None:
            return _NO_KEY
        secret = os.environ.get(self.key)
        if not secret:
            takes = "the name of an environment variable that holds the key"
            raise ArgumentError("key", got=self.key, takes=takes, remedy="it is not set")
        return secret


def _sdk() -> Any:
    try:
        return import_module("openai")
    except ModuleNotFoundError as fault:
        raise MissingExtraError("an embedding endpoint", extra="llm") from fault
