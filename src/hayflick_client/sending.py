"""How a batch is sent by httpx, and what is made ready for it."""

from __future__ import annotations

import ssl
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hayflick_client.delivery import ServiceReply, encoded
from hayflick_client.outbox import Batch

if TYPE_CHECKING:
    import httpx


def tls_context(address: str) -> ssl.SSLContext:
    """Return how certificates are checked; of an address without TLS, for none.

    It is made, and what a request takes is imported, by whoever makes the watcher and not by the
    thread that sends: a process that is forked meanwhile could do neither any more.
    """
    for name in ("httpx", "httpcore", "encodings.idna"):
        import_module(name)
    if address.startswith("https:"):
        context: ssl.SSLContext = import_module("httpx").create_ssl_context()
        return context
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def exchange(client: httpx.Client, address: str, batch: Batch) -> ServiceReply:
    """Send a batch, and return what it was answered."""
    try:
        body, headers = encoded(batch.body())
        response = client.post(f"{address}/{batch.path}", content=body, headers=headers)
        return reply_of(response)
    except Exception as fault:
        return failed(fault)


def reply_of(response: Any) -> ServiceReply:
    """Return what matters of a response of httpx."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ServiceReply(response.status_code, headers, response.content)


def failed(fault: Exception) -> ServiceReply:
    """Return the reply that stands for none."""
    return ServiceReply(None, fault=f"{type(fault).__name__}: {fault}".rstrip(": "))
